//! What a gateway writes of each request.

use std::{
    io::{self, Write},
    sync::Arc,
    time::Duration,
};

use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use kimi_testkit::{mock::Mock, script::Script, server::MockServer};
use kimi_tower::request_log::JsonObserver;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::wire::{CHAT, Gateway, NO_SCRIPT, QUESTION, STREAMED};

/// A writer that keeps what is written.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.try_lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// Returns as many lines as there were requests, which come when the bodies are over.
    async fn wait_for(&self, count: usize) -> Vec<Value> {
        loop {
            let text = String::from_utf8(self.0.try_lock().unwrap().clone()).unwrap();
            let lines: Vec<_> =
                text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            if lines.len() >= count {
                return lines;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn logging(script: &str) -> (Gateway, Lines, MockServer) {
    let mock = Mock::platform().with_script(Script::from_json(script).unwrap());
    let server = MockServer::start(mock).await.unwrap();
    let lines = Lines::default();
    let observer = Some(Arc::new(JsonObserver::new(lines.clone())) as Arc<_>);
    (Gateway::logging(server.url().parse().unwrap(), observer).await, lines, server)
}

#[tokio::test]
async fn an_answer_a_stream_a_refusal_and_an_error_have_one_line_each() {
    let (gateway, lines, _server) = logging(NO_SCRIPT).await;
    let answer = gateway.chat(QUESTION, &[("x-request-id", "req-7")]).await;
    assert_eq!(answer.headers["x-request-id"], "req-7");
    gateway.chat(STREAMED, &[]).await;
    gateway.chat(r#"{"model":"kimi-k3","messages":[]}"#, &[]).await;
    let failed = gateway.chat(QUESTION, &[("x-mock-fault", "errcode.token")]).await;
    gateway.empty(Method::GET, "/nowhere?secret=1").await;

    let lines = lines.wait_for(5).await;
    let told = |name: &str| lines.iter().map(|line| line[name].clone()).collect::<Vec<_>>();
    assert_eq!(
        told("kimi.outcome"),
        ["success", "success", "client_error", "client_error", "client_error"]
    );
    let statuses: [Value; 5] = [200, 200, 400, 401, 404].map(Value::from);
    assert_eq!(told("http.response.status_code"), statuses);
    assert_eq!(
        told("error.type"),
        [Value::Null, Value::Null, json!("validation"), json!("token_expired"), json!("404"),]
    );
    assert_eq!(lines[0]["kimi.request.id"], "req-7");
    assert_eq!(lines[0]["http.route"], "/v1/chat/completions");
    assert_eq!(lines[0]["gen_ai.request.model"], "kimi-k3");
    assert_eq!(lines[0]["kimi.attempts"], 1);
    assert_eq!(lines[0]["kimi.request.preview"], json!([{"role":"user","content":"你好"}]));
    assert_eq!(lines[1]["gen_ai.response.finish_reasons"], json!(["stop"]));
    assert_eq!(lines[3]["kimi.request.id"], failed.headers["x-request-id"].to_str().unwrap());
    assert_eq!(lines.len(), 5);
}

#[tokio::test]
async fn a_client_that_leaves_in_mid_stream_is_told() {
    let (gateway, lines, _server) = logging(r#"{"steps": [{"endless": true}]}"#).await;
    let request = Request::post(CHAT)
        .header("authorization", "Bearer sk-1")
        .header("content-type", "application/json");
    let mut body = gateway.open(request.body(Full::from(STREAMED)).unwrap()).await.into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    let lines = lines.wait_for(1).await;
    assert_eq!(lines[0]["kimi.outcome"], "client_gone");
    assert_eq!(lines[0]["http.response.status_code"], 200);
}
