use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use kimi_errors::Error;
use tokio::time::Instant;

use super::{
    CachedToken, TokenCache, TokenProvider,
    cache::{Given, Joined},
};

/// A token to come. Dropping it stops nothing: others who wait for the same refresh go on with it.
#[must_use = "futures do nothing unless polled"]
pub struct TokenFuture<P: TokenProvider> {
    cache: TokenCache<P>,
    /// Whether it should have been over when it was joined.
    joined: Option<(Joined<P>, bool)>,
    may_join_another: bool,
}

impl<P: TokenProvider> TokenFuture<P> {
    pub(super) const fn new(cache: TokenCache<P>) -> Self {
        Self { cache, joined: None, may_join_another: true }
    }

    /// One that waits for a refresh.
    pub(super) fn joining(joined: Joined<P>, now: Instant) -> Self {
        let (cache, is_overdue) = (joined.cache.clone(), joined.is_overdue(now));
        Self { cache, joined: Some((joined, is_overdue)), may_join_another: true }
    }
}

impl<P: TokenProvider> Future for TokenFuture<P> {
    type Output = Result<CachedToken, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let this = &mut *self;
            let Some((joined, was_overdue)) = &mut this.joined else {
                let now = Instant::now();
                match this.cache.give(now) {
                    Given::Token(token, due) => {
                        // Begun by whoever is the first to ask.
                        if let Some(mut due) = due {
                            let _ = Pin::new(&mut due).poll(cx);
                        }
                        return Poll::Ready(Ok(token));
                    }
                    Given::Refresh(joined) => {
                        let was_overdue = joined.is_overdue(now);
                        this.joined = Some((joined, was_overdue));
                    }
                    Given::Failed(error) => return Poll::Ready(Err(error)),
                }
                continue;
            };
            let outcome = ready!(Pin::new(joined).poll(cx));
            let was_abandoned = *was_overdue && outcome.is_err();
            this.joined = None;
            // Nobody was left who waited for it, and so its error says nothing of now.
            if was_abandoned && std::mem::take(&mut this.may_join_another) {
                continue;
            }
            return Poll::Ready(outcome);
        }
    }
}

impl<P: TokenProvider> fmt::Debug for TokenFuture<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenFuture")
            .field("is_waiting", &self.joined.is_some())
            .finish_non_exhaustive()
    }
}
