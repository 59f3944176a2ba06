//! What `validate` adds to a service that reads its request's body, which is there at once in one
//! frame.
//!
//! Subtract `bare`. `typed` is what one writes without the layer: collect the body, parse it into a
//! struct with `serde_json`, as axum's `Json<T>` does, leave that in the extensions and pass the
//! bytes on. It knows types, roles and required members, and stops at the first fault.

#![expect(
    clippy::exit,
    missing_docs,
    unused_qualifications,
    reason = "of what the macros of the harness expand to"
)]

use std::{
    convert::Infallible,
    future::poll_fn,
    hint::black_box,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use gungraun::{Dhat, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use http::{HeaderValue, Method, Request, Uri, header};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use kimi_benches::{ROUNDS, bodies, drain, finish, peers};
use kimi_tower::validate::ValidateLayer;
use kimi_validate::Profile;
use tower::{BoxError, service_fn};
use tower_layer::Layer;
use tower_service::Service;

/// Answers with the count of the bytes that it was sent.
trait Reading: Service<Request<Full<Bytes>>, Response = usize> {}

impl<S: Service<Request<Full<Bytes>>, Response = usize>> Reading for S {}

/// A service, where it is asked, and with what.
type Case<S> = (S, Uri, Bytes);

fn chat<S: Reading>(body: bodies::Body, service: S) -> Case<S> {
    (service, Uri::from_static("/v1/chat/completions"), bytes(body))
}

fn other<S: Reading>(body: bodies::Body, service: S) -> Case<S> {
    (service, Uri::from_static("/v1/files"), bytes(body))
}

/// Shared already, as the frames of a server are, so that no clone allocates.
fn bytes(body: bodies::Body) -> Bytes {
    let bytes = Bytes::from(body.text());
    drop(bytes.clone());
    bytes
}

fn handler<B>()
-> impl Service<Request<B>, Response = usize, Error = Infallible, Future: Send> + Clone + Send
where
    B: Body<Data = Bytes> + Send,
{
    service_fn(async |request: Request<B>| Ok(drain(request.into_body())))
}

fn bare() -> impl Reading {
    handler()
}

fn validate() -> impl Reading {
    ValidateLayer::new(Profile::article()).layer(handler())
}

fn typed() -> impl Reading {
    Typed(handler())
}

/// The service that one writes without the layer.
struct Typed<S>(S);

impl<S> Service<Request<Full<Bytes>>> for Typed<S>
where
    S: Service<Request<Full<Bytes>>, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx).map_err(BoxError::from)
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let fresh = self.0.clone();
        let mut ready = std::mem::replace(&mut self.0, fresh);
        Box::pin(async move {
            let (mut head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let typed: peers::Request = serde_json::from_slice(&body)?;
            head.extensions.insert(Arc::new(typed));
            Ok(ready.call(Request::from_parts(head, Full::new(body))).await?)
        })
    }
}

/// Returns how many bytes the service has read.
fn ask<S: Reading>((service, uri, body): &mut Case<S>) -> Option<usize> {
    finish(poll_fn(|cx| service.poll_ready(cx))).ok()?;
    let mut request = Request::new(Full::new(body.clone()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri.clone();
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(header::CONTENT_TYPE, json);
    finish(service.call(black_box(request))).ok()
}

/// Asks [`ROUNDS`] times.
///
/// # Panics
///
/// If a request is refused.
fn rounds<S: Reading>(mut case: Case<S>) -> Case<S> {
    for _ in 0..ROUNDS {
        assert_eq!(ask(&mut case), Some(case.2.len()), "passes whole");
    }
    case
}

#[library_benchmark]
#[bench::bare(chat(bodies::Body::Message, bare()))]
#[bench::validate(chat(bodies::Body::Message, validate()))]
#[bench::typed(chat(bodies::Body::Message, typed()))]
fn message<S: Reading>(case: Case<S>) -> Case<S> {
    rounds(case)
}

#[library_benchmark]
#[bench::bare(chat(bodies::Body::Conversation, bare()))]
#[bench::validate(chat(bodies::Body::Conversation, validate()))]
#[bench::typed(chat(bodies::Body::Conversation, typed()))]
fn conversation<S: Reading>(case: Case<S>) -> Case<S> {
    rounds(case)
}

// Of a route that is not looked at.
#[library_benchmark]
#[bench::bare(other(bodies::Body::Conversation, bare()))]
#[bench::validate(other(bodies::Body::Conversation, validate()))]
fn not_selected<S: Reading>(case: Case<S>) -> Case<S> {
    rounds(case)
}

library_benchmark_group!(
    name = validate_beside_its_peers;
    benchmarks = message, conversation, not_selected
);

main!(
    config = LibraryBenchmarkConfig::default().tool(Dhat::default());
    library_benchmark_groups = validate_beside_its_peers
);
