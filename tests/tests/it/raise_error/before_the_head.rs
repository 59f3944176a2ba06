//! What is an error before any of the answer is handed on.

use std::time::Duration;

use http::{Method, StatusCode, header};
use http_body::Body as _;
use kimi_errors::{Dialect, Error, ErrorKind, RetryAdvice};
use kimi_testkit::probe::{Act, Beat, Probe, ProbeBody, Readiness};
use kimi_tower::raise_error::RaiseErrorLayer;
use tokio::time::Instant;
use tower::{Service as _, ServiceExt};
use tower_layer::Layer as _;

use super::{ERROR, EVENTS, JSON, answer, pieces, position, raised, read, send, send_by, value};

#[tokio::test]
async fn every_kind_in_every_dialect_is_raised() {
    for dialect in Dialect::ALL {
        for kind in ErrorKind::ALL.iter().copied() {
            for size in [1, 1000] {
                let (head, body) = dialect.response(&Error::new(kind)).into_parts();
                let body = ProbeBody::chunks(pieces(&body, size));
                let answer = http::Response::from_parts(head, body);
                assert_eq!(raised(answer).await.kind(), kind, "{dialect}");
            }
        }
    }
}

#[tokio::test]
async fn an_error_keeps_what_the_head_says() {
    let body = r#"{"error":{"message":"x","type":"rate_limit_reached_error"}}"#;
    let mut inner = answer(429, JSON, ProbeBody::full(body));
    inner.headers_mut().insert(header::RETRY_AFTER, value("7"));
    inner.headers_mut().insert("msh-request-id", value("r-1"));
    let error = raised(inner).await;
    assert_eq!(error.advice(), RetryAdvice::Backoff { after: Some(Duration::from_secs(7)) });
    assert_eq!(error.request_id(), Some("r-1"));
    assert_eq!(error.received().and_then(|received| received.status), Some(429));
}

#[tokio::test]
async fn every_error_status_is_raised_whatever_its_body() {
    for status in 400..=599 {
        for (content_type, body) in
            [("text/html", "<html>"), (JSON, "{}"), (EVENTS, ": x\n"), (JSON, "")]
        {
            assert!(send(answer(status, content_type, ProbeBody::full(body))).await.is_err());
        }
        let broken = ProbeBody::chunks(["{\"err"]).then(Beat::Fail("broken".into()));
        assert!(send(answer(status, JSON, broken)).await.is_err());
    }
}

#[tokio::test]
async fn the_first_event_is_raised_if_it_is_an_error() {
    for text in [
        format!("{ERROR}\n\n"),
        format!("\r\n{ERROR}\r\n\r\ndata: behind\r\n\r\n"),
        format!("id: 1\rx: y\r{ERROR}\r\r"),
        format!("\u{feff}{ERROR}\n\n"),
        format!("x: y\n{ERROR}\n\n"),
    ] {
        for size in [1, 3, 1000] {
            let body = ProbeBody::chunks(pieces(text.as_bytes(), size)).then(Beat::Hang);
            let error = raised(answer(200, EVENTS, body)).await;
            assert_eq!(error.kind(), ErrorKind::Overloaded, "{text:?} {size}");
        }
    }
    for named in ["event: error\ndata: {}\n\n", "event: error\ndata: oops\n\n"] {
        assert!(send(answer(200, EVENTS, ProbeBody::full(named))).await.is_err(), "{named}");
    }
    let json = r#"{"code":-2005,"message":"已有对话流正在输出","data":null}"#;
    let error = raised(answer(200, EVENTS, ProbeBody::full(json))).await;
    assert_eq!(error.kind(), ErrorKind::StreamBusy, "not even an event");
}

#[tokio::test(start_paused = true)]
async fn a_comment_or_an_event_that_is_no_error_passes_at_once() {
    for first in
        [": ping\n", "data: {\"choices\":[]}\n\n", "retry: 3000\n\n", "event: ping\ndata: {}\n\n"]
    {
        let body = ProbeBody::chunks([first]).then(Beat::Hang);
        let start = Instant::now();
        let answer = send(answer(200, EVENTS, body)).await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO, "{first}");
        drop(answer);
    }
}

