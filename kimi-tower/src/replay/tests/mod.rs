#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod whole;

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use kimi_errors::{BoxError, Error, ErrorKind};
use proptest::{collection::vec, prelude::*};

use super::{Replay, ReplayBody, ReplayBudget, ReplayLimits};
use crate::sync::Lock;

#[derive(Clone, Debug)]
enum Beat {
    Data(Vec<u8>),
    Trailers,
    /// Data that the test sets.
    Owned,
    Wait,
    Fail,
    Panic,
}

/// Follows a script. Waits without waking anyone: tests poll again.
struct Scripted {
    script: VecDeque<Beat>,
    knows_length: bool,
    knows_end: bool,
    on_poll: Option<Box<dyn FnMut() + Send>>,
    has_failed: Arc<AtomicBool>,
    owned: Arc<Lock<Option<Bytes>>>,
}

impl Scripted {
    fn new(script: impl IntoIterator<Item = Beat>) -> Self {
        let script = script.into_iter().collect();
        Self {
            script,
            knows_length: true,
            knows_end: true,
            on_poll: None,
            has_failed: Arc::default(),
            owned: Arc::new(Lock::new(None)),
        }
    }

    fn chunks<const N: usize>(chunks: [&str; N]) -> Self {
        Self::new(chunks.map(|chunk| Beat::Data(chunk.into())))
    }

    fn left(&self) -> usize {
        let lengths = self.script.iter().map(|beat| match beat {
            Beat::Data(data) => data.len(),
            _ => 0,
        });
        lengths.sum()
    }
}

fn trailers() -> HeaderMap {
    HeaderMap::from_iter([(http::header::ETAG, HeaderValue::from_static("\"kimi\""))])
}

impl Body for Scripted {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(on_poll) = &mut self.on_poll {
            on_poll();
        }
        Poll::Ready(match self.script.pop_front() {
            None => None,
            Some(Beat::Data(data)) => Some(Ok(Frame::data(data.into()))),
            Some(Beat::Owned) => self.owned.lock().take().map(|data| Ok(Frame::data(data))),
            Some(Beat::Trailers) => Some(Ok(Frame::trailers(trailers()))),
            Some(Beat::Wait) => return Poll::Pending,
            Some(Beat::Fail) => {
                self.has_failed.store(true, SeqCst);
                Some(Err("the original failed".into()))
            }
            Some(Beat::Panic) => panic!("the original panicked"),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.knows_end && self.script.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.knows_length { SizeHint::with_exact(self.left() as u64) } else { SizeHint::new() }
    }
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

type Polled = Poll<Option<Result<Frame<Bytes>, BoxError>>>;

fn poll<B>(body: &mut ReplayBody<B>) -> Polled
where
    ReplayBody<B>: Body<Data = Bytes, Error = BoxError> + Unpin,
{
    Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop()))
}

/// Reads the next data frame.
fn data<B>(body: &mut ReplayBody<B>) -> Bytes
where
    ReplayBody<B>: Body<Data = Bytes, Error = BoxError> + Unpin,
{
    match poll(body) {
        Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap(),
        other => panic!("no frame but {other:?}"),
    }
}

/// Reads to the end: the bytes, whether there were trailers, and how it ended.
fn read<B>(body: &mut ReplayBody<B>) -> (Vec<u8>, bool, Result<(), BoxError>)
where
    ReplayBody<B>: Body<Data = Bytes, Error = BoxError> + Unpin,
{
    let (mut bytes, mut has_trailers) = (Vec::new(), false);
    loop {
        match poll(body) {
            Poll::Pending => {}
            Poll::Ready(None) => return (bytes, has_trailers, Ok(())),
            Poll::Ready(Some(Err(error))) => return (bytes, has_trailers, Err(error)),
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => bytes.extend_from_slice(&data),
                Err(frame) => {
                    assert_eq!(frame.into_trailers().unwrap(), trailers());
                    has_trailers = true;
                }
            },
        }
    }
}

/// Reads the error that is next.
fn error<B>(body: &mut ReplayBody<B>) -> BoxError
where
    ReplayBody<B>: Body<Data = Bytes, Error = BoxError> + Unpin,
{
    match poll(body) {
        Poll::Ready(Some(Err(error))) => error,
        other => panic!("no error but {other:?}"),
    }
}

