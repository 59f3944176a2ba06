//! Failures while there is no answer yet.

use http::{StatusCode, header};
use http_body::Body as _;
use kimi_errors::{Dialect, Error, ErrorKind, Lang};
use kimi_testkit::probe::{Act, Probe, Readiness};
use kimi_tower::catch_error::CatchErrorLayer;
use tower::ServiceExt as _;
use tower_layer::Layer as _;
use tower_service::Service as _;

use super::{
    CANARY, SYSTEM, answer, answer_to, busy, error_in, head_request, ready, request, stack, text,
};

#[tokio::test]
async fn every_errcode_of_the_article_is_answered_in_every_dialect() {
    for kind in ErrorKind::ALL.iter().copied().filter(|kind| kind.owns_errcode()) {
        let (code, message) = (kind.errcode(), kind.message(Lang::Zh));
        for dialect in Dialect::ALL.iter().copied() {
            let layer = CatchErrorLayer::new().with_dialect(dialect);
            let answer = answer(layer, Act::Fail(Error::new(kind).into())).await;
            let status = if dialect == Dialect::FreeApi { 200 } else { kind.status() };
            assert_eq!(answer.status(), status, "{kind} in {dialect}");
            assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/json");
            assert_eq!(error_in(&answer).map(Error::kind), Some(kind));
            let body = text(answer).await;
            match dialect {
                Dialect::Errcode => {
                    let bytes = format!(r#"{{"errcode":{code},"errmsg":"{message}","data":null}}"#);
                    assert_eq!(body, bytes);
                }
                Dialect::FreeApi => {
                    let bytes = format!(r#"{{"code":{code},"message":"{message}","data":null}}"#);
                    assert_eq!(body, bytes);
                }
                _ => assert_eq!(body.as_bytes(), dialect.body(&Error::new(kind))),
            }
        }
    }
}

#[tokio::test]
async fn a_head_request_is_refused_with_a_head_alone() {
    for act in [Act::Fail(CANARY.into()), Act::Panic(CANARY), Act::PanicInCall(CANARY)] {
        let answer = answer_to(head_request(), CatchErrorLayer::new(), act).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.headers()[header::CONTENT_LENGTH], SYSTEM.len().to_string().as_str());
        assert!(error_in(&answer).is_some());
        assert!(answer.body().is_end_stream());
        assert_eq!(text(answer).await, "");
    }
}

#[tokio::test]
async fn an_error_under_another_is_found() {
    let wrapped = std::io::Error::other(busy());
    let answer = answer(CatchErrorLayer::new(), Act::Fail(wrapped.into())).await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(error_in(&answer).map(Error::kind), Some(ErrorKind::StreamBusy));
}

#[tokio::test]
async fn what_is_unknown_says_nothing_of_itself() {
    for act in [Act::Fail(CANARY.into()), Act::Panic(CANARY), Act::PanicInCall(CANARY)] {
        let answer = answer(CatchErrorLayer::new(), act).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!format!("{answer:?}").contains(CANARY));
        assert_eq!(text(answer).await, SYSTEM);
    }
}

#[tokio::test]
async fn the_layers_language_is_that_of_the_kinds_own_messages() {
    let layer = CatchErrorLayer::new().with_lang(Lang::En);
    let answer = text(answer(layer, Act::Fail(busy().into())).await).await;
    assert!(answer.contains("a stream is already running"), "{answer}");
}

#[tokio::test]
async fn a_failed_readiness_is_answered_by_the_next_call_and_asked_anew_after() {
    let (probe, seen) = Probe::new([]);
    let failures = [Readiness::Fail(busy().into()), Readiness::Panic(CANARY)];
    let mut service = CatchErrorLayer::new().layer(probe.with_readiness(failures));
    for status in [429, 500] {
        ready(&mut service).await;
        let polls = seen.polls_ready();
        ready(&mut service).await;
        assert_eq!(seen.polls_ready(), polls, "there is an answer to give already");
        let answer = service.call(request()).await.unwrap();
        assert_eq!(answer.status(), status);
        assert!(!text(answer).await.contains(CANARY));
    }
    assert_eq!(seen.calls(), 0);
    ready(&mut service).await;
    assert_eq!(service.call(request()).await.unwrap().status(), 200);
    assert_eq!(seen.unready_calls(), 0);
}

#[tokio::test]
async fn a_clone_does_not_inherit_a_failed_readiness() {
    let (probe, seen) = Probe::new([]);
    let mut service =
        CatchErrorLayer::new().layer(probe.with_readiness([Readiness::Fail(busy().into())]));
    ready(&mut service).await;
    assert_eq!(service.clone().oneshot(request()).await.unwrap().status(), 200);
    assert_eq!((seen.calls(), seen.unready_calls()), (1, 0));
    assert_eq!(service.call(request()).await.unwrap().status(), 429);
}

#[tokio::test]
async fn dropping_what_comes_out_drops_what_is_inside() {
    let (mut service, seen) = stack(CatchErrorLayer::new(), Act::Hang);
    ready(&mut service).await;
    let future = service.call(request());
    assert_eq!(seen.live_futures(), 1);
    drop(future);
    assert_eq!(seen.live_futures(), 0);
}
