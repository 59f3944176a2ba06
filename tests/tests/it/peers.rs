//! What the README says of the layers that one would take instead, each held to it beside ours.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::body::Body;
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use kimi_errors::BoxError;
use kimi_testkit::probe::{Beat, ProbeBody};
use kimi_tower::{
    catch_error::CatchErrorLayer,
    key::Everyone,
    rate_limit::{Gcra, Quota, RateLimitLayer, Rule, concurrency::ConcurrencyLayer},
    request_log::{Outcome, RequestLogLayer},
};
use tokio::time::timeout;
use tower::{Layer, Service, ServiceExt as _, limit::ConcurrencyLimitLayer, service_fn};
use tower_governor::{
    GovernorLayer, governor::GovernorConfigBuilder, key_extractor::GlobalKeyExtractor,
};
use tower_http::{catch_panic::CatchPanicLayer, trace::TraceLayer};
use tower_resilience_bulkhead::BulkheadLayer;

use super::request_log::Log;

const EVENT: &str = "data: {}\n\n";
/// As kimi-free-api refuses, in a success.
const BUSY: &str = r#"{"code":-2005,"message":"已有对话流正在输出","data":null}"#;

type Answer = Result<Response<Body>, Infallible>;

fn request() -> Request<Body> {
    Request::post("/v1/chat/completions").body(Body::empty()).unwrap()
}

fn stream(body: ProbeBody) -> Answer {
    let response = Response::builder().header(header::CONTENT_TYPE, "text/event-stream");
    Ok(response.body(Body::new(body)).unwrap())
}

async fn panics(_: Request<Body>) -> Answer {
    stream(ProbeBody::chunks([EVENT]).then(Beat::Panic("amid a stream")))
}

async fn does_not_end(_: Request<Body>) -> Answer {
    stream(ProbeBody::chunks([EVENT]).then(Beat::Hang))
}

async fn refuses_in_a_success(_: Request<Body>) -> Answer {
    let response = Response::builder().header(header::CONTENT_TYPE, "application/json");
    Ok(response.body(Body::from(BUSY)).unwrap())
}

async fn answers(_: Request<Body>) -> Answer {
    Ok(Response::new(Body::empty()))
}

#[tokio::test]
async fn a_panic_amid_a_stream_is_its_last_event_and_goes_through_catch_panic() {
    let ours = CatchErrorLayer::new().layer(service_fn(panics)).oneshot(request()).await.unwrap();
    let body = ours.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert!(text.starts_with(EVENT) && text.contains(r#""errcode":-1000"#), "{text}");

    let theirs = CatchPanicLayer::new().layer(service_fn(panics)).oneshot(request()).await.unwrap();
    let reader = tokio::spawn(theirs.into_body().collect());
    assert!(reader.await.unwrap_err().is_panic());
}

/// Tells whether a second request is answered while the answer to a first is read.
async fn lets_in_a_second<S, B>(service: S) -> bool
where
    S: Service<Request<Body>, Response = Response<B>, Error: Into<BoxError>> + Clone,
{
    let first = service.clone().oneshot(request()).await.map_err(Into::into).unwrap();
    let second = timeout(Duration::from_secs(60), service.oneshot(request())).await;
    drop(first);
    matches!(second, Ok(Ok(_)))
}

#[tokio::test(start_paused = true)]
async fn a_place_is_held_to_the_last_byte_where_others_hold_it_to_the_head() {
    let one = 1.try_into().unwrap();
    let ours = ConcurrencyLayer::new(one).with_key(Everyone::new());
    assert!(!lets_in_a_second(ours.layer(service_fn(does_not_end))).await);
    let tower = ConcurrencyLimitLayer::new(1);
    assert!(lets_in_a_second(tower.layer(service_fn(does_not_end))).await);
    let bulkhead = BulkheadLayer::builder().max_concurrent_calls(1).reject_when_full();
    let bulkhead = bulkhead.build().unwrap();
    assert!(lets_in_a_second(bulkhead.layer(service_fn(does_not_end))).await);
}

#[tokio::test]
async fn of_a_client_that_leaves_there_is_a_record_and_trace_says_nothing() {
    let log = Log::default();
    let ours = RequestLogLayer::new().with_observer(log.clone()).layer(service_fn(does_not_end));
    let mut body = ours.oneshot(request()).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    let [record] = &log.take()[..] else { panic!("one record") };
    assert_eq!(record.outcome, Outcome::ClientGone);

    let (heads, told) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (of_head, of_end, of_failure) = (heads.clone(), told.clone(), told.clone());
    let theirs = TraceLayer::new_for_http()
        .on_response(move |_: &Response<_>, _: Duration, _: &tracing::Span| {
            of_head.fetch_add(1, SeqCst);
        })
        .on_eos(move |_: Option<&http::HeaderMap>, _: Duration, _: &tracing::Span| {
            of_end.fetch_add(1, SeqCst);
        })
        .on_failure(move |_, _: Duration, _: &tracing::Span| {
            of_failure.fetch_add(1, SeqCst);
        });
    let theirs = theirs.layer(service_fn(does_not_end));
    let mut body = theirs.oneshot(request()).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!((heads.load(SeqCst), told.load(SeqCst)), (1, 0));
}

#[tokio::test]
async fn an_error_in_a_success_is_one_and_is_none_to_trace() {
    let log = Log::default();
    let ours = RequestLogLayer::new().with_observer(log.clone());
    let answer = ours.layer(service_fn(refuses_in_a_success)).oneshot(request()).await.unwrap();
    answer.into_body().collect().await.unwrap();
    let [record] = &log.take()[..] else { panic!("one record") };
    assert_eq!((record.status, record.errcode), (Some(200), Some(-2005)));
    assert_ne!(record.outcome, Outcome::Success);

    let told = Arc::new(AtomicUsize::new(0));
    let of_failure = told.clone();
    let theirs = TraceLayer::new_for_http().on_failure(move |_, _: Duration, _: &tracing::Span| {
        of_failure.fetch_add(1, SeqCst);
    });
    let answer = theirs.layer(service_fn(refuses_in_a_success)).oneshot(request()).await.unwrap();
    answer.into_body().collect().await.unwrap();
    assert_eq!(told.load(SeqCst), 0);
}

#[tokio::test]
async fn a_wait_that_is_named_holds_where_that_of_governor_is_cut_off() {
    // One, and the next after nine tenths of a second.
    let period = Duration::from_millis(900);
    let quota = Quota::try_new(1, period).unwrap();
    let ours = RateLimitLayer::new(Rule::requests(Gcra::new(quota))).with_key(Everyone::new());
    let ours = CatchErrorLayer::new().layer(ours.layer(service_fn(answers)));
    ours.clone().oneshot(request()).await.unwrap();
    let refused = ours.oneshot(request()).await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers()[header::RETRY_AFTER], "1");

    let mut builder = GovernorConfigBuilder::default();
    builder.period(period).burst_size(1);
    let config = builder.key_extractor(GlobalKeyExtractor).finish().unwrap();
    let theirs = GovernorLayer::new(config).layer(service_fn(answers));
    theirs.clone().oneshot(request()).await.unwrap();
    let refused = theirs.oneshot(request()).await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers()[header::RETRY_AFTER], "0");
    let text = refused.into_body().collect().await.unwrap().to_bytes();
    assert!(!text.starts_with(b"{"), "{text:?}");
}