fn is_over<B>(body: &mut ReplayBody<B>) -> bool
where
    ReplayBody<B>: Body<Data = Bytes, Error = BoxError> + Unpin,
{
    matches!(poll(body), Poll::Ready(None))
}

fn is_superseded(error: BoxError) -> bool {
    Error::from(error).kind() == ErrorKind::Cancelled
}

fn limits(max_bytes: usize, budget: usize) -> (ReplayLimits, ReplayBudget) {
    let budget = ReplayBudget::new(budget);
    (ReplayLimits::default().with_max_bytes(max_bytes).with_budget(budget.clone()), budget)
}

#[test]
fn a_next_attempt_reads_the_record_and_then_the_original() {
    let body = Scripted::chunks(["one", "two", "three"]);
    let (mut first, replay) = Replay::new(body, &ReplayLimits::default());
    assert_eq!(data(&mut first), "one");
    assert_eq!(data(&mut first), "two");

    let mut second = replay.again().unwrap();
    let (bytes, _, end) = read(&mut second);
    assert_eq!((&bytes[..], end.is_ok()), (&b"onetwothree"[..], true));
}

#[test]
fn nothing_is_read_ahead_but_the_first_frame_of_a_body_of_known_length() {
    for (knows_length, max_bytes, polls_at_first) in [(false, 6, 0), (true, 6, 1), (true, 5, 0)] {
        let polls = Arc::new(AtomicUsize::new(0));
        let mut body = Scripted::chunks(["one", "two"]);
        body.knows_length = knows_length;
        let counted = Arc::clone(&polls);
        body.on_poll = Some(Box::new(move || {
            counted.fetch_add(1, SeqCst);
        }));
        let (mut first, replay) = Replay::new(body, &limits(max_bytes, usize::MAX).0);
        assert_eq!(polls.load(SeqCst), polls_at_first);
        assert_eq!(data(&mut first), "one");
        assert_eq!(polls.load(SeqCst), 1);
        if let Some(mut second) = replay.again() {
            assert_eq!(data(&mut second), "one");
        }
        assert_eq!(polls.load(SeqCst), 1);
    }
}

#[test]
fn a_body_that_has_ended_costs_nothing_and_can_always_be_had_again() {
    let (limits, budget) = limits(0, 0);
    let (body, replay) = Replay::new(Full::<Bytes>::default(), &limits);
    for body in [body, replay.again().unwrap(), replay.again().unwrap()] {
        assert!(body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(0));
    }
    assert_eq!(budget.in_use(), 0);
}

#[test]
fn a_frame_is_shared_and_not_copied() {
    let bytes = Bytes::from_static(b"a body of one frame");
    let mut body = Scripted::new([Beat::Owned]);
    body.knows_length = false;
    *body.owned.lock() = Some(bytes.clone());
    let (mut first, replay) = Replay::new(body, &ReplayLimits::default());
    let mut second = replay.again().unwrap();
    assert_eq!(data(&mut second).as_ptr(), bytes.as_ptr());
    let mut third = replay.again().unwrap();
    assert_eq!(data(&mut third).as_ptr(), bytes.as_ptr());
    assert!(third.is_end_stream());
    assert!(is_superseded(error(&mut first)));
}

#[test]
fn a_superseded_attempt_fails_once_and_is_over_then() {
    let (mut first, replay) =
        Replay::new(Scripted::chunks(["one", "two"]), &ReplayLimits::default());
    data(&mut first);
    let second = replay.again().unwrap();
    assert!(!first.is_end_stream(), "its error is to come");
    assert_eq!(first.size_hint().upper(), None);
    assert!(is_superseded(read(&mut first).2.unwrap_err()));
    assert!(is_over(&mut first));
    assert!(first.is_end_stream());
    drop(second);
}

