use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use kimi_errors::{BoxError, Error};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{
    ResponseBody,
    limiter::{After, Limiter, Unsent},
    store::{Ask, RateStore, Verdict},
};

pin_project! {
    /// The answer to one request, or its refusal. See the [module](super).
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B, R>
    where
        S: Service<Request<B>>,
        R: RateStore,
    {
        #[pin]
        state: State<S, B, R, S::Future>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, B, R, F>
    where
        R: RateStore,
    {
        // The store is waited for; then the inner service, to be ready. Boxed, so that a request
        // that waits for nobody is not moved with the room for it.
        Waiting { waiting: Box<Waiting<S, B, R>> },
        // The inner service is at work.
        Called { #[pin] future: F, after: Option<Box<After<R>>> },
        // Nobody is waited for. There is no error any more after it was given out.
        Refused { error: Option<Error> },
    }
}

struct Waiting<S, B, R: RateStore> {
    // Not ready: it is not polled before the verdict. See L1 of the module.
    service: S,
    limiter: Arc<Limiter<R>>,
    ask: Ask,
    step: Step<R>,
    // Taken when the service is ready.
    request: Option<Request<B>>,
}

enum Step<R: RateStore> {
    /// The store is waited for.
    Asked(R::Later),
    /// The service is waited for, to be ready; what was charged is given back if it never is.
    Admitted(Option<Unsent<R>>),
}

impl<S, B, R> ResponseFuture<S, B, R>
where
    S: Service<Request<B>>,
    R: RateStore,
{
    #[inline]
    pub(super) const fn called(future: S::Future, after: Option<Box<After<R>>>) -> Self {
        Self { state: State::Called { future, after } }
    }

    pub(super) const fn refused(error: Error) -> Self {
        Self { state: State::Refused { error: Some(error) } }
    }

    pub(super) fn waiting(
        service: S,
        limiter: Arc<Limiter<R>>,
        ask: Ask,
        later: R::Later,
        request: Request<B>,
    ) -> Self {
        let (step, request) = (Step::Asked(later), Some(request));
        let waiting = Box::new(Waiting { service, limiter, ask, step, request });
        Self { state: State::Waiting { waiting } }
    }
}

impl<S, B, R, ResBody> Future for ResponseFuture<S, B, R>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
    R: RateStore,
    ResBody: Body<Data = Bytes>,
{
    type Output = Result<Response<ResponseBody<ResBody, R>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                // Waiting => (Waiting | Called | Refused)
                StateProj::Waiting { waiting } => match ready!(waiting.poll(cx)) {
                    Ok((future, after)) => State::Called { future, after },
                    Err(error) => State::Refused { error: Some(error) },
                },
                // Called => (Called | done)
                StateProj::Called { future, after } => {
                    let answer = ready!(future.poll(cx)).map_err(|error| Error::from(error.into()));
                    return Poll::Ready(match after.take() {
                        None => answer.map(|answer| answer.map(ResponseBody::untouched)),
                        Some(after) => after.finish(answer),
                    });
                }
                // Refused => done
                StateProj::Refused { error } => {
                    let error = error.take().expect("a future is not polled after it is ready");
                    return Poll::Ready(Err(error));
                }
            };
            state.set(next);
        }
    }
}

type Called<F, R> = (F, Option<Box<After<R>>>);

impl<S, B, R> Waiting<S, B, R>
where
    S: Service<Request<B>>,
    S::Error: Into<BoxError>,
    R: RateStore,
{
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Called<S::Future, R>, Error>> {
        loop {
            match &mut self.step {
                Step::Asked(asked) => {
                    let verdict = ready!(Pin::new(asked).poll(cx));
                    self.step = self.admitted(verdict)?;
                }
                Step::Admitted(unsent) => {
                    // L1. Only now: it is called as soon as it is ready.
                    ready!(self.service.poll_ready(cx)).map_err(|error| error.into())?;
                    let request = self.request.take().expect("it is taken once, here");
                    let future = self.service.call(request);
                    return Poll::Ready(Ok((future, unsent.take().and_then(Unsent::send))));
                }
            }
        }
    }

    fn admitted(&self, verdict: Result<Verdict, Error>) -> Result<Step<R>, Error> {
        let request = self.request.as_ref().expect("it is taken in the next step");
        let grant = self.limiter.judge(verdict, &self.ask, request.extensions())?;
        Ok(Step::Admitted(grant.map(|grant| Unsent::new(Arc::clone(&self.limiter), grant))))
    }
}

/// Shows who is waited for, and nothing of the request.
impl<S, B, R> fmt::Debug for ResponseFuture<S, B, R>
where
    S: Service<Request<B>>,
    R: RateStore,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Waiting { waiting } => match waiting.step {
                Step::Asked(_) => "Asked",
                Step::Admitted(_) => "Admitted",
            },
            State::Called { .. } => "Called",
            State::Refused { .. } => "Refused",
        };
        f.debug_struct("ResponseFuture").field("state", &state).finish_non_exhaustive()
    }
}
