//! One exchange with the upstream: a request out, a head back.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response, StatusCode};
use http_body::Body;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use kimi_errors::{BoxError, Error, ErrorKind, RetryAdvice};
use tokio::time::timeout;
use tower::Service;

/// How long connecting may take: 10 s, long enough for two lost SYN packets (sent again after 1
/// and 3 s, RFC 6298 §2.1), short enough for a caller to hear of it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The connections to an upstream, for requests with a body `B`. Clones share them.
pub(super) struct Transport<B> {
    client: Client<HttpsConnector<HttpConnector>, B>,
    pub(super) head_timeout: Duration,
}

impl<B> Transport<B>
where
    B: Body<Data: Send> + Send,
{
    pub(super) fn new(head_timeout: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        // The connector for HTTPS wraps it and decides on the scheme.
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let https = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Self { client: Client::builder(TokioExecutor::new()).build(https), head_timeout }
    }
}

impl<B> Clone for Transport<B> {
    fn clone(&self) -> Self {
        Self { client: self.client.clone(), head_timeout: self.head_timeout }
    }
}

impl<B> Service<Request<B>> for Transport<B>
where
    B: Body<Data: Send, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    type Response = Response<Incoming>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let upstream = request.uri().authority().cloned();
        let sent = timeout(self.head_timeout, self.client.request(request));
        Box::pin(async move {
            match sent.await {
                Ok(Ok(answer)) => received(answer),
                Err(_) => {
                    tracing::warn!(?upstream, "the upstream did not answer in time");
                    // It may still be at work on the request.
                    Err(Error::new(ErrorKind::Timeout))
                }
                Ok(Err(error)) => {
                    // The caller is told that it failed, the log why. Whether anything had been
                    // sent stands in its sources, for `retry`.
                    tracing::warn!(?upstream, ?error, "the upstream did not answer");
                    Err(Error::from(BoxError::from(error)))
                }
            }
        })
    }
}

/// Returns the answer, if it is one.
///
/// # Errors
///
/// [`ErrorKind::BadGateway`] if it is a 1xx or a redirection: its protocol or its place is the
/// upstream's own, which no client of ours can use, and will be the next time. A 304 the client has
/// asked for, with `If-None-Match`.
fn received(answer: Response<Incoming>) -> Result<Response<Incoming>, Error> {
    let status = answer.status();
    let is_elsewhere = status.is_informational() || status.is_redirection();
    if is_elsewhere && status != StatusCode::NOT_MODIFIED {
        tracing::warn!(%status, "the upstream does not answer but points elsewhere");
        return Err(Error::new(ErrorKind::BadGateway).with_advice(RetryAdvice::Never));
    }
    Ok(answer)
}
