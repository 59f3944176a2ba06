//! What clients report of a request that did not arrive, or did, over loopback sockets.

use std::{future::ready, net::SocketAddr};

use ::hyper::body::Body;
use bytes::Bytes;
use http::{Request, Uri, Version};
use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use kimi_errors::{
    BoxError, Error, ErrorKind,
    chain::{find, is_never_sent},
};
use kimi_testkit::probe::{Beat, ProbeBody};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A port that nobody listens at.
async fn nobody() -> SocketAddr {
    listen().await.1
}

fn client<B>(version: Version) -> Client<HttpConnector, B>
where
    B: Body + Send,
    B::Data: Send,
{
    let mut builder = Client::builder(TokioExecutor::new());
    // What is to be seen is the first failure, not how the client gets over it.
    builder.retry_canceled_requests(false).http2_only(version == Version::HTTP_2).build_http()
}

fn post<B>(address: SocketAddr, body: B) -> Request<B> {
    Request::post(format!("http://{address}/")).body(body).unwrap()
}

/// Sends a request with a fresh client of `hyper-util`.
async fn error(version: Version, address: SocketAddr) -> BoxError {
    let request = post(address, Full::new(Bytes::from_static(b"{}")));
    client(version).request(request).await.unwrap_err().into()
}

/// Asserts what an error proves, alone, behind our own, and behind ours twice.
fn assert_proof(error: BoxError, expected: bool) {
    let text = format!("{error:?}");
    assert_eq!(is_never_sent(&*error), expected, "{text}");
    let ours = Error::from(error);
    assert_eq!(is_never_sent(&ours), expected, "{text}");
    let outer = Error::new(ErrorKind::BadGateway).with_source(ours);
    assert_eq!(is_never_sent(&outer), expected, "{text}");
}

/// Reads until the head and the body `{}` are there.
async fn read_request(stream: &mut TcpStream) {
    let mut request = Vec::new();
    while !request.ends_with(b"{}") {
        assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
    }
}

/// What comes back from a connection that ends while something unread lies in it.
async fn reset(stream: TcpStream) {
    stream.readable().await.unwrap();
    drop(stream);
}

#[tokio::test]
async fn a_refused_connection_proves_it_over_both_versions() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        assert_proof(error(version, nobody().await).await, true);
    }
}

/// As one does that lets only allowed addresses pass, or needs a token of its proxy.
#[tokio::test]
async fn a_connector_that_fails_with_an_error_of_ours_proves_it() {
    let connector = tower::service_fn(|_: Uri| {
        ready(Err::<TokioIo<TcpStream>, _>(Error::new(ErrorKind::PermissionDenied)))
    });
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let request = Request::post("http://localhost/").body(Full::new(Bytes::new())).unwrap();
    let error = client.request(request).await.unwrap_err();
    assert_eq!(Error::from(BoxError::from(error)).kind(), ErrorKind::PermissionDenied);

    let request = Request::post("http://localhost/").body(Full::new(Bytes::new())).unwrap();
    let error = client.request(request).await.unwrap_err();
    // The error of ours proves nothing without what is around it.
    assert!(!is_never_sent(find::<Error>(&error).unwrap()));
    assert_proof(error.into(), true);
}

#[tokio::test]
async fn a_host_without_an_address_proves_it() {
    let request = Request::post("http://nobody.invalid/").body(Full::new(Bytes::new())).unwrap();
    let error = client(Version::HTTP_11).request(request).await.unwrap_err();
    assert_proof(error.into(), true);
}

#[tokio::test]
async fn reqwest_says_the_same() {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = |address| client.post(format!("http://{address}/")).body("{}").send();

    let error = post(nobody().await).await.unwrap_err();
    assert!(error.is_connect());
    assert_proof(error.into(), true);

    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
    });
    assert_proof(post(address).await.unwrap_err().into(), false);
}

/// Why a client whose errors are asked must not follow redirects: reqwest reports only the last of
/// the requests that it has sent, which here is one too many.
#[tokio::test]
async fn reqwest_with_redirects_forgets_who_has_acted() {
    let lost = nobody().await;
    let (listener, address) = listen().await;
    let head = format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{lost}/\r\n");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        stream.write_all(format!("{head}content-length: 0\r\n\r\n").as_bytes()).await.unwrap();
    });
    let client = reqwest::Client::builder().no_proxy();
    let following = client.build().unwrap();
    let error = following.post(format!("http://{address}/")).body("{}").send().await.unwrap_err();
    assert!(is_never_sent(&error), "the second request was not sent, the first was");
}

#[tokio::test]
async fn a_server_that_reads_the_request_and_resets_may_have_acted() {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // One byte stays unread, so that the end is a reset.
        stream.read_exact(&mut [0; 9]).await.unwrap();
        reset(stream).await;
    });
    assert_proof(error(Version::HTTP_11, address).await, false);
}