#[test]
fn r2_a_superseded_attempt_that_waits_is_woken() {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut body = Scripted::new([Beat::Wait, Beat::Data(b"one".to_vec())]);
    body.knows_length = false;
    let (mut first, replay) = Replay::new(body, &ReplayLimits::default());
    let mut cx = Context::from_waker(&waker);
    assert!(Pin::new(&mut first).poll_frame(&mut cx).is_pending());
    assert_eq!(woken.0.load(SeqCst), 0);
    let mut second = replay.again().unwrap();
    assert_eq!(woken.0.load(SeqCst), 1);
    assert!(is_superseded(read(&mut first).2.unwrap_err()));
    assert_eq!(read(&mut second).0, b"one");
}

/// Two attempts at the moment in which the second began, which was while the first had the
/// original in hand.
struct InHand {
    first: BoxError,
    /// Has been given what was recorded by then, and was not ready when polled once more.
    second: ReplayBody<Scripted>,
    woken: usize,
}

/// In one thread: the next attempt begins in the poll of the original with this `number`. That it
/// comes back at all shows that no lock is held then.
fn superseded_in_poll(number: usize, mut body: Scripted, max_bytes: usize) -> InHand {
    let handle: Arc<Lock<Option<Replay<Scripted>>>> = Arc::new(Lock::new(None));
    let born: Arc<Lock<Option<ReplayBody<Scripted>>>> = Arc::new(Lock::new(None));
    let woken = Arc::new(Woken::default());
    body.on_poll = Some({
        let (handle, born, woken) = (Arc::clone(&handle), Arc::clone(&born), Arc::clone(&woken));
        let mut polls = 0;
        Box::new(move || {
            polls += 1;
            if polls == number {
                let mut second = handle.lock().as_ref().unwrap().again().unwrap();
                let waker = Waker::from(Arc::clone(&woken));
                let mut cx = Context::from_waker(&waker);
                while Pin::new(&mut second).poll_frame(&mut cx).is_ready() {}
                *born.lock() = Some(second);
            }
        })
    });
    let (mut first, replay) = Replay::new(body, &limits(max_bytes, usize::MAX).0);
    *handle.lock() = Some(replay);
    (1..number).for_each(|_| drop(data(&mut first)));
    let first = catch_unwind(AssertUnwindSafe(|| error(&mut first)));
    let first = first.unwrap_or_else(|_| "a panic".into());
    // Taken out, since the original owns what it would be dropped with.
    let (second, _handle) = (born.lock().take().unwrap(), handle.lock().take());
    InHand { first, second, woken: woken.0.load(SeqCst) }
}

fn some(data: &str) -> Beat {
    Beat::Data(data.into())
}

#[test]
fn r3_what_a_superseded_attempt_has_read_goes_to_the_running_one() {
    // Kept or not: the second frame is too long for a record of 10 bytes.
    for max_bytes in [100, 10] {
        let script = [some("one"), some("two, and no more of it"), some("three")];
        let mut body = Scripted::new(script);
        body.knows_length = max_bytes == 100;
        let InHand { first, mut second, woken } = superseded_in_poll(2, body, max_bytes);
        assert!(is_superseded(first));
        assert_eq!(woken, 1, "it waits for what the first has in hand");
        assert_eq!(second.size_hint().lower(), if max_bytes == 100 { 22 + 5 } else { 22 });
        let (bytes, _, end) = read(&mut second);
        assert_eq!(bytes, b"two, and no more of itthree");
        assert!(end.is_ok());
    }
}

#[test]
fn r3_the_error_a_superseded_attempt_has_read_goes_to_the_running_one() {
    let InHand { first, mut second, .. } =
        superseded_in_poll(2, Scripted::new([some("one"), Beat::Fail]), 100);
    assert!(is_superseded(first));
    assert!(!second.is_end_stream());
    assert_eq!(error(&mut second).to_string(), "the original failed");
    assert!(is_over(&mut second));
}

#[test]
fn r4_a_running_attempt_is_woken_when_the_original_is_not_ready_either() {
    let script = [some("one"), Beat::Wait, some("two")];
    let InHand { first, mut second, woken } = superseded_in_poll(2, Scripted::new(script), 100);
    assert!(is_superseded(first));
    assert_eq!(woken, 1, "the original knows only the waker of the first");
    assert_eq!(data(&mut second), "two");
    assert!(second.is_end_stream());
}

