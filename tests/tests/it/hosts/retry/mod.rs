//! `retry` in the servers that can hold it, and over the clients that it is made for.

mod axum;
mod hyper;
mod hyper_util;
mod reqwest;

use std::{net::SocketAddr, time::Duration};

use ::axum::{Router, body::Body, routing::Route};
use ::hyper::body::Incoming;
use ::hyper_util::client::legacy::{Client, connect::HttpConnector};
use bytes::Bytes;
use http_body_util::Full;
use kimi_testkit::probe::ProbeBody;
use kimi_tower::{
    replay::ReplayBody,
    retry::{Backoff, ResponseBody, ResponseFuture, Retry, RetryLayer, RetryPolicy, Safety},
};
use tokio::{net::TcpListener, sync::mpsc};

const fn is_shared<T: Clone + Send + Sync + 'static>() {}
const fn is_sent<T: Send + 'static>() {}
const fn is_sync<T: Send + Sync + 'static>() {}

/// What hosts ask of a layer, its services, their futures and their bodies: checked by compiling.
const _: () = {
    type HyperClient<B> = Client<HttpConnector, ReplayBody<B>>;
    is_shared::<RetryLayer>();
    is_shared::<RetryPolicy>();
    is_shared::<Retry<Route>>();
    is_shared::<Retry<HyperClient<Full<Bytes>>>>();
    is_shared::<Retry<::reqwest::Client>>();
    is_sent::<ResponseFuture<Route, Body, Body>>();
    is_sent::<ResponseFuture<HyperClient<ProbeBody>, ProbeBody, Incoming>>();
    is_sent::<ResponseBody<Body>>();
    is_sent::<ReplayBody<Body>>();
    // As reqwest asks of a request's body; of an answer's body nobody does.
    is_sync::<ReplayBody<Full<Bytes>>>();
    is_sync::<ReplayBody<Incoming>>();
};

/// The usual rules without their waits.
fn at_once() -> RetryPolicy {
    let backoff = Backoff::exponential(Duration::ZERO, Duration::ZERO);
    RetryPolicy::standard().with_fault_backoff(backoff).with_throttle_backoff(backoff)
}

/// Returns the address of an upstream that is down, and a policy with which it comes up as soon as
/// it was found to be down. It answers with what it was sent.
fn down_at_first() -> (SocketAddr, RetryPolicy) {
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let (up, mut is_up) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let listener: std::net::TcpListener = is_up.recv().await.unwrap();
        listener.set_nonblocking(true).unwrap();
        let echo = Router::new().fallback(async |body: String| body);
        ::axum::serve(TcpListener::from_std(listener).unwrap(), echo).await
    });
    let policy = at_once().with_rule(move |failure| {
        assert_eq!((failure.safety(), failure.retries()), (Safety::NeverSent, 0));
        up.send(std::net::TcpListener::bind(address).unwrap()).unwrap();
        None
    });
    (address, policy)
}
