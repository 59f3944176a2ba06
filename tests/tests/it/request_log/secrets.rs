//! What nobody may read stands in no line, no event and no label, whoever has put it where.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use kimi_errors::{BoxError, Error, ErrorKind};
use kimi_tower::{
    rate_limit::{Gcra, Plan, Quota, RateLimitLayer, Rule},
    request_log::{
        JsonObserver, MetricsObserver, Observer, RequestLogLayer, Side, TextObserver,
        TracingObserver,
    },
    retry::{RetryLayer, RetryPolicy},
    session::{Conversation, SessionLayer},
    validate::ValidateLayer,
};
use kimi_validate::Profile;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use serde_json::json;
use tokio::sync::Mutex;
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

use super::{EVENTS, JSON, Script, Step, answer, data, lines::Lines, now, read};
use crate::events::Events;

const CANARY: &str = "CaNaRy0";

/// How many requests carry canaries: 3 000, or as many as the variable `CANARIES` says.
fn canaries() -> usize {
    std::env::var("CANARIES").map_or(3_000, |canaries| canaries.parse().unwrap())
}

/// Keeps the names and labels of all metrics.
#[derive(Clone, Default)]
pub(super) struct Labels(Arc<Mutex<Vec<(String, String)>>>);

impl Labels {
    /// Returns the metric and the names of its labels, of each key that was seen.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let keys = self.0.try_lock().unwrap();
        keys.iter().map(|(_, names)| names.clone()).collect()
    }

    fn keep(&self, key: &Key) {
        self.0.try_lock().unwrap().push((format!("{key:?}"), names(key)));
    }
}

fn names(key: &Key) -> String {
    let labels: Vec<_> = key.labels().map(|label| label.key()).collect();
    format!("{}: {}", key.name(), labels.join(" "))
}

impl Recorder for Labels {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.keep(key);
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.keep(key);
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.keep(key);
        Histogram::noop()
    }
}

/// Fields of requests and of answers.
const FIELDS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "api-key",
    "user-agent",
    "referer",
    "host",
    "forwarded",
    "x-forwarded-for",
    "traceparent",
    "tracestate",
    "baggage",
    "accept",
    "x-kimi-token",
    "msh-request-id",
    "www-authenticate",
    "location",
    "server",
    "retry-after",
    "x-ratelimit-reset-requests",
    "grpc-message",
    "grpc-status",
];

fn with_canaries(headers: &mut HeaderMap, number: usize) {
    for name in FIELDS {
        let value = match number % 3 {
            0 => CANARY.to_owned(),
            1 => format!("Bearer {CANARY}"),
            _ => format!("a=b; session={CANARY}"),
        };
        headers.insert(HeaderName::from_static(name), HeaderValue::try_from(value).unwrap());
    }
    // What reads like a credential is no id.
    let id = format!("sk-{CANARY}aBcDeFgHiJkL0123456789");
    headers.insert("x-request-id", HeaderValue::try_from(id).unwrap());
}

fn request(number: usize) -> Request<http_body_util::Full<Bytes>> {
    let body = json!({
        "model": "kimi-k3",
        "stream": number.is_multiple_of(2),
        "conversation_id": CANARY,
        "user": CANARY,
        CANARY: CANARY,
        "tools": [{ "type": "function", "function": { "name": CANARY } }],
        "messages": [{ "role": "user", "content": CANARY, "name": CANARY }],
    });
    let uri = match number % 3 {
        0 => format!("/v1/chat/completions?key={CANARY}&{CANARY}"),
        1 => format!("https://{CANARY}:{CANARY}@api.moonshot.cn/v1/chat/completions?{CANARY}=1"),
        _ => format!("https://{CANARY}@[::1]:8443/?{CANARY}"),
    };
    let mut request = Request::post(uri).body(body.to_string().into()).unwrap();
    with_canaries(request.headers_mut(), number);
    let content_type = if number % 5 == 4 { CANARY } else { JSON };
    request.headers_mut().insert("content-type", HeaderValue::from_static(content_type));
    if number % 7 == 6 {
        *request.method_mut() = CANARY.parse().unwrap();
    }
    request
}

