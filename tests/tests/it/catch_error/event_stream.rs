//! Event streams that fail.

use std::pin::Pin;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use http_body::{Body as _, SizeHint};
use http_body_util::BodyExt as _;
use kimi_errors::{Dialect, Error, ErrorKind, Lang};
use kimi_testkit::probe::{Act, Beat, ProbeBody};
use kimi_tower::catch_error::{CatchErrorLayer, ResponseBody};
use proptest::prelude::{any, prop_assert_eq, proptest};

use super::{CANARY, answer, answer_to, busy, grpc_request, read, request, text, with_type};

async fn next(body: &mut Pin<Box<ResponseBody<ProbeBody>>>) -> Bytes {
    body.frame().await.unwrap().unwrap().into_data().unwrap()
}

fn event_stream(body: ProbeBody) -> Act {
    Act::Answer(with_type("text/event-stream; charset=utf-8", body))
}

fn frame(error: &Error) -> String {
    String::from_utf8(Dialect::Errcode.sse_frame(error)).unwrap()
}

#[tokio::test]
async fn an_event_stream_says_in_every_dialect_that_it_failed() {
    for dialect in Dialect::ALL.iter().copied() {
        for kind in ErrorKind::ALL.iter().copied() {
            let error = Error::new(kind);
            let body = ProbeBody::chunks(["data: 1\n\n"]).then(Beat::Fail(error.clone().into()));
            let layer = CatchErrorLayer::new().with_dialect(dialect);
            let answer = text(answer(layer, event_stream(body)).await).await;
            let frame = String::from_utf8(dialect.sse_frame(&error)).unwrap();
            assert_eq!(answer, format!("data: 1\n\n{frame}"));
            assert!(frame.contains(r#""error":{"#), "{frame}");
        }
    }
}

#[tokio::test]
async fn the_added_event_speaks_the_layers_language() {
    let body = ProbeBody::chunks(["data: 1\n\n"]).then(Beat::Fail(busy().into()));
    let layer = CatchErrorLayer::new().with_lang(Lang::En);
    let answer = text(answer(layer, event_stream(body)).await).await;
    assert_eq!(answer, format!("data: 1\n\n{}", frame(&busy().with_lang(Lang::En))));
    assert!(answer.contains("a stream is already running"), "{answer}");
}

#[tokio::test]
async fn an_event_that_is_cut_is_dropped() {
    let body = ProbeBody::chunks(["data: 1\n\ndata: 2\n", "data: "]).then(Beat::Panic(CANARY));
    let seen = body.seen();
    let answer = answer(CatchErrorLayer::new(), event_stream(body)).await;
    let mut body = Box::pin(answer.into_body());
    assert_eq!(next(&mut body).await, "data: 1\n\n");
    assert_eq!(next(&mut body).await, frame(&Error::new(ErrorKind::System)));
    assert!(body.is_end_stream(), "nothing comes after the error");
    assert!(body.frame().await.is_none());
    assert!(seen.is_dropped() && seen.touches_after_panic() == 0);
}

#[tokio::test]
async fn an_event_too_long_to_hold_is_closed() {
    let long = format!("data: {}", "x".repeat(70_000));
    let body = ProbeBody::chunks([long.clone()]).then(Beat::Fail(busy().into()));
    let answer = text(answer(CatchErrorLayer::new(), event_stream(body)).await).await;
    assert_eq!(answer, format!("{long}\n\n{}", frame(&busy())));
}

#[tokio::test]
async fn a_stream_that_ends_in_mid_event_ends_as_it_does() {
    let trailers =
        HeaderMap::from_iter([(HeaderName::from_static("x-end"), HeaderValue::from_static("1"))]);
    for tail in [None, Some(Beat::Trailers(trailers.clone()))] {
        let had_trailers = tail.is_some();
        let mut body = ProbeBody::chunks(["data: 1\n\nda", "ta: 2"]);
        if let Some(tail) = tail {
            body = body.then(tail);
        }
        let answer = answer(CatchErrorLayer::new(), event_stream(body)).await;
        let (data, end, error) = read(answer).await;
        assert_eq!(data, "data: 1\n\ndata: 2");
        assert_eq!(end, had_trailers.then(|| trailers.clone()));
        assert!(error.is_none());
    }
}

#[tokio::test]
async fn after_trailers_only_the_body_can_fail() {
    for request in [request(), grpc_request()] {
        let body = ProbeBody::new([Beat::Trailers(HeaderMap::new()), Beat::Fail(busy().into())]);
        let answer = answer_to(request, CatchErrorLayer::new(), event_stream(body)).await;
        let (data, trailers, error) = read(answer).await;
        assert!(data.is_empty() && trailers.is_some());
        assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::StreamBusy));
    }
}

