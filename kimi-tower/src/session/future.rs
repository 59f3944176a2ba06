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

use super::{
    ResponseBody,
    admit::{Holding, Later},
    keep_alive::KeptAlive,
    store::{SessionPlace, SessionTurn},
    waiting::Waiting,
};

pin_project! {
    /// The answer to one request, or its refusal. See the [module](super).
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B, F, P: SessionPlace> {
        #[pin]
        state: State<S, B, F, P>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, B, F, P: SessionPlace> {
        // Others of the same session are waited for; then the inner service, to be ready. Boxed, so
        // that a request that waits for nobody is not moved with the room for it.
        Waiting { waiting: Option<Pin<Box<Waiting<S, B, P>>>> },
        // The inner service is at work, and it is of no session.
        Free {
            #[pin]
            future: F,
        },
        // The inner service is at work.
        Called {
            #[pin]
            future: F,
            // Dropped after the future: the next request begins when this one's work has ended.
            holding: Option<Holding<P::Turn>>,
        },
        // Nobody is waited for. There is no error any more after it was given out.
        Refused { error: Option<Error> },
    }
}

impl<S, B, F, P: SessionPlace> ResponseFuture<S, B, F, P> {
    pub(super) const fn free(future: F) -> Self {
        Self { state: State::Free { future } }
    }

    pub(super) const fn called(future: F, holding: Holding<P::Turn>) -> Self {
        Self { state: State::Called { future, holding: Some(holding) } }
    }

    pub(super) const fn refused(error: Error) -> Self {
        Self { state: State::Refused { error: Some(error) } }
    }

    pub(super) fn waiting(service: S, request: Request<B>, later: Later<P>) -> Self {
        let waiting = Box::pin(Waiting::new(service, request, later));
        Self::resumed(waiting)
    }

    const fn resumed(waiting: Pin<Box<Waiting<S, B, P>>>) -> Self {
        Self { state: State::Waiting { waiting: Some(waiting) } }
    }
}

impl<S, B, P, R> Future for ResponseFuture<S, B, S::Future, P>
where
    S: Service<Request<B>, Response = Response<R>> + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: Send + 'static,
    P: SessionPlace + Send + 'static,
    P::Turn: Send + 'static,
    R: Body + Send + 'static,
{
    type Output = Result<Response<ResponseBody<R, P::Turn>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                // Waiting => (Waiting | Called | Refused)
                StateProj::Waiting { waiting: place } => {
                    let waiting = place.as_mut().expect("a future is not polled after it is ready");
                    match waiting.as_mut().poll(cx) {
                        Poll::Ready(Ok((future, holding))) => {
                            State::Called { future, holding: Some(holding) }
                        }
                        Poll::Ready(Err(error)) => State::Refused { error: Some(error) },
                        Poll::Pending => {
                            let every = ready!(waiting.as_mut().poll_alive(cx));
                            let coming = place.take().map(Self::resumed);
                            let coming = coming.expect("it was there");
                            let response = KeptAlive::response(Box::pin(coming), every);
                            return Poll::Ready(Ok(response));
                        }
                    }
                }
                // Free => Free
                StateProj::Free { future } => {
                    let response = ready!(future.poll(cx)).map_err(|error| error.into())?;
                    return Poll::Ready(Ok(response.map(ResponseBody::free)));
                }
                // Called => (Called | Refused)
                StateProj::Called { future, holding } => {
                    let held = holding.as_mut().expect("a future is not polled after it is ready");
                    match held.tells.scope.within(|| future.poll(cx)) {
                        Poll::Ready(outcome) => {
                            let holding = holding.take();
                            // It may have more than its outcome until it is dropped, such as a
                            // permit that the next would wait for.
                            state.set(State::Refused { error: None });
                            return Poll::Ready(answer(outcome, holding));
                        }
                        Poll::Pending => State::Refused { error: Some(ready!(held.poll_lost(cx))) },
                    }
                }
                // Refused => Refused
                StateProj::Refused { error } => {
                    let error = error.take().expect("a future is not polled after it is ready");
                    return Poll::Ready(Err(error));
                }
            };
            // At once drops the service that was called, or the future whose turn is lost; the turn
            // after it.
            state.set(next);
        }
    }
}

fn answer<R, E, T>(
    outcome: Result<Response<R>, E>,
    holding: Option<Holding<T>>,
) -> Result<Response<ResponseBody<R, T>>, Error>
where
    R: Body + Send + 'static,
    E: Into<BoxError>,
    T: SessionTurn + Send + 'static,
{
    let response = outcome.map_err(|error| error.into())?;
    let holding = holding.expect("it is there, or the future was ready before");
    let (head, body) = response.into_parts();
    Ok(Response::from_parts(head, ResponseBody::held(holding, body)?))
}

/// Shows who is waited for, and nothing of the request.
impl<S, B, F, P: SessionPlace> fmt::Debug for ResponseFuture<S, B, F, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Waiting { .. } => "Waiting",
            State::Free { .. } | State::Called { .. } => "Called",
            State::Refused { .. } => "Refused",
        };
        f.debug_struct("ResponseFuture").field("state", &state).finish_non_exhaustive()
    }
}
