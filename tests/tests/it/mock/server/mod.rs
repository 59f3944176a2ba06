//! The mock on a loopback socket, and each disturbance that only a socket shows.

mod end;
mod length;

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use kimi_testkit::{mock::Mock, script::Step, server::MockServer};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{hello, in_conversation, streamed, with_key};

async fn start(steps: impl IntoIterator<Item = Step>) -> (Mock, MockServer) {
    let mock = Mock::platform();
    steps.into_iter().for_each(|step| mock.push(step).unwrap());
    let server = MockServer::start(mock.clone()).await.unwrap();
    (mock, server)
}

fn client() -> Client<HttpConnector, Full<Bytes>> {
    Client::builder(TokioExecutor::new()).build_http()
}

fn http2() -> Client<HttpConnector, Full<Bytes>> {
    Client::builder(TokioExecutor::new()).http2_only(true).build_http()
}

fn chat_at(server: &MockServer, body: &Value) -> Request<Full<Bytes>> {
    let request = with_key(Request::post(format!("{}/v1/chat/completions", server.url())));
    request.body(Full::from(body.to_string())).unwrap()
}

/// Sends a chat request on a socket of its own and returns all that comes until its end.
async fn raw(server: &MockServer, body: &Value) -> (Vec<u8>, std::io::Result<()>) {
    let mut socket = TcpStream::connect(server.addr()).await.unwrap();
    let body = body.to_string();
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer sk-test\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    let end = in_time(socket.read_to_end(&mut received)).await;
    (received, end.map(drop))
}

/// A connection that should have ended, and has not, fails the test instead of holding it up.
async fn in_time<F: Future>(ending: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), ending).await.unwrap()
}

fn split_head(received: &[u8]) -> (&str, &[u8]) {
    let end = received.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    (std::str::from_utf8(&received[..end]).unwrap(), &received[end..])
}

#[tokio::test]
async fn serves_http1_and_http2() {
    let (mock, server) = start([]).await;
    for (client, version) in [(client(), Version::HTTP_11), (http2(), Version::HTTP_2)] {
        let answer = client.request(chat_at(&server, &streamed())).await.unwrap();
        assert_eq!((answer.status(), answer.version()), (StatusCode::OK, version));
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(body.ends_with(b"data: [DONE]\n\n"));
    }
    assert_eq!(mock.request_count(), 2);
}

#[tokio::test]
async fn a_never_ending_body_ends_when_the_client_leaves() {
    let endless = || Step::ok().with_endless().with_chunk_delay(Duration::ZERO);
    let (mock, server) = start([endless(), endless()]).await;
    for client in [client(), http2()] {
        let request = chat_at(&server, &in_conversation("c1", streamed()));
        let mut body = client.request(request).await.unwrap().into_body();
        for _ in 0..100 {
            body.frame().await.unwrap().unwrap();
        }
        assert_eq!(mock.in_flight(), 1);
        drop(body);
        drop(client);
        in_time(mock.idle()).await;
    }
}

#[tokio::test]
async fn garbage_and_pages_arrive_to_the_letter() {
    let garbage = kimi_testkit::script::Garbage::new(4096);
    let (_, server) = start([Step::ok().with_garbage(garbage), Step::bad_gateway_html()]).await;
    let body = client().request(chat_at(&server, &hello())).await.unwrap().into_body();
    assert_eq!(body.collect().await.unwrap().to_bytes().len(), 4096);
    let page = client().request(chat_at(&server, &hello())).await.unwrap();
    assert_eq!(page.status(), StatusCode::BAD_GATEWAY);
    assert!(page.into_body().collect().await.unwrap().to_bytes().starts_with(b"<html>"));
}

#[tokio::test]
async fn the_step_may_come_with_the_request() {
    let (_, server) = start([]).await;
    let mut request = chat_at(&server, &hello());
    request.headers_mut().insert("x-mock-fault", "errcode.token".parse().unwrap());
    let answer = client().request(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body, json!({"errcode": -2002, "errmsg": "Token已失效", "data": null}));
}

#[tokio::test]
async fn stopping_lets_an_answer_end_and_closes_the_port() {
    // More than the sockets' buffers hold, so that the answer is still on its way.
    let size = 32 << 20;
    let (mock, server) = start([Step::raw(200, "text/plain", vec![b'x'; size])]).await;
    let addr = server.addr();
    let client = client();
    let mut body = client.request(chat_at(&server, &hello())).await.unwrap().into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(mock.in_flight(), 0, "the last byte is in hyper's hands");

    let stopping = tokio::spawn(server.stop());
    let rest = in_time(body.collect()).await.unwrap().to_bytes();

    assert_eq!(first.len() + rest.len(), size);
    in_time(stopping).await.unwrap();
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn dropping_the_server_ends_at_once_what_never_would() {
    let (mock, server) = start([Step::ok().with_endless()]).await;
    let client = client();
    let mut body = client.request(chat_at(&server, &streamed())).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    assert_eq!(mock.in_flight(), 1);

    drop(server);

    // Turns of the one thread, not time: the listener's, then the connection's.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(mock.in_flight(), 0);
    while let Some(Ok(_)) = in_time(body.frame()).await {}
}
