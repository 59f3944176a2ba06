use std::{
    error::Error as StdError,
    fmt,
    task::{Context, Waker},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use kimi_errors::{BoxError, Error, ErrorKind};

use super::record::{LetGo, Record};

/// What the lock of [`Shared`](super::shared::Shared) protects.
pub(super) struct State<B> {
    /// The number of the running attempt, which alone may read. Only ever counts up.
    pub(super) running: u32,
    pub(super) source: Source<B>,
    /// What a superseded attempt read: the running one takes it as if it had read it itself.
    // Boxed, since it is rare.
    pub(super) late: Option<Box<Result<Frame<Bytes>, BoxError>>>,
    /// What `source` said of its length after the last frame that it gave.
    pub(super) rest: SizeHint,
    pub(super) record: Record,
    /// The waker with which the running attempt last waited: for `source`, which knows it too, or
    /// for the superseded attempt that still has `source`. Woken when either changes hands.
    pub(super) waiting: Option<Waker>,
}

/// The original body.
pub(super) enum Source<B> {
    Here(B),
    /// With the attempt that polls it this moment, not necessarily the running one.
    Lent,
    Ended,
    /// It failed, or panicked.
    Failed,
}

impl<B> State<B> {
    /// Returns the waker that was stored before, to be dropped without the lock.
    pub(super) fn wait(&mut self, cx: &Context<'_>) -> Option<Waker> {
        if self.waiting.as_ref().is_some_and(|waiting| waiting.will_wake(cx.waker())) {
            return None;
        }
        self.waiting.replace(cx.waker().clone())
    }

    /// Returns whether the running attempt has nothing more to read.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self.source, Source::Ended) && self.late.is_none() && self.record.is_all_given()
    }

    pub(super) fn keep(&mut self, frame: &Frame<Bytes>) -> Option<LetGo> {
        self.record.push(frame, self.rest.lower())
    }
}

/// The source of the error with which a superseded attempt's body ends.
#[derive(Debug)]
struct Superseded;

impl fmt::Display for Superseded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request is tried again, and the next attempt reads its body")
    }
}

impl StdError for Superseded {}

#[cold]
pub(super) fn superseded() -> BoxError {
    Error::new(ErrorKind::Cancelled).with_source(Superseded).into()
}

pub(super) fn wake(waiting: Option<Waker>) {
    if let Some(waiting) = waiting {
        waiting.wake();
    }
}
