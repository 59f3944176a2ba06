//! What a request goes through whose session has another one under way.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::{HeaderName, Request};
use kimi_errors::{BoxError, Error};
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep, sleep_until};
use tower_service::Service;

use super::{
    admit::{Holding, Later, Tells},
    refusal::refusal,
    store::{Refused, SessionPlace},
};
use crate::facts::{Facts, SessionDecision};

pin_project! {
    /// A request that waits for its turn, and then for the service.
    pub(super) struct Waiting<S, B, P: SessionPlace> {
        // Not ready: it is not polled before the turn is there. See T6 of the module.
        service: S,
        // Taken when the service is called.
        request: Option<Request<B>>,
        // `None` as soon as it was called.
        later: Option<Later<P>>,
        // `None` until there is something to wait for, so that no timer is asked for in `call`.
        #[pin]
        sleep: Option<Sleep>,
        // Where its fence is written.
        fence_field: Option<HeaderName>,
        // After what time the head goes out; `None` if it waits for the answer, or has gone.
        keep_alive: Option<Duration>,
        // When that is; `None` until it is waited for.
        alive: Option<Pin<Box<Sleep>>>,
        // Set when the place had its turn, taken when the service is called.
        holding: Option<Holding<P::Turn>>,
    }
}

/// The work that was begun, with its turn.
type Begun<F, T> = Poll<Result<(F, Holding<T>), Error>>;

impl<S, B, P: SessionPlace> Waiting<S, B, P> {
    pub(super) fn new(service: S, request: Request<B>, mut later: Later<P>) -> Self {
        Self {
            service,
            request: Some(request),
            fence_field: later.fence_field.take(),
            keep_alive: later.keep_alive,
            later: Some(later),
            sleep: None,
            alive: None,
            holding: None,
        }
    }
}

impl<S, B, P> Waiting<S, B, P>
where
    S: Service<Request<B>>,
    S::Error: Into<BoxError>,
    P: SessionPlace,
{
    pub(super) fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Begun<S::Future, P::Turn> {
        if self.holding.is_none() {
            ready!(self.as_mut().poll_turn(cx))?;
        }
        let this = self.project();
        let holding = this.holding.as_mut().expect("it was set above, or by an earlier poll");
        // A turn can be lost while the service is not ready.
        if let Poll::Ready(error) = holding.poll_lost(cx) {
            return Poll::Ready(Err(error));
        }
        // T6. Only now: it is called as soon as it is ready.
        let ready = holding.tells.scope.within(|| this.service.poll_ready(cx));
        ready!(ready).map_err(|error| error.into())?;
        let mut request = this.request.take().expect("it is taken once");
        holding.mark(&mut request, this.fence_field.as_ref());
        let future = holding.tells.scope.within(|| this.service.call(request));
        let holding = this.holding.take().expect("it is there, as was seen above");
        Poll::Ready(Ok((future, holding)))
    }

    /// Returns when the head is to go out before the answer, which is once.
    pub(super) fn poll_alive(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Duration> {
        let this = self.project();
        let Some(every) = *this.keep_alive else { return Poll::Pending };
        let alive = this.alive.get_or_insert_with(|| Box::pin(sleep(every)));
        ready!(alive.as_mut().poll(cx));
        (*this.keep_alive, *this.alive) = (None, None);
        Poll::Ready(every)
    }

    fn poll_turn(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut this = self.project();
        let request = this.request.as_ref().expect("it is taken when the turn is there");
        let extensions = request.extensions();
        let later = this.later.as_mut().expect("it is taken when the turn is there");
        let (since, lang) = (later.since, later.lang);
        // A turn that is there counts, even if it is looked at late.
        match later.place.poll_turn(cx) {
            Poll::Ready(Ok(turn)) => {
                let (scope, waited) = (later.scope, since.elapsed());
                let ahead = later.place.ahead().unwrap_or(later.ahead);
                Facts::tell_session(
                    extensions,
                    match ahead {
                        0 => SessionDecision::Granted,
                        ahead => SessionDecision::Waited { ahead, waited },
                    },
                );
                let facts = extensions.get::<Facts>().cloned();
                *this.holding = Some(Holding::new(turn, Tells { scope, facts, lang }));
                // The timer has nobody to wake any more.
                this.sleep.set(None);
                *this.later = None;
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(refused)) => {
                let refused = if refused == Refused::Busy { later.busy } else { refused };
                Poll::Ready(Err(refusal(extensions, refused, since.elapsed(), lang)))
            }
            Poll::Pending => {
                let Some(until) = later.until else { return Poll::Pending };
                // Not before it is known that somebody is before it: the turn may be free.
                if later.ahead == 0 && later.place.ahead().is_none() {
                    return Poll::Pending;
                }
                if this.sleep.is_none() {
                    this.sleep.set(Some(sleep_until(until)));
                }
                if let Some(sleep) = this.sleep.as_pin_mut() {
                    ready!(sleep.poll(cx));
                }
                Poll::Ready(Err(refusal(extensions, Refused::TooLate, since.elapsed(), lang)))
            }
        }
    }
}
