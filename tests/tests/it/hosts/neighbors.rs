//! The layers of tower-http that stand beside `catch_error`, outside of it and inside.

use std::net::SocketAddr;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderName, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use kimi_errors::{BoxError, Dialect, Error, ErrorKind};
use kimi_testkit::probe::{Beat, ProbeBody};
use kimi_tower::catch_error::CatchErrorLayer;
use tower::{ServiceBuilder, ServiceExt as _, service_fn};
use tower_http::{
    compression::CompressionLayer, cors::CorsLayer, decompression::DecompressionLayer,
};

use super::{CANARY, Read, connect, read, send, serve};

const BUSY: &str = r#"{"errcode":-2005,"errmsg":"已有对话流正在输出","data":null}"#;
/// Where the client notes how an answer was encoded, which is gone once it is decoded.
const ENCODED: HeaderName = HeaderName::from_static("x-encoded");

async fn handler<B>(request: Request<B>) -> Result<Response<Body>, BoxError> {
    let busy = Error::new(ErrorKind::StreamBusy);
    match request.uri().path() {
        "/answered" => Ok(Dialect::OpenAi.response(&busy).map(Body::from)),
        "/foreign" => {
            let page = Response::builder().status(StatusCode::TOO_MANY_REQUESTS);
            Ok(page.body(Body::from(CANARY.repeat(99)))?)
        }
        "/events" => {
            let body = ProbeBody::chunks(["data: 1\n\n", "data: 2\n\nda"])
                .then(Beat::Yield)
                .then(Beat::Fail(busy.into()));
            let response = Response::builder().header(header::CONTENT_TYPE, "text/event-stream");
            Ok(response.body(Body::new(body))?)
        }
        _ => Err(busy.into()),
    }
}

/// Reads an answer, encoded or not, as a browser does.
async fn get(address: SocketAddr, path: &str) -> Read {
    let mut sender = connect(address).await;
    let client = service_fn(move |request| {
        let answer = sender.send_request(request);
        async {
            let mut response = answer.await?;
            if let Some(encoding) = response.headers().get(header::CONTENT_ENCODING).cloned() {
                response.headers_mut().insert(ENCODED, encoding);
            }
            Ok::<_, hyper::Error>(response)
        }
    });
    let client = ServiceBuilder::new().layer(DecompressionLayer::new()).service(client);
    let request = Request::get(path).header(header::HOST, "localhost");
    read(client.oneshot(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap()).await
}

fn events() -> String {
    let frame = Dialect::Errcode.sse_frame(&Error::new(ErrorKind::StreamBusy));
    format!("data: 1\n\ndata: 2\n\n{}", String::from_utf8(frame).unwrap())
}

#[tokio::test]
async fn compression_outside_encodes_errors_and_leaves_event_streams() {
    let stack = ServiceBuilder::new().layer(CompressionLayer::new()).layer(CatchErrorLayer::new());
    let address = serve(stack.service(service_fn(handler))).await;
    for path in ["/failed", "/answered"] {
        let read = get(address, path).await;
        assert_eq!((read.head.status.as_u16(), read.body.as_str()), (429, BUSY), "{path}");
        assert_eq!(read.head.headers[ENCODED], "gzip");
    }
    let read = get(address, "/foreign").await;
    assert!(read.body.starts_with(r#"{"errcode":-2001,"#) && read.is_whole, "{}", read.body);
    let read = get(address, "/events").await;
    assert_eq!((read.body, read.is_whole), (events(), true));
    assert!(!read.head.headers.contains_key(ENCODED));
}

#[tokio::test]
async fn compression_outside_may_encode_event_streams() {
    let always = CompressionLayer::new().compress_when(|_, _, _: &_, _: &_| true);
    let stack = ServiceBuilder::new().layer(always).layer(CatchErrorLayer::new());
    let read = get(serve(stack.service(service_fn(handler))).await, "/events").await;
    assert_eq!((read.body, read.is_whole), (events(), true));
    assert_eq!(read.head.headers[ENCODED], "gzip");
}

#[tokio::test]
async fn compression_inside_leaves_errors_and_event_streams() {
    let stack = ServiceBuilder::new().layer(CatchErrorLayer::new()).layer(CompressionLayer::new());
    let address = serve(stack.service(service_fn(handler))).await;
    for (path, body) in [("/failed", BUSY), ("/answered", BUSY), ("/events", &events())] {
        let read = get(address, path).await;
        assert_eq!((read.body.as_str(), read.is_whole), (body, true), "{path}");
        assert!(!read.head.headers.contains_key(ENCODED));
    }
    let read = get(address, "/foreign").await;
    assert!(read.body.starts_with(r#"{"errcode":-2001,"#) && read.is_whole, "{}", read.body);
}

#[tokio::test]
async fn an_event_stream_encoded_inside_can_only_break() {
    let always = CompressionLayer::new().compress_when(|_, _, _: &_, _: &_| true);
    let stack = ServiceBuilder::new().layer(CatchErrorLayer::new()).layer(always);
    let request = Request::get("/events").header(header::ACCEPT_ENCODING, "gzip").body(()).unwrap();
    // No socket: whether the head is out before the connection breaks is a matter of time.
    let answer = stack.service(service_fn(handler)).oneshot(request).await.unwrap();
    assert_eq!(answer.headers()[header::CONTENT_ENCODING], "gzip");
    let error = answer.into_body().collect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StreamBusy);
}

#[tokio::test]
async fn an_error_can_be_read_by_browsers_only_if_cors_is_outside() {
    let allows = async |address, path: &str| {
        let request = Request::get(path).header(header::ORIGIN, "https://example.com");
        let read = send(address, request.body("").unwrap()).await;
        assert_eq!(read.head.status, StatusCode::TOO_MANY_REQUESTS);
        read.head.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN)
    };
    let (caught, cors) = (CatchErrorLayer::new(), CorsLayer::permissive());
    let inner = service_fn(handler);
    let outside = serve(ServiceBuilder::new().layer(cors.clone()).layer(caught).service(inner));
    let inside = serve(ServiceBuilder::new().layer(caught).layer(cors).service(inner));
    let (outside, inside) = (outside.await, inside.await);
    for path in ["/failed", "/answered", "/foreign"] {
        assert!(allows(outside, path).await, "{path}");
        assert_eq!(allows(inside, path).await, path != "/failed", "{path}");
    }
}
