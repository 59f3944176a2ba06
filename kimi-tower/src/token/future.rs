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
    ResponseBody, TokenSource,
    answer::Opening,
    pause::{Answer, Begun, Pause},
    sent::{Sent, Step},
};
use crate::replay::ReplayBody;

pin_project! {
    /// The answer to one request, sent with a token, and again with another if that was refused.
    /// See the [module](super).
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, T, B, R>
    where
        S: Service<Request<ReplayBody<B>>>,
        T: TokenSource,
    {
        #[pin]
        state: State<S, T, B, R, S::Future>,
        // `None` for a request whose own credential is left alone, and one that was not sent.
        sent: Option<Sent<S, T, B>>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, T, B, R, F>
    where
        T: TokenSource,
    {
        // An attempt is under way.
        Attempt { #[pin] future: F },
        // Its answer is there, and the beginning of the body is waited for. Boxed, as is all that
        // has to wait, since every future is moved.
        Looking { opening: Option<Box<Opening<R>>> },
        // An attempt is to come: first the token is waited for, then the service.
        Paused { pause: Option<Box<Pause<S, T, B, R>>> },
        Refused { error: Option<Error> },
    }
}

impl<S, T, B, R> ResponseFuture<S, T, B, R>
where
    S: Service<Request<ReplayBody<B>>>,
    T: TokenSource,
{
    /// A request that is left alone.
    #[inline]
    pub(super) const fn untouched(future: S::Future) -> Self {
        Self { state: State::Attempt { future }, sent: None }
    }

    /// A request that was sent with a token.
    #[inline]
    pub(super) const fn begun(future: S::Future, sent: Sent<S, T, B>) -> Self {
        Self { state: State::Attempt { future }, sent: Some(sent) }
    }

    /// A request whose token is waited for.
    pub(super) fn waiting(pause: Pause<S, T, B, R>, sent: Sent<S, T, B>) -> Self {
        Self { state: State::Paused { pause: Some(Box::new(pause)) }, sent: Some(sent) }
    }

    /// A request for which there is no token.
    pub(super) const fn refused(error: Error) -> Self {
        Self { state: State::Refused { error: Some(error) }, sent: None }
    }
}

impl<S, T, B, R> Future for ResponseFuture<S, T, B, R>
where
    S: Service<Request<ReplayBody<B>>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    T: TokenSource,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
    R: Body<Data = Bytes> + Unpin,
    R::Error: Into<BoxError>,
{
    type Output = Answer<R>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(sent) = this.sent else {
            return poll_untouched(this.state, cx);
        };
        sent.poll_ahead(cx);
        loop {
            let (answer, error) = match this.state.as_mut().project() {
                // Attempt => (Looking | Paused | done)
                StateProj::Attempt { future } => match ready!(future.poll(cx)) {
                    Ok(response) => match Opening::of(response, sent.is_head) {
                        Ok(mut opening) => {
                            if opening.poll_look(sent.shared.look_timeout, cx).is_pending() {
                                let opening = Some(Box::new(opening));
                                this.state.set(State::Looking { opening });
                                return Poll::Pending;
                            }
                            opening.judge()
                        }
                        Err(passed) => return Poll::Ready(Ok(passed.map(ResponseBody::untouched))),
                    },
                    Err(error) => {
                        let error = Error::from(error.into());
                        (Err(error.clone()), Some(error))
                    }
                },
                // Looking => (Looking | Paused | done)
                StateProj::Looking { opening } => {
                    let looking =
                        opening.as_mut().expect("a future is not polled after it is ready");
                    ready!(looking.poll_look(sent.shared.look_timeout, cx));
                    opening.take().expect("it was there two lines above").judge()
                }
                // Paused => (Paused | Attempt | done)
                StateProj::Paused { pause } => {
                    let waiting = pause.as_mut().expect("a future is not polled after it is ready");
                    let ready = ready!(waiting.poll(cx));
                    let pause = pause.take().expect("it was there two lines above");
                    if let Err(error) = ready {
                        return Poll::Ready(pause.give_up(error));
                    }
                    match pause.begin(&sent.shared.replay) {
                        Ok(Begun { future, lease, ahead, spare }) => {
                            (sent.lease, sent.ahead, sent.spare) = (Some(lease), ahead, spare);
                            this.state.set(State::Attempt { future });
                            sent.poll_ahead(cx);
                            continue;
                        }
                        Err(answer) => return Poll::Ready(*answer),
                    }
                }
                StateProj::Refused { error } => return refused(error),
            };
            let Some(error) = error else { return Poll::Ready(answer) };
            match sent.after(answer, &error, cx) {
                Step::Pause(pause) => this.state.set(State::Paused { pause: Some(pause) }),
                Step::Stop(answer) => return Poll::Ready(answer),
            }
        }
    }
}

/// A request whose credential is the caller's own, and whose answer is not looked at.
#[inline]
fn poll_untouched<S, T, B, R, F, E>(
    state: Pin<&mut State<S, T, B, R, F>>,
    cx: &mut Context<'_>,
) -> Poll<Answer<R>>
where
    T: TokenSource,
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
fn refused<R>(error: &mut Option<Error>) -> Poll<Answer<R>> {
    Poll::Ready(Err(error.take().expect("a future is not polled after it is ready")))
}

/// Shows who is waited for, and nothing of request, answer or token.
impl<S, T, B, R> fmt::Debug for ResponseFuture<S, T, B, R>
where
    S: Service<Request<ReplayBody<B>>>,
    T: TokenSource,
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
