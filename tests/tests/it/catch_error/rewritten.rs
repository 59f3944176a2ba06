//! Answers that stand for an error.

use http::{HeaderValue, Response, StatusCode, Version, header};
use http_body::Body as _;
use kimi_errors::{Dialect, Error};
use kimi_testkit::probe::{Act, ProbeBody};
use kimi_tower::catch_error::CatchErrorLayer;

use super::{
    CANARY, answer, answer_to, busy, error_in, grpc_request, head_request, request, text, with_type,
};

#[tokio::test]
async fn an_error_in_the_extensions_is_written_anew_and_its_head_fields_stay() {
    let mut inner = Dialect::OpenAi.response(&busy()).map(ProbeBody::full);
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::CONTENT_LENGTH, "7"),
        (header::CONTENT_ENCODING, "gzip"),
        (header::ETAG, "\"x\""),
    ] {
        inner.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let body_seen = inner.body().seen();
    let layer = CatchErrorLayer::new().with_dialect(Dialect::FreeApi);
    let answer = answer(layer, Act::Answer(inner)).await;
    assert!(body_seen.is_dropped() && body_seen.polls() == 0, "the old body is not read");
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    for gone in [header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::ETAG] {
        assert!(!answer.headers().contains_key(&gone), "{gone}");
    }
    let expected = r#"{"code":-2005,"message":"已有对话流正在输出","data":null}"#;
    assert_eq!(text(answer).await, expected);
}

#[tokio::test]
async fn foreign_answers_become_ours_and_keep_status_and_fields() {
    for (status, code) in [
        (400, -1001),
        (401, -2002),
        (403, -2000),
        (404, -1002),
        (405, -1002),
        (406, -1001),
        (408, -2001),
        (413, -1001),
        (415, -1001),
        (422, -1001),
        (429, -2001),
        (500, -1000),
        (502, -2001),
        (503, -2001),
        (504, -2001),
        (599, -1000),
    ] {
        let mut inner = with_type("text/html; charset=utf-8", ProbeBody::full(CANARY));
        *inner.status_mut() = StatusCode::from_u16(status).unwrap();
        let kept = [
            (header::ALLOW, "GET, POST"),
            (header::RETRY_AFTER, "7"),
            (header::WWW_AUTHENTICATE, "Bearer"),
        ];
        for (name, value) in kept.clone() {
            inner.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        let answer = answer(CatchErrorLayer::new(), Act::Answer(inner)).await;
        assert_eq!(answer.status(), status);
        for (name, value) in kept {
            assert_eq!(answer.headers()[name], value);
        }
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/json");
        assert_eq!(error_in(&answer).map(Error::status), Some(status));
        let body = text(answer).await;
        assert!(body.starts_with(&format!(r#"{{"errcode":{code},"#)), "{status}: {body}");
        assert!(!body.contains(CANARY));
    }
}

#[tokio::test]
async fn what_is_not_foreign_passes_as_it_is() {
    let plain = "text/plain";
    let cases = [
        (request(), CatchErrorLayer::new(), 404, "application/problem+json"),
        (request(), CatchErrorLayer::new(), 500, "text/event-stream"),
        (request(), CatchErrorLayer::new(), 302, plain),
        (request(), CatchErrorLayer::new().without_normalization(), 404, plain),
    ];
    for (request, layer, status, content_type) in cases {
        let mut inner = with_type(content_type, ProbeBody::full("theirs"));
        *inner.status_mut() = StatusCode::from_u16(status).unwrap();
        let answer = answer_to(request, layer, Act::Answer(inner)).await;
        assert_eq!(answer.status(), status);
        assert!(error_in(&answer).is_none());
        assert_eq!(text(answer).await, "theirs", "{status} {content_type}");
    }
}

#[tokio::test]
async fn a_foreign_answer_to_head_gets_our_head() {
    let mut inner = with_type("text/html", ProbeBody::empty());
    *inner.status_mut() = StatusCode::NOT_FOUND;
    inner.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("1234"));
    let answer = answer_to(head_request(), CatchErrorLayer::new(), Act::Answer(inner)).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let get = r#"{"errcode":-1002,"errmsg":"无匹配的路由","data":null}"#;
    assert_eq!(answer.headers()[header::CONTENT_LENGTH], get.len().to_string().as_str());
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/json");
    assert!(answer.body().is_end_stream());
    assert_eq!(text(answer).await, "");
}

/// All that a cache or a client would obey although the status it was meant for is gone.
const OF_THE_STATUS: [(&str, &str); 10] = [
    ("age", "30"),
    ("cache-control", "public, max-age=600"),
    ("cdn-cache-control", "max-age=600"),
    ("expires", "Thu, 01 Dec 2044 16:00:00 GMT"),
    ("location", "/login"),
    ("pragma", "public"),
    ("refresh", "5"),
    ("surrogate-control", "max-age=600"),
    ("warning", "110 - stale"),
    ("x-accel-expires", "600"),
];

fn cached(status: StatusCode, error: Option<Error>) -> Response<ProbeBody> {
    let mut response = with_type("text/html", ProbeBody::full("theirs"));
    *response.status_mut() = status;
    if let Some(error) = error {
        response.extensions_mut().insert(error);
    }
    for (name, value) in OF_THE_STATUS.into_iter().chain([("vary", "origin")]) {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[tokio::test]
async fn no_cache_keeps_an_error_under_another_status() {
    let free = CatchErrorLayer::new().with_dialect(Dialect::FreeApi);
    for (request, error) in [
        (request(), None),
        (request(), Some(busy())),
        (head_request(), None),
        (grpc_request(), None),
    ] {
        let is_grpc = request.version() == Version::HTTP_2;
        let inner = cached(StatusCode::NOT_FOUND, error);
        let answer = answer_to(request, free, Act::Answer(inner)).await;
        assert_eq!(answer.status(), StatusCode::OK);
        for (name, _) in OF_THE_STATUS {
            let no_store = (name == "cache-control" && !is_grpc).then_some("no-store");
            assert_eq!(answer.headers().get(name).map(|value| value.to_str().unwrap()), no_store);
        }
        assert_eq!(answer.headers()[header::VARY], "origin");
    }
    let refusal = answer(free, Act::Fail(busy().into())).await;
    assert_eq!(refusal.headers()[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn what_an_error_says_of_caches_goes_before_no_store() {
    let private = HeaderValue::from_static("private, max-age=1");
    let error = busy().with_header(header::CACHE_CONTROL, private.clone());
    let free = CatchErrorLayer::new().with_dialect(Dialect::FreeApi);
    let answer = answer(free, Act::Answer(cached(StatusCode::CONFLICT, Some(error)))).await;
    assert_eq!(answer.headers()[header::CACHE_CONTROL], private);
}

#[tokio::test]
async fn an_error_that_keeps_its_status_keeps_what_caches_were_told() {
    for (error, stays) in [(None, true), (Some(busy()), false)] {
        let inner = cached(StatusCode::NOT_FOUND, error);
        let answer = answer(CatchErrorLayer::new(), Act::Answer(inner)).await;
        assert_eq!(answer.status(), if stays { 404 } else { 429 });
        for (name, _) in OF_THE_STATUS {
            assert_eq!(answer.headers().contains_key(name), stays, "{name}");
        }
    }
}
