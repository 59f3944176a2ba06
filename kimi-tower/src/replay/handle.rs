use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http_body::{Body, Frame};
use kimi_errors::BoxError;

use super::{
    body::{Inner, ReplayBody},
    budget::{ReplayLimits, Reserved},
    pieces::PIECE,
    shared::Shared,
    state::State,
};
use crate::sync::Arc;

/// Makes the bodies of the attempts after the first. See the [module](super).
///
/// While it lives, what the running attempt reads is recorded. Drop it as soon as no further
/// attempt will be made: before the last one, or when the answer is handed on. Clients that must
/// clone it put it into an [`Arc`](std::sync::Arc), of which the last to be dropped counts.
pub struct Replay<B>(Kept<B>);

enum Kept<B> {
    /// Of a body without frames.
    Nothing,
    /// Of a body that was there at once: the attempts have nothing in common but the count of who
    /// holds these bytes. What each holds is the caller's own, and not reserved.
    Whole {
        bytes: Bytes,
        // Behind the bytes, which are dropped before it is given back.
        _reserved: Reserved,
    },
    Shared(Recording<B>),
}

struct Recording<B>(Arc<Shared<B>>);

impl<B> Replay<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    /// Returns the body of the first attempt, and what makes those of the next.
    ///
    /// A body that knows its length to be within the limit is polled once, and if it panics then,
    /// this does.
    #[inline]
    #[must_use]
    pub fn new(mut body: B, limits: &ReplayLimits) -> (ReplayBody<B>, Self) {
        if body.is_end_stream() {
            return (ReplayBody(Inner::Over), Self(Kept::Nothing));
        }
        let hint = body.size_hint();
        let length = hint.exact().and_then(|length| usize::try_from(length).ok());
        let Some(length) = length.filter(|length| (1..=limits.max_bytes()).contains(length)) else {
            return Self::share(State::new(body, hint, limits));
        };
        // Whoever waits for it polls again, with a waker of its own.
        let polled = Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop()));
        let polled = match polled.map_ok(Frame::into_data) {
            Poll::Ready(Some(Ok(Ok(bytes)))) => {
                if bytes.len() == length
                    && body.is_end_stream()
                    && let Some(reserved) = limits.budget().reserve(PIECE + length)
                {
                    let attempt = ReplayBody(Inner::Whole(bytes.clone()));
                    return (attempt, Self(Kept::Whole { bytes, _reserved: reserved }));
                }
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Poll::Ready(Some(Ok(Err(frame)))) => Poll::Ready(Some(Ok(frame))),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        };
        Self::share(State::begun(body, length, polled, limits))
    }

    fn share(state: State<B>) -> (ReplayBody<B>, Self) {
        let shared = Arc::new(Shared::new(state));
        let attempt = Inner::Attempt { shared: Arc::clone(&shared), number: 0 };
        (ReplayBody(attempt), Self(Kept::Shared(Recording(shared))))
    }
}

impl<B> Replay<B> {
    /// Returns the body of a next attempt. It supersedes the running one, whose body fails from
    /// now on, unless that has all its bytes itself: see the [module](super).
    ///
    /// `None`, and the running attempt goes on untouched, if it has read more than was kept, or if
    /// the body failed or was over before all that it said.
    #[must_use]
    pub fn again(&self) -> Option<ReplayBody<B>> {
        Some(ReplayBody(match &self.0 {
            Kept::Nothing => Inner::Over,
            Kept::Whole { bytes, .. } => Inner::Whole(bytes.clone()),
            Kept::Shared(Recording(shared)) => match shared.again()? {
                Some(number) => Inner::Attempt { shared: Arc::clone(shared), number },
                None => Inner::Over,
            },
        }))
    }

    /// Returns whether [`again`](Self::again) would return a body now. Supersedes nothing.
    ///
    /// Once `false`, it stays so. While the running attempt goes on reading, `true` may become
    /// `false`.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        match &self.0 {
            Kept::Nothing | Kept::Whole { .. } => true,
            Kept::Shared(Recording(shared)) => shared.is_replayable(),
        }
    }
}

impl<B> fmt::Debug for Replay<B> {
    /// Shows nothing of the body, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").finish_non_exhaustive()
    }
}

impl<B> Drop for Recording<B> {
    #[inline]
    fn drop(&mut self) {
        // If nobody else has it, everything goes with it.
        if Arc::strong_count(&self.0) > 1 {
            self.0.let_go();
        }
    }
}
