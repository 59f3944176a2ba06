use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use kimi_errors::{BoxError, Error};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{
    ResponseBody, Stop,
    answer::{Judged, Opening, Sight},
    attempts::{Attempts, Step},
    failure::Failed,
    looking::Looking,
    pause::Pause,
};
use crate::replay::ReplayBody;

pin_project! {
    /// The answer to one request, after as many attempts as it takes. See the [module](super).
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B, R>
    where
        S: Service<Request<ReplayBody<B>>>,
    {
        #[pin]
        state: State<S, B, R, S::Future>,
        // `None` for a request that is tried once.
        attempts: Option<Attempts<S, B>>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, B, R, F> {
        // An attempt is under way.
        Attempt { #[pin] future: F },
        // Its answer is there, and the beginning of the body is waited for. Boxed, as is all that
        // has to wait, since every future is moved.
        Looking { looking: Box<Looking<R>> },
        // The next attempt is waited for: first its time, then the service.
        Paused { pause: Option<Box<Pause<S, B, R>>> },
        Refused { error: Option<Error> },
    }
}

impl<S, B, R> ResponseFuture<S, B, R>
where
    S: Service<Request<ReplayBody<B>>>,
{
    /// An attempt that will be the only one.
    #[inline]
    pub(super) const fn once(future: S::Future) -> Self {
        Self { state: State::Attempt { future }, attempts: None }
    }

    /// A first attempt.
    #[inline]
    pub(super) const fn begun(future: S::Future, attempts: Attempts<S, B>) -> Self {
        Self { state: State::Attempt { future }, attempts: Some(attempts) }
    }

    /// A first attempt that must not begin yet.
    pub(super) const fn held(attempts: Attempts<S, B>, pause: Box<Pause<S, B, R>>) -> Self {
        Self { state: State::Paused { pause: Some(pause) }, attempts: Some(attempts) }
    }

    pub(super) const fn refused(error: Error) -> Self {
        Self { state: State::Refused { error: Some(error) }, attempts: None }
    }
}

type Outcome<R> = Result<Response<ResponseBody<R>>, Error>;

impl<S, B, R> Future for ResponseFuture<S, B, R>
where
    S: Service<Request<ReplayBody<B>>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
    R: Body<Data = Bytes> + Unpin,
    R::Error: Into<BoxError>,
{
    type Output = Outcome<R>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(attempts) = this.attempts else {
            return poll_once(this.state, cx);
        };
        loop {
            let judged = match this.state.as_mut().project() {
                // Attempt => (Attempt | Looking | Paused | done)
                StateProj::Attempt { future } => match future.poll(cx) {
                    Poll::Ready(Ok(response)) => {
                        let sight = Sight::by_head(&response, attempts.is_head);
                        if sight == Sight::Passed {
                            attempts.succeed();
                            return Poll::Ready(Ok(response.map(ResponseBody::untouched)));
                        }
                        let mut opening = Opening::new(response, sight);
                        if opening.poll_look(cx).is_pending() {
                            let looking = Box::new(Looking::new(opening, attempts));
                            this.state.set(State::Looking { looking });
                            continue;
                        }
                        opening.judge()
                    }
                    Poll::Ready(Err(error)) => Judged::Failed(Failed::inner(error.into())),
                    Poll::Pending => match attempts.limit() {
                        Some(limit) => {
                            ready!(attempts.clock.poll_until(limit, cx));
                            Judged::Failed(Failed::timed_out())
                        }
                        None => return Poll::Pending,
                    },
                },
                // Looking => (Looking | Paused | done)
                StateProj::Looking { looking } => ready!(looking.poll(attempts, cx)).judge(),
                // Paused => (Paused | Attempt | done)
                StateProj::Paused { pause } => {
                    let waiting = pause.as_mut().expect("a future is not polled after it is ready");
                    let outcome = ready!(waiting.poll(attempts, cx));
                    let pause = pause.take().expect("it was there two lines above");
                    match outcome {
                        Ok(()) => match pause.begin(attempts) {
                            Ok(future) => {
                                this.state.set(State::Attempt { future });
                                continue;
                            }
                            Err(failed) => return stopped(attempts, *failed, Stop::BodyNotKept),
                        },
                        Err((stop, error)) => {
                            attempts.stop(stop);
                            return Poll::Ready(pause.next.into_result(error));
                        }
                    }
                }
                StateProj::Refused { error } => return refused(error),
            };
            match judged {
                Judged::Passed(response) => {
                    attempts.succeed();
                    return Poll::Ready(Ok(response));
                }
                Judged::Failed(failed) => match attempts.after(failed) {
                    Step::Pause(pause) => this.state.set(State::Paused { pause: Some(pause) }),
                    Step::Stop(failed, stop) => return stopped(attempts, failed, stop),
                },
            }
        }
    }
}

/// A request that is tried once, whose answer is not looked at.
#[inline]
fn poll_once<S, B, R, F, E>(
    state: Pin<&mut State<S, B, R, F>>,
    cx: &mut Context<'_>,
) -> Poll<Outcome<R>>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: Into<BoxError>,
{
    match state.project() {
        StateProj::Attempt { future } => match ready!(future.poll(cx)) {
            Ok(response) => Poll::Ready(Ok(response.map(ResponseBody::untouched))),
            Err(error) => Poll::Ready(Err(Error::from(error.into()))),
        },
        StateProj::Refused { error } => refused(error),
        StateProj::Looking { .. } | StateProj::Paused { .. } => Poll::Pending,
    }
}

#[cold]
fn refused<R>(error: &mut Option<Error>) -> Poll<Outcome<R>> {
    Poll::Ready(Err(error.take().expect("a future is not polled after it is ready")))
}

#[cold]
fn stopped<S, B, R>(
    attempts: &mut Attempts<S, B>,
    failed: Failed<R>,
    stop: Stop,
) -> Poll<Outcome<R>> {
    attempts.stop(stop);
    Poll::Ready(failed.into_result())
}

/// Shows who is waited for, and nothing of request or answer.
impl<S, B, R> fmt::Debug for ResponseFuture<S, B, R>
where
    S: Service<Request<ReplayBody<B>>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Attempt { .. } => "Attempt",
            State::Looking { .. } => "Looking",
            State::Paused { .. } => "Paused",
            State::Refused { .. } => "Refused",
        };
        f.debug_struct("ResponseFuture").field("state", &state).finish_non_exhaustive()
    }
}
