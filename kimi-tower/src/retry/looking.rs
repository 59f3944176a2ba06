use std::{
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::Body;
use kimi_errors::BoxError;
use tokio::time::Instant;

use super::{answer::Opening, attempts::Attempts, clock::earlier};

/// An answer whose beginning is waited for.
pub(super) struct Looking<R> {
    // `None` once it has been judged.
    opening: Option<Opening<R>>,
    /// When what has come by then decides.
    until: Option<Instant>,
}

impl<R> Looking<R> {
    pub(super) fn new<S, B>(opening: Opening<R>, attempts: &mut Attempts<S, B>) -> Self {
        let look_timeout = match opening.was_awaited() {
            false => attempts.shared.policy.look_timeout,
            true => Duration::ZERO,
        };
        let look = Instant::now().checked_add(look_timeout);
        Self { opening: Some(opening), until: earlier(look, attempts.limit()) }
    }
}

impl<R> Looking<R>
where
    R: Body<Data = Bytes> + Unpin,
    R::Error: Into<BoxError>,
{
    /// Is ready when the look is done or has taken long enough.
    pub(super) fn poll<S, B>(
        &mut self,
        attempts: &mut Attempts<S, B>,
        cx: &mut Context<'_>,
    ) -> Poll<Opening<R>> {
        let opening = self.opening.as_mut().expect("a future is not polled after it is ready");
        if opening.poll_look(cx).is_pending() {
            match self.until {
                Some(until) => ready!(attempts.clock.poll_until(until, cx)),
                None => return Poll::Pending,
            }
            opening.note_awaited();
        }
        Poll::Ready(self.opening.take().expect("it was there a line above"))
    }
}
