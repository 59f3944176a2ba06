//! A body that its reader reads, and that somebody else can end.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use http_body::{Body, Frame};
use tokio::time::Instant;

use super::{EndTurn, Lost};
use crate::sync::Lock;

/// Where a body is kept while its reader is not at it. The lock is held for a few moves only, and
/// nothing is locked inside it; the body is polled and dropped when it is out.
pub(super) struct Slot<B> {
    stage: Lock<Stage<B>>,
}

enum Stage<B> {
    // Its reader has not begun, waits for more (with a waker), or has not come back since then.
    Kept { body: Pin<Box<B>>, waker: Option<Waker>, idle_since: Option<Instant> },
    // Its reader has it out, and asks it for more.
    Out,
    // Somebody has ended it while it was out, or before; its reader has not been told.
    Ended(Lost),
    // Nothing is left of it.
    Over,
}

/// What a reader finds.
pub(super) enum Read<B: Body> {
    Frame(Option<Result<Frame<B::Data>, B::Error>>),
    Lost(Lost),
}

impl<B> Slot<B> {
    pub(super) fn new(body: B) -> Self {
        let stage =
            Stage::Kept { body: Box::pin(body), waker: None, idle_since: Some(Instant::now()) };
        Self { stage: Lock::new(stage) }
    }

    /// Ends the body for its reader, who is gone. What is left of it is dropped.
    pub(super) fn close(&self) {
        let left = std::mem::replace(&mut *self.stage.lock(), Stage::Over);
        drop(left);
    }
}

impl<B: Body> Slot<B> {
    /// Asks the body for more, and looks at it with `seen` after it has given something.
    pub(super) fn poll_frame(&self, cx: &mut Context<'_>, seen: impl FnOnce(&B)) -> Poll<Read<B>> {
        let stage = std::mem::replace(&mut *self.stage.lock(), Stage::Out);
        let (mut body, waker) = match stage {
            Stage::Kept { body, waker, .. } => (body, waker),
            Stage::Ended(lost) => {
                self.close();
                return Poll::Ready(Read::Lost(lost));
            }
            Stage::Over | Stage::Out => {
                self.close();
                return Poll::Ready(Read::Frame(None));
            }
        };
        let polled = body.as_mut().poll_frame(cx);
        let (waker, idle_since) = match &polled {
            Poll::Pending => {
                let known = waker.filter(|waker| waker.will_wake(cx.waker()));
                (Some(known.unwrap_or_else(|| cx.waker().clone())), None)
            }
            Poll::Ready(Some(Ok(_))) => {
                seen(&body);
                (None, Some(Instant::now()))
            }
            Poll::Ready(None | Some(Err(_))) => {
                self.close();
                drop(body);
                return polled.map(Read::Frame);
            }
        };
        let mut stage = self.stage.lock();
        if let Stage::Ended(lost) = *stage {
            *stage = Stage::Over;
            drop(stage);
            drop(body);
            // A frame that has come already is given up: the end is told at once.
            return Poll::Ready(Read::Lost(lost));
        }
        *stage = Stage::Kept { body, waker, idle_since };
        drop(stage);
        polled.map(Read::Frame)
    }
}

impl<B: Send> EndTurn for Slot<B> {
    fn end(&self, lost: Lost) -> bool {
        let mut stage = self.stage.lock();
        match *stage {
            Stage::Kept { .. } => {}
            Stage::Out => {
                *stage = Stage::Ended(lost);
                return false;
            }
            Stage::Ended(_) | Stage::Over => return false,
        }
        let left = std::mem::replace(&mut *stage, Stage::Ended(lost));
        drop(stage);
        if let Stage::Kept { body, waker, .. } = left {
            drop(body);
            waker.into_iter().for_each(Waker::wake);
        }
        true
    }

    fn idle_since(&self) -> Option<Instant> {
        match *self.stage.lock() {
            Stage::Kept { idle_since, .. } => idle_since,
            Stage::Out | Stage::Ended(_) | Stage::Over => None,
        }
    }
}

/// Shows nothing of the body.
impl<B> fmt::Debug for Slot<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match *self.stage.lock() {
            Stage::Kept { .. } => "Kept",
            Stage::Out => "Out",
            Stage::Ended(_) => "Ended",
            Stage::Over => "Over",
        };
        f.debug_struct("Slot").field("stage", &stage).finish_non_exhaustive()
    }
}
