use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::Response;
use http_body::Body;
use kimi_errors::{BoxError, Error};
use pin_project_lite::pin_project;

use super::{
    answer::{Answers, Wire},
    body::ResponseBody,
    fence,
};

pin_project! {
    /// The answer to one request, which always comes. See the [module](super).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
        answers: Answers,
        wire: Wire,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            this.close();
        }
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = StateProj]
    enum State<F> {
        // The inner service is at work.
        Called { #[pin] future: F },
        // The inner service was not called, or panicked when it was: nobody is waited for.
        Refused { error: Option<Error> },
    }
}

impl<F> ResponseFuture<F> {
    pub(super) const fn called(future: F, answers: Answers, wire: Wire) -> Self {
        Self { state: State::Called { future }, answers, wire }
    }

    pub(super) const fn refused(error: Error, answers: Answers, wire: Wire) -> Self {
        Self { state: State::Refused { error: Some(error) }, answers, wire }
    }

    /// Drops the inner future.
    #[inline]
    fn close(self: Pin<&mut Self>) {
        let mut state = self.project().state;
        if matches!(*state, State::Called { .. }) {
            // Its answer is out, or no longer wanted: a panic now has nobody left to be told.
            let _ =
                fence::catch("drop of the future", || state.set(State::Refused { error: None }));
        }
    }
}

impl<F, E, ResBody> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<ResBody>, E>>,
    E: Into<BoxError>,
    ResBody: Body<Data = Bytes>,
    ResBody::Error: Into<BoxError>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, Infallible>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.as_mut().project();
        let (answers, wire) = (*this.answers, *this.wire);
        let error = match this.state.project() {
            // Called => (Called | Refused)
            StateProj::Called { future } => match fence::catch("call", || future.poll(cx)) {
                Ok(Poll::Pending) => return Poll::Pending,
                // Looked at before it is moved: a response is wide, and moving it is most of what
                // this layer costs.
                Ok(Poll::Ready(Ok(response))) if wire.is_plain(&response) => {
                    return Poll::Ready(Ok(response.map(ResponseBody::plain)));
                }
                Ok(Poll::Ready(Ok(response))) => {
                    return Poll::Ready(Ok(answers.pass(wire, response)));
                }
                Ok(Poll::Ready(Err(error))) => fence::known(error),
                Err(panic) => panic,
            },
            StateProj::Refused { error } => {
                error.take().expect("a future is not polled after it is ready")
            }
        };
        self.close();
        Poll::Ready(Ok(answers.refuse(wire, error)))
    }
}
