//! What the layers inside have told stands in the record.

use std::{num::NonZeroU32, time::Duration};

use bytes::Bytes;
use http::{Request, Response, Uri, header};
use http_body_util::BodyExt as _;
use kimi_errors::{Dialect, Error, ErrorKind};
use kimi_testkit::probe::{Act, Probe, ProbeBody};
use kimi_tower::{
    rate_limit::{
        Admission, Gcra, Plan, Quota, RateLimitLayer, Rule, concurrency::ConcurrencyLayer,
    },
    request_log::{JsonObserver, Observer, RequestLogLayer, Side},
    retry::{RetryLayer, RetryPolicy},
    session::{Conversation, Policy, SessionLayer},
    validate::ValidateLayer,
};
use kimi_validate::Profile;
use serde_json::{Value, json};
use tower::{ServiceBuilder, ServiceExt as _};

use super::lines::Lines;

const EVENTS: [&str; 3] = [
    "data: {\"choices\":[{\"delta\":{\"content\":\"你好\"},\"finish_reason\":null}]}\n\n",
    "data: {\"choices\":[{\"finish_reason\":\"stop\",\"usage\":{\"prompt_tokens\":8,\"completion_tokens\":2}}]}\n\n",
    "data: [DONE]\n\n",
];

fn stream() -> Act {
    let mut answer = Response::new(ProbeBody::chunks(EVENTS));
    answer.headers_mut().insert(header::CONTENT_TYPE, "text/event-stream".parse().unwrap());
    answer.headers_mut().insert("x-request-id", "upstream-7".parse().unwrap());
    Act::Answer(answer)
}

fn chat(conversation: &str) -> Request<ProbeBody> {
    let body = json!({
        "model": "kimi-k3", "stream": true, "conversation_id": conversation,
        "messages": [
            { "role": "system", "content": "简短\n回答" },
            { "role": "user", "content": "月".repeat(11) },
        ],
    });
    Request::post("/v1/chat/completions?secret=1")
        .header("content-type", "application/json")
        .header("authorization", "Bearer CaNaRy0")
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .header("x-request-id", "req-7")
        .body(ProbeBody::full(body.to_string()))
        .unwrap()
}

async fn read<B>(answer: Result<Response<B>, Error>) -> Result<Bytes, Error>
where
    B: http_body::Body<Data = Bytes, Error = Error>,
{
    Ok(answer?.into_body().collect().await?.to_bytes())
}

/// Exchanges of every sort, of which the observer is told.
pub(super) async fn exchanges(observer: impl Observer + Clone + Send + Sync + 'static) {
    let log = RequestLogLayer::new()
        .with_observer(observer)
        .with_preview(10)
        .with_longest_gap()
        .with_route(|_| Some("/v1/chat/completions".into()));

    // Two requests of one conversation, of which the second waits for the first.
    let session = SessionLayer::new().with_key(Conversation::new());
    let service = ServiceBuilder::new()
        .layer(log.clone())
        .layer(ValidateLayer::new(Profile::free_api()))
        .layer(session)
        .service(Probe::new([stream(), stream(), stream()]).0);
    let first = service.clone().oneshot(chat("c-1")).await;
    let second = tokio::spawn(service.clone().oneshot(chat("c-1")));
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert_eq!(read(first).await.unwrap(), EVENTS.concat());
    assert!(read(second.await.unwrap()).await.is_ok());
    assert!(read(service.oneshot(chat("c-2")).await).await.is_ok());

    // One whose turn is taken.
    let supersede =
        SessionLayer::new().with_key(Conversation::new()).with_policy(Policy::Supersede);
    let service = ServiceBuilder::new()
        .layer(log.clone())
        .layer(ValidateLayer::new(Profile::free_api()))
        .layer(supersede)
        .service(Probe::new([stream(), stream()]).0);
    let older = service.clone().oneshot(chat("c-1")).await;
    let newer = service.oneshot(chat("c-1")).await;
    assert!(read(older).await.is_err() && read(newer).await.is_ok());

    // One that waits for a limit, and one that a limit refuses.
    let quota = Quota::try_per_minute(1).unwrap();
    let limit = RateLimitLayer::new(Plan::new(Rule::requests(Gcra::new(quota))));
    let waits = Admission::Wait { max_wait: Duration::from_secs(30), max_queue: 1 };
    let service = ServiceBuilder::new()
        .layer(log.clone())
        .layer(limit)
        .layer(ConcurrencyLayer::new(NonZeroU32::MIN).with_admission(waits))
        .service(Probe::new([stream()]).0);
    assert!(read(service.clone().oneshot(chat("c-1")).await).await.is_ok());
    assert!(read(service.oneshot(chat("c-1")).await).await.is_err());

    // One that is tried in vain, from the client's side.
    let failed =
        || Dialect::Errcode.response(&Error::new(ErrorKind::Unavailable)).map(ProbeBody::full);
    let service = ServiceBuilder::new()
        .layer(log.with_side(Side::Client))
        .layer(RetryLayer::new(RetryPolicy::article().with_max_retries(1)))
        .service(Probe::new([Act::Answer(failed()), Act::Answer(failed())]).0);
    let mut request = chat("c-1");
    *request.uri_mut() =
        Uri::from_static("https://user:CaNaRy0@api.moonshot.cn:443/v1/chat/completions");
    let _ = read(service.oneshot(request).await).await;
}

