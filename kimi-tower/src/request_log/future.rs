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

use super::{Observer, body::ResponseBody, entry::Entry};

pin_project! {
    /// The answer to one request, whose record it keeps. See the [module](super).
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, O: Observer> {
        #[pin]
        state: State<F>,
        // Dropped after the future: the record says what was known when its work had ended. `None`
        // if nobody wants to know.
        entry: Option<Box<Entry<O>>>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F> {
        // The inner service is at work.
        Called { #[pin] future: F },
        // The inner service was not ready: nobody is waited for.
        Refused { error: Option<Error> },
    }
}

impl<F, O: Observer> ResponseFuture<F, O> {
    pub(super) const fn called(future: F, entry: Option<Box<Entry<O>>>) -> Self {
        Self { state: State::Called { future }, entry }
    }

    pub(super) const fn refused(error: Error, entry: Option<Box<Entry<O>>>) -> Self {
        Self { state: State::Refused { error: Some(error) }, entry }
    }
}

impl<F, E, O, ResBody> Future for ResponseFuture<F, O>
where
    F: Future<Output = Result<Response<ResBody>, E>>,
    E: Into<BoxError>,
    O: Observer,
    ResBody: Body<Data = Bytes>,
    ResBody::Error: Into<BoxError>,
{
    type Output = Result<Response<ResponseBody<ResBody, O>>, Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let error = match this.state.project() {
            // Called => Called
            StateProj::Called { future } => {
                if let Some(entry) = this.entry {
                    entry.enter();
                }
                let polled = future.poll(cx);
                if let Some(entry) = this.entry {
                    entry.leave();
                }
                match ready!(polled) {
                    Ok(mut response) => {
                        let entry = this.entry.take();
                        let entry = entry
                            .and_then(|mut entry| entry.see_head(&mut response).then_some(entry));
                        return Poll::Ready(
                            Ok(response.map(|body| ResponseBody::new(body, entry))),
                        );
                    }
                    Err(error) => Error::from(error.into()),
                }
            }
            // Refused => Refused
            StateProj::Refused { error } => {
                error.take().expect("a future is not polled after it is ready")
            }
        };
        Poll::Ready(Err(match this.entry.take() {
            Some(mut entry) => entry.fail(error),
            None => error,
        }))
    }
}

/// Shows who is waited for, and nothing of the request.
impl<F, O: Observer> fmt::Debug for ResponseFuture<F, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Called { .. } => "Called",
            State::Refused { .. } => "Refused",
        };
        f.debug_struct("ResponseFuture").field("state", &state).finish_non_exhaustive()
    }
}
