//! What is done is done once: an upstream that keeps a ledger, behind a network that fails.

mod upstream;

use std::time::Duration;

use http::Request;
use http_body_util::BodyExt as _;
use kimi_testkit::probe::ProbeBody;
use kimi_tower::retry::{RetryLayer, RetryPolicy};
use tokio::time::timeout;
use tower::ServiceExt as _;
use tower_layer::Layer as _;

use self::upstream::{DONE, Upstream};

/// What came of many schedules.
#[derive(Debug, Default)]
struct Tally {
    schedules: usize,
    /// Those with more than one attempt.
    retried: usize,
    /// Those in which the caller was told that it was done.
    succeeded: usize,
    /// Those in which it was done more than once.
    duplicated: usize,
    /// The first of those.
    first: Option<String>,
}

/// Lets a request with an operation meet the fates of each seed.
async fn run(seeds: u64, honors_keys: bool, policy: impl Fn() -> RetryPolicy) -> Tally {
    let mut tally = Tally::default();
    for seed in 0..seeds {
        let (upstream, ledger) = Upstream::new(seed, honors_keys);
        let policy = policy().with_seed(seed).with_attempt_timeout(Duration::from_secs(30));
        let operation = format!("operation-{seed}");
        let request = Request::post("http://upstream/v1/chat/completions")
            .header("x-operation", &operation)
            .body(ProbeBody::full(operation))
            .unwrap();
        let sent = RetryLayer::new(policy).layer(upstream).oneshot(request).await;
        // A reader gives up on an answer that stalls.
        let read = match sent {
            Ok(answer) => timeout(Duration::from_secs(60), answer.into_body().collect()).await.ok(),
            Err(_) => None,
        };
        let text = read.and_then(Result::ok).map(|body| body.to_bytes());
        let has_succeeded = text.is_some_and(|text| DONE.iter().any(|done| text == done));

        let ledger = ledger.borrow();
        let effects = ledger.effects();
        assert!(!has_succeeded || effects > 0, "seed {seed}: {:?}", ledger.fates);
        tally.schedules += 1;
        tally.retried += usize::from(ledger.fates.len() > 1);
        tally.succeeded += usize::from(has_succeeded);
        tally.duplicated += usize::from(effects > 1);
        if effects > 1 && tally.first.is_none() {
            tally.first = Some(format!("seed {seed}: {:?}", ledger.fates));
        }
    }
    tally
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_done_is_not_done_again_in_100_000_schedules() {
    let tally = run(100_000, false, RetryPolicy::standard).await;
    assert_eq!((tally.duplicated, &tally.first), (0, &None));
    assert!(tally.retried > 30_000 && tally.succeeded > 10_000, "{tally:?}");
}

#[tokio::test(start_paused = true)]
async fn without_care_the_same_schedules_do_things_twice() {
    let policy = || RetryPolicy::standard().with_unknown_outcomes();
    let tally = run(10_000, false, policy).await;
    assert!(tally.duplicated > 2_000, "{tally:?}");
}

#[tokio::test(start_paused = true)]
async fn with_a_key_that_is_honored_more_succeed_and_nothing_is_done_twice() {
    let without = run(10_000, true, RetryPolicy::standard).await;
    let with = run(10_000, true, || RetryPolicy::standard().with_idempotency_key()).await;
    assert_eq!((with.duplicated, &with.first), (0, &None));
    assert!(with.succeeded * 10 > without.succeeded * 12, "{with:?} {without:?}");

    // The key is what does it.
    let unheard = run(10_000, false, || RetryPolicy::standard().with_idempotency_key()).await;
    assert!(unheard.duplicated > 2_000, "{unheard:?}");
}
