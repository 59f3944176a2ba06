//! What the gateway asks its upstream again, how often, and what the client hears of it.

use std::{
    net::{SocketAddr, TcpListener as StdListener},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{Method, Request};
use kimi_errors::Dialect;
use kimi_examples::{gateway::Upstream, script_file};
use kimi_tower::retry::{Backoff, Decision, RetryPolicy, Safety};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc,
    task::JoinSet,
};

use super::wire::{Answer, Gateway, QUESTION, STREAMED};

/// The usual rules without their waits.
pub(crate) fn at_once() -> RetryPolicy {
    let backoff = Backoff::exponential(Duration::ZERO, Duration::ZERO);
    RetryPolicy::standard().with_fault_backoff(backoff).with_throttle_backoff(backoff)
}

/// A gateway in front of an upstream that takes these steps, then answers.
async fn before(steps: Value) -> Gateway {
    let script = json!({"steps": steps}).to_string();
    Gateway::with(Dialect::Errcode, &script, |upstream| upstream.with_retry(at_once())).await
}

/// A gateway in front of whatever listens at `url`.
pub(crate) async fn to(url: &str, policy: RetryPolicy) -> Gateway {
    let upstream = url.parse::<Upstream>().unwrap().with_retry(policy);
    Gateway::before(Dialect::Errcode, upstream).await
}

/// An upstream that has too much to do, and names no time.
pub(crate) fn overloaded(repeat: impl Into<Value>) -> Value {
    json!([{"fault": "plat.overloaded", "headers": {"retry-after": "0"}, "repeat": repeat.into()}])
}

pub(crate) fn is_told_not_to_retry(answer: &Answer) -> bool {
    answer.headers.get("x-should-retry").is_some_and(|value| value == "false")
}

#[tokio::test]
async fn an_upstream_that_fails_twice_is_a_success() {
    let gateway = before(overloaded(2)).await;
    let answer = gateway.chat(QUESTION, &[]).await;
    assert_eq!((answer.status.as_u16(), answer.is_whole), (200, true));
    assert!(answer.body.contains("你说：你好"), "{}", answer.body);

    let sent = gateway.sent();
    assert!(sent.iter().all(|attempt| attempt.body() == QUESTION));
    let counts = sent.iter().map(|attempt| attempt.headers().get("x-retry-count"));
    let counts: Vec<_> = counts.map(|count| count.map(|it| it.to_str().unwrap())).collect();
    assert_eq!(counts, [None, Some("1"), Some("2")]);
}

#[tokio::test]
async fn the_script_of_the_readme_fails_twice_whether_a_stream_is_asked_for_or_not() {
    let script = script_file::read(Path::new("scripts/retry.toml")).unwrap();
    for question in [QUESTION, STREAMED] {
        let gateway = before(json!(script.steps())).await;
        let answer = gateway.chat(question, &[]).await;
        assert_eq!((answer.status.as_u16(), gateway.sent().len()), (200, 3));
    }
}

#[tokio::test]
async fn the_upstreams_time_is_waited_for() {
    let hint = json!({"retry-after-ms": "40", "retry-after": "0"});
    let gateway = before(json!([{"fault": "plat.overloaded", "headers": hint}])).await;
    assert_eq!(gateway.chat(QUESTION, &[]).await.status, 200);
    let sent = gateway.sent();
    let waited = sent[1].at() - sent[0].at();
    assert!(sent.len() == 2 && waited >= Duration::from_millis(40), "{waited:?}");
}

#[tokio::test]
async fn nor_does_another_request_of_the_same_credential_go_before_it() {
    let hint = json!({"retry-after-ms": "50", "retry-after": "0"});
    let script = json!({"steps": [{"fault": "plat.overloaded", "headers": hint}]}).to_string();
    let gives_up = at_once().with_rule(|_| Some(Decision::GiveUp));
    let gateway = |upstream: Upstream| upstream.with_retry(gives_up);
    let gateway = Gateway::with(Dialect::Errcode, &script, gateway).await;
    assert_eq!(gateway.chat(QUESTION, &[]).await.status, 429);

    let models = Request::get("/v1/models").header("authorization", "Bearer sk-other");
    gateway.send(models.body(String::new()).unwrap()).await;
    gateway.chat(QUESTION, &[]).await;
    let sent = gateway.sent();
    let after = |attempt: usize| sent[attempt].at() - sent[0].at();
    assert_eq!((sent.len(), sent[1].path()), (3, "/v1/models"));
    assert!(after(1) < after(2) && after(2) >= Duration::from_millis(50), "{sent:?}");
}

#[tokio::test]
async fn what_is_in_vain_is_asked_once() {
    for (fault, status) in [("plat.quota_balance", 429), ("errcode.token", 401)] {
        let gateway = before(json!([{"fault": fault}])).await;
        let answer = gateway.chat(QUESTION, &[]).await;
        assert_eq!((answer.status.as_u16(), gateway.sent().len()), (status, 1), "{fault}");
        assert_eq!(is_told_not_to_retry(&answer), status == 429);
    }
}

