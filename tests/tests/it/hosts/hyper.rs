use std::net::SocketAddr;

use http::{Request, Response, header};
use hyper::body::Incoming;
use kimi_errors::{BoxError, Dialect, Error, ErrorKind};
use kimi_testkit::probe::{Beat, ProbeBody};
use kimi_tower::catch_error::CatchErrorLayer;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tower::{ServiceBuilder, service_fn};

use super::{CANARY, SYSTEM, get, head_is_that_of_get};

/// Serves an upstream's stream of the content type that the path says, cut in mid-event.
async fn serve() -> SocketAddr {
    super::serve(ServiceBuilder::new().layer(CatchErrorLayer::new()).service(service_fn(cut))).await
}

async fn cut(request: Request<Incoming>) -> Result<Response<ProbeBody>, BoxError> {
    let content_type = match request.uri().path() {
        "/events" => "text/event-stream",
        "/lines" => "text/plain",
        "/nowhere" => {
            let page = Response::builder().status(404).header(header::CONTENT_TYPE, "text/html");
            return Ok(page.body(ProbeBody::full(CANARY))?);
        }
        "/panic" => panic!("{CANARY}"),
        _ => return Err(CANARY.into()),
    };
    let body = ProbeBody::chunks(["data: 1\n\n", "data: 2\n\nda", "ta"])
        .then(Beat::Yield)
        .then(Beat::Fail(Error::new(ErrorKind::StreamTruncated).into()));
    Ok(Response::builder().header(header::CONTENT_TYPE, content_type).body(body)?)
}

#[tokio::test]
async fn an_error_of_the_service_is_answered() {
    let read = get(serve().await, "/").await;
    assert_eq!((read.head.status.as_u16(), read.body.as_str()), (500, SYSTEM));
}

#[tokio::test]
async fn a_head_request_is_answered_as_get_is_but_for_the_body() {
    let address = serve().await;
    for path in ["/", "/panic", "/nowhere"] {
        head_is_that_of_get(address, path).await;
    }
}

#[tokio::test]
async fn a_cut_event_stream_ends_with_the_error() {
    let read = get(serve().await, "/events").await;
    let frame = Dialect::Errcode.sse_frame(&Error::new(ErrorKind::StreamTruncated));
    let frame = String::from_utf8(frame).unwrap();
    assert_eq!(read.body, format!("data: 1\n\ndata: 2\n\n{frame}"));
    assert!(read.is_whole);
}

#[tokio::test]
async fn any_other_cut_stream_is_aborted() {
    let read = get(serve().await, "/lines").await;
    assert!("data: 1\n\ndata: 2\n\ndata".starts_with(&read.body));
    assert!(!read.is_whole);
}

#[tokio::test]
async fn what_the_server_refuses_itself_never_gets_here() {
    let fields = "x: y\r\n".repeat(200);
    let target = "x".repeat(70_000);
    for (request, status) in [
        ("GET / HTTP/1.1\r\nno field\r\n\r\n".to_owned(), "400"),
        (format!("GET /{target} HTTP/1.1\r\n\r\n"), "414"),
        (format!("GET / HTTP/1.1\r\n{fields}\r\n"), "431"),
    ] {
        let mut stream = TcpStream::connect(serve().await).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(!answer.contains("errcode"), "{answer}");
    }
}
