//! What each caller of a gateway may have.

use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use kimi_errors::Dialect;
use kimi_examples::gateway::{Limits, Upstream};
use kimi_testkit::{mock::Mock, script::Script, server::MockServer};
use serde_json::Value;

use super::wire::{Answer, CHAT, Gateway, NO_SCRIPT, QUESTION, STREAMED};

/// A gateway, and the upstream behind it, which is to be kept.
async fn limited(limits: Limits, script: &str) -> (Gateway, MockServer) {
    let mock = Mock::platform().with_script(Script::from_json(script).unwrap());
    let server = MockServer::start(mock).await.unwrap();
    let upstream: Upstream = server.url().parse().unwrap();
    (Gateway::limited(Dialect::Compat, upstream, limits).await, server)
}

/// A stream that says what it has used.
const COUNTED: &str = r#"{"model":"kimi-k3","messages":[{"role":"user","content":"你好"}],"stream":true,"stream_options":{"include_usage":true}}"#;

fn chat(key: &str, body: &'static str) -> Request<Full<bytes::Bytes>> {
    Request::post(CHAT)
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .body(Full::from(body))
        .unwrap()
}

fn field<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_key_past_its_requests_is_told_when_to_come_again_and_others_are_not() {
    let limits = Limits::none().try_with_requests(2).unwrap();
    let (gateway, _upstream) = limited(limits, NO_SCRIPT).await;
    let begin = tokio::time::Instant::now();
    for left in ["1", "0"] {
        let answer = gateway.send(chat("sk-1", QUESTION)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(field(&answer, "x-ratelimit-remaining-requests"), left);
    }
    let refused = gateway.send(chat("sk-1", QUESTION)).await;
    assert_eq!(refused.status.as_u16(), 429);
    // 30 s after the first, rounded up: fewer only by the whole seconds that have passed.
    let after: u64 = field(&refused, "retry-after").parse().unwrap();
    assert!((30 - begin.elapsed().as_secs()..=30).contains(&after), "{after}");
    assert_eq!(field(&refused, "ratelimit"), format!(r#""requests";r=0;t={after}"#));
    let body: Value = serde_json::from_str(&refused.body).unwrap();
    assert_eq!(body["errcode"], -2001);
    assert_eq!(body["error"]["type"], "rate_limit_reached_error");
    // Of another path, too: a caller's limit is one limit.
    let models = Request::get("/v1/models").header("authorization", "Bearer sk-1");
    assert_eq!(gateway.send(models.body(Full::default()).unwrap()).await.status, 429);
    assert_eq!(gateway.send(chat("sk-2", QUESTION)).await.status, 200);
}

#[tokio::test]
async fn a_stream_counts_as_one_at_a_time_to_its_last_byte() {
    let limits = Limits::none().with_concurrent(1);
    let stalls = r#"{"steps": [{"endless": true}]}"#;
    let (gateway, _upstream) = limited(limits, stalls).await;
    let mut running = gateway.open(chat("sk-1", STREAMED)).await.into_body();
    assert!(running.frame().await.unwrap().is_ok());
    let refused = gateway.send(chat("sk-1", QUESTION)).await;
    assert_eq!(
        (refused.status.as_u16(), field(&refused, "x-kimi-error")),
        (429, "concurrency_limited")
    );
    assert_eq!(gateway.send(chat("sk-2", QUESTION)).await.status, 200);
    // The client hangs up, which the gateway has to notice first.
    drop(running);
    let mut tries = 0;
    while gateway.send(chat("sk-1", QUESTION)).await.status != 200 {
        tries += 1;
        assert!(tries < 1_000, "the place is never free again");
    }
}

#[tokio::test]
async fn tokens_are_charged_as_the_answer_says_and_not_for_an_error() {
    let limits = Limits::none().try_with_tokens(10_000).unwrap();
    let (gateway, _upstream) = limited(limits, r#"{"steps": [{"fault": "errcode.token"}]}"#).await;
    let left =
        |answer: &Answer| -> u32 { field(answer, "x-ratelimit-remaining-tokens").parse().unwrap() };
    let failed = gateway.send(chat("sk-1", QUESTION)).await;
    assert_eq!(failed.status, 401);
    let first = left(&gateway.send(chat("sk-1", QUESTION)).await);
    assert!((8_000..9_000).contains(&first), "reserved: {first}");
    let streamed = gateway.send(chat("sk-1", COUNTED)).await;
    assert!(streamed.body.contains("total_tokens") && streamed.body.contains("[DONE]"));
    // By then both have been charged what they have used, which is little.
    let second = left(&gateway.send(chat("sk-1", QUESTION)).await);
    assert!(second.abs_diff(first) < 200, "{first} {second}");
}

#[tokio::test]
async fn without_limits_nothing_is_said_of_them() {
    let (gateway, _upstream) = limited(Limits::none(), NO_SCRIPT).await;
    for _ in 0..20 {
        let answer = gateway.empty(Method::GET, "/v1/models").await;
        assert_eq!(answer.status, 200);
        assert!(!answer.headers.contains_key("ratelimit"));
    }
}
