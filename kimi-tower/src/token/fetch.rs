use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use kimi_errors::{Error, ErrorKind};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use super::{Token, TokenProvider};

pin_project! {
    /// One question to the provider, which takes its time and no longer.
    pub(super) struct Fetch<P>
    where
        P: TokenProvider,
    {
        provider: Arc<P>,
        // Begun when it is first polled, since that is when there is one who polls alone.
        #[pin]
        running: Option<P::Future>,
        until: Option<Instant>,
        // Boxed, since a provider of a token that is there needs none.
        alarm: Option<Pin<Box<Sleep>>>,
    }
}

impl<P: TokenProvider> Fetch<P> {
    /// One that must be over at `until`.
    pub(super) const fn new(provider: Arc<P>, until: Option<Instant>) -> Self {
        Self { provider, running: None, until, alarm: None }
    }
}

impl<P: TokenProvider> Future for Fetch<P> {
    type Output = Result<Token, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.running.is_none() {
            this.running.set(Some(this.provider.fetch()));
        }
        // First, so that what came late and was not looked at in time is not lost: it may be a new
        // refresh token, without which there is no other.
        if let Some(running) = this.running.as_mut().as_pin_mut()
            && let Poll::Ready(fetched) = running.poll(cx)
        {
            return Poll::Ready(fetched);
        }
        let Some(until) = *this.until else { return Poll::Pending };
        let alarm = this.alarm.get_or_insert_with(|| Box::pin(sleep_until(until)));
        ready!(alarm.as_mut().poll(cx));
        Poll::Ready(Err(Error::new(ErrorKind::Timeout)))
    }
}
