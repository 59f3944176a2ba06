//! Behind hyper's server, over loopback sockets.

use std::{net::SocketAddr, time::Duration};

use axum::{Router, body::Body, routing::post};
use bytes::Bytes;
use http::{Request, Response, Version};
use kimi_errors::{Error, ErrorKind};
use kimi_tower::catch_error::CatchErrorLayer;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tower::ServiceBuilder;

use super::{BAD, CHAT, GOOD, up_to};

/// What a server tells beside its answers, which the client may not be there to read.
#[derive(Debug, PartialEq)]
enum Event {
    Arrived,
    Answered(Option<ErrorKind>),
}

/// Serves with a limit of 1 KiB.
async fn serve() -> (SocketAddr, mpsc::UnboundedReceiver<Event>) {
    let (tell, told) = mpsc::unbounded_channel();
    let arrival = tell.clone();
    let arrived = move |request: Request<Body>| {
        let _ = arrival.send(Event::Arrived);
        request
    };
    let answered = move |answer: Response<_>| {
        let kind = answer.extensions().get().map(Error::kind);
        let _ = tell.send(Event::Answered(kind));
        answer
    };
    let around = ServiceBuilder::new()
        .map_request(arrived)
        .map_response(answered)
        .layer(CatchErrorLayer::new())
        .layer(up_to(1024));
    let app: Router = Router::new().route(CHAT, post(async |body: Bytes| body)).layer(around);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address, told)
}

fn head(framing: &str) -> String {
    format!(
        "POST {CHAT} HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\n\
         connection: close\r\n{framing}\r\n\r\n"
    )
}

/// Sends this, without more, and returns what is answered.
async fn send(address: SocketAddr, pieces: &[&str]) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    for piece in pieces {
        socket.write_all(piece.as_bytes()).await.unwrap();
    }
    socket.shutdown().await.unwrap();
    answer(&mut socket).await
}

async fn answer(socket: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // Only a server that waits for what never comes needs the ten seconds.
    let read = socket.read_to_end(&mut answer);
    tokio::time::timeout(Duration::from_secs(10), read).await.unwrap().unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_good_request_is_served_in_either_framing() {
    let (address, _) = serve().await;
    let sized = head(&format!("content-length: {}", GOOD.len()));
    let chunk = format!("{:x}\r\n{GOOD}\r\n0\r\n\r\n", GOOD.len());
    for pieces in [[sized.as_str(), GOOD], [&head("transfer-encoding: chunked"), &chunk]] {
        let answer = send(address, &pieces).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(GOOD), "{answer}");
    }
}

#[tokio::test]
async fn a_wrong_request_is_refused() {
    let (address, _) = serve().await;
    let answer = send(address, &[&head(&format!("content-length: {}", BAD.len())), BAD]).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains(r#""/messages/0/role""#), "{answer}");
}

#[tokio::test]
async fn a_client_that_leaves_within_its_body_has_cancelled() {
    let (address, mut told) = serve().await;
    for framing in ["content-length: 900", "transfer-encoding: chunked"] {
        let answer = send(address, &[&head(framing), "2\r\n{}\r\n"]).await;
        assert!(answer.starts_with("HTTP/1.1 499 "), "{answer}");
        assert!(answer.contains(r#"{"errcode":-2000,"errmsg":"请求已被取消","data":null}"#));
        assert_eq!(told.recv().await, Some(Event::Arrived));
        assert_eq!(told.recv().await, Some(Event::Answered(Some(ErrorKind::Cancelled))));
    }
}

#[tokio::test]
async fn a_body_whose_framing_is_wrong_is_the_clients_mistake() {
    let (address, mut told) = serve().await;
    let answer = send(address, &[&head("transfer-encoding: chunked"), "2\r\n{}\r\nZZ\r\n"]).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(told.recv().await, Some(Event::Arrived));
    assert_eq!(told.recv().await, Some(Event::Answered(Some(ErrorKind::Validation))));
}

#[tokio::test]
async fn a_body_too_large_is_not_waited_for() {
    let (address, _) = serve().await;
    let grows = format!("401\r\n{}\r\n", " ".repeat(0x401));
    let announced = head("content-length: 1025\r\nexpect: 100-continue");
    for (head, body) in [(announced, ""), (head("transfer-encoding: chunked"), grows.as_str())] {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(body.as_bytes()).await.unwrap();
        // It could send more.
        let answer = answer(&mut socket).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "not even asked to go on: {answer}");
    }
}

#[tokio::test]
async fn a_stream_that_an_http_2_client_resets_is_not_taken_for_the_end_of_its_body() {
    // The first one hyper shows to the service as a clean end.
    for reason in [h2::Reason::NO_ERROR, h2::Reason::CANCEL, h2::Reason::INTERNAL_ERROR] {
        let (address, mut told) = serve().await;
        let socket = TcpStream::connect(address).await.unwrap();
        let (mut sender, connection) = h2::client::handshake(socket).await.unwrap();
        tokio::spawn(connection);
        let request = Request::post(format!("http://{address}{CHAT}"))
            .version(Version::HTTP_2)
            .header("content-type", "application/json")
            .header("content-length", GOOD.len() + 1)
            .body(())
            .unwrap();
        let (_answer, mut body) = sender.send_request(request, false).unwrap();
        body.send_data(Bytes::from_static(GOOD.as_bytes()), false).unwrap();
        assert_eq!(told.recv().await, Some(Event::Arrived));
        body.send_reset(reason);
        let answered = Event::Answered(Some(ErrorKind::Cancelled));
        assert_eq!(told.recv().await, Some(answered), "{reason}");
    }
}
