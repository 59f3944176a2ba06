//! What does not pass, and what is said about it.

use http::{HeaderValue, Request, StatusCode, header};
use http_body::SizeHint;
use http_body_util::BodyExt as _;
use kimi_errors::{BoxError, Dialect, Error, ErrorKind, Lang, chain};
use kimi_testkit::probe::{Beat, Probe, ProbeBody};
use kimi_tower::catch_error::CatchErrorLayer;
use kimi_validate::Violations;
use tower::{ServiceBuilder, ServiceExt};
use tower_service::Service as _;

use super::{BAD, GOOD, Slow, call, layer, post, refusal, rules, stack, up_to};

#[tokio::test]
async fn every_fault_is_named_with_its_place() {
    let refusal = refusal(&layer(), post(ProbeBody::full(BAD))).await;
    assert_eq!((refusal.errcode(), refusal.status()), (-1001, 400));
    assert_eq!(refusal.kind(), ErrorKind::Validation);
    let expected = [("/messages/0/role", "one_of"), ("/messages/0/content", "type")];
    assert_eq!(rules(&refusal), expected);
    let typed: Option<&Violations> = chain::find(&refusal);
    assert_eq!(typed.map(|it| it.as_slice().len()), Some(2));
    assert!(!format!("{refusal} {refusal:?} {:?}", refusal.data()).contains("hunter2"));
}

#[tokio::test]
async fn a_body_that_is_no_json_or_none_at_all_has_one_fault() {
    for (body, rule) in [
        (ProbeBody::empty(), "empty_body"),
        (ProbeBody::full(" "), "empty_body"),
        (ProbeBody::full("{"), "syntax"),
        (ProbeBody::chunks(["{}", "{}"]), "trailing_data"),
    ] {
        let refusal = refusal(&layer(), post(body)).await;
        assert_eq!(rules(&refusal), [("", rule)]);
        assert_eq!(refusal.status(), 400);
    }
}

#[tokio::test]
async fn a_body_that_does_not_call_itself_json_is_refused_unread() {
    for content_type in ["text/plain", "", "json", "application/x-www-form-urlencoded"] {
        let body = ProbeBody::full(GOOD);
        let seen = body.seen();
        let mut request = post(body);
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        let refusal = refusal(&layer(), request).await;
        assert_eq!(refusal.kind(), ErrorKind::UnsupportedMediaType, "{content_type}");
        assert_eq!((refusal.errcode(), refusal.status()), (-1001, 415));
        assert_eq!((seen.polls(), seen.is_dropped()), (0, true));
    }
    let mut request = post(ProbeBody::full(GOOD));
    request.headers_mut().remove(header::CONTENT_TYPE);
    assert_eq!(refusal(&layer(), request).await.status(), 415);
}

#[tokio::test]
async fn a_content_type_that_is_no_text_or_a_list_is_not_json() {
    for value in [&b"application/json\xe9"[..], b"\xff", b"application/json, application/json"] {
        let mut request = post(ProbeBody::full(GOOD));
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_bytes(value).unwrap());
        assert_eq!(refusal(&layer(), request).await.status(), 415);
    }
}

#[tokio::test]
async fn a_selection_that_panics_costs_one_request() {
    let (probe, seen) = Probe::new([]);
    let selects = |head: &http::request::Parts| match head.uri.path() {
        "/panic" => panic!("of the closure"),
        _ => true,
    };
    let mut service = ServiceBuilder::new()
        .layer(CatchErrorLayer::new())
        .layer(layer().with_select(selects))
        .concurrency_limit(1)
        .service(probe);
    for (path, status) in [("/panic", 500), ("/", 200), ("/panic", 500), ("/", 200)] {
        let mut request = post(ProbeBody::full(GOOD));
        *request.uri_mut() = path.parse().unwrap();
        let ready = ServiceExt::<Request<ProbeBody>>::ready(&mut service).await;
        let ready = ready.unwrap_or_else(|never| match never {});
        let answer = ready.call(request).await.unwrap_or_else(|never| match never {});
        assert_eq!(answer.status(), status, "{path}");
    }
    assert_eq!((seen.calls(), seen.unready_calls()), (2, 0));
}

