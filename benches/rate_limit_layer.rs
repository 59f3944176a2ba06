//! What a limit adds to a service, beside `tower_governor` and `tower::limit`.
//!
//! Subtract `bare`. A chat request is answered at once and well; `refuses` are past the limit, and are
//! answered, ours by `CatchErrorLayer`, whose own part `by_hand` shows. The key is the credential,
//! which `tower_governor` is given by an extractor that copies it; the peer, as it has it by default;
//! or one for all, as `tower::limit` has it, which refuses nothing and is not `Clone`.

#![expect(
    clippy::exit,
    missing_docs,
    unused_qualifications,
    reason = "of what the macros of the harness expand to"
)]

use std::{
    convert::Infallible,
    future::{Ready, poll_fn, ready},
    hint::black_box,
    net::SocketAddr,
    num::NonZeroU32,
    sync::OnceLock,
    time::Duration,
};

use axum::{body::Body, extract::ConnectInfo};
use governor::middleware::{NoOpMiddleware, StateInformationMiddleware};
use gungraun::{Dhat, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use http::{HeaderValue, Request, Response, header};
use kimi_benches::{ROUNDS, drain, finish, served::Credential};
use kimi_errors::{BoxError, Error, ErrorKind};
use kimi_tower::{
    catch_error::CatchErrorLayer,
    key::{ApiKey, ClientAddress, Everyone, ExtractKey},
    rate_limit::{Gcra, Quota, RateLimitLayer, Rule, concurrency::ConcurrencyLayer},
};
use tokio::runtime::{Builder, Runtime};
use tower::{Layer, Service};
use tower_governor::{
    GovernorLayer,
    governor::GovernorConfigBuilder,
    key_extractor::{GlobalKeyExtractor, KeyExtractor, PeerIpKeyExtractor},
};

fn request() -> Request<Body> {
    let request = Request::post("https://gateway/v1/chat/completions")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "text/event-stream")
        .header(header::USER_AGENT, "kimi-benches/1")
        .header(header::AUTHORIZATION, "Bearer sk-0123456789abcdef0123456789abcdef")
        .extension(ConnectInfo(SocketAddr::from(([203, 0, 113, 7], 443))));
    request.body(Body::empty()).expect("each part is valid")
}

fn requests() -> Vec<Request<Body>> {
    (0..ROUNDS).map(|_| request()).collect()
}

#[derive(Clone)]
struct Handler;

impl Service<Request<Body>> for Handler {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        drop(black_box(request));
        let mut answer = Response::new(Body::empty());
        let json = HeaderValue::from_static("application/json");
        answer.headers_mut().insert(header::CONTENT_TYPE, json);
        ready(Ok(answer))
    }
}

/// Refuses by itself what a limit would.
#[derive(Clone)]
struct Refusing;

impl Service<Request<Body>> for Refusing {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Ready<Result<Response<Body>, Error>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        drop(black_box(request));
        let wait = black_box(Duration::from_millis(599));
        ready(Err(Error::new(ErrorKind::RateLimited).with_retry_after(wait)))
    }
}

/// What all services here are.
trait Answering:
    Service<Request<Body>, Response = Response<Self::Body>, Error: Into<BoxError>>
{
    type Body: http_body::Body<Data = bytes::Bytes>;
}

impl<S, B> Answering for S
where
    S: Service<Request<Body>, Response = Response<B>, Error: Into<BoxError>>,
    B: http_body::Body<Data = bytes::Bytes>,
{
    type Body = B;
}

/// Many in an hour, of which none comes back meanwhile, or few.
fn quota(units: u32) -> Rule {
    let quota = Quota::try_new(units, Duration::from_secs(3600)).expect("it is some");
    Rule::requests(Gcra::new(quota))
}

const MANY: u32 = 1_000_000;

fn ours(key: impl ExtractKey + Clone) -> impl Answering {
    RateLimitLayer::new(quota(MANY)).with_key(key).without_fields().layer(Handler)
}

fn ours_with_fields(key: impl ExtractKey + Clone) -> impl Answering {
    RateLimitLayer::new(quota(MANY)).with_key(key).layer(Handler)
}

fn peer() -> impl ExtractKey + Clone {
    ClientAddress::new(|extensions: &http::Extensions| {
        extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
    })
}

fn concurrency() -> impl Answering {
    let max = NonZeroU32::new(15).expect("it is some");
    ConcurrencyLayer::new(max).with_key(ApiKey::new()).layer(Handler)
}

