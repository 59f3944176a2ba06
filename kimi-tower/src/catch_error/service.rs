use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use kimi_errors::{BoxError, Error};
use tower_service::Service;

use super::{
    CatchErrorLayer,
    answer::{Answers, Wire},
    body::ResponseBody,
    fence,
    future::ResponseFuture,
};

/// Answers the errors and panics of `S`. See the [module](super).
#[derive(Debug)]
pub struct CatchError<S> {
    inner: S,
    answers: Answers,
    /// Why `inner` is not ready; the next call is answered with it.
    failed: Option<Error>,
}

impl<S> CatchError<S> {
    /// Creates the service.
    #[must_use]
    pub fn new(inner: S, layer: CatchErrorLayer) -> Self {
        Self { inner, answers: layer.into(), failed: None }
    }

    inner_accessors!();
}

/// A clone starts over: neither readiness nor its failure travels with it.
impl<S: Clone> Clone for CatchError<S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), answers: self.answers, failed: None }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for CatchError<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
    ResBody: Body<Data = Bytes>,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = Infallible;
    type Future = ResponseFuture<S::Future>;

    /// Is ready when the inner service is, or when it fails: then there is an answer to give.
    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if self.failed.is_none() {
            self.failed = match fence::catch("poll_ready", || self.inner.poll_ready(cx)) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(Ok(()))) => None,
                Ok(Poll::Ready(Err(error))) => Some(fence::known(error)),
                Err(panic) => Some(panic),
            };
        }
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let wire = Wire::of(&request);
        if let Some(error) = self.failed.take() {
            return ResponseFuture::refused(error, self.answers, wire);
        }
        // Nothing is awaited between readiness and here: the polled instance itself is called.
        match fence::catch("call", || self.inner.call(request)) {
            Ok(future) => ResponseFuture::called(future, self.answers, wire),
            Err(panic) => ResponseFuture::refused(panic, self.answers, wire),
        }
    }
}
