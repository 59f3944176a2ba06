//! Services under test, and how to drive them.

use std::{
    pin::{Pin, pin},
    task::Poll,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use kimi_errors::BoxError;
use tower_service::Service;

use crate::probe::ProbeBody;

/// A service that a layer made around a [`Probe`](crate::probe::Probe). Implemented for all that fit.
pub trait Subject:
    Service<
        Request<ProbeBody>,
        Response = Response<Self::ResBody>,
        Error: Into<BoxError>,
        Future: Send,
    > + Clone
    + Send
    + Sync
    + 'static
{
    /// The body of its answers.
    type ResBody: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static;
}

impl<S, B> Subject for S
where
    S: Service<Request<ProbeBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type ResBody = B;
}

pub(super) async fn ready<S: Subject>(service: &mut S) {
    std::future::poll_fn(|cx| service.poll_ready(cx).map(expect)).await;
}

pub(super) async fn call<S: Subject>(service: &mut S, request: Request<ProbeBody>) -> S::Response {
    ready(service).await;
    expect(service.call(request).await)
}

pub(super) fn expect<T, E: Into<BoxError>>(outcome: Result<T, E>) -> T {
    outcome.unwrap_or_else(|error| {
        let error: BoxError = error.into();
        panic!("an exchange without fault fails: {error}")
    })
}

/// Polls until `is_reached`, which must not take the future to its end.
pub(super) async fn poll_until<F: Future>(mut future: Pin<&mut F>, is_reached: impl Fn() -> bool) {
    let mut polls = 0;
    std::future::poll_fn(|cx| {
        assert!(future.as_mut().poll(cx).is_pending(), "the inner service never answers");
        polls += 1;
        assert!(is_reached() || polls < 100, "the inner service is not called");
        if is_reached() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

pub(super) async fn frames<B>(answer: Response<B>) -> (Vec<Bytes>, Option<HeaderMap>)
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    let mut body = pin!(answer.into_body());
    let (mut data, mut trailers) = (Vec::new(), None);
    while let Some(frame) = body.frame().await {
        match expect(frame).into_data() {
            Ok(bytes) => data.push(bytes),
            Err(frame) => trailers = Frame::into_trailers(frame).ok(),
        }
    }
    (data, trailers)
}

pub(super) async fn drain<B>(answer: Response<B>)
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    frames(answer).await;
}
