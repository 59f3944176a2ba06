//! What passes, how, and what is told about it.

use http::{HeaderMap, HeaderValue, Method, Request, header, request::Parts};
use http_body::{Body as _, SizeHint};
use http_body_util::BodyExt as _;
use kimi_testkit::probe::{Beat, Probe, ProbeBody};
use kimi_tower::{
    facts::Facts,
    validate::{RequestBody, ValidateLayer},
};
use kimi_validate::{ChatRequest, Profile};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};
use tower_layer::Layer as _;

use super::{BAD, CHAT, GOOD, call, layer, post, stack};

/// Returns the request as the inner service gets it.
async fn passed(request: Request<ProbeBody>) -> Request<RequestBody<ProbeBody>> {
    let echo = service_fn(async |request: Request<RequestBody<ProbeBody>>| {
        Ok::<_, kimi_errors::BoxError>(request)
    });
    layer().layer(echo).oneshot(request).await.unwrap()
}

fn trailers() -> HeaderMap {
    [(header::EXPIRES, HeaderValue::from_static("0"))].into_iter().collect()
}

#[tokio::test]
async fn the_bytes_that_pass_are_those_that_came() {
    let spaced = format!(" {GOOD}\r\n");
    let pieces: Vec<_> = spaced.as_bytes().chunks(3).map(<[u8]>::to_vec).collect();
    for body in [ProbeBody::full(spaced.clone()), ProbeBody::chunks(pieces)] {
        let request = passed(post(body)).await;
        assert_eq!(request.body().size_hint().exact(), Some(spaced.len() as u64));
        assert!(!request.body().is_end_stream());
        assert_eq!(request.into_body().collect().await.unwrap().to_bytes(), spaced);
    }
}

#[tokio::test]
async fn a_body_of_one_frame_is_not_copied() {
    let bytes = bytes::Bytes::from(GOOD.to_owned());
    let request = passed(post(ProbeBody::chunks(["".into(), bytes.clone(), "".into()]))).await;
    let chat: &ChatRequest = request.extensions().get().unwrap();
    assert_eq!(chat.as_bytes().as_ptr(), bytes.as_ptr());
    let mut body = request.into_body();
    let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(frame.as_ptr(), bytes.as_ptr());
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn a_body_that_says_it_has_ended_is_not_asked_again() {
    let body = ProbeBody::full(GOOD);
    let seen = body.seen();
    passed(post(body)).await;
    assert_eq!(seen.polls(), 1);
}

#[tokio::test]
async fn trailers_pass_behind_the_data() {
    let body = ProbeBody::chunks([GOOD]).then(Beat::Yield).then(Beat::Trailers(trailers()));
    let mut body = passed(post(body)).await.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), GOOD);
    assert!(!body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
    assert_eq!(body.frame().await.unwrap().unwrap().into_trailers().unwrap(), trailers());
    assert!(body.is_end_stream());
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn trailers_in_two_frames_pass_in_one() {
    let more: HeaderMap = [(header::AGE, HeaderValue::from_static("1"))].into_iter().collect();
    let body = ProbeBody::chunks([GOOD]).then(Beat::Trailers(trailers()));
    let mut body = passed(post(body.then(Beat::Trailers(more)))).await.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), GOOD);
    let both = body.frame().await.unwrap().unwrap().into_trailers().unwrap();
    assert_eq!(
        (&both[header::EXPIRES], &both[header::AGE], both.len()),
        (&"0".parse().unwrap(), &"1".parse().unwrap(), 2)
    );
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn two_layers_check_one_request() {
    let (probe, seen) = Probe::new([]);
    let mut service = ServiceBuilder::new().layer(layer()).layer(layer()).service(probe);
    for body in [ProbeBody::full(GOOD), ProbeBody::chunks([GOOD]).then(Beat::Yield)] {
        call(&mut service, post(body)).await.unwrap();
    }
    assert_eq!((seen.calls(), seen.unready_calls()), (2, 0));
    assert!(seen.take_requests().iter().all(|request| request.body == GOOD));
}

#[tokio::test]
async fn a_request_that_is_not_selected_passes_untouched_and_unread() {
    for (method, path) in [
        (Method::GET, CHAT),
        (Method::HEAD, CHAT),
        (Method::OPTIONS, CHAT),
        (Method::POST, "/v1/models"),
        (Method::POST, "/v1/chat/completions/"),
    ] {
        let body = ProbeBody::chunks([BAD, BAD]).with_size_hint({
            let mut hint = SizeHint::new();
            hint.set_upper(1 << 60);
            hint.set_lower(1 << 50);
            hint
        });
        let seen = body.seen();
        let mut request = post(body);
        (*request.method_mut(), *request.uri_mut()) = (method, path.parse().unwrap());
        request.headers_mut().remove(header::CONTENT_TYPE);
        let facts = Facts::new();
        request.extensions_mut().insert(facts.clone());
        let request = passed(request).await;
        assert!(request.extensions().get::<ChatRequest>().is_none());
        assert!(!request.body().is_end_stream());
        assert_eq!((seen.polls(), seen.is_dropped()), (0, false));
        let hint = request.body().size_hint();
        assert_eq!((hint.lower(), hint.upper()), (1 << 50, Some(1 << 60)));
        let mut body = request.into_body();
        for _ in 0..2 {
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), BAD);
        }
        assert!(body.frame().await.is_none());
        assert_eq!(facts.messages(), None);
    }
    let empty = passed(Request::get(CHAT).body(ProbeBody::empty()).unwrap()).await;
    assert!(empty.body().is_end_stream(), "it knows what the body within knows");
}

