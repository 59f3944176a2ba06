//! With reqwest's client.

use std::{
    future::{Pending, pending},
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use http_body_util::BodyExt;
use kimi_validate::{
    connect::{Guard, ReqwestClient},
    file_url::{Reason, RemoteUrl, UrlPolicy},
    probe::{FileProbe, FileSize},
};
use reqwest::{Body, Client};
use tokio::time::Instant;
use tower::ServiceExt as _;
use tower_layer::layer_fn;
use tower_service::Service;

use super::sockets::{local, serve};

#[tokio::test]
async fn a_file_is_checked_and_fetched_from_one_place() {
    let (port, accepted, mut told) = serve().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let resolver = move |name: &str| {
        assert_eq!(name, "files.example.com");
        let last = if counter.fetch_add(1, Relaxed) == 0 { 1 } else { 2 };
        std::future::ready(io::Result::Ok(vec![IpAddr::from([127, 0, 0, last])]))
    };
    let guard = Guard::new(local()).with_resolver(resolver);
    let client = ReqwestClient::try_new(Client::builder(), guard).unwrap();
    let probe = FileProbe::new(client).with_policy(local());
    let url = format!("http://files.example.com:{port}/a.pdf");
    let url = RemoteUrl::parse(&url, probe.policy()).unwrap();
    let file = probe.check::<Body, Body>(&url).await.unwrap();
    assert_eq!(file.size(), FileSize::Announced(8));
    let body = probe.fetch(&file).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(body.to_bytes(), "%PDF-1.7");
    assert_eq!((accepted.load(Relaxed), asked.load(Relaxed)), (2, 1));
    assert_eq!(told.recv().await.unwrap(), format!("files.example.com:{port}"));
}

/// An address asks no resolver, and is judged all the same; so is what a name has behind it.
#[tokio::test]
async fn nobody_is_called_at_an_address_that_is_refused() {
    let (port, accepted, _told) = serve().await;
    let policy = UrlPolicy::new().with_unprivileged_ports();
    let resolver = |_: &str| std::future::ready(io::Result::Ok(vec![[127, 0, 0, 1].into()]));
    let guard = Guard::new(policy).with_resolver(resolver);
    let client = ReqwestClient::try_new(Client::builder(), guard).unwrap();
    let probe = FileProbe::new(client);
    let wide =
        local().with_allowed_hosts(["localhost", "127.0.0.1", "::ffff:127.0.0.1", "*.example.com"]);
    let wide = wide.unwrap();
    for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "localhost", "files.example.com"] {
        let url = RemoteUrl::parse(&format!("http://{host}:{port}/"), &wide).unwrap();
        let refused = probe.check::<Body, Body>(&url).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::Unreachable, "{host}");
    }
    assert_eq!(accepted.load(Relaxed), 0);
}

/// What a builder was told to resolve on its own passes by our resolver, and is found out when the
/// connection is there, before a byte is sent.
#[tokio::test]
async fn a_connection_to_an_address_that_is_refused_is_not_used() {
    let (port, accepted, mut told) = serve().await;
    let guard = Guard::new(UrlPolicy::new().with_unprivileged_ports());
    let builder = Client::builder().resolve("files.example.com", ([127, 0, 0, 1], port).into());
    let client = ReqwestClient::try_new(builder, guard.clone()).unwrap();
    let probe = FileProbe::new(client);
    let url =
        RemoteUrl::parse(&format!("http://files.example.com:{port}/"), guard.policy()).unwrap();
    let refused = probe.check::<Body, Body>(&url).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::Unreachable);
    // Whoever accepted it read no request.
    assert_eq!(told.recv().await.unwrap(), "");
    assert_eq!(accepted.load(Relaxed), 1);
}

/// Around a connector that never has a connection.
#[derive(Clone)]
struct Stuck<S>(S);

impl<S, T> Service<T> for Stuck<S>
where
    S: Service<T>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pending<Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, _: T) -> Self::Future {
        pending()
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_never_comes_ends_with_the_deadline_of_the_guard() {
    let guard = Guard::new(UrlPolicy::new()).with_deadline(Duration::from_secs(3));
    let builder = Client::builder().connector_layer(layer_fn(Stuck));
    let client = ReqwestClient::try_new(builder, guard).unwrap();
    let begin = Instant::now();
    let request = http::Request::get("http://8.8.8.8/").body(Body::default()).unwrap();
    let refused = client.oneshot(request).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::Unreachable);
    // Not for ever: of the request itself nobody has said how long it may take.
    let taken = begin.elapsed();
    assert!((3_000..=3_010).contains(&taken.as_millis()), "{taken:?}");
}
