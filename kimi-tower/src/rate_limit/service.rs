use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use kimi_errors::{BoxError, Error};
use tower_service::Service;

use super::{
    RateLimitLayer, ResponseBody,
    future::ResponseFuture,
    limiter::Limiter,
    store::{Asked, MemoryStore, RateStore},
};
use crate::key::{ApiKey, ExtractKey};

/// Holds requests to `S` to limits. See the [module](super).
#[derive(Debug)]
pub struct RateLimit<S, K = ApiKey, R = MemoryStore> {
    inner: S,
    /// Shared, since frameworks clone and move a service for each request.
    key: Arc<K>,
    limiter: Arc<Limiter<R>>,
}

impl<S, K, R> RateLimit<S, K, R> {
    /// Creates the service, which shares the store of `layer`.
    #[must_use]
    pub fn new(inner: S, layer: RateLimitLayer<K, R>) -> Self {
        let (key, limiter) = layer.into_parts();
        Self { inner, key: Arc::new(key), limiter }
    }

    inner_accessors!();
}

impl<S: Clone, K, R> Clone for RateLimit<S, K, R> {
    fn clone(&self) -> Self {
        let (key, limiter) = (Arc::clone(&self.key), Arc::clone(&self.limiter));
        Self { inner: self.inner.clone(), key, limiter }
    }
}

impl<S, K, R, ReqBody, ResBody> Service<Request<ReqBody>> for RateLimit<S, K, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    S::Error: Into<BoxError>,
    K: ExtractKey,
    R: RateStore,
    ResBody: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<ResBody, R>>;
    type Error = Error;
    type Future = ResponseFuture<S, ReqBody, R>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(|error| error.into().into())
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (head, body) = request.into_parts();
        let limiter = &self.limiter;
        let key = match self.key.extract(&head, &limiter.hasher) {
            Ok(key) => key,
            Err(error) => return self.refuse(error),
        };
        let Some(ask) = key.and_then(|key| limiter.ask(key, &head)) else {
            // Nobody's, or without limits: it passes uncounted.
            let request = Request::from_parts(head, body);
            return ResponseFuture::called(self.inner.call(request), None);
        };
        match limiter.store.ask(&ask) {
            Asked::Now(verdict) => match limiter.judge(verdict, &ask, &head.extensions) {
                // L3. Nothing was awaited since readiness: the polled instance itself is called.
                Ok(grant) => {
                    let after = grant.and_then(|grant| limiter.after(grant));
                    let request = Request::from_parts(head, body);
                    ResponseFuture::called(self.inner.call(request), after)
                }
                Err(error) => self.refuse(error),
            },
            Asked::Later(later) => {
                self.give_up_readiness();
                let (inner, limiter) = (self.inner.clone(), Arc::clone(&self.limiter));
                ResponseFuture::waiting(inner, limiter, ask, later, Request::from_parts(head, body))
            }
        }
    }
}

impl<S: Clone, K, R> RateLimit<S, K, R> {
    #[cold]
    fn refuse<B>(&mut self, refusal: Error) -> ResponseFuture<S, B, R>
    where
        S: Service<Request<B>>,
        R: RateStore,
    {
        self.give_up_readiness();
        ResponseFuture::refused(refusal)
    }

    /// L1. The instance that `poll_ready` prepared may hold what others wait for, such as the
    /// permit of a concurrency limit. It is not going to be called now, and a service has no other
    /// way to give back what it holds than to be dropped.
    #[cold]
    fn give_up_readiness(&mut self) {
        self.inner = self.inner.clone();
    }
}
