//! What is told of the attempts, and what is shown of nothing.

use std::fmt::Debug;

use http::{HeaderValue, Request};
use kimi_errors::ErrorKind;
use kimi_testkit::probe::{Act, Probe, ProbeBody, Readiness};
use kimi_tower::{
    facts::Facts,
    replay::ReplayLimits,
    retry::{Backoff, Decision, RetryBudget, RetryLayer, RetryPolicy, Stop},
};
use tower::ServiceExt;
use tower_layer::Layer as _;
use tower_service::Service as _;

use super::{SECOND, answer, chat, error, failing, hinted, send_as};

fn told(mut request: Request<ProbeBody>) -> (Request<ProbeBody>, Facts) {
    let facts = Facts::new();
    request.extensions_mut().insert(facts.clone());
    (request, facts)
}

#[tokio::test(start_paused = true)]
async fn a_success_tells_how_many_attempts_it_took() {
    for failures in 0..4 {
        let (request, facts) = told(chat());
        assert_eq!((facts.attempts(), facts.retry_stop()), (None, None));
        let acts = failing(ErrorKind::Unavailable, failures);
        let (sent, _) = send_as(RetryPolicy::standard(), request, acts).await;
        assert_eq!(sent.unwrap().status(), 200);
        let attempts = u32::try_from(failures).unwrap() + 1;
        assert_eq!((facts.attempts(), facts.retry_stop()), (Some(attempts), None));
    }
}

#[tokio::test(start_paused = true)]
async fn every_stop_is_told_with_its_attempts() {
    let busy = || Act::Answer(error(ErrorKind::Overloaded));
    let standard = RetryPolicy::standard;
    let small = ReplayLimits::new().with_max_bytes(1);
    let spent = RetryBudget::new(2, 0);
    let cases: [(Stop, u32, RetryPolicy, Vec<Act>); 7] = [
        (Stop::Hopeless, 2, standard(), vec![busy(), Act::Answer(error(ErrorKind::NotFound))]),
        (
            Stop::OutcomeUnknown,
            3,
            standard(),
            vec![busy(), busy(), Act::Answer(answer(502, "text/html", ""))],
        ),
        (Stop::RetriesUsedUp, 4, standard(), vec![busy(), busy(), busy(), busy()]),
        (Stop::BudgetSpent, 3, standard().with_budget(spent), vec![busy(), busy(), busy()]),
        (
            Stop::HintTooLong,
            2,
            standard(),
            vec![busy(), Act::Answer(hinted(ErrorKind::Overloaded, "retry-after", "61"))],
        ),
        (Stop::Deadline, 1, standard().with_deadline(SECOND), vec![Act::Hang]),
        (Stop::BodyNotKept, 1, standard().with_replay(small), vec![busy()]),
    ];
    for (stop, attempts, policy, acts) in cases {
        let (request, facts) = told(chat());
        let (_, seen) = send_as(policy, request, acts).await;
        assert_eq!((facts.attempts(), facts.retry_stop()), (Some(attempts), Some(stop)));
        assert_eq!(seen.calls(), attempts as usize);
    }

    let (request, facts) = told(chat());
    let (probe, _) = Probe::new([busy()]);
    let probe = probe.with_readiness([Readiness::Ready, Readiness::Fail("closed".into())]);
    let sent = RetryLayer::new(standard()).layer(probe).oneshot(request).await;
    assert_eq!(sent.unwrap().status(), 429);
    assert_eq!((facts.attempts(), facts.retry_stop()), (Some(1), Some(Stop::NotReady)));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_waits_for_tells_its_attempts_when_it_is_dropped() {
    for (acts, attempts) in [
        (vec![Act::Hang], 1),
        (failing(ErrorKind::Unavailable, 1), 1),
        (vec![Act::Answer(error(ErrorKind::Unavailable)), Act::Hang], 2),
    ] {
        let wait = Backoff::exponential(SECOND * 9, SECOND * 9).without_jitter();
        let policy = RetryPolicy::standard().with_fault_backoff(wait);
        let (request, facts) = told(chat());
        let limit = if attempts == 2 { SECOND * 10 } else { SECOND };
        let sent = tokio::time::timeout(limit, send_as(policy, request, acts)).await;
        assert!(sent.is_err());
        assert_eq!((facts.attempts(), facts.retry_stop()), (Some(attempts), None));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_tried_once_tells_nothing() {
    let (request, facts) = told(chat());
    let _ = send_as(RetryPolicy::none(), request, failing(ErrorKind::System, 1)).await;
    assert_eq!((facts.attempts(), facts.retry_stop()), (None, None));
}

#[test]
fn every_stop_has_a_name_of_its_own() {
    let stops = [
        Stop::Hopeless,
        Stop::OutcomeUnknown,
        Stop::RetriesUsedUp,
        Stop::BudgetSpent,
        Stop::HintTooLong,
        Stop::Deadline,
        Stop::BodyNotKept,
        Stop::NotReady,
    ];
    let names: std::collections::HashSet<_> = stops.iter().map(|stop| stop.name()).collect();
    assert_eq!(names.len(), stops.len());
    assert!(names.iter().all(|name| name.bytes().all(|it| it.is_ascii_lowercase() || it == b'_')));
}

#[tokio::test(start_paused = true)]
async fn debug_shows_no_credential_and_no_body() {
    const CANARY: &str = "CaNaRy0";
    fn check(shown: &impl Debug) {
        let shown = format!("{shown:?}");
        assert!(!shown.contains(CANARY), "{shown}");
    }

    let (sender, failures) = std::sync::mpsc::channel();
    let policy = RetryPolicy::standard().with_idempotency_key().with_rule(move |failure| {
        sender.send(format!("{failure:?}")).unwrap();
        Some(Decision::Retry)
    });
    check(&policy);
    let busy = answer(503, "application/json", &format!(r#"{{"data":"{CANARY}"}}"#));
    let (probe, _) = Probe::new([
        Act::Answer(busy),
        Act::Fail(CANARY.into()),
        Act::Answer(answer(200, "text/plain", CANARY)),
    ]);
    let layer = RetryLayer::new(policy);
    check(&layer);
    let mut service = layer.layer(probe);
    // What it shows of the inner service is that one's own affair.
    check(&layer.layer(()));
    let key = |shown: &str| shown.contains("key_half");
    assert!(!key(&format!("{layer:?}")));
    let mut request = chat().map(|_| ProbeBody::full(CANARY));
    *request.uri_mut() = format!("http://upstream/{CANARY}?{CANARY}").parse().unwrap();
    request.headers_mut().insert("authorization", HeaderValue::from_static(CANARY));
    let service = ServiceExt::<Request<ProbeBody>>::ready(&mut service).await.unwrap();
    let mut future = Box::pin(service.call(request));
    check(&future);
    let answer = std::future::poll_fn(|cx| {
        let polled = future.as_mut().poll(cx);
        check(&future);
        polled
    })
    .await
    .unwrap();
    check(answer.body());
    let failures: Vec<_> = failures.try_iter().collect();
    assert_eq!(failures.len(), 2);
    failures.iter().for_each(check);
    check(&RetryBudget::new(1, 1));
}