#[test]
fn r4_a_running_attempt_is_woken_when_the_original_panics_in_other_hands() {
    let body = Scripted::new([some("one"), Beat::Panic]);
    let InHand { first, mut second, woken } = superseded_in_poll(2, body, 100);
    assert_eq!(first.to_string(), "a panic");
    assert_eq!(woken, 1);
    assert_eq!(Error::from(error(&mut second)).kind(), ErrorKind::System);
}

#[test]
fn a_body_that_panicked_fails_and_cannot_be_had_again() {
    let body = Scripted::new([some("one"), Beat::Panic]);
    let (mut first, replay) = Replay::new(body, &ReplayLimits::default());
    data(&mut first);
    assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut first))).is_err());
    assert!(!replay.is_possible() && replay.again().is_none());
    assert_eq!(Error::from(error(&mut first)).kind(), ErrorKind::System);
    assert!(is_over(&mut first));
}

/// Asks the handle something, which takes the lock, when it is woken or dropped.
struct CallsBack(Weak<Replay<Scripted>>, Arc<AtomicUsize>);

impl CallsBack {
    fn call(&self) {
        if let Some(replay) = self.0.upgrade() {
            let _ = replay.is_possible();
            self.1.fetch_add(1, SeqCst);
        }
    }
}

impl Wake for CallsBack {
    fn wake(self: Arc<Self>) {
        self.call();
    }
}

impl AsRef<[u8]> for CallsBack {
    fn as_ref(&self) -> &[u8] {
        b"one"
    }
}

impl Drop for CallsBack {
    fn drop(&mut self) {
        self.call();
    }
}

