//! Around the handlers of a router. What is tried again is the handler, whose request and answer
//! are axum's own: it reads an `axum::body::Body`, made of the `ReplayBody`, at each attempt.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use axum::{Router, extract::State, http::HeaderMap, routing::post};
use http::Request;
use kimi_errors::{Error, ErrorKind};
use kimi_tower::{catch_error::CatchErrorLayer, retry::RetryLayer};
use tower::ServiceBuilder;

use super::{
    super::{Read, listen, send},
    at_once,
};

type Calls = Arc<AtomicUsize>;

/// Fails `failing` times, then says what it was sent, and at which retry.
fn app(failing: usize, kind: ErrorKind, calls: &Calls) -> Router {
    let handler = async move |State(calls): State<Calls>, head: HeaderMap, body: String| {
        if calls.fetch_add(1, Relaxed) < failing {
            return Err(Error::new(kind));
        }
        let retry = head.get("x-retry-count").and_then(|count| count.to_str().ok());
        Ok(format!("{body} {}", retry.unwrap_or("-")))
    };
    let layers = ServiceBuilder::new()
        // A router's layers must not fail, and `retry` can.
        .layer(CatchErrorLayer::new())
        .layer(RetryLayer::new(at_once()));
    Router::new().route("/chat", post(handler)).layer(layers).with_state(Arc::clone(calls))
}

/// Asks over a socket, and counts the calls.
async fn ask(failing: usize, kind: ErrorKind) -> (Read, usize) {
    let (listener, address) = listen().await;
    let calls = Calls::default();
    let app = app(failing, kind, &calls);
    tokio::spawn(async move { axum::serve(listener, app).await });
    let read = send(address, Request::post("/chat").body("你好").unwrap()).await;
    (read, calls.load(Relaxed))
}

#[tokio::test]
async fn a_handler_is_tried_again_with_the_same_body() {
    let (read, calls) = ask(2, ErrorKind::Overloaded).await;
    assert_eq!((read.head.status.as_u16(), read.body.as_str(), calls), (200, "你好 2", 3));
}

#[tokio::test]
async fn the_last_answer_of_a_handler_is_the_clients() {
    let (read, calls) = ask(9, ErrorKind::Overloaded).await;
    assert_eq!((read.head.status.as_u16(), calls), (429, 4));
    assert_eq!(read.head.headers["x-should-retry"], "false");
    let (read, calls) = ask(9, ErrorKind::TokenExpired).await;
    assert_eq!((read.head.status.as_u16(), calls), (401, 1));
}
