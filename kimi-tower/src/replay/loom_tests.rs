//! Every interleaving of what two threads can do to one request, or to one budget.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    collections::VecDeque,
    convert::Infallible,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use kimi_errors::{BoxError, Error, ErrorKind};
use loom::{
    future::{AtomicWaker, block_on},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use super::{Replay, ReplayBody, ReplayBudget, ReplayLimits};

/// Gives its frames, the second not before its gate is open.
struct Gated {
    frames: VecDeque<&'static str>,
    knows_length: bool,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    is_open: AtomicBool,
    waiting: AtomicWaker,
}

impl Gate {
    fn open(&self) {
        self.is_open.store(true, Ordering::Release);
        self.waiting.wake();
    }

    fn is_open(&self, cx: &Context<'_>) -> bool {
        self.is_open.load(Ordering::Acquire) || {
            self.waiting.register_by_ref(cx.waker());
            self.is_open.load(Ordering::Acquire)
        }
    }
}

impl Body for Gated {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.frames.len() == 1 && !self.gate.is_open(cx) {
            return Poll::Pending;
        }
        let frame = self.frames.pop_front();
        Poll::Ready(frame.map(|data| Ok(Frame::data(Bytes::from_static(data.as_bytes())))))
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let left: usize = self.frames.iter().map(|frame| frame.len()).sum();
        if self.knows_length { SizeHint::with_exact(left as u64) } else { SizeHint::new() }
    }
}

const WHOLE: &str = "onetwo";

/// A body of two frames; with its gate open or not.
fn request(is_open: bool, budget: &ReplayBudget) -> (ReplayBody<Gated>, Replay<Gated>, Arc<Gate>) {
    let gate = Arc::new(Gate::default());
    if is_open {
        gate.open();
    }
    let (body, replay) = replay(["one", "two"], false, Arc::clone(&gate), budget);
    (body, replay, gate)
}

fn replay<const N: usize>(
    frames: [&'static str; N],
    knows_length: bool,
    gate: Arc<Gate>,
    budget: &ReplayBudget,
) -> (ReplayBody<Gated>, Replay<Gated>) {
    let body = Gated { frames: frames.into(), knows_length, gate };
    Replay::new(body, &ReplayLimits::default().with_budget(budget.clone()))
}

/// Reads to the end.
fn read(mut body: ReplayBody<Gated>) -> (String, Result<(), BoxError>) {
    let mut read = String::new();
    loop {
        let frame = block_on(poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)));
        match frame {
            None => return (read, Ok(())),
            Some(Err(error)) => return (read, Err(error)),
            Some(Ok(frame)) => {
                read.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
            }
        }
    }
}

fn assert_whole((read, end): (String, Result<(), BoxError>)) {
    assert_eq!(read, WHOLE);
    assert!(end.is_ok());
}

/// An old attempt: it has read all, or a part until it was superseded.
fn assert_prefix((read, end): (String, Result<(), BoxError>)) {
    assert!(WHOLE.starts_with(&read));
    match end {
        Ok(()) => assert_eq!(read, WHOLE),
        Err(error) => assert_eq!(Error::from(error).kind(), ErrorKind::Cancelled),
    }
}

fn model(work: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    // Unless the environment says otherwise. Without a bound one model takes many minutes.
    model.preemption_bound.get_or_insert(3);
    model.check(work);
}

#[test]
fn r1_r3_no_byte_is_lost_or_stolen_when_the_next_attempt_begins_during_a_poll() {
    model(|| {
        let budget = ReplayBudget::new(1 << 20);
        let (first, replay, _gate) = request(true, &budget);
        let old = thread::spawn(move || read(first));
        let second = replay.again().unwrap();
        assert_whole(read(second));
        assert_prefix(old.join().unwrap());
        drop(replay);
        assert_eq!(budget.in_use(), 0);
    });
}

#[test]
fn r1_r3_so_it_is_when_nothing_more_is_recorded() {
    model(|| {
        let (first, replay, _gate) = request(true, &ReplayBudget::new(96 + 3));
        let old = thread::spawn(move || read(first));
        match replay.again() {
            Some(second) => {
                assert_whole(read(second));
                assert_prefix(old.join().unwrap());
            }
            None => assert_whole(old.join().unwrap()),
        }
    });
}

