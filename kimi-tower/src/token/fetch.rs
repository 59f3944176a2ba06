use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use kimi_errors::{Error, ErrorKind};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use super::{Token, TokenProvider};

/// So much later than it was to be over, nobody has waited for a fetch: who waits is woken then.
const ABANDONED: Duration = Duration::from_secs(1);

pin_project! {
    /// One question to the provider, which takes its time and no longer.
    ///
    /// Time in which nobody waits for it does not end it: what a provider sends late may be a refresh
    /// token that is good once, whose answer is the only way on.
    pub(super) struct Fetch<P>
    where
        P: TokenProvider,
    {
        provider: Arc<P>,
        timeout: Duration,
        // Begun when it is first polled, since that is when there is one who polls alone.
        #[pin]
        running: Option<P::Future>,
        begun: Instant,
        // `None` if it may take for ever.
        until: Option<Instant>,
        // Boxed, since a provider of a token that is there needs none.
        alarm: Option<Pin<Box<Sleep>>>,
    }
}

/// What came of a question, and when it was asked.
pub(super) type Fetched = (Result<Token, Error>, Instant);

impl<P: TokenProvider> Fetch<P> {
    /// One that is asked at `now`, and may take so long.
    pub(super) fn new(provider: Arc<P>, timeout: Duration, now: Instant) -> Self {
        let until = now.checked_add(timeout);
        Self { provider, timeout, running: None, begun: now, until, alarm: None }
    }
}

impl<P: TokenProvider> Future for Fetch<P> {
    type Output = Fetched;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Fetched> {
        let mut this = self.project();
        let now = Instant::now();
        let was_abandoned =
            this.until.is_some_and(|until| now.saturating_duration_since(until) > ABANDONED);
        if was_abandoned {
            (*this.until, *this.alarm) = (now.checked_add(*this.timeout), None);
        }
        let mut may_ask_again = was_abandoned;
        loop {
            let Some(running) = this.running.as_mut().as_pin_mut() else {
                this.running.set(Some(this.provider.fetch()));
                continue;
            };
            match running.poll(cx) {
                // It says nothing of now.
                Poll::Ready(Err(_)) if may_ask_again => {
                    may_ask_again = false;
                    *this.begun = now;
                    this.running.set(None);
                }
                // Also if it came late, and was not looked at in time.
                Poll::Ready(fetched) => return Poll::Ready((fetched, *this.begun)),
                Poll::Pending => break,
            }
        }
        let Some(until) = *this.until else { return Poll::Pending };
        let alarm = this.alarm.get_or_insert_with(|| Box::pin(sleep_until(until)));
        alarm.as_mut().poll(cx).map(|()| (Err(Error::new(ErrorKind::Timeout)), *this.begun))
    }
}
