use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use kimi_errors::{BoxError, Error};
use tower_service::Service;

use super::{
    ConcurrencyLayer, ResponseBody,
    future::ResponseFuture,
    limit::{Admitted, Limit},
};
use crate::key::{ApiKey, ExtractKey};

/// Admits so many requests of one caller at a time. See the [module](super).
pub struct Concurrency<S, K = ApiKey> {
    inner: S,
    /// Shared, since frameworks clone and move a service for each request.
    limit: Arc<Limit<K>>,
}

impl<S, K> Concurrency<S, K> {
    /// Creates the service, which shares the permits of `layer`.
    #[must_use]
    pub fn new(inner: S, layer: ConcurrencyLayer<K>) -> Self {
        Self { inner, limit: Arc::new(layer.into_limit()) }
    }

    inner_accessors!();
}

impl<S: Clone, K> Clone for Concurrency<S, K> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), limit: Arc::clone(&self.limit) }
    }
}

impl<S, K, ReqBody, ResBody> Service<Request<ReqBody>> for Concurrency<S, K>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    S::Error: Into<BoxError>,
    K: ExtractKey,
    ResBody: Body,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = Error;
    type Future = ResponseFuture<S, ReqBody, S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(|error| error.into().into())
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (head, body) = request.into_parts();
        let admitted = self.limit.admit(&head);
        let request = Request::from_parts(head, body);
        match admitted {
            // C7. Nothing is awaited between readiness and here: the polled instance itself is
            // called.
            Ok(Admitted::Now(permit)) => ResponseFuture::called(self.inner.call(request), permit),
            Ok(Admitted::Later(turn)) => {
                self.give_up_readiness();
                ResponseFuture::waiting(self.inner.clone(), request, turn)
            }
            Err(refusal) => {
                self.give_up_readiness();
                ResponseFuture::refused(refusal)
            }
        }
    }
}

impl<S: Clone, K> Concurrency<S, K> {
    /// C7. The instance that `poll_ready` prepared may hold what others wait for, such as the
    /// permit of a concurrency limit for all. It is not going to be called now, and a service has
    /// no other way to give back what it holds than to be dropped.
    fn give_up_readiness(&mut self) {
        self.inner = self.inner.clone();
    }
}

impl<S: fmt::Debug, K> fmt::Debug for Concurrency<S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Concurrency");
        shown.field("inner", &self.inner).field("limit", &self.limit).finish()
    }
}
