use std::fmt;

use bytes::Bytes;
use http_body::Body;
use kimi_errors::BoxError;

use super::{
    body::{Inner, ReplayBody},
    budget::ReplayLimits,
    shared::Shared,
};
use crate::sync::Arc;

/// Makes the bodies of the attempts after the first. See the [module](super).
///
/// While it lives, what the running attempt reads is recorded. Drop it as soon as no further
/// attempt will be made: before the last one, or when the answer is handed on. Clients that must
/// clone it put it into an [`Arc`](std::sync::Arc), of which the last to be dropped counts.
pub struct Replay<B>(
    /// `None` for a body without frames, of which there is nothing to share.
    Option<Arc<Shared<B>>>,
);

impl<B> Replay<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    /// Returns the body of the first attempt, and what makes those of the next.
    #[inline]
    #[must_use]
    pub fn new(body: B, limits: &ReplayLimits) -> (ReplayBody<B>, Self) {
        if body.is_end_stream() {
            return (ReplayBody(Inner::Over), Self(None));
        }
        let shared = Arc::new(Shared::new(body, limits));
        let attempt = Inner::Attempt { shared: Arc::clone(&shared), number: 0 };
        (ReplayBody(attempt), Self(Some(shared)))
    }
}

impl<B> Replay<B> {
    /// Returns the body of a next attempt, which supersedes the running one: the body of that
    /// fails from now on.
    ///
    /// `None`, and the running attempt goes on untouched, if it has read more than was kept, or if
    /// the body failed.
    #[must_use]
    pub fn again(&self) -> Option<ReplayBody<B>> {
        let Some(shared) = &self.0 else { return Some(ReplayBody(Inner::Over)) };
        Some(ReplayBody(match shared.again()? {
            Some(number) => Inner::Attempt { shared: Arc::clone(shared), number },
            None => Inner::Over,
        }))
    }

    /// Returns whether [`again`](Self::again) would return a body now. Supersedes nothing.
    ///
    /// Once `false`, it stays so. While the running attempt goes on reading, `true` may become
    /// `false`.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        self.0.as_ref().is_none_or(|shared| shared.is_replayable())
    }
}

impl<B> Drop for Replay<B> {
    #[inline]
    fn drop(&mut self) {
        // If nobody else has it, everything goes with it.
        if let Some(shared) = &self.0
            && Arc::strong_count(shared) > 1
        {
            shared.let_go();
        }
    }
}

impl<B> fmt::Debug for Replay<B> {
    /// Shows nothing of the body, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").finish_non_exhaustive()
    }
}
