//! A body that its reader reads, and that somebody else can end.

#[cfg(all(test, loom))]
mod loom_tests;

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, Waker},
};

use http_body::{Body, Frame};
use tokio::time::Instant;

use super::{EndTurn, Lost};
use crate::sync::Lock;

/// Where a body and its turn are kept while its reader is not at it. Whoever ends the body drops the
/// turn, after it. The lock is held for a few moves only, and nothing is locked or dropped inside it.
pub(super) struct Slot<B, T> {
    kept: Lock<Kept<B, T>>,
}

struct Kept<B, T> {
    stage: Stage<B>,
    /// `None` before it is put here, and after all.
    turn: Option<T>,
}

enum Stage<B> {
    // Its reader has not begun, waits for more (with a waker), or has not come back since then.
    In { body: Pin<Box<B>>, waker: Option<Waker>, idle_since: Option<Instant> },
    // Its reader has it out, and asks it for more.
    Out,
    // Somebody drops it. Its reader waits for the end of that, with a waker, or has not come.
    Ending { lost: Lost, waker: Option<Waker> },
    // Somebody has ended it. Its reader has not been told, and drops it if it has it out.
    Ended(Lost),
    // Its reader knows that nothing is left of it.
    Over,
}

/// A body that is out, and the waker of its reader.
type Taken<B> = (Pin<Box<B>>, Option<Waker>);

/// What a reader finds.
pub(super) enum Read<B: Body> {
    Frame(Option<Result<Frame<B::Data>, B::Error>>),
    NotThere(Why),
}

/// Why there is no body.
pub(super) enum Why {
    /// It has ended.
    Over,
    /// Its turn was lost.
    Lost(Lost),
    /// It has panicked, and its reader goes on.
    Panicked,
}

impl<B, T> Slot<B, T> {
    pub(super) fn new(body: B) -> Self {
        let stage =
            Stage::In { body: Box::pin(body), waker: None, idle_since: Some(Instant::now()) };
        Self { kept: Lock::new(Kept { stage, turn: None }) }
    }

    /// Leaves the turn to whoever ends the body, which may have happened already.
    pub(super) fn put(&self, turn: T) {
        let mut kept = self.kept.lock();
        if let Stage::In { .. } | Stage::Ending { .. } = kept.stage {
            kept.turn = Some(turn);
        }
    }

    /// Ends the body for its reader, who is gone or has had all. Returns why it was ended before, if
    /// its reader was not told.
    pub(super) fn close(&self) -> Option<Lost> {
        let mut kept = self.kept.lock();
        if let Stage::Ending { lost, .. } = kept.stage {
            // T1. The turn is for the other to give back, when it is done.
            return Some(lost);
        }
        // Declared before the body, and so dropped after it, also if that panics.
        let _turn = kept.turn.take();
        let last = std::mem::replace(&mut kept.stage, Stage::Over);
        drop(kept);
        match last {
            Stage::Ended(lost) => Some(lost),
            Stage::In { .. } | Stage::Out | Stage::Ending { .. } | Stage::Over => None,
        }
    }

    /// Takes the body out.
    fn take(&self, cx: &Context<'_>) -> Result<Taken<B>, Poll<Why>> {
        // Cloned and dropped while nothing is locked.
        let mut own = None;
        loop {
            let mut kept = self.kept.lock();
            if let Stage::Ending { waker, .. } = &mut kept.stage {
                if own.is_some() {
                    std::mem::swap(waker, &mut own);
                    return Err(Poll::Pending);
                }
                drop(kept);
                own = Some(cx.waker().clone());
                continue;
            }
            let why = match std::mem::replace(&mut kept.stage, Stage::Out) {
                Stage::In { body, waker, .. } => return Ok((body, waker)),
                Stage::Ended(lost) => Why::Lost(lost),
                Stage::Out => Why::Panicked,
                Stage::Ending { .. } | Stage::Over => Why::Over,
            };
            kept.stage = Stage::Over;
            return Err(Poll::Ready(why));
        }
    }
}

impl<B: Body, T> Slot<B, T> {
    /// Asks the body for more, and looks at it with `is_over` after it has given something: what is
    /// at its end then has ended, and cannot be lost any more.
    pub(super) fn poll_frame(
        &self,
        cx: &mut Context<'_>,
        is_over: impl FnOnce(&B) -> bool,
    ) -> Poll<Read<B>> {
        let (mut body, waker) = match self.take(cx) {
            Ok(taken) => taken,
            Err(why) => return why.map(Read::NotThere),
        };
        let polled = body.as_mut().poll_frame(cx);
        let (waker, idle_since) = match &polled {
            Poll::Pending => {
                let known = waker.filter(|waker| waker.will_wake(cx.waker()));
                (Some(known.unwrap_or_else(|| cx.waker().clone())), None)
            }
            Poll::Ready(Some(Ok(_))) if !is_over(&body) => (None, Some(Instant::now())),
            Poll::Ready(_) => {
                drop(body);
                self.close();
                return polled.map(Read::Frame);
            }
        };
        let mut kept = self.kept.lock();
        if let Stage::Ended(lost) = kept.stage {
            drop(kept);
            drop(body);
            self.close();
            // A frame that has come already is given up: the end is told at once.
            return Poll::Ready(Read::NotThere(Why::Lost(lost)));
        }
        kept.stage = Stage::In { body, waker, idle_since };
        drop(kept);
        polled.map(Read::Frame)
    }
}

impl<B: Send, T: Send> EndTurn for Slot<B, T> {
    fn end(&self, lost: Lost) {
        let mut kept = self.kept.lock();
        match kept.stage {
            Stage::In { .. } => {}
            Stage::Out => {
                kept.stage = Stage::Ended(lost);
                return;
            }
            Stage::Ending { .. } | Stage::Ended(_) | Stage::Over => return,
        }
        let ending = Stage::Ending { lost, waker: None };
        let last = std::mem::replace(&mut kept.stage, ending);
        drop(kept);
        let Stage::In { body, waker: first, .. } = last else { return };
        // Whoever ends it has no part in it, and is to go on.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(body))) {
            tracing::warn!("the body of an answer has panicked as it was dropped");
            // What it says may panic in turn when it is dropped.
            std::mem::forget(panic);
        }
        let mut kept = self.kept.lock();
        let last = std::mem::replace(&mut kept.stage, Stage::Ended(lost));
        let turn = kept.turn.take();
        drop(kept);
        let second = if let Stage::Ending { waker, .. } = last { waker } else { None };
        first.into_iter().chain(second).for_each(Waker::wake);
        drop(turn);
    }

    fn idle_since(&self) -> Option<Instant> {
        match self.kept.lock().stage {
            Stage::In { idle_since, .. } => idle_since,
            Stage::Out | Stage::Ending { .. } | Stage::Ended(_) | Stage::Over => None,
        }
    }
}

/// Shows nothing of the body.
impl<B, T> fmt::Debug for Slot<B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match self.kept.lock().stage {
            Stage::In { .. } => "In",
            Stage::Out => "Out",
            Stage::Ending { .. } => "Ending",
            Stage::Ended(_) => "Ended",
            Stage::Over => "Over",
        };
        f.debug_struct("Slot").field("stage", &stage).finish_non_exhaustive()
    }
}
