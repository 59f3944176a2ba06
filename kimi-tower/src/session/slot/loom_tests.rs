//! Every interleaving of a reader with those who end its body.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc as StdArc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http_body::{Body, Frame};
use loom::{
    future::block_on,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use super::{Read, Slot, Why};
use crate::session::{EndTurn, Lost};

/// What the body of an answer has left: nothing as soon as its drop has ended.
#[derive(Clone)]
struct Work {
    is_over: Arc<AtomicBool>,
    given_back: Arc<AtomicUsize>,
}

/// A body that never has anything to give, or one frame after another.
struct Endless(Work, bool);

impl Body for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.1 { Poll::Ready(Some(Ok(Frame::data(Bytes::new())))) } else { Poll::Pending }
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        self.0.is_over.store(true, SeqCst);
    }
}

struct Turn(Work);

impl Drop for Turn {
    fn drop(&mut self) {
        assert!(self.0.is_over.load(SeqCst), "T1: the body is at work");
        self.0.given_back.fetch_add(1, SeqCst);
    }
}

type Kept = StdArc<Slot<Endless, Turn>>;

fn kept(gives: bool) -> (Kept, Work) {
    let work = Work {
        is_over: Arc::new(AtomicBool::new(false)),
        given_back: Arc::new(AtomicUsize::new(0)),
    };
    (StdArc::new(Slot::new(Endless(work.clone(), gives))), work)
}

fn model(work: impl Fn() + Send + Sync + 'static) {
    loom::model::Builder::new().check(work);
}

/// Its turn is lost while it waits for a frame: it is woken, and told why.
#[test]
fn t1_a_reader_that_waits_is_told_when_the_body_is_gone() {
    model(|| {
        let (slot, work) = kept(false);
        slot.put(Turn(work.clone()));
        let ender = StdArc::clone(&slot);
        let ends = thread::spawn(move || ender.end(Lost::Superseded));
        let told = block_on(poll_fn(|cx| slot.poll_frame(cx, |_| false)));
        assert!(matches!(told, Read::NotThere(Why::Lost(Lost::Superseded))));
        assert!(work.is_over.load(SeqCst));
        ends.join().unwrap();
        assert_eq!(slot.close(), None);
        assert_eq!(work.given_back.load(SeqCst), 1);
    });
}

/// It reads once, and goes, at any point of being ended by two others.
#[test]
fn t1_a_reader_that_goes_leaves_the_turn_to_whoever_drops_the_body() {
    for gives in [false, true] {
        model(move || {
            let (slot, work) = kept(gives);
            slot.put(Turn(work.clone()));
            let ends = [Lost::Superseded, Lost::Idle].map(|lost| {
                let ender = StdArc::clone(&slot);
                thread::spawn(move || ender.end(lost))
            });
            let cx = &mut Context::from_waker(Waker::noop());
            let told = match slot.poll_frame(cx, |_| false) {
                Poll::Ready(Read::NotThere(Why::Lost(lost))) => Some(lost),
                Poll::Ready(Read::NotThere(_)) => panic!("nothing has ended it"),
                Poll::Ready(Read::Frame(_)) | Poll::Pending => None,
            };
            let left = slot.close();
            // It is said once.
            assert!(told.is_none() || left.is_none());
            ends.into_iter().for_each(|thread| thread.join().unwrap());
            assert_eq!(work.given_back.load(SeqCst), 1);
        });
    }
}

/// It can be ended before its turn is there.
#[test]
fn t1_a_turn_that_comes_late_is_given_back() {
    model(|| {
        let (slot, work) = kept(false);
        let ender = StdArc::clone(&slot);
        let ends = thread::spawn(move || ender.end(Lost::MaxHold));
        slot.put(Turn(work.clone()));
        ends.join().unwrap();
        assert_eq!(work.given_back.load(SeqCst), 1);
        assert_eq!(slot.close(), Some(Lost::MaxHold));
    });
}
