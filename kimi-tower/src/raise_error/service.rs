use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::Body;
use kimi_errors::{BoxError, Error};
use tower_service::Service;

use super::{RaiseErrorLayer, answer::Rules, body::ResponseBody, future::ResponseFuture};

/// Fails where `S` answers an error. See the [module](super).
#[derive(Clone, Debug)]
pub struct RaiseError<S> {
    inner: S,
    rules: Rules,
}

impl<S> RaiseError<S> {
    /// Creates the service.
    #[must_use]
    pub fn new(inner: S, layer: RaiseErrorLayer) -> Self {
        Self { inner, rules: layer.into() }
    }

    inner_accessors!();
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for RaiseError<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
    ResBody: Body<Data = Bytes> + Unpin,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = Error;
    type Future = ResponseFuture<S::Future, ResBody>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(|error| Error::from(error.into()))
    }

    #[inline]
    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        // The answer to HEAD describes a body that does not come.
        let is_head = request.method() == Method::HEAD;
        ResponseFuture::called(self.inner.call(request), self.rules, is_head)
    }
}
