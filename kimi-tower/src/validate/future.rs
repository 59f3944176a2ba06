use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, request::Parts};
use http_body::Body;
use kimi_errors::{BoxError, Error};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{RequestBody, check::Check, collect::Collect, probing::Probing};

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
        // The client is waited for, who is still sending; then the servers of its files, if they are
        // asked; then the inner service, to be ready.
        // Boxed, so that a request that waits for nobody is not moved with the room for it.
        Waiting { waiting: Box<Waiting<S, B>> },
        // The inner service is at work.
        Called { #[pin] future: F },
        // Nobody is waited for. There is no error any more after it was given out.
        Refused { error: Option<Error> },
    }
}

struct Waiting<S, B> {
    // Not ready: it is not polled before the body is whole. See I2 of the module.
    service: S,
    // Taken when the body is whole.
    reading: Option<Reading<B>>,
    // Set when files are asked about, taken when all may be fetched.
    probing: Option<Probing>,
    // Set when the body is whole and well formed, taken when the service is ready.
    request: Option<Request<RequestBody<B>>>,
}

/// A request whose body is still coming.
pub(super) struct Reading<B> {
    pub(super) check: Check,
    pub(super) head: Parts,
    pub(super) body: Collect<B>,
}

impl<S, B, F> ResponseFuture<S, B, F> {
    pub(super) const fn called(future: F) -> Self {
        Self { state: State::Called { future } }
    }

    pub(super) const fn refused(error: Error) -> Self {
        Self { state: State::Refused { error: Some(error) } }
    }

    pub(super) fn reading(service: S, reading: Reading<B>) -> Self {
        Self::waiting(Waiting { service, reading: Some(reading), probing: None, request: None })
    }

    pub(super) fn probing(service: S, request: Request<RequestBody<B>>, probing: Probing) -> Self {
        let (probing, request) = (Some(probing), Some(request));
        Self::waiting(Waiting { service, reading: None, probing, request })
    }

    fn waiting(waiting: Waiting<S, B>) -> Self {
        Self { state: State::Waiting { waiting: Box::new(waiting) } }
    }
}

impl<S, B> Future for ResponseFuture<S, B, S::Future>
where
    S: Service<Request<RequestBody<B>>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Output = Result<S::Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                // Waiting => (Waiting | Called | Refused)
                StateProj::Waiting { waiting } => match ready!(waiting.poll(cx)) {
                    Ok(future) => State::Called { future },
                    Err(error) => State::Refused { error: Some(error) },
                },
                // Called => Called
                StateProj::Called { future } => {
                    return future.poll(cx).map_err(|error| error.into().into());
                }
                // Refused => Refused
                StateProj::Refused { error } => {
                    let error = error.take().expect("a future is not polled after it is ready");
                    return Poll::Ready(Err(error));
                }
            };
            // At once drops the rest of a body that is refused, and the service that was called.
            state.set(next);
        }
    }
}

impl<S, B> Waiting<S, B>
where
    S: Service<Request<RequestBody<B>>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<S::Future, Error>> {
        if let Some(reading) = &mut self.reading {
            // I3. The body was polled without a waker of ours before. It is polled again before
            // anything is waited for, so that whatever has come since is seen.
            let body = ready!(reading.body.poll(cx));
            let Reading { check, head, .. } = self.reading.take().expect("it was seen above");
            let (request, probing) = check.request(head, body)?;
            self.request = Some(request);
            self.probing = probing;
        }
        if let Some(probing) = &mut self.probing {
            ready!(probing.as_mut().poll(cx))?;
            self.probing = None;
        }
        // I2. Only now: it is called as soon as it is ready.
        ready!(self.service.poll_ready(cx)).map_err(|error| error.into())?;
        let request = self.request.take().expect("it was set when the body was whole");
        Poll::Ready(Ok(self.service.call(request)))
    }
}

/// Shows who is waited for, and nothing of the request.
impl<S, B, F> fmt::Debug for ResponseFuture<S, B, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Waiting { waiting } if waiting.reading.is_some() => "Reading",
            State::Waiting { waiting } if waiting.probing.is_some() => "Probing",
            State::Waiting { .. } => "Waiting",
            State::Called { .. } => "Called",
            State::Refused { .. } => "Refused",
        };
        f.debug_struct("ResponseFuture").field("state", &state).finish_non_exhaustive()
    }
}
