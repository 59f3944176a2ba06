//! `catch_error` outside of `raise_error`: every known error of an upstream, however it comes, is
//! answered in our own dialect.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use kimi_errors::{Dialect, Error, ErrorKind, Lang, decode, decode_event};
use kimi_testkit::{
    mock::Mock,
    script::{Fault, Step},
};
use kimi_tower::{catch_error::CatchErrorLayer, raise_error::RaiseErrorLayer};
use tower::{ServiceBuilder, ServiceExt as _};

/// An answer that has been read to its end.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

fn request() -> http::request::Builder {
    Request::post("/v1/chat/completions").header("authorization", "Bearer sk-test")
}

fn question(stream: bool) -> Full<Bytes> {
    let hello = r#""messages":[{"role":"user","content":"Hello"}]"#;
    Full::from(format!(r#"{{"model":"kimi-k3","stream":{stream},{hello}}}"#))
}

/// What a caller of a gateway reads.
async fn through(dialect: Dialect, mock: &Mock, request: Request<Full<Bytes>>) -> Answer {
    let stack = ServiceBuilder::new()
        // Writes the errors that the next one raises.
        .layer(CatchErrorLayer::new().with_dialect(dialect))
        .layer(RaiseErrorLayer::new())
        .service(mock.clone());
    let answer = stack.oneshot(request).await.unwrap_or_else(|never| match never {});
    let (head, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: head.status, headers: head.headers, body }
}

/// What the upstream itself says.
async fn of(mock: &Mock, request: Request<Full<Bytes>>) -> Answer {
    let (head, body) = mock.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: head.status, headers: head.headers, body }
}

fn assert_is(answer: &Answer, dialect: Dialect, error: &Error, context: &str) {
    // A kind's own text is in the language of the layer, whichever the upstream had.
    let expected = dialect.response(&error.clone().with_lang(Lang::Zh));
    assert_eq!(answer.status, expected.status(), "{context} {dialect}");
    assert_eq!(answer.body, expected.body(), "{context} {dialect}");
    for (name, value) in expected.headers() {
        assert_eq!(answer.headers.get(name), Some(value), "{context} {dialect} {name}");
    }
}

/// An answer that says nothing wrong until it ends without its end.
fn is_cut(id: &str) -> bool {
    id == "plat.truncated_stream"
}

#[tokio::test]
async fn every_error_is_answered_in_every_dialect() {
    let mock = Mock::platform();
    let mut raised = 0;
    for fault in Fault::all() {
        let asked = |stream| {
            let request = request().header("x-mock-fault", fault.id());
            request.body(question(stream)).unwrap()
        };
        for stream in [false, true] {
            let said = of(&mock, asked(stream)).await;
            let error = decode(said.status, &said.headers, &said.body);
            for dialect in Dialect::ALL.iter().copied() {
                let answer = through(dialect, &mock, asked(stream)).await;
                match &error {
                    // In the first event, or the whole answer.
                    Some(error)
                        if !answer.body.starts_with(b"data: {\"id\"")
                            && !answer.body.starts_with(b"data: {\"event\"") =>
                    {
                        assert_is(&answer, dialect, error, fault.id());
                        raised += 1;
                    }
                    _ => assert_ends_with_an_error(&answer, dialect, fault.id()),
                }
            }
        }
    }
    assert!(raised > 4 * Fault::all().len(), "{raised}");
}

/// The answer began well, and its last event is an error in the dialect.
fn assert_ends_with_an_error(answer: &Answer, dialect: Dialect, id: &str) {
    let text = str::from_utf8(&answer.body).unwrap();
    assert_eq!(answer.status, 200, "{id}: {text}");
    let at = text.trim_end().rfind("\n\n").map_or(0, |at| at + 2);
    let error = decode_event(text[at..].trim().trim_start_matches("data: ").as_bytes()).unwrap();
    assert_eq!(&text.as_bytes()[at..], dialect.sse_frame(&error), "{id}");
    if is_cut(id) {
        assert_eq!(error.kind(), ErrorKind::StreamTruncated);
    }
}

#[tokio::test]
async fn every_error_with_status_200_is_answered_in_every_dialect() {
    let mut raised = 0;
    for fault in Fault::all() {
        let said = fault.answer(false);
        let content_type = said.headers.iter().find(|(name, _)| *name == "content-type").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_str(&content_type.1).unwrap());
        let Some(error) = decode(StatusCode::OK, &headers, &said.body) else { continue };
        if content_type.1 == "text/event-stream" {
            // Its own form, which the test above has.
            continue;
        }
        for dialect in Dialect::ALL.iter().copied() {
            let mock = Mock::platform();
            mock.push(Step::raw(200, &content_type.1, &said.body)).unwrap();
            let answer = through(dialect, &mock, request().body(question(false)).unwrap()).await;
            assert_is(&answer, dialect, &error, fault.id());
        }
        raised += 1;
    }
    // The rest is a stream, or says nothing that is an error under a good status.
    assert!(raised > 150, "{raised}");
}

#[tokio::test]
async fn every_error_as_the_first_event_is_answered_in_every_dialect() {
    let mut raised = 0;
    for fault in Fault::all() {
        for dialect in Dialect::ALL.iter().copied() {
            let mock = || {
                let mock = Mock::platform();
                mock.push(Step::ok().with_sse_error(0, fault.id())).unwrap();
                mock
            };
            let asked = || request().body(question(true)).unwrap();
            let said = of(&mock(), asked()).await;
            let error = decode(said.status, &said.headers, &said.body);
            let answer = through(dialect, &mock(), asked()).await;
            match error {
                Some(error) => {
                    assert_is(&answer, dialect, &error, fault.id());
                    raised += 1;
                }
                None => assert_ends_with_an_error(&answer, dialect, fault.id()),
            }
        }
    }
    assert!(raised * 10 > Fault::all().len() * 4 * 9, "{raised}");
}

#[tokio::test]
async fn every_error_in_mid_stream_is_the_last_event_in_every_dialect() {
    let mut unsaid = 0;
    for fault in Fault::all() {
        for dialect in Dialect::ALL.iter().copied() {
            for split in [1, 1000] {
                let mock = Mock::platform();
                let step = Step::ok().with_content("Hello there").with_sse_error(2, fault.id());
                mock.push(step.with_split(split)).unwrap();
                let asked = || request().body(question(true)).unwrap();
                let answer = through(dialect, &mock, asked()).await;

                let same = Mock::platform();
                let step = Step::ok().with_content("Hello there").with_sse_error(2, fault.id());
                same.push(step).unwrap();
                let said = of(&same, asked()).await.body;
                let said = str::from_utf8(&said).unwrap();
                let at = said.trim_end().rfind("\n\n").unwrap() + 2;
                let data = said[at..].trim().trim_start_matches("data: ");
                let (at, error) = match decode_event(data.as_bytes()) {
                    Some(error) => (at, error),
                    // No error by itself; but no end of a stream either.
                    None => (said.len(), Error::new(ErrorKind::StreamTruncated)),
                };
                unsaid += usize::from(at == said.len());
                let frame = dialect.sse_frame(&error.with_lang(Lang::Zh));
                let expected = [&said.as_bytes()[..at], &frame].concat();
                let read = String::from_utf8_lossy(&answer.body);
                assert_eq!(read, String::from_utf8_lossy(&expected), "{} {dialect}", fault.id());
            }
        }
    }
    assert!(unsaid <= 8 * 5, "{unsaid}");
}
