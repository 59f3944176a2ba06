//! Bodies that are there at once, and those that seem to be.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, atomic::Ordering::SeqCst},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use kimi_errors::BoxError;

use super::{
    super::{Replay, ReplayLimits},
    Beat, Polled, Scripted, Woken, data, error, is_over, is_superseded, limits, poll, read, some,
};
use crate::sync::Lock;

/// Says that it has so many bytes, and may not.
struct Says(u64, Scripted);

impl Body for Says {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        Pin::new(&mut self.1).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.1.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0)
    }
}

const BYTES: Bytes = Bytes::from_static(b"a body of one frame");

#[test]
fn each_attempt_has_a_whole_body_for_itself() {
    let (first, replay) = Replay::new(Full::new(BYTES), &ReplayLimits::default());
    let (second, third) = (replay.again().unwrap(), replay.again().unwrap());
    for mut body in [first, second, third] {
        assert!(!body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(BYTES.len() as u64));
        let data = data(&mut body);
        assert_eq!((data.as_ptr(), data.len()), (BYTES.as_ptr(), BYTES.len()));
        assert!(body.is_end_stream() && is_over(&mut body));
        assert_eq!(body.size_hint().exact(), Some(0));
        assert!(replay.is_possible(), "whatever was read");
    }
}

#[test]
fn the_original_of_a_whole_body_is_dropped_at_once() {
    let body = Scripted::chunks(["one"]);
    let original = Arc::clone(&body.has_failed);
    let _both = Replay::new(body, &ReplayLimits::default());
    assert_eq!(Arc::strong_count(&original), 1);
}

#[test]
fn r5_a_whole_body_is_counted_until_the_handle_is_dropped() {
    let (limits, budget) = limits(usize::MAX, usize::MAX);
    let (mut first, replay) = Replay::new(Full::new(BYTES), &limits);
    let mut second = replay.again().unwrap();
    assert_eq!(budget.in_use(), 96 + BYTES.len());
    drop(data(&mut first));
    assert_eq!(budget.in_use(), 96 + BYTES.len());
    drop(replay);
    assert_eq!(budget.in_use(), 0);
    assert_eq!(data(&mut second), BYTES, "it reads on");
}

#[test]
fn a_body_of_one_frame_over_the_limit_can_be_had_until_it_is_read() {
    for (max_bytes, is_whole) in [(BYTES.len(), true), (BYTES.len() - 1, false)] {
        let (limits, budget) = limits(max_bytes, usize::MAX);
        let (mut first, replay) = Replay::new(Full::new(BYTES), &limits);
        assert_eq!(budget.in_use() > 0, is_whole);
        let mut second = replay.again().unwrap();
        assert_eq!(second.size_hint().exact(), Some(BYTES.len() as u64));
        assert_eq!(data(&mut second), BYTES);
        assert_eq!(replay.again().is_some(), is_whole);
        assert_eq!(read(&mut first).2.is_ok(), is_whole);
    }
}

#[test]
fn a_body_of_one_frame_over_the_budget_can_be_had_until_it_is_read() {
    let (limits, budget) = limits(usize::MAX, 96 + BYTES.len() - 1);
    let (mut first, replay) = Replay::new(Full::new(BYTES), &limits);
    assert_eq!(budget.in_use(), 0);
    let mut second = replay.again().unwrap();
    assert!(is_superseded(error(&mut first)));
    assert_eq!(second.size_hint().exact(), Some(BYTES.len() as u64));
    assert!(!second.is_end_stream() && replay.is_possible());
    assert_eq!(data(&mut second), BYTES);
    assert!(second.is_end_stream());
    assert!(!replay.is_possible() && replay.again().is_none());
    assert_eq!(budget.in_use(), 0);
}

#[test]
fn a_whole_body_takes_the_last_of_the_budget() {
    let (limits, budget) = limits(usize::MAX, 96 + BYTES.len());
    let (first, replay) = Replay::new(Full::new(BYTES), &limits);
    assert_eq!(budget.in_use(), 96 + BYTES.len());
    drop((first, replay));
    assert_eq!(budget.in_use(), 0);
}

/// Three bytes, once the gate is open.
struct Slow(Arc<Lock<(bool, Option<Waker>)>>);

impl Body for Slow {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let mut gate = self.0.lock();
        if gate.0 {
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"one")))));
        }
        gate.1 = Some(cx.waker().clone());
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(3)
    }
}

#[test]
fn r4_who_waits_for_a_body_that_was_not_ready_at_first_is_woken() {
    let gate = Arc::new(Lock::new((false, None)));
    let (mut first, _replay) = Replay::new(Slow(Arc::clone(&gate)), &ReplayLimits::default());
    assert_eq!(first.size_hint().exact(), Some(3));
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    assert!(Pin::new(&mut first).poll_frame(&mut Context::from_waker(&waker)).is_pending());
    let waiting: Option<Waker> = {
        let mut gate = gate.lock();
        gate.0 = true;
        gate.1.take()
    };
    waiting.unwrap().wake();
    assert_eq!(woken.0.load(SeqCst), 1);
    assert_eq!(data(&mut first), "one");
    assert!(first.is_end_stream());
}

#[test]
fn r3_a_frame_that_is_not_all_is_the_first_that_is_read() {
    let (limits, budget) = limits(usize::MAX, usize::MAX);
    let (mut first, replay) = Replay::new(Scripted::chunks(["one", "two"]), &limits);
    assert_eq!(budget.in_use(), 0, "it is recorded when it is given");
    assert_eq!(first.size_hint().exact(), Some(6));
    assert_eq!(data(&mut first), "one");
    assert_eq!(first.size_hint().exact(), Some(3));
    let mut second = replay.again().unwrap();
    assert_eq!(read(&mut second).0, b"onetwo");
    assert!(is_superseded(error(&mut first)));
}

