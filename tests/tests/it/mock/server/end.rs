//! A body that is cut or reset, over HTTP/1 and HTTP/2.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use kimi_testkit::{script::Step, server::MockServer};

use super::{chat_at, client, hello, http2, in_time, raw, split_head, start, streamed};

#[tokio::test]
async fn a_cut_stream_ends_with_fin_and_without_its_last_chunk() {
    let (_, server) = start([Step::ok().with_cut_at(300)]).await;
    let (received, end) = raw(&server, &streamed()).await;

    end.unwrap();
    let (head, body) = split_head(&received);
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    let text = String::from_utf8_lossy(body);
    assert!(!text.contains("\r\n0\r\n") && !text.contains("[DONE]"), "{text}");
    let (_, client_end) = through(&client(), &start([Step::ok().with_cut_at(300)]).await.1).await;
    assert!(client_end.is_err());
}

/// What a client reads of a stream, and how that ends.
async fn through(
    client: &Client<HttpConnector, Full<Bytes>>,
    server: &MockServer,
) -> (Vec<u8>, Result<(), hyper::Error>) {
    let mut body = client.request(chat_at(server, &streamed())).await.unwrap().into_body();
    let mut read = Vec::new();
    while let Some(frame) = in_time(body.frame()).await {
        match frame {
            Ok(frame) => read.extend_from_slice(frame.data_ref().unwrap()),
            Err(error) => return (read, Err(error)),
        }
    }
    (read, Ok(()))
}

#[tokio::test]
async fn a_cut_unary_body_ends_with_fin_before_its_announced_length() {
    let (mock, server) = start([Step::ok().with_cut_at(100), Step::ok().with_cut_at(0)]).await;
    for expected in [100, 0] {
        let (received, end) = raw(&server, &hello()).await;
        end.unwrap();
        let (head, body) = split_head(&received);
        assert!(head.contains("content-length: 263\r\n"), "{head}");
        assert_eq!(body.len(), expected);
    }
    in_time(mock.idle()).await;
}

#[tokio::test]
async fn a_reset_is_a_reset() {
    let (mock, server) = start([Step::ok().with_reset_at(100), Step::ok().with_reset_at(0)]).await;
    for expected in [100, 0] {
        let (received, end) = raw(&server, &hello()).await;
        assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
        // What had arrived by then may be read, but need not be: RST overtakes.
        if !received.is_empty() {
            assert_eq!(split_head(&received).1.len(), expected);
        }
    }
    in_time(mock.idle()).await;
}

#[tokio::test]
async fn a_reset_http2_stream_leaves_its_connection_alone() {
    let (_, server) = start([Step::ok().with_reset_at(100)]).await;
    let client = http2();
    let (read, end) = through(&client, &server).await;
    assert_eq!(read.len(), 100);
    assert!(end.is_err());
    let (read, end) = through(&client, &server).await;
    assert!(end.is_ok() && read.ends_with(b"[DONE]\n\n"));
}

#[tokio::test]
async fn a_cut_http2_stream_ends_in_order() {
    let (_, server) = start([Step::ok().with_cut_at(100)]).await;
    let (read, end) = through(&http2(), &server).await;
    assert!(end.is_ok());
    assert_eq!(read.len(), 100);
}
