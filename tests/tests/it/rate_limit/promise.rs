//! `Retry-After` holds.

use std::{pin::Pin, task::Poll};

use http::{HeaderMap, Request};
use kimi_testkit::probe::{Probe, ProbeBody};
use kimi_tower::{
    catch_error::CatchErrorLayer,
    rate_limit::{Gcra, Limit, Plan, Rule, SlidingWindow},
};
use tokio::{task::JoinSet, time::Instant};
use tower::ServiceExt as _;
use tower_layer::Layer as _;

use super::{Duration, Random, chat, layer, patient, quota};

const HOUR: Duration = Duration::from_secs(3_600);
/// How many refusals there must be.
const CASES: usize = 10_000;

fn limit(random: &mut Random) -> Limit {
    let units = 1 + random.below(12);
    let nanos = u64::from(1 + random.below(4_000_000_000)) * u64::from(1 + random.below(9));
    let quota = quota(units, Duration::from_nanos(nanos));
    match random.below(3) {
        0 => Gcra::new(quota).try_with_burst(1 + random.below(12)).unwrap().into(),
        1 => SlidingWindow::try_new(quota).unwrap().into(),
        _ => SlidingWindow::try_with_sub_windows(quota, 1 + random.below(7)).unwrap().into(),
    }
}

fn plan(random: &mut Random) -> Plan {
    let plan = Plan::new(Rule::requests(limit(random)));
    if random.below(2) == 0 {
        return plan;
    }
    plan.try_with(Rule::tokens(limit(random))).unwrap()
}

fn costing(tokens: u32) -> Request<ProbeBody> {
    let mut request = chat();
    request.extensions_mut().insert(tokens);
    request
}

/// The wait that a refusal asks for; in milliseconds, if it says so.
fn advertised(headers: &HeaderMap, in_millis: bool) -> Option<Duration> {
    let number = |name| headers.get(name).map(|value| value.to_str().unwrap().parse().unwrap());
    let seconds = number("retry-after").map(Duration::from_secs);
    assert!(seconds.is_none_or(|seconds| seconds >= Duration::from_secs(1)));
    number("retry-after-ms").map(Duration::from_millis).filter(|_| in_millis).or(seconds)
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_as_long_as_he_is_told_is_admitted_if_nobody_else_spends() {
    let mut random = Random(0x1005);
    let mut cases = 0;
    while cases < CASES {
        let layer = layer(plan(&mut random));
        let layer =
            layer.with_tokens(|head: &http::request::Parts| *head.extensions.get().unwrap());
        let (probe, seen) = Probe::new([]);
        let service = CatchErrorLayer::new().layer(layer.layer(probe));
        for _ in 0..30 {
            let (tokens, in_millis) = (random.below(14), random.below(2) == 0);
            let answer = service.clone().oneshot(costing(tokens)).await.unwrap();
            if answer.status() == 429
                && let Some(wait) = advertised(answer.headers(), in_millis)
            {
                cases += 1;
                let calls = seen.calls();
                tokio::time::advance(wait).await;
                let answer = service.clone().oneshot(costing(tokens)).await.unwrap();
                assert_eq!(answer.status(), 200, "case {cases}: after {wait:?} of {layer:?}");
                assert_eq!(seen.calls(), calls + 1);
            }
            let pause = u64::from(random.below(1_000_000_000));
            tokio::time::advance(Duration::from_nanos(pause)).await;
        }
    }
}

/// Behind others, too, who go meanwhile.
#[tokio::test(start_paused = true)]
async fn whoever_was_refused_among_many_who_wait_is_admitted_when_he_was_told() {
    let mut random = Random(0x1006);
    let mut cases = 0;
    while cases < 300 {
        let units = 1 + random.below(5);
        let quota =
            quota(units, Duration::from_millis(u64::from(units * (1 + random.below(2_000)))));
        let limit: Limit = match random.below(2) {
            0 => Gcra::new(quota).into(),
            _ => SlidingWindow::try_new(quota).unwrap().into(),
        };
        let queue = usize::try_from(1 + random.below(9)).unwrap();
        let layer = layer(Rule::requests(limit)).with_admission(patient(HOUR, queue));
        let (probe, seen) = Probe::new([]);
        let service = CatchErrorLayer::new().layer(layer.layer(probe));
        let mut held = JoinSet::new();
        let refused = loop {
            let mut sent = Box::pin(service.clone().oneshot(chat()));
            match polled(&mut sent).await {
                Some(answer) if answer.status() == 429 => break answer,
                Some(_) => {}
                None => drop(held.spawn(sent)),
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(held.len(), queue);
        let wait = advertised(refused.headers(), random.below(2) == 0).unwrap();
        tokio::time::sleep(wait).await;
        let begin = Instant::now();
        assert_eq!(service.oneshot(chat()).await.unwrap().status(), 200);
        assert!(
            begin.elapsed() <= Duration::from_millis(1),
            "{:?} late: {layer:?}",
            begin.elapsed()
        );
        assert!(held.join_all().await.into_iter().all(|answer| answer.unwrap().status() == 200));
        assert_eq!(seen.unready_calls(), 0);
        cases += 1;
    }
}

/// Polls once, and returns the answer if there is one.
async fn polled<T, E: std::fmt::Debug>(
    future: &mut (impl Future<Output = Result<T, E>> + Unpin),
) -> Option<T> {
    std::future::poll_fn(|cx| match Pin::new(&mut *future).poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output.unwrap())),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
