//! What happens to a body whose head has passed.

use bytes::Bytes;
use http::{HeaderMap, Method, header};
use http_body::{Body as _, SizeHint};
use http_body_util::BodyExt as _;
use kimi_errors::{Error, ErrorKind, chain};
use kimi_testkit::probe::{Beat, ProbeBody};
use kimi_tower::raise_error::{Interrupted, RaiseErrorLayer, StreamEnd};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::{ERROR, EVENTS, JSON, answer, pieces, position, raised, read, send, send_by, value};

fn events(body: ProbeBody) -> http::Response<ProbeBody> {
    answer(200, EVENTS, body)
}

#[tokio::test]
async fn an_error_event_ends_the_stream_with_that_error() {
    let text = format!(": hb\n\ndata: 1\n\ndata: 2\n\n{ERROR}\n\ndata: 3\n\n");
    for size in [1, 2, 5, 1000] {
        let body = ProbeBody::chunks(pieces(text.as_bytes(), size)).then(Beat::Hang);
        let seen = body.seen();
        let (data, error) = read(send(events(body)).await.unwrap()).await;
        let error = error.unwrap();
        assert_eq!(String::from_utf8(data).unwrap(), ": hb\n\ndata: 1\n\ndata: 2\n\n");
        assert_eq!((error.kind(), position(&error)), (ErrorKind::Overloaded, (24, 2)));
        assert!(seen.is_dropped(), "nobody wants the rest");
    }
}

#[tokio::test]
async fn a_stream_without_its_end_was_cut() {
    for text in ["data: 1\n\n", "data: 1\n\ndata: [DON", "data: 1\n\n: ping\n", "data: 1\n\nda"] {
        let (data, error) = read(send(events(ProbeBody::full(text))).await.unwrap()).await;
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::StreamTruncated, "{text:?}");
        assert_eq!(position(&error), (data.len() as u64, 1));
    }
}

#[tokio::test]
async fn each_of_the_three_ends_is_one() {
    for end in [
        "data: [DONE]\n\n",
        "data:[DONE]",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        "data: {\"event\":\"all_done\"}\n\n",
    ] {
        let text = format!("data: 1\n\n{end}");
        let (data, error) = read(send(events(ProbeBody::full(text.clone()))).await.unwrap()).await;
        assert_eq!((String::from_utf8(data).unwrap(), error.is_none()), (text, true));
    }
}

#[tokio::test]
async fn where_no_end_is_required_any_event_may_be_the_last() {
    let layer = RaiseErrorLayer::new().with_stream_end(StreamEnd::Optional);
    for (text, is_whole) in
        [("data: 1\n\n", true), (": ping", true), ("", true), ("data: 1\n\ndata: 2\n", false)]
    {
        let sent = send_by(layer, Method::POST, events(ProbeBody::full(text))).await;
        let (data, error) = read(sent.unwrap()).await;
        assert_eq!(error.is_none(), is_whole, "{text:?}");
        assert_eq!(data, if is_whole { text } else { "data: 1\n\n" }.as_bytes());
    }
    let body = ProbeBody::chunks(["data: 1\n\n"]).then(Beat::Fail("broken".into()));
    let sent = send_by(layer, Method::POST, events(body)).await.unwrap();
    assert_eq!(read(sent).await.1.unwrap().kind(), ErrorKind::StreamTruncated);
}

#[tokio::test]
async fn a_body_that_fails_says_where_and_why() {
    for (content_type, first) in [(EVENTS, "data: 1\n\n"), ("text/plain", "123456789")] {
        let body = ProbeBody::chunks([first]).then(Beat::Fail("the reason".into()));
        let (data, error) = read(send(answer(200, content_type, body)).await.unwrap()).await;
        let error = error.unwrap();
        assert_eq!((data.len(), error.kind()), (9, ErrorKind::StreamTruncated));
        let interrupted: &Interrupted = chain::find(&error).unwrap();
        let cause = std::error::Error::source(interrupted).unwrap();
        assert_eq!(cause.to_string(), "the reason");
        assert_eq!(position(&error), (9, u64::from(content_type == EVENTS)));
    }
}

#[tokio::test]
async fn a_body_that_fails_with_an_error_of_ours_keeps_it() {
    let busy = Error::new(ErrorKind::StreamBusy).with_request_id("r-1");
    let body = ProbeBody::chunks(["data: 1\n\n"]).then(Beat::Fail(busy.into()));
    let error = read(send(events(body)).await.unwrap()).await.1.unwrap();
    assert_eq!((error.kind(), error.request_id()), (ErrorKind::StreamBusy, Some("r-1")));
    assert_eq!(position(&error), (9, 1));
}

#[tokio::test]
async fn what_breaks_after_the_end_of_a_stream_is_of_no_matter() {
    for end in ["data: [DONE]\n\n", "data: [DONE]\n", "data: [DONE]"] {
        let body = ProbeBody::chunks(["data: 1\n\n", end]).then(Beat::Fail("broken".into()));
        let (data, error) = read(send(events(body)).await.unwrap()).await;
        assert_eq!((data.len(), error.is_none()), (9 + end.len(), true), "{end:?}");
    }
}

