use std::{
    pin::Pin,
    task::{Context, Poll},
};

use kimi_errors::Error;

use super::{
    CachedToken, TokenCache, TokenProvider,
    cache::{Outcome, Refresh},
    signal::Place,
    state::Numbered,
};
use crate::sync::Arc;

/// The part that one has in a refresh. Dropping it stops nothing.
pub(super) struct Joined<P: TokenProvider> {
    pub(super) cache: TokenCache<P>,
    refresh: Arc<Refresh<P>>,
    place: Option<Place>,
}

impl<P: TokenProvider> Joined<P> {
    pub(super) const fn new(cache: TokenCache<P>, refresh: Arc<Refresh<P>>) -> Self {
        Self { cache, refresh, place: None }
    }
}

impl<P: TokenProvider> Future for Joined<P> {
    type Output = Result<CachedToken, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { cache, refresh, place } = &mut *self;
        let mut settled = None;
        let polled = refresh.poll(place, cx, |fetched| {
            let (outcome, left) = cache.settle(fetched);
            settled = Some(left);
            outcome
        });
        // Here, when nobody waits any more for what a stranger's code may keep up.
        if let Some(settled) = settled {
            cache.after(settled);
            tell(&polled);
        }
        polled.map(|outcome| outcome.map(CachedToken))
    }
}

impl<P: TokenProvider> Drop for Joined<P> {
    fn drop(&mut self) {
        self.refresh.leave(&mut self.place);
    }
}

#[cold]
fn tell(polled: &Poll<Outcome>) {
    match polled {
        Poll::Ready(Ok(Numbered { generation, .. })) => {
            tracing::debug!(generation, "there is a new token");
        }
        Poll::Ready(Err(error)) => {
            let kind = error.kind().name();
            tracing::warn!(kind, "the token could not be refreshed");
        }
        Poll::Pending => {}
    }
}
