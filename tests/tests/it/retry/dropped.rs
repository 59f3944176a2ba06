//! Whoever is dropped gives everything back, whenever that is.

use std::{
    pin::pin,
    task::{Context, Waker},
};

use http::Request;
use kimi_testkit::probe::{Act, Beat, BodySeen, Probe, ProbeBody, Readiness};
use kimi_tower::replay::ReplayBody;
use kimi_tower::retry::{Backoff, RetryBudget, RetryLayer, RetryPolicy};
use tower::ServiceExt as _;
use tower_layer::Layer as _;

use super::{JSON, SECOND, answer, chat};

/// Fails after a few polls of its body.
fn slow_failure() -> ProbeBody {
    ProbeBody::new([
        Beat::Yield,
        Beat::Data(r#"{"errcode":-1000,"#.into()),
        Beat::Yield,
        Beat::Data(r#""errmsg":"x"}"#.into()),
    ])
}

#[tokio::test(start_paused = true)]
async fn a_future_dropped_after_any_poll_pays_only_for_the_retries_that_began() {
    let second = Backoff::exponential(SECOND, SECOND).without_jitter();
    let mut most = 0;
    for polls in 0..30_u32 {
        let budget = RetryBudget::new(10, 0);
        let policy = RetryPolicy::standard().with_fault_backoff(second).with_budget(budget.clone());
        let bodies = [slow_failure(), slow_failure(), slow_failure(), slow_failure()];
        let bodies_seen: Vec<_> = bodies.iter().map(ProbeBody::seen).collect();
        let acts = bodies.map(|body| Act::Answer(answer(200, JSON, "").map(|_| body)));
        let (probe, seen) = Probe::new(acts);
        let probe = probe.with_readiness([
            Readiness::Ready,
            Readiness::Pending,
            Readiness::Ready,
            Readiness::Pending,
        ]);
        let (layer, request) = (RetryLayer::new(policy), chat());
        let request_seen = request.body().seen();
        let mut is_done = false;
        {
            let mut sent = pin!(layer.layer(probe).oneshot(request));
            for _ in 0..polls {
                // Nobody but the test drives it.
                if sent.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                    is_done = true;
                    break;
                }
                tokio::time::advance(SECOND / 2).await;
                seen.wake();
            }
        }
        let calls = u32::try_from(seen.calls()).unwrap();
        most = most.max(calls);
        assert_eq!(budget.retries_left(), 10 - calls.saturating_sub(1), "after {polls} polls");
        assert_eq!((seen.live_futures(), seen.unready_calls()), (0, 0));
        for (number, body) in bodies_seen.iter().enumerate() {
            let is_made = number < seen.calls();
            // What was not answered with is still with the probe.
            assert_eq!(body.is_dropped(), is_made, "body {number} after {polls} polls");
        }
        assert!(request_seen.is_dropped());
        if is_done {
            assert_eq!(calls, 4);
        }
    }
    assert_eq!(most, 4, "the loop is long enough to see all attempts");
}

#[tokio::test(start_paused = true)]
async fn a_failed_answer_is_gone_before_the_next_attempt_begins() {
    // It is longer than what is looked at, so that it does not end by itself.
    let long = || ProbeBody::chunks([vec![b' '; 70_000], vec![b' ']]);
    let bodies: Vec<_> = (0..4).map(|_| long()).collect();
    let seen: Vec<_> = bodies.iter().map(ProbeBody::seen).collect();
    let fail = |body| Act::Answer(answer(503, "text/plain", "").map(|_| body));
    let (upstream, calls) = Probe::new(bodies.into_iter().map(fail));
    let counted = calls.clone();
    let upstream = upstream.map_request(move |request: Request<ReplayBody<ProbeBody>>| {
        let before = &seen[..counted.calls()];
        assert!(before.iter().all(BodySeen::is_dropped), "two answers at a time");
        request
    });
    let sent = RetryLayer::default().layer(upstream).oneshot(chat()).await;
    assert_eq!(calls.calls(), 4);
    assert_eq!(sent.unwrap().status(), 503);
}
