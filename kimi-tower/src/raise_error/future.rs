use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::Response;
use http_body::Body;
use kimi_errors::{BoxError, Error};
use pin_project_lite::pin_project;

use super::{
    answer::{Opened, Opening, Rules},
    body::ResponseBody,
};
use crate::body::peek::Deadline;

pin_project! {
    /// The answer to one request, if it is none of an error. See the [module](super).
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, B> {
        #[pin]
        state: State<F, B>,
        rules: Rules,
        is_head: bool,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, B> {
        // The inner service is at work.
        Called { #[pin] future: F },
        // Its answer is there, and the beginning of the body is waited for. Boxed, since most
        // bodies bring it with the head and every future is moved.
        Looking { waiting: Pin<Box<Waiting<B>>> },
    }
}

pin_project! {
    struct Waiting<B> {
        // `None` once it has been judged.
        opening: Option<Opening<B>>,
        #[pin]
        deadline: Deadline,
    }
}

impl<F, B> ResponseFuture<F, B> {
    pub(super) const fn called(future: F, rules: Rules, is_head: bool) -> Self {
        Self { state: State::Called { future }, rules, is_head }
    }
}

impl<F, E, B> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<ResponseBody<B>>, Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // Called => (Looking | done)
        if let StateProj::Called { future } = this.state.as_mut().project() {
            let response = match ready!(future.poll(cx)) {
                Ok(response) => response,
                Err(error) => return Poll::Ready(Err(Error::from(error.into()))),
            };
            let mut opening = match this.rules.open(response, *this.is_head) {
                Opened::Judged(outcome) => return Poll::Ready(outcome),
                Opened::Looking(opening) => opening,
            };
            if opening.poll_look(cx).is_ready() {
                return Poll::Ready(opening.judge());
            }
            if opening.was_awaited() {
                return Poll::Ready(opening.judge());
            }
            let deadline = Deadline::after(this.rules.look_timeout);
            let waiting = Box::pin(Waiting { opening: Some(opening), deadline });
            this.state.set(State::Looking { waiting });
        }
        // Looking => done
        let StateProj::Looking { waiting } = this.state.project() else { return Poll::Pending };
        waiting.as_mut().poll(cx).map(Opening::judge)
    }
}

impl<B> Waiting<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    /// Is ready when the look is done or has taken long enough.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Opening<B>> {
        let this = self.project();
        let opening = this.opening.as_mut().expect("a future is not polled after it is ready");
        if opening.poll_look(cx).is_pending() {
            ready!(this.deadline.poll(cx));
            opening.note_awaited();
        }
        Poll::Ready(this.opening.take().expect("it was there a line above"))
    }
}

/// Shows who is waited for, and nothing of the answer.
impl<F, B> fmt::Debug for ResponseFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Called { .. } => "Called",
            State::Looking { .. } => "Looking",
        };
        f.debug_struct("ResponseFuture").field("state", &state).finish_non_exhaustive()
    }
}
