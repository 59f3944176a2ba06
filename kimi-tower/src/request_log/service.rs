use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use kimi_errors::{BoxError, Error};
use tower_service::Service;

use super::{
    Observer, RequestLogLayer, TracingObserver, body::ResponseBody, entry::Entry,
    future::ResponseFuture, settings::Settings, tell::ask,
};

/// Tells an observer of each request to `S`. See the [module](super).
pub struct RequestLog<S, O = TracingObserver> {
    inner: S,
    settings: Arc<Settings<O>>,
    /// Why `inner` is not ready; the next call fails with it.
    failed: Option<Error>,
}

impl<S, O> RequestLog<S, O> {
    /// Creates the service.
    #[must_use]
    pub fn new(inner: S, layer: RequestLogLayer<O>) -> Self {
        Self { inner, settings: layer.into_settings(), failed: None }
    }

    inner_accessors!();
}

/// A clone starts over: neither readiness nor its failure travels with it.
impl<S: Clone, O> Clone for RequestLog<S, O> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), settings: Arc::clone(&self.settings), failed: None }
    }
}

impl<S, O, ReqBody, ResBody> Service<Request<ReqBody>> for RequestLog<S, O>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
    O: Observer,
    ResBody: Body<Data = Bytes>,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<ResBody, O>>;
    type Error = Error;
    type Future = ResponseFuture<S::Future, O>;

    /// Is ready when the inner service is, or when it fails: the request that is refused for it has
    /// a record, too.
    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.failed.is_none() {
            self.failed = match self.inner.poll_ready(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) => None,
                Poll::Ready(Err(error)) => Some(Error::from(error.into())),
            };
        }
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        if ask(|| self.settings.observer.is_enabled()) != Some(true) {
            return match self.failed.take() {
                Some(error) => ResponseFuture::refused(error, None),
                None => ResponseFuture::called(self.inner.call(request), None),
            };
        }
        let mut entry = Entry::open(&self.settings, &mut request);
        if let Some(error) = self.failed.take() {
            return ResponseFuture::refused(error, Some(entry));
        }
        // Nothing is awaited between readiness and here: the polled instance itself is called. If it
        // panics, the entry is dropped within.
        entry.enter();
        let future = self.inner.call(request);
        entry.leave();
        ResponseFuture::called(future, Some(entry))
    }
}

impl<S: fmt::Debug, O: fmt::Debug> fmt::Debug for RequestLog<S, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("RequestLog");
        shown.field("inner", &self.inner).field("settings", &self.settings).finish()
    }
}