#[test]
fn r1_r3_so_it_is_when_the_first_frame_was_read_ahead() {
    model(|| {
        let gate = Arc::new(Gate::default());
        gate.open();
        let budget = ReplayBudget::new(1 << 20);
        let (first, replay) = replay(["one", "two"], true, gate, &budget);
        let old = thread::spawn(move || read(first));
        let second = replay.again().unwrap();
        assert_whole(read(second));
        assert_prefix(old.join().unwrap());
        drop(replay);
        assert_eq!(budget.in_use(), 0);
    });
}

#[test]
fn r2_r5_attempts_with_a_whole_body_know_nothing_of_each_other() {
    model(|| {
        let gate = Arc::new(Gate::default());
        gate.open();
        let budget = ReplayBudget::new(1 << 20);
        let (first, replay) = replay([WHOLE], true, gate, &budget);
        let old = thread::spawn(move || read(first));
        let second = replay.again().unwrap();
        drop(replay);
        assert_eq!(budget.in_use(), 0);
        assert_whole(read(second));
        assert_whole(old.join().unwrap());
    });
}

/// Loom fails the model if anyone is left waiting.
#[test]
fn r2_r4_whoever_waits_is_woken() {
    model(|| {
        let (first, replay, gate) = request(false, &ReplayBudget::new(1 << 20));
        let old = thread::spawn(move || read(first));
        let new = thread::spawn(move || read(replay.again().unwrap()));
        gate.open();
        assert_whole(new.join().unwrap());
        assert_prefix(old.join().unwrap());
    });
}

#[test]
fn r2_an_old_attempt_is_woken_though_the_original_never_wakes_it() {
    model(|| {
        let (first, replay, _gate) = request(false, &ReplayBudget::new(1 << 20));
        let old = thread::spawn(move || read(first));
        let second = replay.again().unwrap();
        let (read, end) = old.join().unwrap();
        assert!(read.is_empty() || read == "one");
        assert_eq!(Error::from(end.unwrap_err()).kind(), ErrorKind::Cancelled);
        drop(second);
    });
}

#[test]
fn r5_a_handle_dropped_at_any_point_leaves_the_attempt_alone() {
    model(|| {
        let budget = ReplayBudget::new(1 << 20);
        let (first, replay, _gate) = request(true, &budget);
        let second = replay.again().unwrap();
        drop(first);
        let running = thread::spawn(move || read(second));
        drop(replay);
        assert_whole(running.join().unwrap());
        assert_eq!(budget.in_use(), 0);
    });
}

#[test]
fn r5_an_attempt_dropped_at_any_point_leaves_the_next_alone() {
    model(|| {
        let budget = ReplayBudget::new(1 << 20);
        let (mut first, replay, _gate) = request(true, &budget);
        let old = thread::spawn(move || {
            block_on(poll_fn(|cx| {
                let _ = Pin::new(&mut first).poll_frame(cx);
                Poll::Ready(())
            }));
            drop(first);
        });
        let second = replay.again().unwrap();
        drop(replay);
        assert_whole(read(second));
        old.join().unwrap();
        assert_eq!(budget.in_use(), 0);
    });
}

#[test]
fn r5_the_budget_is_exact() {
    model(|| {
        let budget = ReplayBudget::new(10);
        let threads = [7, 6].map(|bytes| {
            let budget = budget.clone();
            thread::spawn(move || {
                let mut reserved = budget.reserved();
                let is_mine = reserved.grow(bytes);
                assert!(budget.in_use() <= 10);
                drop(reserved.split(if is_mine { bytes - 3 } else { 0 }));
                // What remains of it, and what was given back, is there for more.
                reserved.grow(3);
                assert!(budget.in_use() <= 10);
                is_mine
            })
        });
        let mine = threads.map(|thread| thread.join().unwrap());
        assert!(mine.contains(&true));
        assert_eq!(budget.in_use(), 0);
    });
}