#[tokio::test]
async fn an_error_in_a_200_is_tried_again() {
    let gateway = before(json!([{"fault": "free.request_failed_upstream"}])).await;
    assert_eq!(gateway.chat(QUESTION, &[]).await.status, 200);
    assert_eq!(gateway.sent().len(), 2);
}

#[tokio::test]
async fn a_stream_is_tried_again_until_its_content_begins() {
    let error = |after| json!({"sse_error": {"after_chunks": after, "fault": "plat.server_error"}});
    for step in [error(0), json!({"cut_at": 0}), json!({"reset_at": 0})] {
        let gateway = before(json!([step])).await;
        let answer = gateway.chat(STREAMED, &[]).await;
        assert!(answer.is_whole && answer.body.ends_with("data: [DONE]\n\n"), "{step} {answer:?}");
        assert!(!answer.body.contains("error"), "{}", answer.body);
        assert_eq!(gateway.sent().len(), 2, "{step}");
    }
    let gateway = before(json!([error(2)])).await;
    let answer = gateway.chat(STREAMED, &[]).await;
    assert_eq!((answer.status.as_u16(), answer.is_whole), (200, true));
    assert!(answer.body.starts_with("data: {\"id\"") && answer.body.contains("content"));
    assert!(answer.body.contains("\"errcode\":-1000,"), "{}", answer.body);
    assert_eq!(gateway.sent().len(), 1);
}

#[tokio::test]
async fn used_up_retries_are_told_to_the_client() {
    let gateway = before(overloaded("forever")).await;
    let answer = gateway.chat(QUESTION, &[]).await;
    assert_eq!(answer.status, 429);
    assert!(is_told_not_to_retry(&answer), "{:?}", answer.headers);
    assert_eq!(gateway.sent().len(), 4);
}

#[tokio::test]
async fn an_upstream_that_comes_up_is_a_success() {
    let free = StdListener::bind("127.0.0.1:0").unwrap();
    let address: SocketAddr = free.local_addr().unwrap();
    drop(free);
    // The upstream comes up when it has been found to be down.
    let (up, mut is_up) = mpsc::unbounded_channel();
    let policy = at_once().with_rule(move |failure| {
        assert_eq!((failure.safety(), failure.retries()), (Safety::NeverSent, 0));
        let _ = up.send(StdListener::bind(address).unwrap());
        None
    });
    let gateway = to(&format!("http://{address}"), policy).await;
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let listener = is_up.recv().await.unwrap();
        listener.set_nonblocking(true).unwrap();
        serve(TcpListener::from_std(listener).unwrap(), ANSWER, &AtomicUsize::new(0)).await;
    });
    let answer = gateway.chat(QUESTION, &[]).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "{\"id\":1}"));
}

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 8\r\n\r\n{\"id\":1}";

/// Reads requests, counts them and answers `answer` to each, on connections of their own.
async fn serve(listener: TcpListener, answer: &'static [u8], requests: &AtomicUsize) {
    while let Ok((mut socket, _)) = listener.accept().await {
        // The requests of these tests fit one segment of the loopback.
        let _ = socket.read(&mut [0; 4096]).await;
        requests.fetch_add(1, Relaxed);
        let _ = socket.write_all(answer).await;
    }
}

/// Asks through a gateway for a chat and for the models, and counts what reaches an upstream that
/// answers `answer` to all.
async fn requests_of(answer: &'static [u8]) -> (Answer, usize, usize) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    let counted = Arc::clone(&requests);
    tasks.spawn(async move { serve(listener, answer, &counted).await });
    let gateway = to(&url, at_once()).await;
    let answer = gateway.chat(QUESTION, &[]).await;
    let of_chat = requests.swap(0, Relaxed);
    gateway.empty(Method::GET, "/v1/models").await;
    (answer, of_chat, requests.load(Relaxed))
}

#[tokio::test]
async fn what_may_have_been_done_is_not_done_again() {
    for answer in ["", "HTTP/1.1 20", "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n"] {
        let (answer, of_chat, of_models) = requests_of(answer.as_bytes()).await;
        assert!(answer.body.starts_with(r#"{"errcode":-2001,"#), "{answer:?}");
        // Reading twice does no harm.
        assert_eq!((of_chat, of_models), (1, 4), "{answer:?}");
        assert!(!is_told_not_to_retry(&answer), "the client may know better: {answer:?}");
    }
}

#[tokio::test]
async fn an_answer_that_points_elsewhere_is_asked_for_once() {
    let elsewhere =
        b"HTTP/1.1 302 Found\r\nlocation: http://internal/\r\ncontent-length: 0\r\n\r\n";
    let (answer, of_chat, of_models) = requests_of(elsewhere).await;
    assert_eq!((answer.status.as_u16(), of_chat, of_models), (502, 1, 1));
    assert!(is_told_not_to_retry(&answer), "{answer:?}");
}
