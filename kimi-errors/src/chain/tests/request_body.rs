//! Bodies of requests that break, in a chain made by hand and on a connection in memory.

use super::*;

fn kind_of_body(error: impl Into<BoxError>) -> ErrorKind {
    Error::from_request_body(error).kind()
}

#[test]
fn an_error_of_ours_is_what_the_body_says_it_is() {
    let busy = || Error::new(ErrorKind::StreamBusy);
    for error in [busy().into(), wrapped(busy()), wrapped(io::Error::other(busy()))] {
        assert_eq!(kind_of_body(error), ErrorKind::StreamBusy);
    }
}

#[test]
fn a_lost_connection_is_the_clients_leaving() {
    use io::ErrorKind as Io;

    for lost in [
        Io::BrokenPipe,
        Io::ConnectionAborted,
        Io::ConnectionReset,
        Io::NotConnected,
        Io::TimedOut,
        Io::UnexpectedEof,
    ] {
        assert_eq!(kind_of_body(io::Error::from(lost)), ErrorKind::Cancelled, "{lost}");
        assert_eq!(kind_of_body(wrapped(io::Error::from(lost))), ErrorKind::Cancelled, "{lost}");
    }
}

#[test]
fn anything_else_is_the_clients_mistake() {
    for error in [wrapped("framing"), io::Error::from(io::ErrorKind::InvalidData).into()] {
        let error = Error::from_request_body(error);
        assert_eq!(error.kind(), ErrorKind::Validation);
        assert!(error.source().is_some(), "what was given stays as source");
    }
    assert_eq!(kind_of_body(Circle), ErrorKind::Validation);
}

#[cfg(feature = "hyper")]
mod from_a_connection {
    use bytes::Bytes;
    use http_body_util::{BodyExt as _, Full, Limited};
    use hyper::{body::Incoming, service::service_fn};
    use hyper_util::rt::TokioIo;
    use tokio::{
        io::{AsyncWriteExt as _, duplex},
        sync::mpsc,
    };

    use super::*;

    /// Sends `bytes`, and then no more, to a server that reads a request's body.
    async fn sent(bytes: &[u8]) -> Error {
        let (mut near, far) = duplex(1024);
        let (tell, mut told) = mpsc::channel(1);
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let tell = tell.clone();
            async move {
                let read = request.into_body().collect().await;
                tell.send(read.unwrap_err()).await.unwrap();
                Ok::<_, BoxError>(hyper::Response::new(Full::<Bytes>::default()))
            }
        });
        let server = hyper::server::conn::http1::Builder::new();
        let connection = tokio::spawn(server.serve_connection(TokioIo::new(far), service));
        near.write_all(bytes).await.unwrap();
        near.shutdown().await.unwrap();
        let error = told.recv().await.unwrap();
        drop(connection.await);
        Error::from_request_body(error)
    }

    #[tokio::test]
    async fn a_body_cut_short_is_the_clients_leaving() {
        for cut in [
            "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\n{",
            "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n",
        ] {
            assert_eq!(sent(cut.as_bytes()).await.kind(), ErrorKind::Cancelled, "{cut}");
        }
    }

    #[tokio::test]
    async fn a_chunk_without_a_size_is_the_clients_mistake() {
        let head = "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n";
        let error = sent(format!("{head}2\r\n{{}}\r\nZZ\r\n").as_bytes()).await;
        assert_eq!(error.kind(), ErrorKind::Validation);
    }

    #[tokio::test]
    async fn a_body_over_a_limit_outside_is_too_large() {
        let body = Limited::new(Full::new(Bytes::from_static(b"0123456789")), 4);
        let error = body.collect().await.unwrap_err();
        assert_eq!(kind_of_body(wrapped(error)), ErrorKind::PayloadTooLarge);
    }

    #[test]
    fn a_stream_that_the_client_cancels_is_its_leaving() {
        for (reason, expected) in [
            (h2::Reason::CANCEL, ErrorKind::Cancelled),
            (h2::Reason::PROTOCOL_ERROR, ErrorKind::Validation),
        ] {
            assert_eq!(kind_of_body(h2::Error::from(reason)), expected, "{reason}");
        }
    }
}