#[test]
fn r3_a_frame_that_was_read_ahead_is_left_to_a_next_attempt_and_without_the_handle() {
    let body = || Scripted::chunks(["one", "two"]);
    let (mut first, replay) = Replay::new(body(), &ReplayLimits::default());
    let mut second = replay.again().unwrap();
    assert!(is_superseded(error(&mut first)));
    assert_eq!(read(&mut second).0, b"onetwo");

    let (mut first, _) = Replay::new(body(), &ReplayLimits::default());
    assert_eq!(read(&mut first).0, b"onetwo");
}

#[test]
fn trailers_after_the_only_frame_are_read_by_every_attempt() {
    let body = Scripted::new([some("one"), Beat::Trailers]);
    let (mut first, replay) = Replay::new(body, &ReplayLimits::default());
    let (bytes, has_trailers, end) = read(&mut first);
    assert_eq!((&bytes[..], has_trailers, end.is_ok()), (&b"one"[..], true, true));
    let (bytes, has_trailers, end) = read(&mut replay.again().unwrap());
    assert_eq!((&bytes[..], has_trailers, end.is_ok()), (&b"one"[..], true, true));
}

#[test]
fn trailers_alone_are_no_whole_body() {
    for length in [0, 3] {
        let body = Says(length, Scripted::new([Beat::Trailers]));
        let (mut first, replay) = Replay::new(body, &ReplayLimits::default());
        assert!(!first.is_end_stream());
        assert!(read(&mut first).1);
        // Of what it had said nothing came.
        let is_cut = length > 0;
        let second = replay.again().map(|mut second| read(&mut second).1);
        assert_eq!(second, Some(true).filter(|_| !is_cut));
    }
}

#[test]
fn the_end_that_a_body_does_not_know_of_is_read() {
    let mut body = Scripted::chunks(["one"]);
    body.knows_end = false;
    let (mut first, replay) = Replay::new(body, &ReplayLimits::default());
    assert_eq!(data(&mut first), "one");
    let mut second = replay.again().unwrap();
    assert_eq!(data(&mut second), "one");
    assert!(is_over(&mut second));
}

#[test]
fn an_error_in_place_of_the_first_frame_is_the_first_attempts_and_ends_all() {
    let body = Says(3, Scripted::new([Beat::Fail]));
    let (mut first, replay) = Replay::new(body, &ReplayLimits::default());
    assert!(!replay.is_possible() && replay.again().is_none());
    assert!(!first.is_end_stream());
    assert_eq!(first.size_hint().exact(), Some(3), "who trusts it would not ask for the error");
    assert_eq!(error(&mut first).to_string(), "the original failed");
    assert!(first.is_end_stream() && is_over(&mut first));
    assert!(replay.again().is_none());
}

#[test]
fn a_body_that_is_over_too_early_does_not_say_less_to_the_first_attempt_and_has_no_other() {
    for (script, bytes) in [(vec![some("one")], &b"one"[..]), (vec![], b"")] {
        let mut body = Scripted::new(script);
        body.knows_end = !bytes.is_empty();
        let (mut first, replay) = Replay::new(Says(5, body), &ReplayLimits::default());
        assert_eq!(first.size_hint().exact(), Some(5));
        assert!(!first.is_end_stream());
        assert_eq!(read(&mut first).0, bytes);
        assert!(!replay.is_possible() && replay.again().is_none());
    }
}

/// A next attempt would say the length of what is there, and nobody could tell that more was lost.
#[test]
fn a_body_that_is_cut_while_it_is_read_cannot_be_had_again() {
    let body = Says(9, Scripted::new([some("one"), some("two")]));
    let (mut first, replay) = Replay::new(body, &ReplayLimits::default());
    assert_eq!(data(&mut first), "one");
    assert!(replay.is_possible());
    // The next attempt finds it out.
    let mut second = replay.again().unwrap();
    assert_eq!(read(&mut second).0, b"onetwo");
    assert!(!replay.is_possible() && replay.again().is_none());

    // One that says more than it has, and has what it said at first.
    let (mut first, replay) =
        Replay::new(Says(6, Scripted::new([some("one"), some("two")])), &ReplayLimits::default());
    assert_eq!(read(&mut first).0, b"onetwo");
    assert_eq!(read(&mut replay.again().unwrap()).0, b"onetwo");
}

#[test]
fn a_frame_longer_than_was_said_is_read_by_every_attempt() {
    let body = Says(2, Scripted::chunks(["one"]));
    let (mut first, replay) = Replay::new(body, &ReplayLimits::default());
    assert_eq!(data(&mut first), "one");
    assert_eq!(data(&mut replay.again().unwrap()), "one");
}

#[test]
fn a_panic_in_place_of_the_first_frame_passes() {
    let body = Says(3, Scripted::new([Beat::Panic]));
    let limits = ReplayLimits::default();
    assert!(catch_unwind(AssertUnwindSafe(|| Replay::new(body, &limits))).is_err());
    assert_eq!(limits.budget().in_use(), 0);
}

#[test]
fn a_body_of_unknown_length_is_not_polled_before_it_is_read() {
    let mut body = Scripted::new([Beat::Panic]);
    body.knows_length = false;
    let (mut first, _replay) = Replay::new(body, &ReplayLimits::default());
    assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut first))).is_err());
}
