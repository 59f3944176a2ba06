//! What `catch_error` adds to a service that answers at once and well: a JSON head, one chunk, the
//! end.
//!
//! Subtract `bare`. `head` drops the body unread, `body` only reads one, `whole` does both.
//! `catch_panic` of tower-http catches panics in the call and the future, not in the body; axum's
//! `HandleErrorLayer` turns errors into responses and catches no panics.

#![expect(
    clippy::exit,
    missing_docs,
    unused_qualifications,
    reason = "of what the macros of the harness expand to"
)]

use std::{convert::Infallible, future::poll_fn, hint::black_box};

use axum::error_handling::HandleErrorLayer;
use bytes::Bytes;
use gungraun::{Dhat, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use http::{Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::Full;
use kimi_benches::{ROUNDS, drain, finish};
use kimi_tower::catch_error::CatchErrorLayer;
use tower::{BoxError, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tower_layer::Layer;
use tower_service::Service;

type Answer = Response<Full<Bytes>>;

fn answer() -> Answer {
    let mut response = Response::new(Full::new(Bytes::from_static(b"{\"choices\":[]}")));
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// A service that does not fail, as what the benchmarks ask of it.
trait Answering: Service<Request<()>, Response = Response<Self::Body>> {
    type Body: Body<Data = Bytes>;
}

impl<S, B> Answering for S
where
    S: Service<Request<()>, Response = Response<B>>,
    B: Body<Data = Bytes>,
{
    type Body = B;
}

fn bare() -> impl Answering {
    service_fn(|_| async { Ok::<_, Infallible>(answer()) })
}

fn catch_error() -> impl Answering {
    CatchErrorLayer::new().layer(service_fn(|_| async { Ok::<_, Infallible>(answer()) }))
}

fn catch_panic() -> impl Answering {
    CatchPanicLayer::new().layer(service_fn(|_| async { Ok::<_, Infallible>(answer()) }))
}

fn handle_error() -> impl Answering {
    let handle = HandleErrorLayer::new(|_: BoxError| async { StatusCode::BAD_GATEWAY });
    handle.layer(service_fn(|_| async { Ok::<_, BoxError>(answer()) }))
}

/// Returns the answer of one call.
fn ask<S: Answering>(service: &mut S) -> Option<Response<S::Body>> {
    finish(poll_fn(|cx| service.poll_ready(cx))).ok()?;
    finish(service.call(black_box(Request::new(())))).ok()
}

/// Returns [`ROUNDS`] bodies; not measured.
fn bodies<S: Answering>(mut service: S) -> Vec<S::Body> {
    (0..ROUNDS).filter_map(|_| ask(&mut service)).map(Response::into_body).collect()
}

#[library_benchmark]
#[bench::bare(bare())]
#[bench::catch_error(catch_error())]
#[bench::catch_panic(catch_panic())]
#[bench::handle_error(handle_error())]
fn head<S: Answering>(mut service: S) -> usize {
    (0..ROUNDS).filter_map(|_| ask(&mut service)).filter(|answer| answer.status() == 200).count()
}

#[library_benchmark]
#[bench::bare(bodies(bare()))]
#[bench::catch_error(bodies(catch_error()))]
#[bench::catch_panic(bodies(catch_panic()))]
#[bench::handle_error(bodies(handle_error()))]
fn body<B: Body<Data = Bytes>>(bodies: Vec<B>) -> usize {
    bodies.into_iter().map(drain).sum()
}

#[library_benchmark]
#[bench::bare(bare())]
#[bench::catch_error(catch_error())]
#[bench::catch_panic(catch_panic())]
#[bench::handle_error(handle_error())]
fn whole<S: Answering>(mut service: S) -> usize {
    (0..ROUNDS).filter_map(|_| ask(&mut service)).map(|answer| drain(answer.into_body())).sum()
}

library_benchmark_group!(
    name = catch_error_beside_its_peers;
    benchmarks = head, body, whole
);

main!(
    config = LibraryBenchmarkConfig::default().tool(Dhat::default());
    library_benchmark_groups = catch_error_beside_its_peers
);
