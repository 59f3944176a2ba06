use std::{
    error::Error as StdError,
    fmt,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use kimi_errors::{BoxError, Error, ErrorKind};

use super::{
    budget::ReplayLimits,
    record::{LetGo, Record},
};

pub(super) type Polled = Poll<Option<Result<Frame<Bytes>, BoxError>>>;

/// What the lock of [`Shared`](super::shared::Shared) protects.
pub(super) struct State<B> {
    /// The number of the running attempt, which alone may read. Only ever counts up.
    pub(super) running: u32,
    pub(super) source: Source<B>,
    /// What a superseded attempt read, or the look at a body that was not whole: the running one
    /// takes it as if it had read it itself.
    // Boxed, since it is rare.
    pub(super) late: Option<Box<Result<Frame<Bytes>, BoxError>>>,
    /// What `source` said of its length after the last frame that it gave.
    pub(super) rest: SizeHint,
    /// What is left of the least that `source` said at first.
    promised: u64,
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
    #[inline]
    pub(super) fn new(body: B, rest: SizeHint, limits: &ReplayLimits) -> Self {
        Self {
            running: 0,
            source: Source::Here(body),
            late: None,
            rest,
            promised: rest.lower(),
            record: Record::new(limits),
            waiting: None,
        }
    }

    /// Of a body that was polled once, before which it said `length` of itself: what that gave is
    /// left to the first attempt.
    #[inline(never)]
    pub(super) fn begun(body: B, length: usize, polled: Polled, limits: &ReplayLimits) -> Self
    where
        B: Body<Data = Bytes>,
    {
        let (source, rest) = Source::after(body, &polled);
        let late = if let Poll::Ready(late) = polled { late.map(Box::new) } else { None };
        let data = late.as_deref().and_then(|late| late.as_ref().ok()?.data_ref());
        let promised = length.saturating_sub(data.map_or(0, Bytes::len)) as u64;
        let said = SizeHint::with_exact(promised);
        let rest = match source {
            Source::Here(_) | Source::Lent => rest.unwrap_or(said),
            // Where it ended short of what it said, this goes on saying so: whoever sends it is to
            // find that out, instead of sending what is there as if it were all.
            Source::Ended | Source::Failed => said,
        };
        let record = Record::new(limits);
        Self { running: 0, source, late, rest, promised, record, waiting: None }
    }

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

    /// Returns whether the original cannot be had again, whatever was recorded of it: it failed, or
    /// is over before all that it said. A next attempt would say the length of what is there, and
    /// send what was cut as if it were all.
    pub(super) const fn is_broken(&self) -> bool {
        match self.source {
            Source::Here(_) | Source::Lent => false,
            Source::Ended => self.promised > 0,
            Source::Failed => true,
        }
    }

    /// Takes back the original after a poll.
    #[inline]
    pub(super) fn take_back(&mut self, source: Source<B>, rest: Option<SizeHint>, polled: &Polled) {
        self.source = source;
        if let Some(rest) = rest {
            self.rest = rest;
        }
        if let Poll::Ready(Some(Ok(frame))) = polled {
            let given = frame.data_ref().map_or(0, Bytes::len);
            self.promised = self.promised.saturating_sub(given as u64);
        }
    }

    pub(super) fn keep(&mut self, frame: &Frame<Bytes>) -> Option<LetGo> {
        self.record.push(frame, self.rest.lower())
    }
}

impl<B> Source<B>
where
    B: Body<Data = Bytes>,
{
    /// Returns what the original is after a poll, and what it says then of its length.
    #[inline]
    pub(super) fn after(body: B, polled: &Polled) -> (Self, Option<SizeHint>) {
        match polled {
            Poll::Pending => (Self::Here(body), None),
            Poll::Ready(Some(Ok(_))) if !body.is_end_stream() => {
                let rest = body.size_hint();
                (Self::Here(body), Some(rest))
            }
            Poll::Ready(read) => {
                drop(body);
                let has_failed = matches!(read, Some(Err(_)));
                let source = if has_failed { Self::Failed } else { Self::Ended };
                (source, Some(SizeHint::with_exact(0)))
            }
        }
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
