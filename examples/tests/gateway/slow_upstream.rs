//! An upstream that is slow or silent: an error is told in time, and a success is not kept.

use std::time::Duration;

use http::Request;
use http_body_util::BodyExt as _;
use kimi_errors::Dialect;
use kimi_examples::gateway::Upstream;
use kimi_tower::retry::RetryPolicy;
use serde_json::{Value, json};

use super::wire::{CHAT, Gateway, QUESTION};

/// Time enough for the loopback to bring what is already there.
const SHORT: Duration = Duration::from_millis(200);
/// Longer than any test.
const HOUR_MS: u64 = 60 * 60 * 1000;

/// A gateway that looks at an answer for a short time only, and asks once.
async fn hasty(step: Value) -> Gateway {
    let script = json!({"steps": [step]}).to_string();
    let limit =
        |upstream: Upstream| upstream.with_look_timeout(SHORT).with_retry(RetryPolicy::none());
    Gateway::with(Dialect::Errcode, &script, limit).await
}

/// Fails the test instead of holding it up: only a gateway that waits ever needs the ten seconds.
async fn in_time<F: Future>(answer: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(10), answer).await.unwrap()
}

fn question() -> Request<String> {
    let request = Request::post(CHAT)
        .header("authorization", "Bearer sk-test")
        .header("content-type", "application/json");
    request.body(QUESTION.to_owned()).unwrap()
}

#[tokio::test]
async fn a_silent_upstream_is_a_timeout() {
    let script = json!({"steps": [{"delay_head_ms": HOUR_MS}]}).to_string();
    let limit = |upstream: Upstream| upstream.with_head_timeout(SHORT);
    let gateway = Gateway::with(Dialect::Errcode, &script, limit).await;
    let answer = in_time(gateway.chat(QUESTION, &[])).await;
    assert_eq!(answer.status, 504);
    assert_eq!(answer.body, r#"{"errcode":-2001,"errmsg":"请求超时","data":null}"#);
}

#[tokio::test]
async fn an_error_whose_body_stays_open_is_told() {
    let step = json!({"fault": "errcode.stream_busy", "endless": true, "delay_chunk_ms": HOUR_MS});
    let answer = in_time(hasty(step).await.chat(QUESTION, &[])).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.body, r#"{"errcode":-2005,"errmsg":"已有对话流正在输出","data":null}"#);
}

#[tokio::test]
async fn a_success_that_stalls_has_its_head_and_its_beginning() {
    let head = json!({"content-type": "application/json"});
    let raw = json!({"status": 200, "headers": head, "body": r#"{"choices":[{"index":0}]}"#});
    let gateway = hasty(json!({"raw": raw, "split": 12, "delay_chunk_ms": HOUR_MS})).await;
    let answer = in_time(gateway.open(question())).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-length"]),
        (200, &"25".parse().unwrap())
    );
    let first = in_time(answer.into_body().frame()).await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), r#"{"choices":["#);
}

#[tokio::test]
async fn what_is_neither_json_nor_a_page_is_not_looked_at() {
    let head = json!({"content-type": "application/x-ndjson"});
    let raw = json!({"status": 200, "headers": head, "body": "{\"a\":1}\n{\"a\":2}\n"});
    let script =
        json!({"steps": [{"raw": raw, "split": 8, "delay_chunk_ms": HOUR_MS}]}).to_string();
    let limit = |upstream: Upstream| upstream.with_look_timeout(Duration::from_millis(HOUR_MS));
    let gateway = Gateway::with(Dialect::Errcode, &script, limit).await;
    let mut body = in_time(gateway.open(question())).await.into_body();
    let first = in_time(body.frame()).await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "{\"a\":1}\n");
}

#[tokio::test]
async fn a_silent_stream_has_its_head_after_the_look() {
    let head = json!({"content-type": "text/event-stream"});
    let raw = json!({"status": 200, "headers": head, "body": "data: 1\n\n"});
    let gateway = hasty(json!({"raw": raw, "split": 4, "delay_chunk_ms": HOUR_MS})).await;
    let answer = in_time(gateway.open(question())).await;
    assert_eq!(answer.status(), 200);
}