#[tokio::test]
async fn who_selects_is_a_closure_too() {
    let (probe, seen) = Probe::new([]);
    let only = |head: &Parts| head.headers.contains_key("x-checked");
    let mut service = layer().with_select(only).layer(probe);
    assert!(call(&mut service, post(ProbeBody::full(BAD))).await.is_ok());
    let mut request = Request::put("/any").body(ProbeBody::full(BAD)).unwrap();
    *request.headers_mut() = post(()).into_parts().0.headers;
    request.headers_mut().insert("x-checked", HeaderValue::from_static(""));
    assert_eq!(call(&mut service, request).await.unwrap_err().status(), 400);
    assert_eq!(seen.calls(), 1);
}

#[tokio::test]
async fn without_the_check_any_content_type_passes() {
    for content_type in [None, Some("text/plain"), Some("application/json")] {
        let (mut service, _) = stack(&layer().without_content_type_check());
        let mut request = post(ProbeBody::full(GOOD));
        request.headers_mut().remove(header::CONTENT_TYPE);
        if let Some(value) = content_type {
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
        }
        assert!(call(&mut service, request).await.is_ok(), "{content_type:?}");
    }
}

#[tokio::test]
async fn the_chat_request_stands_in_the_extensions_and_the_facts_are_told() {
    for body in [ProbeBody::full(GOOD), ProbeBody::chunks([GOOD]).then(Beat::Yield)] {
        let facts = Facts::new();
        let mut request = post(body);
        request.extensions_mut().insert(facts.clone());
        let request = passed(request).await;
        let chat: &ChatRequest = request.extensions().get().unwrap();
        assert_eq!(chat.model().as_deref(), Some("kimi"));
        assert_eq!(chat.messages().len(), 1);
        assert_eq!((facts.model(), facts.is_stream()), (Some("kimi"), Some(false)));
        assert_eq!((facts.messages(), facts.has_conversation()), (Some(1), Some(false)));
    }
}

#[tokio::test]
async fn of_a_refused_request_no_fact_is_told() {
    let (mut service, _) = stack(&layer());
    let facts = Facts::new();
    let mut request = post(ProbeBody::full(BAD));
    request.extensions_mut().insert(facts.clone());
    call(&mut service, request).await.unwrap_err();
    assert_eq!((facts.model(), facts.messages()), (None, None));
}

#[tokio::test]
async fn the_model_in_the_facts_is_no_second_line_of_a_log() {
    let facts = Facts::new();
    let body = r#"{"model":"a\nb","messages":[{"role":"user","content":"x"}]}"#;
    let mut request = post(ProbeBody::full(body));
    request.extensions_mut().insert(facts.clone());
    passed(request).await;
    assert_eq!(facts.model(), Some("a\\nb"));
}

#[tokio::test]
async fn nothing_that_was_said_is_shown() {
    let secret = r#"{"model":"kimi","messages":[{"role":"user","content":"hunter2"}]}"#;
    let mut request = post(ProbeBody::full(secret));
    request.headers_mut().insert(header::AUTHORIZATION, HeaderValue::from_static("hunter2"));
    let mut slow = post(ProbeBody::chunks([secret]).then(Beat::Hang));
    slow.headers_mut().insert(header::AUTHORIZATION, HeaderValue::from_static("hunter2"));
    let (mut service, _) = stack(&layer());
    let reading = super::start(&mut service, slow).await;
    let called = super::start(&mut service, request).await;
    let refused = super::start(&mut service, post(ProbeBody::full(BAD))).await;
    let shown = format!("{reading:?} {called:?} {refused:?} {service:?}");
    assert!(shown.contains("Reading") && shown.contains("Called") && shown.contains("Refused"));
    let request = passed(post(ProbeBody::full(secret))).await;
    let shown = format!("{shown} {:?} {:?}", request.body(), request.extensions());
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn services_of_one_layer_share_its_profile() {
    let profile = std::sync::Arc::new(Profile::article());
    let layer = ValidateLayer::new(profile.clone());
    let before = std::sync::Arc::strong_count(&profile);
    let stack = || ServiceBuilder::new().layer(layer.clone()).service(Probe::new([]).0);
    let _services = [stack(), stack()];
    assert_eq!(std::sync::Arc::strong_count(&profile), before + 2);
}

/// Compiles only if they can be sent, shared and cloned.
#[test]
fn all_of_it_can_be_sent_and_shared() {
    fn shareable<T: Clone + Send + Sync + 'static>(_: &T) {}
    fn sendable<T: Send + Unpin + 'static>(_: &T) {}
    let (service, _) = stack(&layer());
    shareable(&layer());
    shareable(&service);
    shareable(&Facts::new());
    let mut service = service;
    sendable(&tower_service::Service::call(&mut service, post(ProbeBody::empty())));
}