async fn act(number: usize) -> Result<Response<Script>, BoxError> {
    let said = json!({
        "id": CANARY, "model": CANARY, "object": CANARY, "system_fingerprint": CANARY,
        "choices": [{ "message": { "content": CANARY }, "delta": { "content": CANARY },
            "finish_reason": CANARY }],
        "usage": { "prompt_tokens": 1, CANARY: CANARY },
    })
    .to_string();
    let error =
        json!({ "error": { "message": CANARY, "type": CANARY, "code": CANARY } }).to_string();
    let errcode = json!({ "errcode": -2001, "errmsg": CANARY, "data": CANARY }).to_string();
    let known = || {
        Error::new(ErrorKind::RequestFailed)
            .with_message(format!("upstream said {CANARY}"))
            .with_data(json!(CANARY))
            .with_request_id(&format!("sk-{CANARY}aBcDeFgHiJkL0123456789"))
            .with_param(CANARY)
    };
    let event = |text: &str| data(&format!("data: {text}\n\n"));
    let mut answer = match number % 11 {
        0 => answer(200, JSON, Script::text(&[&said])),
        1 => answer(200, EVENTS, Script::new([event(&said), event("[DONE]")])),
        2 => answer(200, EVENTS, Script::new([event(&said), event(&error)])),
        3 => answer(200, JSON, Script::text(&[&errcode])),
        4 => answer(401, JSON, Script::text(&[&error])),
        5 => answer(502, "text/html", Script::text(&[CANARY])),
        6 => answer(200, EVENTS, Script::new([event(&said), Step::Fail(CANARY.into())])),
        7 => answer(200, EVENTS, Script::new([event(&said), Step::Fail(known().into())])),
        8 => return Err(CANARY.into()),
        9 => return Err(known().into()),
        _ => std::panic::resume_unwind(Box::new(CANARY)),
    };
    with_canaries(answer.headers_mut(), number);
    Ok(answer)
}

/// Lets all the requests through a log with this observer, on either side, with and without a look at
/// their bodies, and through all that tells it facts.
fn exchange(observer: &(impl Observer + Clone + Send + Sync + 'static)) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    let quota = Quota::try_per_minute(600).unwrap();
    let limit = RateLimitLayer::new(Plan::new(Rule::requests(Gcra::new(quota))));
    let session = SessionLayer::new().with_key(Conversation::new());
    let retry = RetryLayer::new(RetryPolicy::standard().with_max_retries(1));
    for number in 0..canaries() {
        let side = if number.is_multiple_of(2) { Side::Server } else { Side::Client };
        let log = RequestLogLayer::new().with_observer(observer.clone()).with_side(side);
        let service = service_fn(move |_: Request<_>| act(number));
        let stack = ServiceBuilder::new()
            .layer(log)
            .layer(ValidateLayer::new(Profile::free_api()))
            .layer(limit.clone())
            .layer(session.clone())
            .layer(retry.clone())
            .service(service);
        runtime.block_on(async move {
            // Most are not limited.
            tokio::time::advance(Duration::from_millis(90)).await;
            // A task of its own, which may panic.
            let sent = tokio::spawn(async move {
                let answer = stack.oneshot(request(number)).await?;
                read(&mut Box::pin(answer.into_body()));
                Ok::<_, Error>(())
            });
            let _ = sent.await;
        });
    }
}

fn assert_silent(said: &[String]) {
    assert!(said.len() >= canaries(), "{}", said.len());
    for text in said {
        assert!(!text.to_ascii_lowercase().contains("canary"), "{text}");
    }
}

#[test]
fn no_line_has_a_secret() {
    let (json, text) = (Lines::default(), Lines::default());
    let observer = JsonObserver::new(json.clone()).with_starts();
    exchange(&(observer, TextObserver::new(text.clone())));
    assert_silent(&json.take());
    assert_silent(&text.take());
}

#[test]
fn no_event_of_any_level_has_a_secret() {
    let events = Events::listen();
    exchange(&TracingObserver::new());
    assert_silent(&events.take());
}

#[test]
fn no_label_of_a_metric_has_a_secret() {
    let labels = Labels::default();
    metrics::with_local_recorder(&labels, || exchange(&MetricsObserver::new()));
    let said: Vec<_> = labels.0.try_lock().unwrap().iter().map(|(said, _)| said.clone()).collect();
    assert_silent(&said);
}

/// The probe itself must be able to see a canary.
#[test]
fn what_is_asked_for_is_seen() {
    let lines = Lines::default();
    let log =
        RequestLogLayer::new().with_observer(JsonObserver::new(lines.clone())).with_preview(9);
    let service = ServiceBuilder::new()
        .layer(log)
        .layer(ValidateLayer::new(Profile::free_api()))
        .service(service_fn(|_: Request<_>| act(0)));
    let answer = now(service.oneshot(request(0))).unwrap();
    read(&mut Box::pin(answer.into_body()));
    assert!(lines.take()[0].contains(r#""content":"CaNaRy0""#));
}

/// What an outer log asks for is not for an inner one that does not.
#[test]
fn a_log_shows_no_preview_that_another_has_asked_for() {
    let (outer, inner) = (Lines::default(), Lines::default());
    let log =
        |lines: &Lines| RequestLogLayer::new().with_observer(JsonObserver::new(lines.clone()));
    let service = ServiceBuilder::new()
        .layer(log(&outer).with_preview(9))
        .layer(log(&inner))
        .layer(ValidateLayer::new(Profile::free_api()))
        .service(service_fn(|_: Request<_>| act(0)));
    let answer = now(service.oneshot(request(0))).unwrap();
    read(&mut Box::pin(answer.into_body()));
    assert!(outer.take()[0].contains(r#""content":"CaNaRy0""#));
    assert!(!inner.take()[0].contains(CANARY));
}