#[tokio::test]
async fn a_server_that_reads_the_request_and_closes_may_have_acted() {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
    });
    assert_proof(error(Version::HTTP_11, address).await, false);
}

/// The body is passed on from a service that refused the connection; the head has gone out.
#[tokio::test]
async fn a_request_whose_body_fails_was_sent_over_both_versions() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let (listener, address) = listen().await;
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            if version == Version::HTTP_2 {
                let mut server = ::h2::server::handshake(stream).await.unwrap();
                while server.accept().await.is_some() {}
            } else {
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        });
        let cause = error(Version::HTTP_11, nobody().await).await;
        assert!(is_never_sent(&*cause), "alone it is a proof");
        let body = ProbeBody::new([Beat::Data("{".into()), Beat::Fail(cause)]);
        let error = client(version).request(post(address, body)).await.unwrap_err();
        assert_proof(error.into(), false);
    }
}

/// Serves one connection of HTTP/2 and ends each request with `end`.
async fn serve_h2(
    end: impl Fn(&mut ::h2::server::SendResponse<Bytes>) + Send + 'static,
) -> SocketAddr {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut server = ::h2::server::handshake(stream).await.unwrap();
        while let Some(request) = server.accept().await {
            end(&mut request.unwrap().1);
        }
    });
    address
}

#[tokio::test]
async fn a_refused_stream_proves_it_and_any_other_reset_does_not() {
    use ::h2::Reason;

    for (reason, expected) in [
        (Reason::REFUSED_STREAM, true),
        (Reason::CANCEL, false),
        (Reason::INTERNAL_ERROR, false),
        (Reason::ENHANCE_YOUR_CALM, false),
    ] {
        let address = serve_h2(move |respond| respond.send_reset(reason)).await;
        assert_proof(error(Version::HTTP_2, address).await, expected);
    }
}

/// A body that an `h2` connection refused makes hyper reset its own stream with the same reason.
#[tokio::test]
async fn a_stream_that_is_refused_because_of_its_body_was_sent() {
    let refusing = serve_h2(|respond| respond.send_reset(::h2::Reason::REFUSED_STREAM)).await;
    let cause = error(Version::HTTP_2, refusing).await;
    assert!(is_never_sent(&*cause), "alone it is a proof");
    let address = serve_h2(|_| ()).await;
    let body = ProbeBody::new([Beat::Data("{".into()), Beat::Fail(cause)]);
    let error = client(Version::HTTP_2).request(post(address, body)).await.unwrap_err();
    assert_proof(error.into(), false);
}

/// By RFC 9113 §6.8 the stream was not processed; the error is one that others get, too.
#[tokio::test]
async fn a_goaway_proves_nothing() {
    for reason in [0_u8, 11] {
        let (listener, address) = listen().await;
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut preface = [0; 24];
            stream.read_exact(&mut preface).await.unwrap();
            // SETTINGS, and a GOAWAY whose last stream is 0 after the client's first frames.
            stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
            let mut request = Vec::new();
            while !request.windows(2).any(|bytes| bytes == b"{}") {
                assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
            }
            let goaway = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, reason];
            stream.write_all(&goaway).await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
        let error = error(Version::HTTP_2, address).await;
        let h2 = find::<::h2::Error>(&*error).unwrap();
        assert!(h2.is_go_away() && h2.is_remote(), "{error:?}");
        assert_proof(error, false);
    }
}

/// A pooled connection that the server has closed is gone from the pool once its end is seen. One
/// whose end is not seen yet takes the request: then that either was not begun, which is proof and
/// which `hyper-util` by itself repeats on another connection, or was written, which is none.
#[tokio::test]
async fn a_request_on_a_pooled_connection_that_ends_is_never_sent_only_if_it_did_not_arrive() {
    for _ in 0..50 {
        let (listener, address) = listen().await;
        let (close, closing) = oneshot::channel::<()>();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_request(&mut stream).await;
            let head = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(head).await.unwrap();
            closing.await.unwrap();
            // Whatever arrived by now has arrived, and nobody will connect again.
            drop(listener);
            let mut rest = Vec::new();
            let read = stream.try_read_buf(&mut rest);
            drop(stream);
            read.is_ok_and(|bytes| bytes > 0)
        });
        let client = client(Version::HTTP_11);
        let body = || Full::new(Bytes::from_static(b"{}"));
        client.request(post(address, body())).await.unwrap();
        close.send(()).unwrap();
        let error = client.request(post(address, body())).await.unwrap_err();
        let has_arrived = server.await.unwrap();
        assert!(!(has_arrived && is_never_sent(&error)), "{error:?}");
    }
}
