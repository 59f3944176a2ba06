//! Each cause that could be taken for a proof, alone and wrapped.

use super::*;

#[test]
fn only_a_refused_connection_of_the_system_itself_is_a_proof() {
    use io::ErrorKind as Io;

    let refused = || io::Error::from(Io::ConnectionRefused);
    let shared: Arc<dyn StdError + Send + Sync> = Arc::new(refused());
    let cases: Vec<(BoxError, bool)> = vec![
        (refused().into(), true),
        (Box::new(Arc::new(refused())), true),
        (Box::new(shared), true),
        (io::Error::other(refused()).into(), true),
        (Error::from(refused()).into(), true),
        (Error::new(ErrorKind::BadGateway).with_source(refused()).into(), true),
        (Error::from(BoxError::from(Error::from(refused()))).into(), true),
        // The stranger may be a request's body that another service did not give.
        (wrapped(refused()), false),
        (Error::from(wrapped(refused())).into(), false),
        // Somebody's reading of something else.
        (io::Error::new(Io::ConnectionRefused, "the peer said no").into(), false),
        (io::Error::new(Io::ConnectionRefused, io::Error::from(Io::BrokenPipe)).into(), false),
    ];
    for (error, expected) in cases {
        assert_eq!(is_never_sent(&*error), expected, "{error:?}");
    }
    for unsure in [
        Io::AddrNotAvailable,
        Io::BrokenPipe,
        Io::ConnectionAborted,
        Io::ConnectionReset,
        Io::HostUnreachable,
        Io::NetworkDown,
        Io::NetworkUnreachable,
        Io::NotConnected,
        Io::Other,
        Io::TimedOut,
        Io::UnexpectedEof,
    ] {
        assert!(!is_never_sent(&io::Error::from(unsure)), "{unsure}");
    }
}

/// As the body of a request fails that is another connection's: alone, the error of ours that is
/// found would be a proof.
#[test]
fn what_stands_around_an_error_of_ours_goes_with_it_where_it_refutes() {
    let refused = || Error::from(io::Error::from(io::ErrorKind::ConnectionRefused));
    assert!(is_never_sent(&refused()));
    let error = wrapped(refused());
    assert!(!is_never_sent(&*error));
    let found = Error::from(error);
    assert_eq!(found.kind(), ErrorKind::BadGateway);
    assert!(!is_never_sent(&found), "{found:?}");
}

#[test]
fn an_error_of_ours_decides_nothing_by_itself() {
    for kind in ErrorKind::ALL {
        assert!(!is_never_sent(&Error::new(*kind)), "{kind:?}");
    }
    assert!(!is_never_sent(&Circle));
    assert!(!is_never_sent(&*BoxError::from("connection refused")));
}

#[cfg(feature = "tower")]
#[test]
fn a_service_that_sheds_load_was_not_called_and_a_timeout_says_nothing() {
    let shed = || tower::load_shed::error::Overloaded::new();
    assert!(is_never_sent(&shed()));
    assert!(is_never_sent(&*wrapped(shed())));
    assert!(is_never_sent(&Error::from(wrapped(shed()))));
    assert!(!is_never_sent(&tower::timeout::error::Elapsed::new()));
}

#[cfg(feature = "hyper")]
mod over_hyper {
    use bytes::Bytes;
    use http_body_util::Empty;
    use hyper::{Request, client::conn::http1};
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    fn empty() -> Empty<Bytes> {
        Empty::new()
    }

    #[tokio::test]
    async fn a_request_that_no_connection_took_was_never_sent() {
        let (near, _far) = duplex(1024);
        let (mut sender, connection) = http1::handshake(TokioIo::new(near)).await.unwrap();
        let waiting = sender.send_request(Request::new(empty()));
        drop(connection);
        let error = waiting.await.unwrap_err();
        assert!(is_never_sent(&error), "{error:?}");
        assert!(is_never_sent(&*wrapped(error)));
        let error = sender.send_request(Request::new(empty())).await.unwrap_err();
        assert!(is_never_sent(&Error::from(BoxError::from(error))));
    }

    #[tokio::test]
    async fn a_request_that_waits_for_a_connection_that_breaks_was_never_sent() {
        let (near, mut far) = duplex(1024);
        let (mut sender, connection) = http1::handshake(TokioIo::new(near)).await.unwrap();
        let waiting = sender.send_request(Request::new(empty()));
        // Bytes that answer nothing are there before the connection is driven at all.
        far.write_all(b"HTTP/1.1 408 Request Timeout\r\n\r\n").await.unwrap();
        drop(far);
        tokio::spawn(connection);
        let error = waiting.await.unwrap_err();
        assert_eq!(is_never_sent(&error), error.is_canceled(), "{error:?}");
        assert!(error.is_canceled(), "{error:?}");
    }

