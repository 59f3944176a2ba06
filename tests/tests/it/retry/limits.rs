//! What bounds retries: deadline, attempt timeout, budget; and what whoever stands outside is told.

use std::{io, pin::pin};

use http::Request;
use kimi_errors::{Error, ErrorKind, RetryAdvice};
use kimi_testkit::probe::{Act, Beat, Probe, ProbeBody, Readiness};
use kimi_tower::{
    facts::Facts,
    replay::ReplayLimits,
    retry::{Backoff, RetryBudget, RetryLayer, RetryPolicy, Stop},
};
use tower::ServiceExt as _;
use tower_layer::Layer as _;

use super::{
    Answer, Duration, EVENTS, Instant, JSON, SECOND, answer, bytes, chat, error, failing, hinted,
    join_all, send_as, should_retry, timed, timed_slow, with_method,
};

/// Every wait is a second.
fn seconds() -> RetryPolicy {
    let second = Backoff::exponential(SECOND, SECOND).without_jitter();
    RetryPolicy::standard().with_fault_backoff(second).with_throttle_backoff(second)
}

/// Sends a request, and returns why it was not tried again, how often it was tried, and how long
/// all of it took.
async fn stop(
    policy: RetryPolicy,
    mut request: Request<ProbeBody>,
    acts: impl IntoIterator<Item = Act>,
) -> (Result<Answer, Error>, Option<Stop>, usize, Duration) {
    let (start, facts) = (Instant::now(), Facts::new());
    request.extensions_mut().insert(facts.clone());
    let (sent, seen) = send_as(policy, request, acts).await;
    assert_eq!((seen.unready_calls(), seen.live_futures()), (0, 0));
    assert_eq!(facts.attempts(), Some(seen.calls().try_into().unwrap()));
    (sent, facts.retry_stop(), seen.calls(), start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_runs_at_the_deadline_ends_as_a_timeout() {
    for method in ["GET", "POST"] {
        let policy = seconds().with_deadline(SECOND * 10);
        let (sent, stop, attempts, elapsed) = stop(policy, with_method(method), [Act::Hang]).await;
        let error = sent.unwrap_err();
        assert_eq!((error.kind(), error.advice().name()), (ErrorKind::Timeout, "backoff"));
        assert_eq!((stop, attempts, elapsed), (Some(Stop::Deadline), 1, SECOND * 10), "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_counts_attempts_and_waits() {
    // 3 s, a wait of 1 s, 3 s, a wait of 1 s, and 2 s of the third attempt.
    let (upstream, times) = timed_slow(|_| Ok(error(ErrorKind::Unavailable)), |_| SECOND * 3);
    let start = Instant::now();
    let service = RetryLayer::new(seconds().with_deadline(SECOND * 10)).layer(upstream);
    let sent = service.oneshot(chat()).await;
    assert_eq!(sent.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(times.take(), [0, 4, 8].map(Duration::from_secs));
    assert_eq!(start.elapsed(), SECOND * 10);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_on_the_last_attempt_tells_nobody_to_give_up() {
    let policy = seconds().with_deadline(SECOND * 10).with_max_retries(1);
    let acts = [Act::Answer(error(ErrorKind::Unavailable)), Act::Hang];
    let (sent, stop, attempts, elapsed) = stop(policy, with_method("GET"), acts).await;
    assert_eq!(sent.unwrap_err().advice(), RetryAdvice::BACKOFF);
    assert_eq!((stop, attempts, elapsed), (Some(Stop::Deadline), 2, SECOND * 10));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_would_end_after_the_deadline_does_not_begin() {
    let busy = || hinted(ErrorKind::RateLimited, "retry-after", "10");
    for (deadline, attempts, stopped) in [(10, 1, Some(Stop::Deadline)), (11, 2, None)] {
        let policy = seconds().with_deadline(SECOND * deadline);
        let (sent, stop, made, elapsed) = stop(policy, chat(), [Act::Answer(busy())]).await;
        let sent = sent.unwrap();
        assert_eq!((stop, made), (stopped, attempts));
        if stopped.is_some() {
            assert_eq!((elapsed, sent.headers()), (Duration::ZERO, busy().headers()));
        }
    }
}

/// The bug: a wait that ended late, as after a machine's sleep, was followed by an attempt that was
/// broken off at once, whose answer may have had an effect; and the one that there was was lost.
#[tokio::test(start_paused = true)]
async fn no_attempt_begins_after_the_deadline_however_late_the_wait_ends() {
    for is_slow in [false, true] {
        let (probe, seen) = Probe::new([Act::Answer(error(ErrorKind::Unavailable)), Act::Hang]);
        let readiness = if is_slow { Readiness::Pending } else { Readiness::Ready };
        let probe = probe.with_readiness([Readiness::Ready, readiness]);
        let policy = seconds().with_deadline(SECOND * 10);
        let facts = Facts::new();
        let mut request = chat();
        request.extensions_mut().insert(facts.clone());
        let mut sent = pin!(RetryLayer::new(policy).layer(probe).oneshot(request));
        let wait = if is_slow { SECOND * 2 } else { Duration::ZERO };
        assert!(tokio::time::timeout(wait, sent.as_mut()).await.is_err());
        tokio::time::advance(SECOND * 20).await;
        seen.wake();
        assert_eq!(sent.await.unwrap().status(), 503);
        assert_eq!((seen.calls(), facts.retry_stop()), (1, Some(Stop::Deadline)));
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_with_the_head_and_its_look() {
    // A look that is not over at the deadline: what has come by then decides.
    let body = ProbeBody::chunks([r#"{"id":"c1","#]).then(Beat::Hang);
    let slow = answer(200, JSON, "").map(|_| body);
    let policy = seconds().with_deadline(SECOND * 2).with_look_timeout(SECOND * 9);
    let (sent, stop, attempts, elapsed) = stop(policy, chat(), [Act::Answer(slow)]).await;
    assert_eq!(sent.unwrap().status(), 200);
    assert_eq!((stop, attempts, elapsed), (None, 1, SECOND * 2));
}

#[tokio::test(start_paused = true)]
async fn no_deadline_waits_for_ever() {
    let acts = [Act::Hang];
    let policy = seconds().without_deadline();
    let sent = tokio::time::timeout(SECOND * 1_000_000, stop(policy, chat(), acts)).await;
    assert!(sent.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_retried_only_if_that_is_safe() {
    let policy = || seconds().with_attempt_timeout(SECOND * 5);
    for (policy, method, attempts, elapsed, stopped) in [
        (policy(), "GET", 2, 6, None),
        (policy(), "POST", 1, 5, Some(Stop::OutcomeUnknown)),
        (policy().with_idempotency_key(), "POST", 2, 6, None),
        (policy().with_unknown_outcomes(), "POST", 2, 6, None),
    ] {
        let (sent, stop, made, took) = stop(policy, with_method(method), [Act::Hang]).await;
        assert_eq!(sent.is_ok(), stopped.is_none());
        assert_eq!((stop, made, took), (stopped, attempts, SECOND * elapsed), "{method}");
    }
    // Each attempt has its own.
    let acts = [Act::Hang, Act::Hang, Act::Hang, Act::Hang];
    let (sent, stop, attempts, elapsed) = stop(policy(), with_method("GET"), acts).await;
    assert_eq!((stop, attempts), (Some(Stop::RetriesUsedUp), 4));
    assert_eq!((sent.unwrap_err().kind(), elapsed), (ErrorKind::Timeout, SECOND * 23));
    let policy = policy().without_attempt_timeout().without_deadline();
    let sent = stop_within(policy, SECOND * 6).await;
    assert!(!sent);
}

async fn stop_within(policy: RetryPolicy, limit: Duration) -> bool {
    tokio::time::timeout(limit, stop(policy, chat(), [Act::Hang])).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_look_ends_in_time_and_what_has_come_decides() {
    let hang = |body: &'static str, content_type| {
        answer(200, content_type, "").map(|_| ProbeBody::chunks([body]).then(Beat::Hang))
    };
    for (body, content_type) in [
        (r#"{"id":"c1","#, JSON),
        ("", JSON),
        (": hb\n\n", EVENTS),
        ("data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n", EVENTS),
    ] {
        let acts = [Act::Answer(hang(body, content_type))];
        let (sent, stop, attempts, elapsed) = stop(seconds(), chat(), acts).await;
        assert_eq!(sent.unwrap().status(), 200);
        assert_eq!((stop, attempts, elapsed), (None, 1, SECOND * 5), "{body}");
    }
    let busy = "data: {\"error\":{\"message\":\"x\",\"type\":\"engine_overloaded_error\"}}\n\n";
    for (body, content_type) in [(r#"{"errcode":-1000,"errmsg":"x"}"#, JSON), (busy, EVENTS)] {
        let acts = [Act::Answer(hang(body, content_type))];
        let policy = seconds().with_look_timeout(SECOND * 3);
        let (_, stop, attempts, elapsed) = stop(policy, chat(), acts).await;
        // An event is whole at its end; the end of JSON shows only when more comes or none.
        let look = if content_type == JSON { 3 } else { 0 };
        assert_eq!((stop, attempts, elapsed), (None, 2, SECOND * (look + 1)), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn successes_alone_fill_the_budget() {
    let budget = RetryBudget::new(2, 50);
    let policy = seconds().with_budget(budget.clone());
    let (probe, seen) = Probe::new(failing(ErrorKind::Unavailable, 4));
    let service = RetryLayer::new(policy).layer(probe);
    let send = || service.clone().oneshot(chat());

    let spent = send().await.unwrap();
    assert_eq!((seen.calls(), budget.retries_left()), (3, 0));
    assert_eq!((spent.status().as_u16(), should_retry(&spent)), (503, Some("false")));
    // Waiting fills nothing, nor does a failure.
    tokio::time::sleep(SECOND * 1_000).await;
    let spent = send().await.unwrap();
    assert_eq!((spent.status().as_u16(), should_retry(&spent)), (503, Some("false")));
    assert_eq!((seen.calls(), budget.retries_left()), (4, 0));

    for (calls, left) in [(5, 0), (6, 1), (7, 1), (8, 2), (9, 2), (10, 2)] {
        assert_eq!(send().await.unwrap().status(), 200);
        assert_eq!((seen.calls(), budget.retries_left()), (calls, left));
    }
}

/// Failures that are not retried cost nothing and bring nothing.
#[tokio::test(start_paused = true)]
async fn what_is_not_retried_leaves_the_budget_alone() {
    let budget = RetryBudget::new(3, 100);
    let policy = seconds().with_budget(budget.clone()).with_max_retries(1);
    let (_, _, attempts, _) = stop(policy.clone(), chat(), failing(ErrorKind::System, 2)).await;
    assert_eq!((attempts, budget.retries_left()), (2, 2));
    for failure in [
        || Act::Answer(error(ErrorKind::NotFound)),
        || Act::Answer(error(ErrorKind::BadGateway)),
        || Act::Answer(hinted(ErrorKind::RateLimited, "retry-after", "61")),
        || Act::Fail("boom".into()),
    ] {
        let (_, _, attempts, _) = stop(policy.clone(), chat(), [failure()]).await;
        assert_eq!((attempts, budget.retries_left()), (1, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn all_services_of_a_layer_and_all_layers_of_a_policy_share_one_budget() {
    let budget = RetryBudget::new(10, 0);
    let policy = RetryPolicy::standard().with_budget(budget.clone());
    let (upstream, times) = timed(|_| Ok(error(ErrorKind::Unavailable)));
    let layers = [RetryLayer::new(policy.clone()), RetryLayer::new(policy)];
    let sent = (0..100).map(|it| layers[it % 2].layer(upstream.clone()).oneshot(chat()));
    let sent = join_all(sent).await;
    assert!(sent.iter().all(|it| should_retry(it.as_ref().unwrap()) == Some("false")));
    assert_eq!((times.take().len(), budget.retries_left()), (110, 0));
}

#[tokio::test(start_paused = true)]
async fn whoever_stands_outside_is_told_not_to_try_what_was_tried_enough() {
    let answers = |kind, times| failing(kind, times);
    let used_up = stop(seconds(), chat(), answers(ErrorKind::Overloaded, 4)).await;
    assert_eq!((used_up.1, used_up.2), (Some(Stop::RetriesUsedUp), 4));
    let used_up = used_up.0.unwrap();
    assert_eq!(should_retry(&used_up), Some("false"));
    let untouched = http_body_util::BodyExt::collect(error(ErrorKind::Overloaded).into_body());
    assert_eq!(bytes(used_up).await, untouched.await.unwrap().to_bytes());

    let spent = seconds().with_budget(RetryBudget::new(0, 0));
    let spent = stop(spent, chat(), answers(ErrorKind::Overloaded, 1)).await;
    assert_eq!((spent.1, spent.2), (Some(Stop::BudgetSpent), 1));
    assert_eq!(should_retry(&spent.0.unwrap()), Some("false"));

    // An error says it by its advice, and keeps its hint and its cause.
    let refused = || {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let refused = Error::new(ErrorKind::BadGateway).with_source(refused);
        let advice = RetryAdvice::Backoff { after: Some(SECOND * 2) };
        Act::Fail(refused.with_advice(advice).into())
    };
    let policy = seconds().with_max_retries(1);
    let (sent, stopped, ..) = stop(policy, chat(), [refused(), refused()]).await;
    let sent = sent.unwrap_err();
    assert_eq!((stopped, sent.advice()), (Some(Stop::RetriesUsedUp), RetryAdvice::Never));
    assert_eq!((sent.kind(), sent.retry_after()), (ErrorKind::BadGateway, Some(SECOND * 2)));
    assert!(std::error::Error::source(&sent).is_some());
}

#[tokio::test(start_paused = true)]
async fn of_another_stop_nobody_outside_is_told() {
    let (json, long) = ("application/json", "61");
    let busy = || error(ErrorKind::Overloaded);
    let replay = seconds().with_replay(ReplayLimits::new().with_max_bytes(1));
    let cases: [(RetryPolicy, Act, Stop); 6] = [
        (seconds(), Act::Answer(error(ErrorKind::NotFound)), Stop::Hopeless),
        (seconds(), Act::Answer(answer(502, json, "")), Stop::OutcomeUnknown),
        (
            seconds(),
            Act::Answer(hinted(ErrorKind::Overloaded, "retry-after", long)),
            Stop::HintTooLong,
        ),
        (seconds().with_deadline(SECOND / 2), Act::Answer(busy()), Stop::Deadline),
        (replay, Act::Answer(busy()), Stop::BodyNotKept),
        (
            seconds().with_rule(|_| Some(kimi_tower::retry::Decision::GiveUp)),
            Act::Answer(busy()),
            Stop::Hopeless,
        ),
    ];
    for (policy, act, expected) in cases {
        let (sent, stopped, attempts, elapsed) = stop(policy, chat(), [act]).await;
        assert_eq!((stopped, attempts, elapsed), (Some(expected), 1, Duration::ZERO));
        assert_eq!(should_retry(&sent.unwrap()), None, "{expected:?}");
    }
    for failure in ["boom", "another"] {
        let (sent, stopped, ..) = stop(seconds(), chat(), [Act::Fail(failure.into())]).await;
        assert_eq!(stopped, Some(Stop::OutcomeUnknown));
        assert_eq!(sent.unwrap_err().advice(), RetryAdvice::BACKOFF);
    }
}
