use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Request, Response};
use http_body::Body;
use kimi_errors::{BoxError, Error};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{ResponseBody, limit::Later, permits::Permit, waiting::Waiting};

pin_project! {
    /// The answer to one request, or its refusal. See the [module](super).
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B, F> {
        #[pin]
        state: State<S, B, F>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, B, F> {
        // Others of the same caller are waited for; then the inner service, to be ready. Boxed, so
        // that a request that waits for nobody is not moved with the room for it.
        Waiting { waiting: Pin<Box<Waiting<S, B>>> },
        // The inner service is at work.
        Called {
            #[pin]
            future: F,
            // Dropped after the future: the next request begins when this one's work has ended.
            permit: Option<Permit>,
        },
        // Nobody is waited for. There is no error any more after it was given out.
        Refused { error: Option<Error> },
    }
}

impl<S, B, F> ResponseFuture<S, B, F> {
    pub(super) const fn called(future: F, permit: Option<Permit>) -> Self {
        Self { state: State::Called { future, permit } }
    }

    pub(super) const fn refused(error: Error) -> Self {
        Self { state: State::Refused { error: Some(error) } }
    }

    pub(super) fn waiting(service: S, request: Request<B>, turn: Later) -> Self {
        let waiting = Box::pin(Waiting::new(service, request, turn));
        Self { state: State::Waiting { waiting } }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B, S::Future>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    R: Body,
{
    type Output = Result<Response<ResponseBody<R>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                // Waiting => (Waiting | Called | Refused)
                StateProj::Waiting { waiting } => match ready!(waiting.as_mut().poll(cx)) {
                    Ok((future, permit)) => State::Called { future, permit: Some(permit) },
                    Err(error) => State::Refused { error: Some(error) },
                },
                // Called => Called
                StateProj::Called { future, permit } => {
                    let outcome = ready!(future.poll(cx));
                    let permit = permit.take();
                    return Poll::Ready(match outcome {
                        Ok(response) => Ok(response.map(|body| ResponseBody::new(body, permit))),
                        Err(error) => Err(error.into().into()),
                    });
                }
                // Refused => Refused
                StateProj::Refused { error } => {
                    let error = error.take().expect("a future is not polled after it is ready");
                    return Poll::Ready(Err(error));
                }
            };
            // At once drops a place whose time is over, and the service that was called.
            state.set(next);
        }
    }
}

/// Shows who is waited for, and nothing of the request.
impl<S, B, F> fmt::Debug for ResponseFuture<S, B, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Waiting { .. } => "Waiting",
            State::Called { .. } => "Called",
            State::Refused { .. } => "Refused",
        };
        f.debug_struct("ResponseFuture").field("state", &state).finish_non_exhaustive()
    }
}
