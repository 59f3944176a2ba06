//! What passes the gateway, and that it passes unchanged.

use std::time::Duration;

use axum::{Router, extract::Request};
use http::Method;
use http_body_util::BodyExt as _;
use kimi_errors::Dialect;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinSet,
};

use super::wire::{CHAT, Gateway, NO_SCRIPT, QUESTION, STREAMED};

/// Comments, both line endings, a field without a space, an event of two lines, characters of
/// several bytes, and half an event behind the end: nothing that a parser would write back as it
/// was.
const STREAM: &str =
    ": 你好\r\n\r\ndata:{\"a\":\"月\"}\n\nevent: x\ndata: 1\ndata: 2\n\ndata:[DONE]\n\ndata: {";

#[tokio::test]
async fn a_stream_passes_byte_for_byte_wherever_it_is_cut_into_pieces() {
    for split in [1, 2, 3, 7, 1024] {
        let script = serde_json::json!({"steps": [{
            "split": split,
            "raw": {"status": 200, "headers": {"content-type": "text/event-stream"}, "body": STREAM},
        }]});
        let gateway = Gateway::scripted(Dialect::Errcode, &script.to_string()).await;
        let answer = gateway.chat(STREAMED, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.is_whole), (200, true));
        assert_eq!(answer.body, STREAM, "split {split}");
    }
}

#[tokio::test]
async fn an_event_is_not_kept_waiting_for_the_next() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = format!("http://{}", listener.local_addr().unwrap());
    let (seen, was_seen) = tokio::sync::oneshot::channel::<()>();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        // The request fits one segment of the loopback.
        let _ = socket.read(&mut [0; 4096]).await.unwrap();
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        socket.write_all(head).await.unwrap();
        socket.write_all(b"data: 1\n\n").await.unwrap();
        was_seen.await.unwrap();
        socket.write_all(b"data: [DONE]\n\n").await.unwrap();
    });
    let gateway = Gateway::to(Dialect::Errcode, &upstream).await;
    let request = Request::post(CHAT).header("content-type", "application/json");
    let request = request.body(STREAMED.to_owned()).unwrap();

    // Only a gateway that waits for the second event ever needs the ten seconds.
    let first = async {
        let mut body = gateway.open(request).await.into_body();
        (body.frame().await.unwrap().unwrap().into_data().unwrap(), body)
    };
    let (first, body) = tokio::time::timeout(Duration::from_secs(10), first).await.unwrap();
    assert_eq!(first, "data: 1\n\n");
    seen.send(()).unwrap();
    assert_eq!(body.collect().await.unwrap().to_bytes(), "data: [DONE]\n\n");
}

#[tokio::test]
async fn a_success_passes_byte_for_byte_however_long() {
    for kib in [0, 1, 63, 64, 65, 1024] {
        let body = format!("{{\"id\" : \"{}\"}}\n", "月".repeat(kib * 1024 / 3));
        let script = serde_json::json!({"steps": [{
            "raw": {"status": 200, "headers": {"content-type": "application/json"}, "body": body},
        }]});
        let gateway = Gateway::scripted(Dialect::Errcode, &script.to_string()).await;
        let answer = gateway.chat(QUESTION, &[]).await;
        assert!(answer.is_whole && answer.body == body, "{kib} KiB");
        assert_eq!(answer.headers["content-length"], body.len().to_string());
    }
}

#[tokio::test]
async fn every_route_of_the_upstream_is_there() {
    let gateway = Gateway::scripted(Dialect::Errcode, NO_SCRIPT).await;
    assert_eq!(gateway.empty(Method::GET, "/ping").await.body, "pong");
    let head = gateway.empty(Method::HEAD, "/ping").await;
    assert_eq!((head.status.as_u16(), head.body.as_str()), (200, ""));
    assert_eq!(head.headers["content-length"], "4");
    let models = gateway.empty(Method::GET, "/v1/models").await.body;
    assert!(models.contains(r#""object":"list""#), "{models}");
    let request = Request::post("/token/check").header("content-type", "application/json");
    let answer = gateway.send(request.body(r#"{"token":"t"}"#.to_owned()).unwrap()).await;
    assert!(answer.body.contains("live"), "{}", answer.body);
    assert!(gateway.chat(STREAMED, &[]).await.body.ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn a_client_that_has_the_answer_already_is_told_so() {
    let script = r#"{"steps": [{"raw": {"status": 304, "headers": {"etag": "\"1\""}}}]}"#;
    let gateway = Gateway::scripted(Dialect::Errcode, script).await;
    let answer = gateway.empty(Method::GET, "/v1/models").await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (304, ""));
}

/// Starts an upstream that answers with what it was sent: a line, fields, a body.
async fn mirror(tasks: &mut JoinSet<()>) -> String {
    async fn reflect(request: Request) -> ([(&'static str, &'static str); 3], String) {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = str::from_utf8(&body).unwrap();
        let seen = format!("{} {}\n{:?}\n{body}", head.method, head.uri, head.headers);
        ([("connection", "x-private"), ("x-private", "1"), ("x-request-id", "r-1")], seen)
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/kimi/v1", listener.local_addr().unwrap());
    tasks.spawn(async { axum::serve(listener, Router::new().fallback(reflect)).await.unwrap() });
    url
}

#[tokio::test]
async fn a_request_passes_but_for_what_belongs_to_its_connection() {
    let mut tasks = JoinSet::new();
    let upstream = mirror(&mut tasks).await;
    let gateway = Gateway::to(Dialect::Errcode, &upstream).await;
    let request = Request::post("/v1/chat/completions?beta=1")
        .header("content-type", "application/json")
        .header("authorization", "Bearer k")
        .header("x-mock-fault", "errcode.token")
        .header("connection", "keep-alive, x-mine")
        .header("x-mine", "1")
        .header("accept-encoding", "gzip");
    let answer = gateway.send(request.body(QUESTION.to_owned()).unwrap()).await;

    let mut seen = answer.body.splitn(3, '\n');
    assert_eq!(seen.next(), Some("POST /kimi/v1/chat/completions?beta=1"));
    let fields = seen.next().unwrap();
    for field in [
        r#""authorization": "Bearer k""#,
        r#""x-mock-fault": "errcode.token""#,
        r#""accept-encoding": "identity""#,
        r#""via": "1.1 kimi-gateway""#,
        &format!(r#""content-length": "{}""#, QUESTION.len()),
        &format!(r#""host": "{}""#, upstream.split('/').nth(2).unwrap()),
    ] {
        assert!(fields.contains(field), "{field} is not in {fields}");
    }
    assert!(!fields.contains("x-mine") && !fields.contains("\"connection\""), "{fields}");
    assert_eq!(seen.next(), Some(QUESTION));

    assert_eq!(answer.headers["x-request-id"], "r-1");
    assert!(!answer.headers.contains_key("x-private"));
}