#[tokio::test]
async fn nothing_is_added_to_a_stream_of_announced_length_or_encoding() {
    for (name, value) in [(header::CONTENT_LENGTH, "99"), (header::CONTENT_ENCODING, "gzip")] {
        let body = ProbeBody::chunks(["data: 1\n\nda"]).then(Beat::Fail(busy().into()));
        let mut inner = with_type("text/event-stream", body);
        inner.headers_mut().insert(name, HeaderValue::from_static(value));
        let answer = answer(CatchErrorLayer::new(), Act::Answer(inner)).await;
        let (data, _, error) = read(answer).await;
        assert_eq!((data.as_str(), error.is_some()), ("data: 1\n\nda", true));
    }
}

#[tokio::test]
async fn an_event_stream_promises_no_length_and_no_early_end() {
    let body = ProbeBody::chunks(["data: ", "1"]).with_size_hint(SizeHint::with_exact(7));
    let answer = answer(CatchErrorLayer::new(), event_stream(body.with_end_known())).await;
    let mut body = Box::pin(answer.into_body());
    assert_eq!((body.size_hint().lower(), body.size_hint().upper()), (0, None));
    assert!(!body.is_end_stream());
    assert_eq!(next(&mut body).await, "data: ");
    assert!(!body.is_end_stream(), "one slice is still held");
    assert_eq!(next(&mut body).await, "1");
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
    assert!(body.frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_keep_alive_is_not_held_back() {
    let body = ProbeBody::chunks([": ping\n"]).then(Beat::Hang);
    let answer = answer(CatchErrorLayer::new(), event_stream(body)).await;
    let mut body = Box::pin(answer.into_body());
    let limit = std::time::Duration::from_secs(1);
    assert_eq!(tokio::time::timeout(limit, next(&mut body)).await.unwrap(), ": ping\n");
}

#[tokio::test]
async fn a_whole_event_passes_as_the_same_bytes() {
    let event = Bytes::from("data: 1\n\n".to_owned());
    let body = ProbeBody::chunks([event.clone()]);
    let answer = answer(CatchErrorLayer::new(), event_stream(body)).await;
    let mut body = Box::pin(answer.into_body());
    let passed = next(&mut body).await;
    assert_eq!(passed.as_ptr(), event.as_ptr());
}

/// Returns the bytes of `text` up to the end of the last complete event or comment, found the slow
/// way: line by line, and only over the text as a whole.
fn complete(text: &str) -> &str {
    let (mut at, mut end, mut is_open) = (0, 0, false);
    while let Some(length) = text[at..].find(['\r', '\n']) {
        let line = &text[at..at + length];
        at += length + if text[at + length..].starts_with("\r\n") { 2 } else { 1 };
        is_open = !line.is_empty() && (is_open || !line.starts_with(':'));
        if !is_open {
            end = at;
        }
    }
    &text[..end]
}

proptest! {
    #[test]
    fn prop_a_cut_stream_is_its_complete_events_and_one_frame(
        text in "((data: |id:|:|x|é)?[a:]{0,5}(\n|\r|\r\n|\n\n|\r\n\r\n|\r\r)){0,12}",
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..8),
        end in any::<proptest::sample::Index>(),
        panics in any::<bool>(),
    ) {
        // The stream fails at any byte, and comes in any chunks before.
        let sent = &text.as_bytes()[..end.index(text.len() + 1)];
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(sent.len() + 1)).collect();
        cuts.extend([0, sent.len()]);
        cuts.sort_unstable();
        let chunks = cuts.windows(2).map(|cut| Bytes::copy_from_slice(&sent[cut[0]..cut[1]]));
        let failure = if panics { Beat::Panic(CANARY) } else { Beat::Fail(CANARY.into()) };
        let body = ProbeBody::chunks(chunks).then(failure);

        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(async {
            let answer = answer(CatchErrorLayer::new(), event_stream(body)).await;
            answer.into_body().collect().await.unwrap().to_bytes()
        });
        let sent = String::from_utf8_lossy(sent);
        let expected = format!("{}{}", complete(&sent), frame(&Error::new(ErrorKind::System)));
        prop_assert_eq!(String::from_utf8_lossy(&answer), expected);
    }

    #[test]
    fn prop_a_whole_stream_passes_byte_for_byte(
        chunks in proptest::collection::vec("[a:\r\n]{0,6}|\n\n", 0..12),
    ) {
        let sent = chunks.concat();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(async {
            let body = ProbeBody::chunks(chunks);
            let answer = answer(CatchErrorLayer::new(), event_stream(body)).await;
            answer.into_body().collect().await.unwrap().to_bytes()
        });
        prop_assert_eq!(answer, sent);
    }
}