#[tokio::test(start_paused = true)]
async fn the_head_of_a_silent_stream_waits_for_the_look_timeout() {
    let layer = RaiseErrorLayer::new().with_look_timeout(Duration::from_secs(2));
    for (layer, seconds) in [(layer, 2), (RaiseErrorLayer::new(), 5)] {
        for (content_type, begun) in [(EVENTS, "data: {\"cho"), (JSON, "{\"choices\":")] {
            let body = ProbeBody::chunks([begun]).then(Beat::Hang);
            let start = Instant::now();
            let answer = send_by(layer, Method::POST, answer(200, content_type, body)).await;
            assert_eq!(start.elapsed(), Duration::from_secs(seconds));
            assert!(answer.is_ok());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_came_by_the_timeout_decides() {
    let body = || ProbeBody::chunks([r#"{"errcode":-2005,"errmsg":"x"}"#]).then(Beat::Hang);
    for status in [200, 429] {
        assert_eq!(raised(answer(status, JSON, body())).await.kind(), ErrorKind::StreamBusy);
    }
    assert_eq!(raised(answer(503, JSON, ProbeBody::new([Beat::Hang]))).await.status(), 503);
}

#[tokio::test]
async fn what_stands_behind_64_kib_changes_nothing() {
    let long = format!("{{\"x\":\"{}\",\"errcode\":-2005}}", "x".repeat(64 * 1024));
    for size in [100, 100_000] {
        let body = ProbeBody::chunks(pieces(long.as_bytes(), size));
        let (data, error) = read(send(answer(200, JSON, body)).await.unwrap()).await;
        assert!(data == long.as_bytes() && error.is_none());
    }
}

#[tokio::test]
async fn a_success_passes_with_its_size_and_as_the_same_bytes() {
    let text = bytes::Bytes::from_static(br#"{"id":"1","choices":[]}"#);
    let body = ProbeBody::full(text.clone());
    let answer = send(answer(200, JSON, body)).await.unwrap();
    assert_eq!(answer.body().size_hint().exact(), Some(text.len() as u64));
    assert!(!answer.body().is_end_stream());
    let mut body = answer.into_body();
    let frame = http_body_util::BodyExt::frame(&mut body).await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap().as_ptr(), text.as_ptr());
    assert!(body.is_end_stream());
}

#[tokio::test]
async fn what_is_neither_json_nor_a_page_nor_a_stream_is_not_looked_at() {
    let error = r#"{"errcode":-2005,"errmsg":"x"}"#;
    for (status, content_type) in [
        (200, "text/plain"),
        (200, "application/x-ndjson"),
        (204, JSON),
        (206, JSON),
        (304, JSON),
        (302, JSON),
        (101, JSON),
    ] {
        let body = ProbeBody::full(error);
        let seen = body.seen();
        let answer = send(answer(status, content_type, body)).await.unwrap();
        assert_eq!((answer.status().as_u16(), seen.polls()), (status, 0));
        assert_eq!(read(answer).await.0, error.as_bytes());
    }
}

#[tokio::test]
async fn grpc_passes() {
    let mut inner = answer(200, "application/grpc+proto", ProbeBody::empty());
    inner.headers_mut().insert("grpc-status", value("14"));
    assert!(send(inner).await.is_ok());
    let inner = answer(503, "application/grpc", ProbeBody::empty());
    assert_eq!(send(inner).await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn of_a_compressed_answer_only_the_head_is_read() {
    let coded = |status: u16, content_type| {
        let body = ProbeBody::full(r#"{"errcode":-2005}"#);
        let mut inner = answer(status, content_type, body);
        inner.headers_mut().insert(header::CONTENT_ENCODING, value("br"));
        inner
    };
    assert_eq!(raised(coded(401, JSON)).await.kind(), ErrorKind::TokenExpired);
    for content_type in [JSON, EVENTS] {
        let (data, error) = read(send(coded(200, content_type)).await.unwrap()).await;
        assert_eq!((data.as_slice(), error.is_none()), (&br#"{"errcode":-2005}"#[..], true));
    }
    let mut plain = answer(200, JSON, ProbeBody::full(r#"{"errcode":-2005}"#));
    plain.headers_mut().insert(header::CONTENT_ENCODING, value("identity"));
    assert_eq!(raised(plain).await.kind(), ErrorKind::StreamBusy);
}

#[tokio::test]
async fn the_answer_to_head_needs_no_body() {
    for content_type in [JSON, EVENTS] {
        let mut inner = answer(200, content_type, ProbeBody::empty());
        inner.headers_mut().insert(header::CONTENT_LENGTH, value("99"));
        let answer = send_by(RaiseErrorLayer::new(), Method::HEAD, inner).await.unwrap();
        assert!(answer.body().is_end_stream());
        assert!(read(answer).await.1.is_none());
    }
    let inner = answer(401, JSON, ProbeBody::empty());
    let error = send_by(RaiseErrorLayer::new(), Method::HEAD, inner).await.map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TokenExpired);
}

#[tokio::test]
async fn an_answer_without_content_needs_none_whatever_length_it_announces() {
    for content_type in [JSON, EVENTS, "text/plain"] {
        let mut inner = answer(204, content_type, ProbeBody::empty());
        inner.headers_mut().insert(header::CONTENT_LENGTH, value("99"));
        let answer = send(inner).await.unwrap();
        assert!(read(answer).await.1.is_none(), "{content_type}");
    }
}

#[tokio::test]
async fn a_stream_of_nothing_is_no_answer() {
    for text in ["", "\n\n", "data: {", "event: x"] {
        let error = raised(answer(200, EVENTS, ProbeBody::full(text))).await;
        assert_eq!(
            (error.kind(), position(&error)),
            (ErrorKind::StreamTruncated, (0, 0)),
            "{text:?}"
        );
    }
}

#[tokio::test]
async fn failures_of_the_inner_service_come_through_as_errors() {
    let layer = RaiseErrorLayer::new();
    let request = || http::Request::new(ProbeBody::empty());
    for (failure, kind) in [
        (Error::new(ErrorKind::StreamBusy).into(), ErrorKind::StreamBusy),
        ("anything".into(), ErrorKind::System),
    ] {
        let (probe, _) = Probe::new([Act::Fail(failure)]);
        let error = layer.layer(probe).oneshot(request()).await.map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), kind);
    }
    let (probe, _) = Probe::new([]);
    let busy = Readiness::Fail(Error::new(ErrorKind::StreamBusy).into());
    let mut service = layer.layer(probe.with_readiness([busy]));
    let ready = ServiceExt::<http::Request<ProbeBody>>::ready(&mut service).await;
    assert_eq!(ready.map(|_| ()).unwrap_err().kind(), ErrorKind::StreamBusy);
    ServiceExt::<http::Request<ProbeBody>>::ready(&mut service).await.unwrap();
    assert!(service.call(request()).await.is_ok());
}

#[tokio::test]
async fn an_error_drops_the_body_that_said_it() {
    let events = ProbeBody::chunks([format!("{ERROR}\n\n")]).then(Beat::Hang);
    let seen = events.seen();
    let _ = raised(answer(200, EVENTS, events)).await;
    assert!(seen.is_dropped() && seen.polls() == 1);
}

#[tokio::test]
async fn debug_shows_nothing_of_what_an_answer_says() {
    let body = ProbeBody::chunks([r#"{"choices":[{"message":{"content":"canary"}}"#, "]}"]);
    let answer = send(answer(200, JSON, body)).await.unwrap();
    assert!(!format!("{:?}", answer.body()).contains("canary"), "{:?}", answer.body());
}
