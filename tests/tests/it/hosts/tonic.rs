use std::{
    convert::Infallible,
    future::{Ready, ready},
    net::SocketAddr,
    task::{Context, Poll},
};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http::{Request, Response, uri::PathAndQuery};
use kimi_errors::{Dialect, Error, ErrorKind};
use kimi_testkit::probe::{Beat, ProbeBody};
use kimi_tower::catch_error::CatchErrorLayer;
use tonic::{
    Code, Status,
    body::Body,
    client,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::MetadataValue,
    server::NamedService,
    service::interceptor::InterceptedService,
    transport::{Channel, Server, server::TcpIncoming},
};
use tower_service::Service;

use super::{CANARY, listen};

/// A gRPC service written by hand: two messages, then what the method's name says.
#[derive(Clone)]
pub(super) struct Chat;

impl NamedService for Chat {
    const NAME: &'static str = "kimi.Chat";
}

impl Service<Request<Body>> for Chat {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let busy = Error::new(ErrorKind::StreamBusy);
        let end = match request.uri().path() {
            "/kimi.Chat/Panic" => panic!("{CANARY}"),
            "/kimi.Chat/Refuse" => {
                return ready(Ok(Dialect::Errcode
                    .response(&busy)
                    .map(|body| Body::new(http_body_util::Full::new(body)))));
            }
            "/kimi.Chat/FailLater" => Beat::Fail(busy.into()),
            "/kimi.Chat/PanicLater" => Beat::Panic(CANARY),
            _ => Beat::Trailers([("grpc-status", "0")].map(header).into_iter().collect()),
        };
        let body = ProbeBody::chunks([message("one"), message("two")]).then(Beat::Yield).then(end);
        let mut response = Response::new(Body::new(body));
        response.headers_mut().extend([("content-type", "application/grpc")].map(header));
        ready(Ok(response))
    }
}

fn header((name, value): (&'static str, &'static str)) -> (http::HeaderName, http::HeaderValue) {
    (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
}

/// Frames a message: not compressed, four bytes of length, then the text.
fn message(text: &'static str) -> Bytes {
    let mut framed = BytesMut::new();
    framed.put_u8(0);
    framed.put_u32(u32::try_from(text.len()).unwrap());
    framed.put_slice(text.as_bytes());
    framed.freeze()
}

/// Messages that are plain text.
struct Text;

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, text: String, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(text.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let text = buffer.copy_to_bytes(buffer.remaining());
        Ok(Some(String::from_utf8(text.into()).unwrap()))
    }
}

/// Refuses calls of one method; the name comes in the metadata, since an interceptor sees no path.
fn gate(request: tonic::Request<()>) -> Result<tonic::Request<()>, Status> {
    match request.metadata().get("x-path") {
        Some(path) if path == "/kimi.Chat/Closed" => Err(Status::permission_denied("not today")),
        _ => Ok(request),
    }
}

async fn serve() -> SocketAddr {
    let (listener, address) = listen().await;
    let chat = InterceptedService::new(Chat, gate);
    let server = Server::builder().layer(CatchErrorLayer::new()).add_service(chat);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    address
}

/// Calls a method; returns the messages that came, and how it ended.
async fn call(path: &'static str) -> (Vec<String>, Result<(), Status>) {
    call_at(serve().await, path).await
}

pub(super) async fn call_at(
    address: SocketAddr,
    path: &'static str,
) -> (Vec<String>, Result<(), Status>) {
    let channel = Channel::from_shared(format!("http://{address}")).unwrap();
    let mut client = client::Grpc::new(channel.connect().await.unwrap());
    client.ready().await.unwrap();
    let mut request = tonic::Request::new(String::new());
    request.metadata_mut().insert("x-path", MetadataValue::from_static(path));
    let answer = client.server_streaming(request, PathAndQuery::from_static(path), Text).await;
    let mut messages = Vec::new();
    let end = match answer {
        Err(status) => Err(status),
        Ok(answer) => {
            let mut stream = answer.into_inner();
            loop {
                match stream.message().await {
                    Ok(Some(message)) => messages.push(message),
                    Ok(None) => break Ok(()),
                    Err(status) => break Err(status),
                }
            }
        }
    };
    assert!(!format!("{end:?}").contains(CANARY), "nothing leaks");
    (messages, end)
}

#[tokio::test]
async fn a_good_stream_passes_with_its_trailers() {
    let (messages, end) = call("/kimi.Chat/Talk").await;
    assert_eq!(messages, ["one", "two"]);
    end.unwrap();
}

#[tokio::test]
async fn a_refusal_is_a_status() {
    for (path, code, text) in [
        ("/kimi.Chat/Refuse", Code::Aborted, "已有对话流正在输出"),
        ("/kimi.Chat/Panic", Code::Internal, "系统异常，请稍后重试"),
    ] {
        let (messages, end) = call(path).await;
        let status = end.unwrap_err();
        assert!(messages.is_empty());
        assert_eq!((status.code(), status.message()), (code, text));
    }
}

#[tokio::test]
async fn a_stream_that_fails_ends_with_a_status() {
    for (path, code, text) in [
        ("/kimi.Chat/FailLater", Code::Aborted, "已有对话流正在输出"),
        ("/kimi.Chat/PanicLater", Code::Internal, "系统异常，请稍后重试"),
    ] {
        let (messages, end) = call(path).await;
        let status = end.unwrap_err();
        assert_eq!(messages, ["one", "two"]);
        assert_eq!((status.code(), status.message()), (code, text));
    }
}

#[tokio::test]
async fn what_an_interceptor_refuses_keeps_its_status() {
    let (messages, end) = call("/kimi.Chat/Closed").await;
    let status = end.unwrap_err();
    assert!(messages.is_empty());
    assert_eq!((status.code(), status.message()), (Code::PermissionDenied, "not today"));
}

#[tokio::test]
async fn a_method_that_tonic_does_not_know_keeps_tonics_answer() {
    let (_, end) = call("/other.Service/Talk").await;
    assert_eq!(end.unwrap_err().code(), Code::Unimplemented);
}

/// Compiles only if a client's channel can be wrapped.
#[tokio::test]
async fn a_client_can_be_wrapped() {
    fn is_grpc_service<S: client::GrpcService<Body>>(_: &S) {}
    let channel = Channel::from_static("http://127.0.0.1:9").connect_lazy();
    is_grpc_service(&tower_layer::Layer::layer(&CatchErrorLayer::new(), channel));
}
