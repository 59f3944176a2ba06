//! `catch_error` in the servers it is made for, `retry` there and over clients, and all layers
//! together in each of them, over loopback sockets.

mod axum;
mod hyper;
mod neighbors;
mod retry;
mod stack;
mod tonic;

use std::net::SocketAddr;

use ::hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use bytes::Bytes;
use http::{Request, Response, header, response::Parts};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use kimi_errors::BoxError;
use tokio::net::{TcpListener, TcpStream};
use tower_service::Service;

/// Stands in everything that must not come out.
const CANARY: &str = "hunter2";
/// The answer to whatever nobody outside should read about.
const SYSTEM: &str = r#"{"errcode":-1000,"errmsg":"系统异常，请稍后重试","data":null}"#;

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// What a client reads: the head, the body as far as it came, and whether it came whole.
struct Read {
    head: Parts,
    body: String,
    is_whole: bool,
}

/// Serves with hyper alone, over both versions of HTTP.
async fn serve<S, B>(service: S) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                server.serve_connection(TokioIo::new(stream), service).await
            });
        }
    });
    address
}

async fn connect(address: SocketAddr) -> http1::SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// Sends one request over HTTP/1.1.
async fn send(address: SocketAddr, request: Request<&'static str>) -> Read {
    let mut request = request.map(|body| Full::new(Bytes::from(body)));
    request.headers_mut().insert(header::HOST, "localhost".parse().unwrap());
    read(connect(address).await.send_request(request).await.unwrap()).await
}

/// Sends one request over HTTP/2, without TLS.
async fn send_h2(address: SocketAddr, request: Request<&'static str>) -> Read {
    let stream = TcpStream::connect(address).await.unwrap();
    let stream = TokioIo::new(stream);
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let (mut head, body) = request.into_parts();
    head.uri = format!("http://{address}{}", head.uri).parse().unwrap();
    let request = Request::from_parts(head, Full::new(Bytes::from(body)));
    read(sender.send_request(request).await.unwrap()).await
}

/// Asks for the head of what `GET path` answers, over both versions of HTTP.
async fn head_is_that_of_get(address: SocketAddr, path: &'static str) {
    let get = Request::get(path).body("").unwrap();
    for read in [send(address, get.clone()).await, send_h2(address, get).await] {
        let head = Request::head(path).body("").unwrap();
        let head = match read.head.version {
            http::Version::HTTP_2 => send_h2(address, head).await,
            _ => send(address, head).await,
        };
        assert!(head.is_whole, "{:?}", head.head);
        assert_eq!(head.body, "");
        assert_eq!(head.head.status, read.head.status);
        let without_date = |mut read: Read| {
            read.head.headers.remove(header::DATE);
            read.head.headers
        };
        assert_eq!(without_date(head), without_date(read));
    }
}

async fn read<B: Body<Data = Bytes>>(response: Response<B>) -> Read {
    let (head, body) = response.into_parts();
    let mut body = Box::pin(body);
    let (mut data, mut is_whole) = (Vec::new(), true);
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => data.extend(frame.into_data().into_iter().flatten()),
            Err(_) => {
                is_whole = false;
                break;
            }
        }
    }
    let read = Read { head, body: String::from_utf8(data).unwrap(), is_whole };
    assert!(!format!("{:?}{}", read.head, read.body).contains(CANARY), "nothing leaks");
    read
}

async fn get(address: SocketAddr, path: &str) -> Read {
    send(address, Request::get(path).body("").unwrap()).await
}
