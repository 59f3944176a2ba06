//! What is wrong with a request is said without asking the upstream: here there is none.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body::{Body, Frame};
use http_body_util::Full;
use kimi_errors::Dialect;
use kimi_validate::{file_url::UrlPolicy, limits::MAX_BODY_BYTES};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::wire::{CHAT, Gateway, NO_SCRIPT, QUESTION};

/// The port for discarding, on which nobody listens.
const NOBODY: &str = "http://127.0.0.1:9";

async fn gateway() -> Gateway {
    Gateway::to(Dialect::Errcode, NOBODY).await
}

fn typed(content_type: &str, body: &'static str) -> Request<Full<Bytes>> {
    Request::post(CHAT).header("content-type", content_type).body(Full::from(body)).unwrap()
}

#[tokio::test]
async fn an_unknown_path_is_no_route() {
    let answer = gateway().await.empty(Method::GET, "/v1/chat").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.body, r#"{"errcode":-1002,"errmsg":"无匹配的路由","data":null}"#);
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_one() {
    let gateway = gateway().await;
    for (method, path, allow) in
        [(Method::GET, CHAT, "POST"), (Method::DELETE, "/v1/models", "GET,HEAD")]
    {
        let answer = gateway.empty(method, path).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.headers["allow"], allow);
        assert_eq!(answer.body, r#"{"errcode":-1002,"errmsg":"请求方法不被允许","data":null}"#);
    }
}

/// A request that names a file of the gateway's own network.
const INNER: &str = r#"{"model":"kimi","messages":[{"role":"user","content":[
    {"type":"file","file_url":{"url":"http://169.254.169.254/latest/meta-data/"}},
    {"type":"image_url","image_url":{"url":"http://2130706433/hunter2"}}]}]}"#;

