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

use super::{Observer, RequestId, Side, body::ResponseBody, entry::Entry, request_id::REQUEST_ID};

pin_project! {
    /// The answer to one request, whose record it keeps. See the [module](super).
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, O: Observer> {
        #[pin]
        state: State<F>,
        id: RequestId,
        side: Side,
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
    pub(super) const fn called(
        future: F,
        id: RequestId,
        side: Side,
        entry: Option<Box<Entry<O>>>,
    ) -> Self {
        Self { state: State::Called { future }, id, side, entry }
    }

    pub(super) const fn refused(
        error: Error,
        id: RequestId,
        side: Side,
        entry: Option<Box<Entry<O>>>,
    ) -> Self {
        Self { state: State::Refused { error: Some(error) }, id, side, entry }
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
                    Ok(response) => {
                        let entry = this.entry.take();
                        return Poll::Ready(Ok(answered(response, this.id, *this.side, entry)));
                    }
                    Err(error) => Error::from(error.into()),
                }
            }
            // Refused => Refused
            StateProj::Refused { error } => {
                error.take().expect("a future is not polled after it is ready")
            }
        };
        if let Some(mut entry) = this.entry.take() {
            entry.fail(error.clone());
        }
        Poll::Ready(Err(identified(error, this.id, *this.side)))
    }
}

/// Watches the body of an answer, whose head gets the id.
fn answered<B, O>(
    mut response: Response<B>,
    id: &RequestId,
    side: Side,
    entry: Option<Box<Entry<O>>>,
) -> Response<ResponseBody<B, O>>
where
    B: Body<Data = Bytes>,
    O: Observer,
{
    let is_error = response.status().as_u16() >= 400;
    let error = is_error.then(|| response.extensions().get::<Error>().cloned()).flatten();
    let watching = entry.and_then(|mut entry| {
        entry.enter();
        let is_over = response.body().is_end_stream();
        entry.leave();
        let (status, headers) = (response.status(), response.headers());
        entry.see_head(status, headers, error.clone(), is_over).then_some(entry)
    });
    if side == Side::Server {
        if let Some(value) = id.to_value() {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        // Whoever writes the error anew writes this one.
        if let Some(error) = error {
            response.extensions_mut().insert(identified(error, id, side));
        }
    }
    let watched = (id.clone(), side);
    response.map(|body| ResponseBody::new(body, watched, watching))
}

/// Returns the error with the id, by which its reader can ask for the record.
#[cold]
pub(super) fn identified(error: Error, id: &RequestId, side: Side) -> Error {
    // On the client's side it may have the upstream's, by which the upstream can be asked.
    if side == Side::Client && error.request_id().is_some() {
        return error;
    }
    error.with_request_id(id.as_str())
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