/// Otherwise it waits for itself.
#[test]
fn r6_wakers_and_bytes_call_back_as_they_like() {
    let calls = Arc::new(AtomicUsize::new(0));
    let script = [Beat::Wait, Beat::Wait, Beat::Owned, some("and this is too much")];
    let mut body = Scripted::new(script);
    body.knows_length = false;
    let owned = Arc::clone(&body.owned);
    let (mut first, replay) = Replay::new(body, &limits(10, usize::MAX).0);
    let replay = Arc::new(replay);
    let call = || CallsBack(Arc::downgrade(&replay), Arc::clone(&calls));

    for expected in 0..2 {
        let waker = Waker::from(Arc::new(call()));
        assert!(Pin::new(&mut first).poll_frame(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        assert_eq!(calls.load(SeqCst), expected, "the one before it was dropped");
    }
    let mut second = replay.again().unwrap();
    assert_eq!(calls.load(SeqCst), 3, "woken, and dropped");

    *owned.lock() = Some(Bytes::from_owner(call()));
    data(&mut second);
    assert_eq!(calls.load(SeqCst), 3, "it is recorded");
    data(&mut second);
    assert_eq!(calls.load(SeqCst), 4, "the record is let go");
}

#[test]
fn an_error_goes_to_the_attempt_that_reads_it_and_ends_all() {
    let body = Scripted::new([some("one"), Beat::Fail]);
    let (mut first, replay) = Replay::new(body, &ReplayLimits::default());
    data(&mut first);
    assert!(replay.is_possible());
    let mut second = replay.again().unwrap();
    let (bytes, _, end) = read(&mut second);
    assert_eq!(bytes, b"one");
    assert_eq!(end.unwrap_err().to_string(), "the original failed");
    assert!(!replay.is_possible());
    assert!(replay.again().is_none());
    assert!(is_superseded(error(&mut first)));
}

#[test]
fn over_the_limit_the_record_is_let_go_and_the_attempt_goes_on() {
    let (limits, budget) = limits(5, usize::MAX);
    let mut body = Scripted::chunks(["one", "two", "three"]);
    body.knows_length = false;
    let (mut first, replay) = Replay::new(body, &limits);
    data(&mut first);
    assert!(replay.is_possible() && budget.in_use() > 0);
    data(&mut first);
    assert!(!replay.is_possible() && budget.in_use() == 0);
    assert!(replay.again().is_none());
    assert_eq!(read(&mut first).0, b"three");
}

#[test]
fn over_the_budget_the_record_is_let_go_and_the_attempt_goes_on() {
    let (limits, budget) = limits(usize::MAX, 400);
    let (mut one, replay_one) = Replay::new(Scripted::chunks(["one", "1"]), &limits);
    let (mut two, replay_two) = Replay::new(Scripted::chunks(["two", "2"]), &limits);
    data(&mut one);
    data(&mut two);
    assert_eq!(budget.in_use(), 2 * (96 + 3));
    data(&mut one);
    assert!(!replay_one.is_possible(), "its second piece has no room");
    data(&mut two);
    assert!(replay_two.is_possible(), "it has the room that the first has left");
    assert_eq!(read(&mut replay_two.again().unwrap()).0, b"two2");
    drop((two, replay_two));
    assert_eq!(budget.in_use(), 0);
}

#[test]
fn a_body_known_to_be_too_long_is_not_recorded_and_can_be_had_until_it_is_read() {
    let (limits, budget) = limits(10, usize::MAX);
    let (_, replay) = Replay::new(Scripted::chunks(["one", "two", "three"]), &limits);
    let mut second = replay.again().unwrap();
    assert_eq!(second.size_hint().exact(), Some(11));
    data(&mut second);
    assert_eq!(budget.in_use(), 0);
    assert!(replay.again().is_none());
    assert_eq!(read(&mut second).0, b"twothree");
}

#[test]
fn trailers_are_replayed_and_counted() {
    let counted = "etag".len() + "\"kimi\"".len();
    for (max_bytes, is_possible) in [(3 + counted, true), (2 + counted, false)] {
        let (limits, _) = limits(max_bytes, usize::MAX);
        let (mut first, replay) =
            Replay::new(Scripted::new([some("one"), Beat::Trailers]), &limits);
        assert!(read(&mut first).1);
        assert_eq!(replay.is_possible(), is_possible);
        if let Some(mut second) = replay.again() {
            assert!(!second.is_end_stream());
            let (bytes, has_trailers, end) = read(&mut second);
            assert_eq!((&bytes[..], has_trailers, end.is_ok()), (&b"one"[..], true, true));
        }
    }
}

#[test]
fn what_comes_after_trailers_is_passed_and_not_replayed() {
    for last in [some("two"), Beat::Trailers] {
        let script = [some("one"), Beat::Trailers, last];
        let (mut first, replay) = Replay::new(Scripted::new(script), &ReplayLimits::default());
        data(&mut first);
        assert!(poll(&mut first).is_ready() && replay.is_possible());
        assert!(matches!(poll(&mut first), Poll::Ready(Some(Ok(_)))));
        assert!(!replay.is_possible());
    }
}

#[test]
fn empty_frames_are_passed_and_not_recorded() {
    let (limits, budget) = limits(0, 0);
    let (mut first, replay) = Replay::new(Scripted::chunks(["", "", ""]), &limits);
    assert_eq!(data(&mut first), "");
    assert_eq!(data(&mut first), "");
    assert_eq!(budget.in_use(), 0);
    assert_eq!(read(&mut replay.again().unwrap()).0, b"");
}

#[test]
fn a_dropped_handle_lets_go_what_the_attempt_has_been_given() {
    let (limits, budget) = limits(usize::MAX, usize::MAX);
    let long = "long".repeat(300);
    let (mut first, replay) =
        Replay::new(Scripted::chunks(["one", &long, "three", "four"]), &limits);
    (0..3).for_each(|_| drop(data(&mut first)));
    let mut second = replay.again().unwrap();
    data(&mut second);
    let before = budget.in_use();
    drop(replay);
    assert_eq!(before - budget.in_use(), 3, "the piece that was given");
    data(&mut second);
    assert_eq!(before - budget.in_use(), 3 + 1200);
    data(&mut second);
    assert_eq!(budget.in_use(), 0);
    data(&mut second);
    assert_eq!(budget.in_use(), 0, "and records no more");
    assert!(is_superseded(error(&mut first)));
}

#[test]
fn tiny_frames_cost_little_more_than_any_other() {
    let (limits, budget) = limits(usize::MAX, usize::MAX);
    let bytes = 100_000;
    let mut body = Scripted::new((0..bytes).map(|_| some("x")));
    body.knows_length = false;
    let (mut first, replay) = Replay::new(body, &limits);
    assert!(read(&mut first).2.is_ok());
    assert!(budget.in_use() < bytes * 11 / 10, "{} for {bytes}", budget.in_use());
    let mut second = replay.again().unwrap();
    let mut frames = 0;
    while !second.is_end_stream() {
        data(&mut second);
        frames += 1;
    }
    assert_eq!(frames, 1 + (bytes - 1usize).div_ceil(4096));
}

#[test]
fn the_worst_mix_of_frames_costs_twice_the_bytes_and_192_a_kibibyte() {
    let (limits, budget) = limits(usize::MAX, usize::MAX);
    let mut bytes = 0;
    let script = (0..1000).map(|number| {
        let length = [1, 1024][number % 2];
        bytes += length;
        Beat::Data(vec![b'x'; length])
    });
    let script: Vec<_> = script.collect();
    let (mut first, _replay) = Replay::new(Scripted::new(script), &limits);
    assert!(read(&mut first).2.is_ok());
    assert!(budget.in_use() <= 2 * bytes + 192 * (1 + bytes / 1024), "{}", budget.in_use());
}

#[test]
fn a_request_that_is_tried_once_shares_nothing() {
    let mut body = ReplayBody::once(Scripted::chunks(["one", "two"]));
    assert_eq!(body.size_hint().exact(), Some(6));
    assert_eq!(read(&mut body).0, b"onetwo");
    assert!(body.is_end_stream());
}

#[test]
fn bodies_and_handles_show_nothing_of_what_they_hold() {
    let (mut first, replay) =
        Replay::new(Full::new(Bytes::from_static(b"secret")), &ReplayLimits::default());
    data(&mut first);
    let shown = format!("{first:?} {replay:?} {:?}", replay.again());
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn a_default_body_has_ended() {
    let mut body = ReplayBody::<Scripted>::default();
    assert!(body.is_end_stream() && is_over(&mut body));
}

#[test]
fn limits_have_the_defaults_that_they_say() {
    let limits = ReplayLimits::default();
    assert_eq!(limits.max_bytes(), 2 << 20);
    let clone = limits.clone();
    let mut reserved = limits.budget().reserved();
    assert!(reserved.grow(64 << 20) && !reserved.grow(1));
    assert_eq!(clone.budget().in_use(), 64 << 20, "clones share it");
    assert_eq!(ReplayLimits::new().budget().in_use(), 0, "others do not");
}

#[test]
fn a_shared_handle_records_until_the_last_of_it_is_dropped() {
    let (limits, budget) = limits(usize::MAX, usize::MAX);
    let (mut first, replay) = Replay::new(Scripted::chunks(["one", "two"]), &limits);
    let replay = Arc::new(replay);
    drop(Arc::clone(&replay));
    data(&mut first);
    assert!(replay.is_possible() && budget.in_use() > 0);
    drop(replay);
    assert_eq!(budget.in_use(), 0);
    assert_eq!(data(&mut first), "two");
}

#[test]
fn a_body_is_as_large_as_bytes_or_the_original() {
    let bytes = size_of::<Bytes>();
    assert!(size_of::<ReplayBody<()>>() <= bytes + size_of::<usize>());
    let original = size_of::<Full<Bytes>>();
    assert!(size_of::<ReplayBody<Full<Bytes>>>() <= original + size_of::<usize>());
}

#[test]
fn the_state_is_at_most_256_bytes_and_the_original() {
    // A page of it stands for any.
    let state = size_of::<super::shared::Shared<[u64; 512]>>() - size_of::<[u64; 512]>();
    assert!(state <= 256, "{state} bytes");
}

#[test]
fn bodies_go_where_clients_and_servers_send_them() {
    fn is_sendable<T: Send + Sync + Unpin + 'static>() {}
    is_sendable::<ReplayBody<Full<Bytes>>>();
    is_sendable::<Replay<Full<Bytes>>>();
    is_sendable::<ReplayLimits>();
    is_sendable::<ReplayBudget>();
    fn is_send<T: Send + 'static>() {}
    // Neither `Sync` nor even so a hindrance.
    is_send::<ReplayBody<http_body_util::combinators::UnsyncBoxBody<Bytes, BoxError>>>();
    is_send::<Replay<http_body_util::combinators::UnsyncBoxBody<Bytes, BoxError>>>();
}

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Act {
    PollRunning,
    PollOld(usize),
    Again,
    DropOld(usize),
    DropHandle,
}

fn script() -> impl Strategy<Value = Vec<Beat>> {
    let beat = prop_oneof![
        6 => vec(any::<u8>(), 0..40).prop_map(Beat::Data),
        2 => vec(any::<u8>(), 1000..1050).prop_map(Beat::Data),
        1 => vec(any::<u8>(), 3000..5000).prop_map(Beat::Data),
        2 => Just(Beat::Wait),
    ];
    let end = prop_oneof![
        4 => Just(vec![]),
        2 => Just(vec![Beat::Trailers]),
        2 => Just(vec![Beat::Fail]),
        1 => Just(vec![Beat::Wait, Beat::Trailers, Beat::Wait]),
    ];
    prop_oneof![
        3 => (vec(beat.clone(), 0..12), end).prop_map(|(beats, end)| [beats, end].concat()),
        1 => vec(beat, 1),
    ]
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        12 => Just(Act::PollRunning),
        3 => any::<usize>().prop_map(Act::PollOld),
        3 => Just(Act::Again),
        1 => any::<usize>().prop_map(Act::DropOld),
        1 => Just(Act::DropHandle),
    ];
    vec(act, 0..60)
}

#[derive(Default)]
struct Attempt {
    body: Option<ReplayBody<Scripted>>,
    bytes: Vec<u8>,
    has_trailers: bool,
    end: Option<Result<(), BoxError>>,
}

/// All attempts of one request. The last is the running one.
struct World {
    whole: Vec<u8>,
    /// It was whole at once, so that each attempt has it for itself.
    is_unshared: bool,
    knows_length: bool,
    attempts: Vec<Attempt>,
    handle: Arc<Lock<Option<Replay<Scripted>>>>,
    /// Begun while the original was polled.
    born: Arc<Lock<Vec<ReplayBody<Scripted>>>>,
}

impl World {
    fn poll(&mut self, number: usize) {
        let attempt = &mut self.attempts[number];
        let Some(body) = &mut attempt.body else { return };
        let is_end = body.is_end_stream();
        let polled = poll(body);
        for body in self.born.lock().drain(..) {
            self.attempts.push(Attempt { body: Some(body), ..Attempt::default() });
        }
        let may_read = self.is_unshared || number + 1 == self.attempts.len();
        let attempt = &mut self.attempts[number];
        match polled {
            Poll::Pending => assert!(may_read && !is_end && !self.is_unshared),
            Poll::Ready(None) => {
                attempt.end.get_or_insert(Ok(()));
            }
            Poll::Ready(Some(Err(error))) => {
                assert!(attempt.end.is_none(), "fails once");
                attempt.end = Some(Err(error));
            }
            Poll::Ready(Some(Ok(frame))) => {
                assert!(may_read && !is_end && attempt.end.is_none());
                assert!(!attempt.has_trailers, "trailers are last");
                match frame.into_data() {
                    Ok(data) => attempt.bytes.extend_from_slice(&data),
                    Err(_) => attempt.has_trailers = true,
                }
            }
        }
        assert!(self.whole.starts_with(&attempt.bytes), "r1");
        let body = attempt.body.as_ref().unwrap();
        if may_read && self.knows_length && attempt.end.is_none() {
            let left = self.whole.len() - attempt.bytes.len();
            assert_eq!(body.size_hint().exact(), Some(left as u64));
        }
    }

    /// Returns whether there is a next attempt.
    fn again(&mut self) -> bool {
        let handle = self.handle.lock();
        let Some(replay) = &*handle else { return false };
        let is_possible = replay.is_possible();
        let body = replay.again();
        assert_eq!(body.is_some(), is_possible);
        if body.is_some() {
            self.attempts.push(Attempt { body, ..Attempt::default() });
        }
        is_possible
    }
}

proptest! {
    #[test]
    fn prop_every_attempt_reads_a_prefix_and_the_last_reads_all(
        script in script(),
        acts in acts(),
        (knows_length, knows_end) in any::<(bool, bool)>(),
        max_bytes in prop_oneof![0..100usize, 900..6000usize, Just(usize::MAX)],
        max_budget in prop_oneof![0..300usize, 900..9000usize, Just(usize::MAX)],
        supersede_in in vec(0..14usize, 0..3),
    ) {
        let fails = script.iter().any(|beat| matches!(beat, Beat::Fail));
        let trails = script.iter().any(|beat| matches!(beat, Beat::Trailers));
        let whole: Vec<u8> = script
            .iter()
            .flat_map(|beat| if let Beat::Data(data) = beat { &data[..] } else { &[] })
            .copied()
            .collect();
        let is_unshared = matches!(&script[..], [Beat::Data(data)] if !data.is_empty())
            && (knows_length && knows_end)
            && whole.len() <= max_bytes
            && whole.len() <= max_budget.saturating_sub(96);
        let (limits, budget) = limits(max_bytes, max_budget);
        let handle = Arc::new(Lock::new(None));
        let born = Arc::new(Lock::new(Vec::new()));
        let mut body = Scripted { knows_length, knows_end, ..Scripted::new(script) };
        let has_failed = Arc::clone(&body.has_failed);
        body.on_poll = Some({
            let (handle, born, mut polls) = (Arc::clone(&handle), Arc::clone(&born), 0);
            Box::new(move || {
                polls += 1;
                let handle = handle.lock();
                let replay: Option<&Replay<Scripted>> = handle.as_ref();
                if supersede_in.contains(&polls) {
                    born.lock().extend(replay.and_then(Replay::again));
                }
            })
        });
        let (first, replay) = Replay::new(body, &limits);
        *handle.lock() = Some(replay);
        let attempts = vec![Attempt { body: Some(first), ..Attempt::default() }];
        let mut world = World { whole, is_unshared, knows_length, attempts, handle, born };
        prop_assert_eq!(budget.in_use() > 0, is_unshared);

        for act in acts {
            let running = world.attempts.len() - 1;
            match act {
                Act::PollRunning => world.poll(running),
                Act::PollOld(number) => world.poll(number % (running + 1)),
                Act::Again => {
                    let is_possible = world.again();
                    let has_failed = has_failed.load(SeqCst);
                    if max_bytes.min(max_budget) == usize::MAX && world.handle.lock().is_some() {
                        prop_assert!(is_possible || has_failed, "within the limits it is possible");
                    }
                }
                Act::DropOld(number) if running > 0 => {
                    world.attempts[number % running].body = None;
                }
                Act::DropOld(_) => {}
                Act::DropHandle => drop(world.handle.lock().take()),
            }
            prop_assert!(budget.in_use() <= max_budget, "r5");
        }

        // Each turn polls something that is finite, or supersedes, which is finite too.
        while world.attempts.last().unwrap().end.is_none() {
            world.poll(world.attempts.len() - 1);
        }
        for number in 0..world.attempts.len() - 1 {
            world.poll(number);
            if is_unshared {
                world.poll(number);
            }
            let Attempt { body, bytes, end, .. } = &mut world.attempts[number];
            let is_quiet = body.is_none() && end.is_none();
            prop_assert!(is_quiet || end.is_some(), "r2");
            let is_whole = matches!(end, Some(Ok(()))) && *bytes == world.whole;
            prop_assert!(!is_unshared || is_quiet || is_whole, "what is not shared is its own");
        }
        let last = world.attempts.last_mut().unwrap();
        prop_assert_eq!(&last.bytes, &world.whole);
        match last.end.take().unwrap() {
            Ok(()) => prop_assert_eq!((fails, last.has_trailers), (false, trails)),
            Err(error) => prop_assert!(fails && error.to_string() == "the original failed"),
        }
        drop(world.handle.lock().take());
        world.attempts.clear();
        prop_assert_eq!(budget.in_use(), 0, "r5");
    }
}