#[tokio::test]
async fn a_file_url_that_is_not_public_is_refused() {
    let gateway = Gateway::of_files(NOBODY, UrlPolicy::new()).await;
    let answer = gateway.chat(INNER, &[]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let expected = r#"{"errcode":-2003,"errmsg":"远程文件URL非法：URL指向云主机元数据服务（/messages/0/content/0/file_url/url），另有1处错误","data":{"limit":32,"reason":"metadata","truncated":0,"violations":[{"message":"URL指向云主机元数据服务","pointer":"/messages/0/content/0/file_url/url","reason":"metadata"},{"message":"URL的地址不是公网地址","pointer":"/messages/0/content/1/image_url/url","reason":"address"}]}}"#;
    assert_eq!(answer.body, expected);
}

#[tokio::test]
async fn a_range_can_be_allowed_and_has_no_metadata_in_it() {
    let ranges = ["127.0.0.1", "0.0.0.0/0"].map(|it| it.parse().unwrap());
    let gateway = Gateway::of_files(NOBODY, UrlPolicy::new().with_allowed_ranges(ranges)).await;
    let answer = gateway.chat(INNER, &[]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    // In full it would be 127.0.0.1; this form is none for anybody.
    assert!(
        answer.body.contains("metadata") && answer.body.contains("host_form"),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn a_body_that_does_not_call_itself_json_is_refused() {
    let gateway = gateway().await;
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "", "json"] {
        let answer = gateway.send(typed(content_type, QUESTION)).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type}");
        assert_eq!(
            answer.body,
            r#"{"errcode":-1001,"errmsg":"不支持的内容类型，请使用 application/json","data":null}"#
        );
    }
}

#[tokio::test]
async fn json_goes_by_more_than_one_name() {
    let gateway = gateway().await;
    for content_type in
        ["application/json", "Application/JSON; charset=utf-8", "application/vnd.kimi+json"]
    {
        let answer = gateway.send(typed(content_type, "{")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{content_type}");
    }
}

#[tokio::test]
async fn malformed_json_is_told_where() {
    let gateway = gateway().await;
    for (body, errmsg) in [
        ("", "请求体不能为空，请发送JSON对象"),
        ("{\n \"a\":,}", "请求体第2行第6列不符合JSON语法，请检查引号、逗号和括号"),
        ("{} x", "请求体第1行第4列在JSON之后还有内容，请只发送一个JSON对象"),
    ] {
        let answer = gateway.send(typed("application/json", body)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        let expected =
            format!(r#"{{"errcode":-1001,"errmsg":"请求参数校验错误：{errmsg}","data":"#);
        assert!(answer.body.starts_with(&expected), "{}", answer.body);
    }
}

#[tokio::test]
async fn all_that_is_wrong_is_said_at_once() {
    let body = r#"{"messages":[{"role":"robot","content":" "}],"stream":"true"}"#;
    let answer = gateway().await.send(typed("application/json", body)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let envelope: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(envelope["errcode"], -1001);
    let found: Vec<_> = envelope["data"]["violations"].as_array().unwrap().iter().collect();
    let pointers: Vec<_> = found.iter().map(|it| it["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/model", "/messages/0/role", "/messages/0/content", "/stream"]);
}

#[tokio::test]
async fn nesting_has_an_end() {
    let deep = Full::from("[".repeat(100_000));
    let request = Request::post(CHAT).header("content-type", "application/json");
    let answer = gateway().await.send(request.body(deep).unwrap()).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.body.contains(r#""rule":"depth""#), "{}", answer.body);
}

#[tokio::test]
async fn what_is_no_chat_request_is_the_upstreams_to_judge() {
    let gateway = Gateway::scripted(Dialect::Errcode, NO_SCRIPT).await;
    let request = Request::post("/token/check").body(Full::from(r#"{"token":"sk-any"}"#));
    let answer = gateway.send(request.unwrap()).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, r#"{"live":true}"#));
    let large = Request::post("/token/check").body(Spaces(64 * 1024 + 1)).unwrap();
    assert_eq!(gateway.send(large).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

const TOO_LARGE: &str = r#"{"errcode":-1001,"errmsg":"请求体过大：请求体不能超过100 MiB，请缩短后重发","data":{"limit":1,"truncated":0,"violations":[{"message":"请求体不能超过100 MiB，请缩短后重发","pointer":"","rule":"body_bytes","type":null}]}}"#;

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_not_waited_for() {
    let gateway = gateway().await;
    let mut socket = TcpStream::connect(gateway.authority()).await.unwrap();
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        MAX_BODY_BYTES + 1
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // Only a gateway that waits for the body ever needs the ten seconds.
    let read = socket.read_to_string(&mut answer);
    tokio::time::timeout(Duration::from_secs(10), read).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.ends_with(TOO_LARGE), "{answer}");
}

/// A body of so many bytes, all spaces, whose length is not announced.
struct Spaces(usize);

impl Body for Spaces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        static MEBIBYTE: [u8; 1024 * 1024] = [b' '; 1024 * 1024];
        let length = self.0.min(MEBIBYTE.len());
        self.0 -= length;
        Poll::Ready((length > 0).then(|| Ok(Frame::data(Bytes::from_static(&MEBIBYTE[..length])))))
    }
}

#[tokio::test]
async fn a_body_that_grows_too_large_is_cut_off() {
    let request = Request::post(CHAT).header("content-type", "application/json");
    let answer = gateway().await.send(request.body(Spaces(MAX_BODY_BYTES + 1)).unwrap()).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.body, TOO_LARGE);
}

/// Sends a body that breaks, with an end of the client's writing, and returns the answer.
async fn broken(framing: &str, body: &str) -> String {
    let gateway = gateway().await;
    let mut socket = TcpStream::connect(gateway.authority()).await.unwrap();
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\n{framing}\r\n\r\n"
    );
    socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    socket.shutdown().await.unwrap();
    let mut answer = String::new();
    let read = socket.read_to_string(&mut answer);
    tokio::time::timeout(Duration::from_secs(10), read).await.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn a_body_that_breaks_is_the_clients_mistake_and_not_the_upstreams() {
    let answer = broken("transfer-encoding: chunked", "2\r\n{}\r\nZZ\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(
        answer.contains(r#"{"errcode":-1001,"errmsg":"请求参数校验错误","data":null}"#),
        "{answer}"
    );
}

#[tokio::test]
async fn a_client_that_leaves_within_its_body_has_cancelled() {
    for (framing, body) in
        [("content-length: 9", "{"), ("transfer-encoding: chunked", "2\r\n{}\r\n")]
    {
        let answer = broken(framing, body).await;
        assert!(answer.starts_with("HTTP/1.1 499 "), "{answer}");
        assert!(
            answer.contains(r#"{"errcode":-2000,"errmsg":"请求已被取消","data":null}"#),
            "{answer}"
        );
    }
}