#[tokio::test]
async fn a_compressed_body_is_refused_unread_and_told_what_is_understood() {
    for layer in [layer(), layer().without_content_type_check()] {
        let body = ProbeBody::full(GOOD);
        let seen = body.seen();
        let mut request = post(body);
        request.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        let refusal = refusal(&layer, request).await;
        assert_eq!(refusal.kind(), ErrorKind::UnsupportedMediaType);
        assert_eq!(refusal.headers()[header::ACCEPT_ENCODING], "identity");
        assert_eq!(seen.polls(), 0);
    }
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_refused_unread() {
    let layer = up_to(GOOD.len());
    let announced = SizeHint::with_exact(GOOD.len() as u64 + 1);
    let by_its_hint = ProbeBody::full(GOOD).with_size_hint(announced);
    let by_its_head = ProbeBody::chunks([GOOD]);
    let long = HeaderValue::from(GOOD.len() + 1);
    for (body, content_length) in [(by_its_hint, None), (by_its_head, Some(long))] {
        let seen = body.seen();
        let mut request = post(body);
        if let Some(length) = content_length {
            request.headers_mut().insert(header::CONTENT_LENGTH, length);
        }
        let refusal = refusal(&layer, request).await;
        assert_eq!(refusal.kind(), ErrorKind::PayloadTooLarge);
        assert_eq!((refusal.errcode(), refusal.status()), (-1001, 413));
        assert_eq!(rules(&refusal), [("", "body_bytes")]);
        assert_eq!(seen.polls(), 0);
    }
}

#[tokio::test]
async fn a_body_that_grows_too_large_is_cut_at_the_first_byte_too_many() {
    let layer = up_to(GOOD.len());
    let spaces = |count| "    ".repeat(count);
    for (body, polls) in [
        (ProbeBody::chunks([GOOD, "", "\n", "never", "read"]), 3),
        (ProbeBody::chunks([spaces(1_000)]).then(Beat::Hang), 1),
        (ProbeBody::chunks([GOOD]).then(Beat::Yield).then(Beat::Data(" ".into())), 3),
        // A liar, too.
        (ProbeBody::chunks([GOOD, " "]).with_size_hint(SizeHint::with_exact(9)), 2),
    ] {
        let seen = body.seen();
        let refusal = refusal(&layer, post(body.then(Beat::Panic("read on")))).await;
        assert_eq!(refusal.kind(), ErrorKind::PayloadTooLarge);
        assert_eq!(rules(&refusal), [("", "body_bytes")]);
        assert_eq!((seen.polls(), seen.is_dropped()), (polls, true));
    }
    // To the byte: as much as is allowed passes.
    let (mut service, _) = stack(&layer);
    assert!(call(&mut service, post(ProbeBody::chunks([&GOOD[..9], &GOOD[9..]]))).await.is_ok());
}

#[tokio::test]
async fn a_body_that_breaks_tells_whose_fault_it_is() {
    use std::io;

    let io = |kind: io::ErrorKind| BoxError::from(io::Error::from(kind));
    for (error, expected) in [
        (io(io::ErrorKind::UnexpectedEof), ErrorKind::Cancelled),
        (io(io::ErrorKind::ConnectionReset), ErrorKind::Cancelled),
        ("hunter2".into(), ErrorKind::Validation),
        (Error::new(ErrorKind::Timeout).into(), ErrorKind::Timeout),
    ] {
        for is_slow in [false, true] {
            let error = match error.downcast_ref::<io::Error>() {
                Some(error) => io(error.kind()),
                None if expected == ErrorKind::Timeout => Error::new(expected).into(),
                None => "hunter2".into(),
            };
            let body = ProbeBody::chunks(["{"]);
            let body = if is_slow { body.then(Beat::Yield) } else { body };
            let refusal = refusal(&layer(), post(body.then(Beat::Fail(error)))).await;
            assert_eq!(refusal.kind(), expected);
            assert!(!refusal.to_string().contains("hunter2"));
        }
    }
}

#[tokio::test]
async fn a_body_that_ends_before_what_it_announced_was_cut() {
    // As hyper ends the body of a stream that an HTTP/2 client has reset.
    let hint = SizeHint::with_exact(GOOD.len() as u64 + 1);
    for body in [ProbeBody::chunks([GOOD]), ProbeBody::chunks([GOOD]).then(Beat::Yield)] {
        let refusal = refusal(&layer(), post(body.with_size_hint(hint))).await;
        assert_eq!(refusal.kind(), ErrorKind::Cancelled);
    }
}

#[tokio::test]
async fn refusals_speak_the_layers_language() {
    let layer = up_to(64).with_lang(Lang::En);
    let (mut plain, mut long) = (post(ProbeBody::full("{}")), post(ProbeBody::full(GOOD)));
    plain.headers_mut().remove(header::CONTENT_TYPE);
    long.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("65"));
    let grows = post(ProbeBody::chunks([" ".repeat(65)]));
    let grows_late = post(ProbeBody::new([Beat::Yield, Beat::Data(" ".repeat(65).into())]));
    let gone = post(ProbeBody::new([Beat::Yield, Beat::Fail("gone".into())]));
    for request in [plain, long, grows, grows_late, gone, post(ProbeBody::full("{"))] {
        let refusal = refusal(&layer, request).await;
        assert!(refusal.message().is_ascii(), "{refusal}");
        assert!(!format!("{:?}", refusal.data()).contains('：'), "{refusal}");
    }
}

#[tokio::test]
async fn a_refusal_is_answered_in_every_dialect() {
    for dialect in Dialect::ALL.iter().copied() {
        let (probe, seen) = Probe::new([]);
        let service = ServiceBuilder::new()
            .layer(CatchErrorLayer::new().with_dialect(dialect))
            .layer(layer())
            .service(probe);
        for is_slow in [false, true] {
            let refused = refusal(&layer(), post(ProbeBody::full(BAD))).await;
            let body = ProbeBody::full(BAD);
            let answer = if is_slow {
                service.clone().oneshot(post(Slow::new(body))).await
            } else {
                service.clone().oneshot(post(body)).await
            };
            let answer = answer.unwrap_or_else(|never| match never {});
            let status =
                if dialect == Dialect::FreeApi { StatusCode::OK } else { StatusCode::BAD_REQUEST };
            assert_eq!(answer.status(), status, "{dialect}");
            let found: Option<&Error> = answer.extensions().get();
            assert_eq!(found.map(Error::kind), Some(ErrorKind::Validation));
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body, dialect.body(&refused), "{dialect}");
        }
        assert_eq!(seen.calls(), 0);
    }
}