    #[tokio::test]
    async fn an_upgrade_that_is_not_finished_says_nothing_about_its_request() {
        let (near, mut far) = duplex(1024);
        let (mut sender, connection) = http1::handshake(TokioIo::new(near)).await.unwrap();
        let connection = tokio::spawn(connection);
        let call = sender.send_request(Request::new(empty()));
        let serve = async {
            let _ = far.read(&mut [0; 256]).await.unwrap();
            let head = "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n";
            far.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
        };
        let (answer, ()) = tokio::join!(call, serve);
        let upgrade = hyper::upgrade::on(answer.unwrap());
        connection.abort();
        let _ = connection.await;
        let error = upgrade.await.unwrap_err();
        assert!(!is_never_sent(&error), "{error:?}");
    }
}

#[cfg(feature = "hyper")]
mod over_h2 {
    use bytes::Bytes;
    use h2::{Reason, client, server};
    use hyper::{Request, Response};
    use tokio::io::{DuplexStream, duplex};

    use super::*;

    type Server = server::Connection<DuplexStream, Bytes>;

    async fn connected() -> (client::SendRequest<Bytes>, Server) {
        let (near, far) = duplex(4096);
        let (client, server) = tokio::join!(client::handshake(near), server::handshake(far));
        let (sender, connection) = client.unwrap();
        tokio::spawn(connection);
        (sender.ready().await.unwrap(), server.unwrap())
    }

    #[tokio::test]
    async fn a_stream_that_the_server_refuses_was_not_processed_and_any_other_reset_may_be() {
        for (reason, expected) in [
            (Reason::REFUSED_STREAM, true),
            (Reason::CANCEL, false),
            (Reason::INTERNAL_ERROR, false),
            (Reason::NO_ERROR, false),
            (Reason::ENHANCE_YOUR_CALM, false),
        ] {
            let (mut sender, mut server) = connected().await;
            let (answer, _) = sender.send_request(Request::new(()), true).unwrap();
            let serve = async {
                let (_, mut respond) = server.accept().await.unwrap().unwrap();
                respond.send_reset(reason);
                let _ = server.accept().await;
            };
            let error = tokio::select! {
                answer = answer => answer.unwrap_err(),
                () = serve => panic!("the connection ended"),
            };
            assert!(error.is_remote());
            assert_eq!(is_never_sent(&error), expected, "{error:?}");
            assert_eq!(is_never_sent(&Error::from(wrapped(error))), expected, "{reason}");
        }
    }

    /// hyper resets a request whose body fails with the reason that it finds in the body's cause.
    #[tokio::test]
    async fn a_stream_that_we_refuse_ourselves_was_sent() {
        let (mut sender, mut server) = connected().await;
        let (answer, mut body) = sender.send_request(Request::new(()), false).unwrap();
        let (request, _respond) = server.accept().await.unwrap().unwrap();
        body.send_reset(Reason::REFUSED_STREAM);
        let error = answer.await.unwrap_err();
        assert_eq!(error.reason(), Some(Reason::REFUSED_STREAM));
        assert!(!is_never_sent(&error), "{error:?}");
        drop(request);
        assert!(!is_never_sent(&h2::Error::from(Reason::REFUSED_STREAM)), "made by hand");
    }

    /// Who asks for readiness is told of the `GOAWAY` as if it were about the request that is under
    /// way, and answered. hyper does ask, between the head and the body.
    #[tokio::test]
    async fn a_goaway_is_told_to_those_who_are_served_as_well() {
        let (mut sender, mut server) = connected().await;
        let (answer, _) = sender.send_request(Request::new(()), true).unwrap();
        let (_, mut respond) = server.accept().await.unwrap().unwrap();
        server.graceful_shutdown();
        let drive = tokio::spawn(async move { while server.accept().await.is_some() {} });
        let error = loop {
            match sender.clone().ready().await {
                Ok(_) => tokio::task::yield_now().await,
                Err(error) => break error,
            }
        };
        assert!(error.is_go_away() && error.is_remote(), "{error:?}");
        respond.send_response(Response::new(()), true).unwrap();
        assert_eq!(answer.await.unwrap().status(), 200, "it was served");
        assert!(!is_never_sent(&error), "{error:?}");
        drive.await.unwrap();
    }
}
