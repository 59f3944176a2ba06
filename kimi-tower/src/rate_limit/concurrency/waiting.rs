//! What a request goes through that finds no permit.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Request;
use kimi_errors::{BoxError, Error};
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep_until};
use tower_service::Service;

use super::{
    limit::{Later, refusal},
    permits::Permit,
};
use crate::facts::{Facts, RateDecision};

pin_project! {
    /// A request that waits for its permit, and then for the service.
    pub(super) struct Waiting<S, B> {
        // Not ready: it is not polled before the permit is there. See C7 of the module.
        service: S,
        // Taken when the service is called.
        request: Option<Request<B>>,
        turn: Later,
        // `None` until there is something to wait for, so that no timer is asked for in `call`.
        #[pin]
        sleep: Option<Sleep>,
        // Set when the place had its turn, taken when the service is called.
        permit: Option<Permit>,
    }
}

impl<S, B> Waiting<S, B> {
    pub(super) const fn new(service: S, request: Request<B>, turn: Later) -> Self {
        Self { service, request: Some(request), turn, sleep: None, permit: None }
    }
}

impl<S, B> Waiting<S, B>
where
    S: Service<Request<B>>,
    S::Error: Into<BoxError>,
{
    pub(super) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(S::Future, Permit), Error>> {
        let mut this = self.project();
        if this.permit.is_none() {
            let request = this.request.as_ref().expect("it is taken when the permit is there");
            let extensions = request.extensions();
            // A permit that is there counts, even if it is looked at late.
            let Poll::Ready(permit) = this.turn.place.poll(cx) else {
                let Some(until) = this.turn.until else { return Poll::Pending };
                if this.sleep.is_none() {
                    this.sleep.set(Some(sleep_until(until)));
                }
                if let Some(sleep) = this.sleep.as_pin_mut() {
                    ready!(sleep.poll(cx));
                }
                return Poll::Ready(Err(refusal(extensions, "the wait is over")));
            };
            Facts::tell_rate(extensions, RateDecision::Waited(this.turn.since.elapsed()));
            *this.permit = Some(permit);
            // The timer has nobody to wake any more.
            this.sleep.set(None);
        }
        // C7. Only now: it is called as soon as it is ready.
        ready!(this.service.poll_ready(cx)).map_err(|error| error.into())?;
        let permit = this.permit.take().expect("it was set above, or by an earlier poll");
        let request = this.request.take().expect("it is taken with the permit");
        Poll::Ready(Ok((this.service.call(request), permit)))
    }
}
