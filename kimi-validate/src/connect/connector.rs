use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use http::Uri;
use hyper_util::rt::TokioIo;
use tower_service::Service;

use super::{Dial, Guard, Resolve, SystemResolver, TcpDialer};
use crate::file_url::{Refused, RemoteUrl};

/// A connector for `hyper-util`'s client that dials what its [`Guard`] has vetted. See the
/// [module](super).
///
/// What it is called with is judged as a URL once more, so that it holds whoever calls it.
#[must_use]
pub struct GuardedConnector<R = SystemResolver, D = TcpDialer> {
    guard: Guard<R, D>,
}

impl<R, D> GuardedConnector<R, D> {
    /// Creates the connector.
    pub const fn new(guard: Guard<R, D>) -> Self {
        Self { guard }
    }
}

impl<R, D> Service<Uri> for GuardedConnector<R, D>
where
    R: Resolve + Send + Sync + 'static,
    D: Dial + Send + Sync + 'static,
    D::Stream: Send,
{
    type Response = TokioIo<D::Stream>;
    type Error = Refused;
    type Future = Connecting<D::Stream>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let guard = self.guard.clone();
        Connecting(Box::pin(async move {
            let url = RemoteUrl::parse(&uri.to_string(), guard.policy())?;
            guard.connect(&url).await.map(TokioIo::new)
        }))
    }
}

impl<R, D> Clone for GuardedConnector<R, D> {
    fn clone(&self) -> Self {
        Self::new(self.guard.clone())
    }
}

impl<R, D> fmt::Debug for GuardedConnector<R, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedConnector").field("guard", &self.guard).finish()
    }
}

/// A connection that is being opened. See the [module](super).
#[must_use = "futures do nothing unless polled"]
pub struct Connecting<T>(Pin<Box<dyn Future<Output = Result<TokioIo<T>, Refused>> + Send>>);

impl<T> Future for Connecting<T> {
    type Output = Result<TokioIo<T>, Refused>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<T> fmt::Debug for Connecting<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connecting").finish_non_exhaustive()
    }
}
