//! Requests: routes, methods, limits, and what is kept of them.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use kimi_testkit::mock::Mock;
use serde_json::json;
use tokio::time::{Instant, sleep};
use tower::ServiceExt as _;

use super::{ask, chat, errcode, hello, in_conversation, post};

#[tokio::test]
async fn wrong_requests_get_the_codes_of_the_article() {
    let mock = Mock::platform();
    let wrong_route = ask(&mock, post("/v2/chat", &hello())).await;
    assert_eq!(errcode(&wrong_route), (404, -1002));

    let mut get = chat(&hello());
    *get.method_mut() = Method::GET;
    let wrong_method = ask(&mock, get).await;
    assert_eq!(errcode(&wrong_method), (405, -1002));
    assert_eq!(wrong_method.headers["allow"], "POST");

    let mut broken = chat(&hello());
    *broken.body_mut() = Full::from("{\"messages\":");
    assert_eq!(errcode(&ask(&mock, broken).await), (400, -1001));

    for messages in [json!(null), json!([]), json!("Hello")] {
        let answer = ask(&mock, chat(&json!({"model": "kimi", "messages": messages}))).await;
        assert_eq!(errcode(&answer), (400, -1001));
        assert_eq!(answer.json()["errmsg"], "消息列表(messages)必须是非空数组");
    }

    let mut odd_stream = hello();
    odd_stream["stream"] = json!("yes");
    assert_eq!(errcode(&ask(&mock, chat(&odd_stream)).await), (400, -1001));
}

#[tokio::test]
async fn the_other_routes_answer() {
    let mock = Mock::platform();
    let get = |path: &str| super::with_key(Request::get(path)).body(Full::default()).unwrap();
    assert_eq!(ask(&mock, get("/ping")).await.text(), "pong");
    assert_eq!(ask(&mock, get("/v1/models")).await.json()["data"][0]["id"], "kimi-k3");
    let live = ask(&mock, post("/token/check", &json!({"token": "any"}))).await;
    assert_eq!(live.text(), r#"{"live":true}"#);
    assert_eq!(ask(&mock, post("/api/chat", &hello())).await.status, StatusCode::OK);
}

#[tokio::test]
async fn whoever_answers_get_answers_head_without_a_body() {
    let mock = Mock::platform();
    for path in ["/ping", "/v1/models"] {
        let [get, head] = [Request::get(path), Request::head(path)]
            .map(|request| super::with_key(request).body(Full::default()).unwrap());
        let length = ask(&mock, get).await.body.len().to_string();
        let answer = ask(&mock, head).await;
        assert_eq!((answer.status, answer.text()), (StatusCode::OK, ""));
        assert_eq!(answer.headers["content-length"], length);
    }
    let request = super::with_key(Request::put("/ping")).body(Full::default()).unwrap();
    assert_eq!(ask(&mock, request).await.headers["allow"], "GET, HEAD");
    let request = super::with_key(Request::head("/api/token")).body(Full::default()).unwrap();
    let refusal = ask(&mock, request).await;
    assert_eq!((refusal.status, refusal.text()), (StatusCode::METHOD_NOT_ALLOWED, ""));
    assert_eq!(refusal.headers["allow"], "POST");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_or_not_it_is_announced() {
    let body = hello().to_string();
    let (limit, half) = (body.len() as u64, body.len() / 2);
    let ask = async |mock: &Mock, announced| {
        let halves = [&body[half..], &body[..half]];
        let chunks = halves.map(|text| Bytes::copy_from_slice(text.as_bytes())).to_vec();
        let request = super::with_key(Request::post("/v1/chat/completions"));
        let request = request.body(Chunks { chunks, announced }).unwrap();
        mock.clone().oneshot(request).await.unwrap().status()
    };
    let tight = Mock::platform().with_max_body_bytes(body.len() - 1);

    assert_eq!(ask(&tight, limit).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(ask(&tight, 0).await, StatusCode::PAYLOAD_TOO_LARGE);

    let read: Vec<_> = tight.requests().iter().map(|request| request.body().len()).collect();
    assert_eq!(read, [0, half], "what is announced as too large is not even read");
    let fitting = Mock::platform().with_max_body_bytes(body.len());
    assert_eq!(ask(&fitting, limit).await, StatusCode::OK);
}

/// Chunks, last one first, that announce at least so many bytes.
struct Chunks {
    chunks: Vec<Bytes>,
    announced: u64,
}

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.chunks.pop().map(|chunk| Ok(http_body::Frame::data(chunk))))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        let mut hint = http_body::SizeHint::new();
        hint.set_lower(self.announced);
        hint
    }
}

#[tokio::test(start_paused = true)]
async fn requests_are_recorded_without_showing_their_credentials() {
    let mock = Mock::platform();
    let start = Instant::now();
    sleep(Duration::from_secs(3)).await;
    let mut request = chat(&in_conversation("c1", hello()));
    *request.uri_mut() = "/v1/chat/completions?key=QUERY-CANARY".parse().unwrap();
    request.headers_mut().insert("authorization", "Bearer TOKEN-CANARY".parse().unwrap());
    request.headers_mut().insert("cookie", "kimi-auth=COOKIE-CANARY".parse().unwrap());
    request.headers_mut().insert("x-api-key", "KEY-CANARY".parse().unwrap());
    ask(&mock, request).await;

    let requests = mock.requests();
    let [recorded] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!(recorded.method(), Method::POST);
    assert_eq!(recorded.path(), "/v1/chat/completions");
    assert_eq!(recorded.query(), Some("key=QUERY-CANARY"));
    assert_eq!(recorded.headers()["authorization"], "Bearer TOKEN-CANARY");
    assert_eq!(recorded.body(), &in_conversation("c1", hello()).to_string());
    assert_eq!(recorded.at() - start, Duration::from_secs(3));
    assert_eq!(recorded.overlap(), 1);
    assert!(!format!("{recorded:?} {mock:?}").contains("CANARY"));
}

#[tokio::test]
async fn only_the_latest_requests_are_kept() {
    let mock = Mock::platform().with_history(2);
    for path in ["/1", "/2", "/3"] {
        ask(&mock, post(path, &json!({}))).await;
    }
    let requests = mock.requests();
    let paths: Vec<_> = requests.iter().map(kimi_testkit::mock::Recorded::path).collect();
    assert_eq!(paths, ["/2", "/3"]);
    assert_eq!(mock.request_count(), 3);
}
