//! Errors of hyper and h2, made by connections that break in memory.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use super::*;

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, BoxError>;

fn request(body: Limited<Full<Bytes>>) -> hyper::Request<Body> {
    hyper::Request::new(body.boxed_unsync())
}

/// Sends a request over a connection whose other end `serve` plays.
async fn call<F>(serve: impl FnOnce(DuplexStream) -> F, limit: usize) -> hyper::Error
where
    F: Future<Output = ()> + Send + 'static,
{
    let (near, far) = duplex(1024);
    tokio::spawn(serve(far));
    let (mut sender, connection) = http1::handshake(TokioIo::new(near)).await.unwrap();
    let connection = tokio::spawn(connection);
    let body = Limited::new(Full::new(Bytes::from_static(b"0123456789")), limit);
    match sender.send_request(request(body)).await {
        Ok(response) => response.into_body().collect().await.unwrap_err(),
        // The one who sends learns that the connection ended, the connection itself why.
        Err(error) if error.is_canceled() || error.is_closed() => {
            connection.await.unwrap().err().unwrap_or(error)
        }
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_connection_closed_before_the_answer_is_a_bad_gateway() {
    let error = call(
        |mut far| async move {
            let _ = far.read(&mut [0; 64]).await;
        },
        100,
    )
    .await;
    assert!(error.is_incomplete_message(), "{error:?}");
    assert_eq!(kind(error), ErrorKind::BadGateway);
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_a_bad_gateway() {
    let error = call(
        |mut far| async move {
            let _ = far.read(&mut [0; 64]).await;
            let _ = far.write_all(b"SSH-2.0-OpenSSH\r\n\r\n").await;
        },
        100,
    )
    .await;
    assert!(error.is_parse(), "{error:?}");
    assert_eq!(kind(error), ErrorKind::BadGateway);
}

#[tokio::test]
async fn a_body_cut_short_is_a_bad_gateway() {
    let error = call(
        |mut far| async move {
            let _ = far.read(&mut [0; 64]).await;
            let _ = far.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").await;
        },
        100,
    )
    .await;
    assert_eq!(kind(error), ErrorKind::BadGateway);
}

#[tokio::test]
async fn a_request_body_that_we_cut_says_why_it_was_cut() {
    let error = call(
        |mut far| async move {
            let _ = far.read_to_end(&mut Vec::new()).await;
        },
        4,
    )
    .await;
    assert!(find::<LengthLimitError>(&error).is_some(), "{error:?}");
    assert_eq!(kind(error), ErrorKind::PayloadTooLarge);
}

#[tokio::test]
async fn a_request_that_no_connection_took_is_not_the_callers_cancelling() {
    let (near, _far) = duplex(1024);
    let (mut sender, connection) = http1::handshake(TokioIo::new(near)).await.unwrap();
    drop(connection);
    let body = Limited::new(Full::new(Bytes::new()), 100);
    let error = sender.send_request(request(body)).await.unwrap_err();
    assert!(error.is_canceled(), "{error:?}");
    assert_eq!(kind(error), ErrorKind::BadGateway);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_sends_no_head_in_time_is_a_timeout() {
    use hyper::service::service_fn;

    let (_near, far) = duplex(1024);
    let error = hyper::server::conn::http1::Builder::new()
        .timer(hyper_util::rt::TokioTimer::new())
        .header_read_timeout(std::time::Duration::from_secs(30))
        .serve_connection(
            TokioIo::new(far),
            service_fn(|_| async {
                Ok::<_, BoxError>(hyper::Response::new(Full::<Bytes>::default()))
            }),
        )
        .await
        .unwrap_err();
    assert_eq!(kind(error), ErrorKind::Timeout);
}

/// A transport that fails with one kind of error.
struct Broken(io::ErrorKind);

impl hyper::rt::Read for Broken {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Ready(Err(self.0.into()))
    }
}

impl hyper::rt::Write for Broken {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(self.0.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn the_transports_own_error_tells_more_than_hypers() {
    for (io, expected) in [
        (io::ErrorKind::TimedOut, ErrorKind::Timeout),
        (io::ErrorKind::ConnectionReset, ErrorKind::BadGateway),
        (io::ErrorKind::Other, ErrorKind::BadGateway),
    ] {
        let (_sender, connection) = http1::handshake::<_, Body>(Broken(io)).await.unwrap();
        assert_eq!(kind(connection.await.unwrap_err()), expected, "{io}");
    }
}

#[test]
fn the_reasons_of_h2_are_told_apart() {
    use h2::Reason;

    for (reason, expected) in [
        (Reason::REFUSED_STREAM, ErrorKind::Unavailable),
        (Reason::ENHANCE_YOUR_CALM, ErrorKind::RateLimited),
        (Reason::CANCEL, ErrorKind::Cancelled),
        (Reason::INTERNAL_ERROR, ErrorKind::BadGateway),
        (Reason::NO_ERROR, ErrorKind::BadGateway),
        (Reason::INADEQUATE_SECURITY, ErrorKind::BadGateway),
    ] {
        assert_eq!(kind(h2::Error::from(reason)), expected, "{reason}");
    }
}
