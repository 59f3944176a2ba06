//! The guard for reqwest, whose own connector stays in use.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Extensions, Request, Response};
use hyper_util::client::legacy::connect::{Connection, HttpInfo};
use kimi_errors::BoxError;
use reqwest::{
    Body, Client, ClientBuilder,
    dns::{self, Name, Resolving},
    redirect,
};
use tower_layer::Layer;
use tower_service::Service;

use super::{Guard, Resolve};
use crate::file_url::{Reason, Refused, RemoteUrl, UrlPolicy, judge};

/// A client of reqwest's that goes nowhere but to addresses that were judged, as a service of `http`'s
/// requests. See the [module](super).
///
/// Of each request the URL is judged before reqwest sees it, for an address in it asks no resolver;
/// names go by the [`Guard`]'s resolver; and no request is sent over a connection before the address of
/// its other end was judged, wherever that came from. The guard's dialer is not used; its deadline is
/// for connecting, from resolving to the end of TLS.
///
/// It is weaker than a [`GuardedConnector`](super::GuardedConnector), whose place is before the socket:
/// see [what holds](super#with-reqwest), and what its builder must not have.
#[derive(Clone)]
pub struct ReqwestClient {
    client: Client,
    policy: Arc<UrlPolicy>,
}

impl ReqwestClient {
    /// Builds the client, with what `builder` says of TLS, time-outs and the like. Redirects, proxies,
    /// decompression and HTTP/2 are switched off; its resolver and its `connect_timeout` are the
    /// guard's. Of `builder`, see [what it must not have](super#with-reqwest).
    ///
    /// # Errors
    ///
    /// As [`ClientBuilder::build`].
    pub fn try_new<R, D>(builder: ClientBuilder, guard: Guard<R, D>) -> reqwest::Result<Self>
    where
        R: Resolve + Send + Sync + 'static,
        D: Send + Sync + 'static,
    {
        let policy = Arc::clone(guard.policy());
        let client = builder
            .redirect(redirect::Policy::none())
            .no_proxy()
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            // The windows of HTTP/2 take megabytes for each connection.
            .http1_only()
            .connect_timeout(guard.deadline())
            .connector_layer(PeerLayer { policy: Arc::clone(&policy) })
            .dns_resolver(Arc::new(Judged(guard)))
            .build()?;
        Ok(Self { client, policy })
    }
}

impl Service<Request<Body>> for ReqwestClient {
    type Response = Response<Body>;
    type Error = Refused;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Refused>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Self { client, policy } = self.clone();
        Box::pin(async move {
            RemoteUrl::parse(&request.uri().to_string(), &policy)?;
            // Its errors quote the URL.
            let unreachable =
                |it: reqwest::Error| Refused::because(Reason::Unreachable, it.without_url());
            let request = reqwest::Request::try_from(request).map_err(unreachable)?;
            client.execute(request).await.map(Response::from).map_err(unreachable)
        })
    }
}

impl fmt::Debug for ReqwestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestClient").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// The resolver, of which only judged addresses come.
struct Judged<R, D>(Guard<R, D>);

impl<R, D> dns::Resolve for Judged<R, D>
where
    R: Resolve + Send + Sync + 'static,
    D: Send + Sync + 'static,
{
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0.clone();
        Box::pin(async move {
            let addresses = guard.judged(name.as_str()).await?;
            // The port is that of the URL, which reqwest puts in place of 0.
            let addresses = addresses.into_iter().map(|it| (it.to_canonical(), 0).into());
            Ok::<dns::Addrs, BoxError>(Box::new(addresses))
        })
    }
}

/// Judges the other end of each connection.
#[derive(Clone)]
struct PeerLayer {
    policy: Arc<UrlPolicy>,
}

impl<S> Layer<S> for PeerLayer {
    type Service = Peer<S>;

    fn layer(&self, inner: S) -> Peer<S> {
        Peer { inner, policy: Arc::clone(&self.policy) }
    }
}

#[derive(Clone)]
struct Peer<S> {
    inner: S,
    policy: Arc<UrlPolicy>,
}

impl<S, T> Service<T> for Peer<S>
where
    S: Service<T, Error = BoxError>,
    S::Response: Connection + Send,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, target: T) -> Self::Future {
        let (connecting, policy) = (self.inner.call(target), Arc::clone(&self.policy));
        Box::pin(async move {
            let connection = connecting.await?;
            let mut extras = Extensions::new();
            connection.connected().get_extras(&mut extras);
            // One that does not tell where it leads, such as a Unix socket, leads nowhere good.
            let info = extras.get::<HttpInfo>().ok_or(Reason::Address)?;
            judge(info.remote_addr().ip(), &policy)?;
            Ok(connection)
        })
    }
}

#[cfg(test)]
mod tests {
    use reqwest::dns::Resolve as _;

    use super::*;

    /// It dials all that it is given.
    #[tokio::test]
    async fn of_a_thousand_addresses_reqwest_is_given_eight() {
        let all = |_: &str| std::future::ready(Ok(vec![[8, 8, 8, 8].into(); 1_000]));
        let judged = Judged(Guard::new(UrlPolicy::new()).with_resolver(all));
        let given = judged.resolve("example.com".parse().unwrap()).await.unwrap();
        assert_eq!(given.count(), 8);
    }
}
