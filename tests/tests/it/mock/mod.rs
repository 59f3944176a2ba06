//! The scripted upstream: each disturbance, each behavior of its own, in the process and over
//! loopback sockets.

mod chat;
mod conversations;
mod disturbance;
mod fault;
mod requests;
mod script;
mod server;
mod tokens;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, request};
use http_body_util::{BodyExt as _, Full};
use kimi_testkit::mock::{Mock, MockBody};
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// A chat request of a caller with a good key.
fn chat(body: &Value) -> Request<Full<Bytes>> {
    post("/v1/chat/completions", body)
}

fn post(path: &str, body: &Value) -> Request<Full<Bytes>> {
    with_key(Request::post(path)).body(Full::from(body.to_string())).unwrap()
}

fn with_key(request: request::Builder) -> request::Builder {
    request.header("authorization", "Bearer sk-test")
}

fn hello() -> Value {
    json!({"model": "kimi-k3", "messages": [{"role": "user", "content": "Hello"}]})
}

fn streamed() -> Value {
    let mut body = hello();
    body["stream"] = json!(true);
    body
}

fn in_conversation(conversation: &str, mut body: Value) -> Value {
    body["conversation_id"] = json!(conversation);
    body
}

async fn send(mock: &Mock, request: Request<Full<Bytes>>) -> Response<MockBody> {
    mock.clone().oneshot(request).await.unwrap()
}

/// An answer that has been read to its end.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The JSON of each event but `[DONE]`.
    fn events(&self) -> Vec<Value> {
        let data = self.text().split("\n\n").filter_map(|event| event.strip_prefix("data: "));
        data.filter(|data| *data != "[DONE]")
            .map(|data| serde_json::from_str(data).unwrap())
            .collect()
    }
}

async fn ask(mock: &Mock, request: Request<Full<Bytes>>) -> Answer {
    let (head, body) = send(mock, request).await.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: head.status, headers: head.headers, body }
}

fn errcode(answer: &Answer) -> (u16, i64) {
    (answer.status.as_u16(), answer.json()["errcode"].as_i64().unwrap())
}

/// The chunks of a body up to its end, or its error.
async fn chunks(mut body: MockBody) -> Vec<Result<Bytes, std::io::ErrorKind>> {
    let mut chunks = Vec::new();
    while let Some(frame) = body.frame().await {
        let chunk = frame.map(|frame| frame.into_data().unwrap());
        chunks.push(chunk.map_err(|error| error.kind()));
    }
    chunks
}
