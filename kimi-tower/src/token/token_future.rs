use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use kimi_errors::Error;
use tokio::time::Instant;

use super::{CachedToken, TokenCache, TokenProvider, cache::Given, joined::Joined};

/// A token to come. Dropping it stops nothing: others who wait for the same refresh go on with it.
#[must_use = "futures do nothing unless polled"]
pub struct TokenFuture<P: TokenProvider> {
    cache: TokenCache<P>,
    joined: Option<Joined<P>>,
}

impl<P: TokenProvider> TokenFuture<P> {
    pub(super) const fn new(cache: TokenCache<P>) -> Self {
        Self { cache, joined: None }
    }

    /// One that waits for a refresh.
    pub(super) fn joining(joined: Joined<P>) -> Self {
        Self { cache: joined.cache.clone(), joined: Some(joined) }
    }
}

impl<P: TokenProvider> Future for TokenFuture<P> {
    type Output = Result<CachedToken, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.joined.is_none() {
            match this.cache.give(Instant::now()) {
                Given::Token(token, due) => {
                    // Begun by whoever is the first to ask.
                    if let Some(mut due) = due {
                        let _ = Pin::new(&mut due).poll(cx);
                    }
                    return Poll::Ready(Ok(token));
                }
                Given::Refresh(joined) => this.joined = Some(joined),
                Given::Failed(error) => return Poll::Ready(Err(error)),
            }
        }
        let Some(joined) = &mut this.joined else { return Poll::Pending };
        let outcome = ready!(Pin::new(joined).poll(cx));
        this.joined = None;
        Poll::Ready(outcome)
    }
}

impl<P: TokenProvider> fmt::Debug for TokenFuture<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenFuture")
            .field("is_waiting", &self.joined.is_some())
            .finish_non_exhaustive()
    }
}