#[tokio::test]
async fn a_body_shorter_than_announced_was_cut() {
    let short = |content_type, length| {
        let body = ProbeBody::chunks([r#"{"choices":[]}"#]);
        let mut inner = answer(200, content_type, body);
        inner.headers_mut().insert(header::CONTENT_LENGTH, value(length));
        inner
    };
    let error = raised(short(JSON, "15")).await;
    assert_eq!((error.kind(), position(&error)), (ErrorKind::BadGateway, (0, 0)));
    let error = read(send(short("text/plain", "15")).await.unwrap()).await.1.unwrap();
    assert_eq!((error.kind(), position(&error)), (ErrorKind::StreamTruncated, (14, 0)));
    for content_type in [JSON, "text/plain"] {
        assert!(read(send(short(content_type, "14")).await.unwrap()).await.1.is_none());
    }
}

#[tokio::test]
async fn frames_of_json_are_not_measured_as_json() {
    // The length of the first frame is a quote, if it is read as text.
    let frames = b"\0\0\0\0\x22{\"message\":{\"text\":\"Hello there\"}}\x02\0\0\0\x02{}";
    let body = ProbeBody::chunks([&frames[..]]);
    let (data, error) =
        read(send(answer(200, "application/connect+json", body)).await.unwrap()).await;
    assert_eq!((data.as_slice(), error.is_none()), (&frames[..], true));
}

#[tokio::test]
async fn trailers_pass_behind_a_whole_stream_only() {
    let trailers = HeaderMap::from_iter([(header::ETAG, value("1"))]);
    for (text, is_whole) in [("data: 1\n\ndata: [DONE]", true), ("data: 1\n\ndata: 2", false)] {
        let body = ProbeBody::chunks([text]).then(Beat::Trailers(trailers.clone()));
        let answer = send(events(body)).await.unwrap();
        match answer.into_body().collect().await {
            Ok(whole) => assert_eq!((whole.trailers(), is_whole), (Some(&trailers), true)),
            Err(error) => {
                assert_eq!((error.kind(), is_whole), (ErrorKind::StreamTruncated, false));
            }
        }
    }
}

#[tokio::test]
async fn a_whole_event_is_neither_copied_nor_kept() {
    let event = Bytes::from("data: 1\n\n".to_owned());
    let body = ProbeBody::chunks([event.clone()]).then(Beat::Hang);
    let mut body = send(events(body)).await.unwrap().into_body();
    let passed = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(passed.as_ptr(), event.as_ptr());
}

#[tokio::test]
async fn size_and_end_are_those_of_what_is_to_come() {
    let body = ProbeBody::chunks(["data: 1\n\nda", "ta: [DONE]\n\n"]);
    let body = body.with_size_hint(SizeHint::with_exact(23)).with_end_known();
    let mut body = send(events(body)).await.unwrap().into_body();
    let mut left = 23;
    while left > 0 {
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(left), false));
        left -= body.frame().await.unwrap().unwrap().into_data().unwrap().len() as u64;
    }
    assert!(body.is_end_stream());

    let cut = ProbeBody::full("data: 1\n\n");
    let mut body = send(events(cut)).await.unwrap().into_body();
    assert!(body.frame().await.unwrap().is_ok());
    assert!(!body.is_end_stream(), "there is an error to come");
    assert!(body.frame().await.unwrap().is_err());
    assert!(body.is_end_stream() && body.frame().await.is_none());
}

/// One part of a stream: an event, a comment, an error, the end, or half of something.
const PARTS: [&str; 14] = [
    "data: {\"choices\":[]}\n\n",
    "data: 1\r\n\r\n",
    "data:2\r\r",
    "event: x\ndata: 1\ndata: 2\n\n",
    ": ping\n",
    ":\r",
    "\n",
    "\r\n",
    "data: [DONE]\n\n",
    "data: {\"event\":\"all_done\"}\r\n\r\n",
    "data: {\"errcode\":-2005,\"errmsg\":\"x\"}\n\n",
    "event: error\ndata: oops\n\n",
    "data: {\"err",
    "id: 1",
];

proptest! {
    #[test]
    fn prop_chunks_change_neither_the_outcome_nor_what_passed_before_it(
        parts in proptest::collection::vec(0..PARTS.len(), 0..8),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..12),
        breaks in any::<bool>(),
        optional in any::<bool>(),
    ) {
        let text: String = parts.iter().map(|part| PARTS[*part]).collect();
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let chunks: Vec<_> =
            cuts.windows(2).map(|cut| Bytes::copy_from_slice(&text.as_bytes()[cut[0]..cut[1]])).collect();

        let end = if optional { StreamEnd::Optional } else { StreamEnd::Required };
        let layer = RaiseErrorLayer::new().with_stream_end(end);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let outcome = |chunks: Vec<Bytes>| runtime.block_on(async {
            let mut body = ProbeBody::chunks(chunks);
            if breaks {
                body = body.then(Beat::Fail("broken".into()));
            }
            match send_by(layer, Method::POST, events(body)).await {
                Ok(answer) => {
                    let (data, error) = read(answer).await;
                    let position = error.as_ref().map(position);
                    (true, data, error.map(|it| it.kind()), position)
                }
                Err(error) => (false, Vec::new(), Some(error.kind()), None),
            }
        });
        let whole = outcome(vec![Bytes::from(text.clone())]);
        prop_assert_eq!(&outcome(chunks), &whole);
        prop_assert_eq!(&outcome(pieces(text.as_bytes(), 1)), &whole);
        prop_assert!(text.as_bytes().starts_with(&whole.1));
        if whole.2.is_none() {
            prop_assert_eq!(whole.1, text.into_bytes());
        }
    }
}
