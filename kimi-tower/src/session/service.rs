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
    Conversation, ResponseBody, SessionLayer,
    admit::{Admit, Admitted},
    fence,
    future::ResponseFuture,
    store::{MemoryStore, SessionStore},
};
use crate::key::ExtractKey;

/// Serves one request of a session at a time. See the [module](super).
pub struct Session<S, K = Conversation, T = MemoryStore> {
    inner: S,
    /// Shared, since frameworks clone and move a service for each request.
    admit: Arc<Admit<K, T>>,
}

impl<S, K, T> Session<S, K, T> {
    /// Creates the service, which shares the sessions of `layer`.
    #[must_use]
    pub fn new(inner: S, layer: SessionLayer<K, T>) -> Self {
        Self { inner, admit: Arc::new(layer.into_admit()) }
    }

    inner_accessors!();
}

impl<S: Clone, K, T> Clone for Session<S, K, T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), admit: Arc::clone(&self.admit) }
    }
}

impl<S, K, T, ReqBody, ResBody> Service<Request<ReqBody>> for Session<S, K, T>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    K: ExtractKey,
    T: SessionStore,
    ReqBody: Send + 'static,
    ResBody: Body + Send + 'static,
{
    type Response = Response<ResponseBody<ResBody, T::Turn>>;
    type Error = Error;
    type Future = ResponseFuture<S, ReqBody, S::Future, T::Place>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(|error| error.into().into())
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (head, body) = request.into_parts();
        let admitted = self.admit.admit(&head);
        let mut request = Request::from_parts(head, body);
        let field = self.admit.rules.fence_field.as_ref();
        match admitted {
            // T6. Nothing is awaited between readiness and here: the polled instance itself is
            // called.
            Ok(Admitted::Free) => {
                fence::mark(&mut request, None, field);
                ResponseFuture::free(self.inner.call(request))
            }
            Ok(Admitted::Now(holding)) => {
                holding.mark(&mut request, field);
                let future = holding.tells.scope.within(|| self.inner.call(request));
                ResponseFuture::called(future, holding)
            }
            Ok(Admitted::Later(later)) => {
                self.give_up_readiness();
                ResponseFuture::waiting(self.inner.clone(), request, later)
            }
            Err(refusal) => {
                self.give_up_readiness();
                ResponseFuture::refused(refusal)
            }
        }
    }
}

impl<S: Clone, K, T> Session<S, K, T> {
    /// T6. The instance that `poll_ready` prepared may hold what others wait for, such as the
    /// permit of a concurrency limit for all. It is not going to be called now, and a service has
    /// no other way to give back what it holds than to be dropped.
    fn give_up_readiness(&mut self) {
        self.inner = self.inner.clone();
    }
}

impl<S: fmt::Debug, K, T: fmt::Debug> fmt::Debug for Session<S, K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Session");
        shown.field("inner", &self.inner).field("admit", &self.admit).finish()
    }
}