/// Returns the lines that the exchanges leave.
async fn lines() -> Vec<Value> {
    let lines = Lines::default();
    exchanges(JsonObserver::new(lines.clone())).await;
    lines.take_json()
}

#[tokio::test(start_paused = true)]
async fn the_chat_and_its_answer_are_told() {
    let lines = lines().await;
    assert_eq!(lines.len(), 8);
    let first = &lines[0];
    for (name, value) in [
        ("kimi.outcome", json!("success")),
        ("kimi.request.id", json!("req-7")),
        ("trace_id", json!("4bf92f3577b34da6a3ce929d0e0e4736")),
        ("span_id", json!("00f067aa0ba902b7")),
        ("http.request.method", json!("POST")),
        ("url.path", json!("/v1/chat/completions")),
        ("http.response.status_code", json!(200)),
        ("gen_ai.operation.name", json!("chat")),
        ("gen_ai.request.model", json!("kimi-k3")),
        ("gen_ai.response.finish_reasons", json!(["stop"])),
        ("gen_ai.usage.input_tokens", json!(8)),
        ("gen_ai.usage.output_tokens", json!(2)),
        ("kimi.request.stream", json!(true)),
        ("kimi.request.messages", json!(2)),
        ("kimi.response.chunks", json!(3)),
        ("http.response.body.size", json!(EVENTS.concat().len())),
        ("kimi.duration_ms", json!(250.0)),
        ("kimi.upstream.request_id", json!("upstream-7")),
        ("error.type", Value::Null),
    ] {
        assert_eq!(first[name], value, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn content_is_told_by_characters_with_dots_only_if_it_is_cut() {
    let lines = lines().await;
    let preview = json!([
        { "role": "system", "content": "简短\\n回答" },
        { "role": "user", "content": format!("{}...", "月".repeat(10)) },
    ]);
    assert_eq!(lines[0]["kimi.request.preview"], preview);
}

#[tokio::test(start_paused = true)]
async fn sessions_limits_and_attempts_are_told() {
    let lines = lines().await;
    let told = |line: usize, name: &str| lines[line][name].clone();
    assert_eq!(told(0, "kimi.session.decision"), "granted");
    assert_eq!(told(1, "kimi.session.decision"), "waited");
    assert_eq!(told(1, "kimi.queue_wait_ms"), 250.0);
    let hash = told(0, "kimi.session.hash");
    assert_eq!(hash.as_str().unwrap().len(), 16);
    assert_eq!(hash, told(1, "kimi.session.hash"));
    assert_ne!(hash, told(2, "kimi.session.hash"));
    assert_eq!(
        (told(3, "kimi.outcome"), told(3, "kimi.session.lost")),
        ("superseded".into(), "superseded".into())
    );
    assert_eq!(
        (told(6, "kimi.rate.decision"), told(6, "kimi.errcode")),
        ("refused".into(), (-2001).into())
    );
    assert_eq!(
        (told(6, "error.type"), told(6, "http.response.status_code")),
        ("rate_limited".into(), 429.into())
    );
    assert_eq!(
        (told(7, "kimi.attempts"), told(7, "kimi.retry.stop")),
        (2.into(), "retries_used_up".into())
    );
    assert_eq!(
        (told(7, "server.address"), told(7, "server.port")),
        ("api.moonshot.cn".into(), 443.into())
    );
}
