//! Where a request gets its token, and what of it is left alone.

use std::{pin::pin, sync::Arc};

use http::{HeaderValue, Request, header::AUTHORIZATION};
use http_body_util::BodyExt as _;
use kimi_errors::ErrorKind;
use kimi_testkit::probe::{Act, Probe, ProbeBody, Readiness, SeenRequest};
use kimi_tower::token::{StaticToken, Token, TokenCache, TokenLayer};
use tower::ServiceExt;
use tower_layer::Layer as _;
use tower_service::Service as _;

use super::{HOUR, Numbered, SECOND, answer, chat, error, refusal};
use crate::woken::{Woken, poll};

fn credential(request: &SeenRequest) -> &str {
    request.head.headers[AUTHORIZATION].to_str().unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_request_is_sent_with_the_token_as_a_sensitive_field() {
    let provider = Numbered::new();
    let (probe, seen) = Probe::new([]);
    let service = TokenLayer::new(provider.cache()).layer(probe);
    for _ in 0..2 {
        service.clone().oneshot(chat()).await.unwrap();
    }
    for request in seen.take_requests() {
        assert_eq!(credential(&request), "Bearer T1");
        assert!(request.head.headers[AUTHORIZATION].is_sensitive());
    }
    assert_eq!((provider.fetches(), seen.unready_calls()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_caller_s_own_credential_is_left_alone_and_so_is_its_refusal() {
    let provider = Numbered::new();
    let own = || {
        let mut request = chat();
        request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_static("Bearer own"));
        request
    };
    let (probe, seen) = Probe::new([refusal()]);
    let layer = TokenLayer::new(provider.cache());
    let refused = layer.layer(probe).oneshot(own()).await.unwrap();
    assert_eq!(refused.status(), 401);
    let requests = seen.take_requests();
    assert_eq!((requests.len(), credential(&requests[0])), (1, "Bearer own"));
    assert_eq!(provider.fetches(), 0);

    // Unless told: then nothing of it is sent.
    let (probe, seen) = Probe::new([refusal()]);
    let passed = layer.replacing().layer(probe).oneshot(own()).await.unwrap();
    assert_eq!(passed.status(), 200);
    let requests = seen.take_requests();
    assert_eq!(requests.iter().map(credential).collect::<Vec<_>>(), ["Bearer T1", "Bearer T2"]);
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_the_first_token_and_holds_no_readiness_meanwhile() {
    let provider = Numbered::new().taking(SECOND);
    let (probe, seen) = Probe::new([]);
    let mut service = TokenLayer::new(provider.cache()).layer(probe);
    ServiceExt::<Request<ProbeBody>>::ready(&mut service).await.unwrap();
    let waits = service.call(chat());
    // What was polled ready is not: whoever calls next has to ask anew.
    let polls = seen.polls_ready();
    waits.await.unwrap();
    assert_eq!((seen.polls_ready(), seen.unready_calls()), (polls + 1, 0));
    ServiceExt::<Request<ProbeBody>>::ready(&mut service).await.unwrap();
    service.call(chat()).await.unwrap();
    assert_eq!((seen.calls(), seen.unready_calls()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn without_a_token_the_request_is_not_sent_and_fails_with_the_reason() {
    let provider = Numbered::new();
    provider.fail(1);
    let (probe, seen) = Probe::new([]);
    let service = TokenLayer::new(provider.cache()).layer(probe);
    // The first waits for it in the future; the second is told at once.
    for _ in 0..2 {
        let error = service.clone().oneshot(chat()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
    assert_eq!((seen.calls(), provider.fetches()), (0, 1));
    tokio::time::advance(SECOND).await;
    service.oneshot(chat()).await.unwrap();
    assert_eq!((seen.calls(), seen.unready_calls()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_to_be_ready_after_the_token_came_is_the_request_s_error() {
    let provider = Numbered::new().taking(SECOND);
    let (probe, seen) = Probe::new([]);
    let probe = probe.with_readiness([Readiness::Ready, Readiness::Fail("down".into())]);
    let service = TokenLayer::new(provider.cache()).layer(probe);
    assert!(service.oneshot(chat()).await.is_err());
    assert_eq!(seen.calls(), 0);
}

/// A refresh that is due goes on while requests are under way, none of which waits for it.
#[tokio::test(start_paused = true)]
async fn a_refresh_ahead_is_polled_with_the_request_and_not_waited_for() {
    let provider = Numbered::new().taking(SECOND).living(SECOND * 100);
    let (probe, seen) = Probe::new([Act::Answer(answer(200, "text/plain", "")), Act::Hang]);
    let service = TokenLayer::new(provider.cache()).layer(probe);
    service.clone().oneshot(chat()).await.unwrap();
    tokio::time::advance(SECOND * 95).await;
    let mut hangs = pin!(service.clone().oneshot(chat()));
    let woken = Arc::new(Woken::default());
    assert!(poll(hangs.as_mut(), &woken).is_pending());
    assert_eq!((seen.calls(), provider.fetches()), (2, 2));
    // The task is woken for the refresh, and polls it to its end.
    tokio::time::sleep(SECOND + SECOND / 10).await;
    assert!(woken.count() > 0);
    assert!(poll(hangs.as_mut(), &woken).is_pending());
    service.oneshot(chat()).await.unwrap();
    let credentials: Vec<_> = seen.take_requests();
    let credentials: Vec<_> = credentials.iter().map(credential).collect();
    // The probe has the request that hangs not whole.
    assert_eq!(credentials, ["Bearer T1", "Bearer T2"]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_refusal_is_the_same_byte_for_byte() {
    const EVENTS: &str = "data: {\"choices\":[]}\n\ndata: [DONE]\n\n";
    let cases = [
        (200, "text/event-stream", EVENTS),
        (200, "application/json", r#"{"choices":[]}"#),
        (200, "application/json", r#"{"code":-2001,"message":"额度不足","data":null}"#),
        (204, "application/json", ""),
        (302, "text/html", "moved"),
        (404, "application/json", r#"{"errcode":-1002,"errmsg":"x","data":null}"#),
        (429, "application/json", r#"{"error":{"type":"rate_limit_reached_error"}}"#),
        (503, "text/html", "<html>down</html>"),
    ];
    for (status, content_type, body) in cases {
        let provider = Numbered::new();
        let (probe, seen) = Probe::new([Act::Answer(answer(status, content_type, body))]);
        let passed = TokenLayer::new(provider.cache()).layer(probe).oneshot(chat()).await.unwrap();
        assert_eq!(passed.status().as_u16(), status);
        let collected = passed.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(collected, body, "{status} {content_type}");
        assert_eq!((seen.calls(), provider.fetches()), (1, 1), "{status} {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_never_changes_is_sent_and_not_sent_again() {
    let (probe, seen) = Probe::new([refusal()]);
    let cache = TokenCache::new(
        StaticToken::new(Token::parse("sk-1").unwrap()),
        kimi_tower::token::Freshness::new(),
    );
    let refused = TokenLayer::new(cache).layer(probe).oneshot(chat()).await.unwrap();
    assert_eq!((refused.status().as_u16(), seen.calls()), (401, 1));
    let body = refused.into_body().collect().await.unwrap().to_bytes();
    let said = error(ErrorKind::TokenExpired).into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, said);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_does_not_begin_is_handed_on_after_the_look() {
    use kimi_testkit::probe::Beat;
    let provider = Numbered::new();
    let mut hangs = answer(200, "text/event-stream", "");
    *hangs.body_mut() = ProbeBody::new([Beat::Hang]);
    let (probe, _) = Probe::new([Act::Answer(hangs)]);
    let start = tokio::time::Instant::now();
    let layer = TokenLayer::new(provider.cache()).with_look_timeout(SECOND * 2);
    tokio::time::timeout(HOUR, layer.layer(probe).oneshot(chat())).await.unwrap().unwrap();
    assert_eq!(start.elapsed().as_secs(), 2);
}