fn refused() -> impl Answering {
    CatchErrorLayer::new().layer(RateLimitLayer::new(quota(1)).without_fields().layer(Handler))
}

fn refused_with_fields() -> impl Answering {
    CatchErrorLayer::new().layer(RateLimitLayer::new(quota(1)).layer(Handler))
}

fn refused_by_hand() -> impl Answering {
    CatchErrorLayer::new().layer(Refusing)
}

fn governor<K: KeyExtractor>(key: K, burst: u32) -> GovernorLayer<K, NoOpMiddleware, Body> {
    let mut builder = GovernorConfigBuilder::default();
    builder.period(Duration::from_secs(3600)).burst_size(burst);
    GovernorLayer::new(builder.key_extractor(key).finish().expect("it is some"))
}

fn governor_with_fields<K: KeyExtractor>(
    key: K,
    burst: u32,
) -> GovernorLayer<K, StateInformationMiddleware, Body> {
    let mut builder = GovernorConfigBuilder::default();
    builder.period(Duration::from_secs(3600)).burst_size(burst);
    GovernorLayer::new(builder.key_extractor(key).use_headers().finish().expect("it is some"))
}

fn tower() -> impl Answering {
    // It makes a timer beforehand, which is never set: nobody comes too early.
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        Builder::new_current_thread().enable_time().build().expect("there can be one")
    });
    let _entered = runtime.enter();
    tower::limit::RateLimitLayer::new(u64::from(MANY), Duration::from_secs(3600)).layer(Handler)
}

fn tower_concurrency() -> impl Answering {
    tower::limit::ConcurrencyLimitLayer::new(15).layer(Handler)
}

/// Asks for all requests and reads the answers.
fn ask<S: Answering>(mut service: S, requests: Vec<Request<Body>>) -> usize {
    let mut read = 0;
    for request in requests {
        let is_ready = finish(poll_fn(|cx| service.poll_ready(cx))).is_ok();
        let answered = finish(service.call(black_box(request)));
        read += answered.map_or(0, |answer| drain(answer.into_body())) + usize::from(is_ready);
    }
    read
}

/// The same for a service that has been asked once, since the first makes what others find.
fn warm<S: Answering>(mut service: S) -> S {
    assert!(finish(poll_fn(|cx| service.poll_ready(cx))).is_ok());
    assert!(finish(service.call(request())).is_ok());
    service
}

#[library_benchmark]
#[bench::bare(warm(Handler), requests())]
#[bench::ours_credential(warm(ours(ApiKey::new())), requests())]
#[bench::ours_peer(warm(ours(peer())), requests())]
#[bench::ours_everyone(warm(ours(Everyone::new())), requests())]
#[bench::ours_fields_credential(warm(ours_with_fields(ApiKey::new())), requests())]
#[bench::ours_fields_peer(warm(ours_with_fields(peer())), requests())]
#[bench::governor_credential(warm(governor(Credential, MANY).layer(Handler)), requests())]
#[bench::governor_peer(warm(governor(PeerIpKeyExtractor, MANY).layer(Handler)), requests())]
#[bench::governor_everyone(warm(governor(GlobalKeyExtractor, MANY).layer(Handler)), requests())]
#[bench::governor_fields_peer(warm(governor_with_fields(PeerIpKeyExtractor, MANY).layer(Handler)), requests())]
#[bench::tower_everyone(warm(tower()), requests())]
#[bench::concurrency_credential(warm(concurrency()), requests())]
#[bench::tower_concurrency(warm(tower_concurrency()), requests())]
fn admitted<S: Answering>(service: S, requests: Vec<Request<Body>>) -> usize {
    ask(service, requests)
}

#[library_benchmark]
#[bench::by_hand(warm(refused_by_hand()), requests())]
#[bench::ours(warm(refused()), requests())]
#[bench::ours_fields(warm(refused_with_fields()), requests())]
#[bench::governor(warm(governor(Credential, 1).layer(Handler)), requests())]
#[bench::governor_fields(warm(governor_with_fields(Credential, 1).layer(Handler)), requests())]
fn refuses<S: Answering>(service: S, requests: Vec<Request<Body>>) -> usize {
    ask(service, requests)
}

library_benchmark_group!(name = limits_beside_others; benchmarks = admitted, refuses);

main!(
    config = LibraryBenchmarkConfig::default().tool(Dhat::default());
    library_benchmark_groups = limits_beside_others
);
