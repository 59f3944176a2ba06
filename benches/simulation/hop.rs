//! What one service sees of the next.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{BoxError, ServiceExt};
use tower_service::Service;

/// What comes back.
pub(super) type Answer = Result<Response<Full<Bytes>>, BoxError>;

type Asking = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// A service as it is seen over a wire: whole bodies go in and come out. Clones are cheap, however
/// many hops there are.
#[derive(Clone)]
pub(super) struct Hop(Arc<dyn Fn(Request<Full<Bytes>>) -> Asking + Send + Sync>);

impl Hop {
    /// Makes a hop of a function.
    pub(super) fn new<F>(ask: impl Fn(Request<Full<Bytes>>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        Self(Arc::new(move |request| Box::pin(ask(request))))
    }

    /// Makes a hop of a service.
    pub(super) fn of<S>(service: S) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = BoxError>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send,
    {
        Self::new(move |request| service.clone().oneshot(request))
    }

    /// Sends a request.
    pub(super) fn ask(&self, request: Request<Full<Bytes>>) -> Asking {
        (self.0)(request)
    }
}

impl fmt::Debug for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hop").finish_non_exhaustive()
    }
}
