//! A day of steady traffic, in virtual time.

use std::{pin::pin, sync::Arc, task::Poll, time::Duration};

use http::{Request, Response, header::AUTHORIZATION};
use kimi_errors::BoxError;
use kimi_testkit::probe::ProbeBody;
use kimi_tower::{
    replay::ReplayBody,
    token::{Freshness, TokenLayer},
};
use tokio::time::{Instant, sleep};
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

use super::{HOUR, Numbered, SECOND, chat};
use crate::woken::{Woken, poll};

/// Each request takes less time than a refresh, and comes after the one before. A refresh has several
/// steps, of which each request sees to one.
#[tokio::test(start_paused = true)]
async fn in_a_day_of_steady_traffic_no_request_waits_for_a_refresh() {
    const TAKES: Duration = Duration::from_millis(300);
    for (lifetime, steps, gap) in
        [(SECOND * 900, 1, SECOND * 10), (SECOND * 900, 4, SECOND * 20), (HOUR * 2, 4, SECOND * 60)]
    {
        let provider = Numbered::new().taking(SECOND * 2).in_steps(steps).living(lifetime);
        let upstream = service_fn(async |request: Request<ReplayBody<ProbeBody>>| {
            let is_sent = request.headers().contains_key(AUTHORIZATION);
            sleep(TAKES).await;
            assert!(is_sent);
            Ok::<_, BoxError>(Response::new(ProbeBody::empty()))
        });
        let service = TokenLayer::new(provider.cache()).layer(upstream);
        // The first waits: there is no token.
        service.clone().oneshot(chat()).await.unwrap();
        let start = Instant::now();
        let mut requests = 0_u32;
        while start.elapsed() < HOUR * 24 {
            let sent = Instant::now();
            service.clone().oneshot(chat()).await.unwrap();
            // A timer may be a millisecond late.
            assert!(sent.elapsed() <= TAKES + Duration::from_millis(2), "{:?}", start.elapsed());
            requests += 1;
            sleep(gap).await;
        }
        let day = 24 * 60 * 60 / u32::try_from(lifetime.as_secs()).unwrap();
        let fetches = provider.fetches();
        assert!((day..=day * 5 / 4 + 2).contains(&fetches), "{fetches} of {day}");
        assert!(requests > 1_400);
    }
}

/// With one who keeps it fresh, also the request that comes once in a while finds one at once.
#[tokio::test(start_paused = true)]
async fn in_a_day_of_rare_traffic_with_keep_fresh_no_request_waits() {
    let provider = Numbered::new().taking(SECOND).living(SECOND * 900);
    let cache = provider.cache();
    let keeps = tokio::spawn({
        let cache = cache.clone();
        async move { cache.keep_fresh().await }
    });
    sleep(SECOND * 2).await;
    let woken = Arc::new(Woken::default());
    for _ in 0..24 {
        sleep(HOUR - SECOND).await;
        assert!(poll(pin!(cache.token()), &woken).is_ready());
    }
    keeps.abort();
}

#[tokio::test(start_paused = true)]
async fn a_token_is_kept_fresh_while_nobody_asks() {
    let provider = Numbered::new().taking(SECOND).living(SECOND * 100);
    let cache = provider.cache();
    let keeps = tokio::spawn({
        let cache = cache.clone();
        async move { cache.keep_fresh().await }
    });
    let woken = Arc::new(Woken::default());
    for _ in 0..100 {
        sleep(SECOND * 61).await;
        assert!(matches!(poll(pin!(cache.token()), &woken), Poll::Ready(Ok(_))));
    }
    // Each lives for 80 to 90 s before it is replaced.
    assert!((67..=78).contains(&provider.fetches()), "{}", provider.fetches());
    keeps.abort();
}

/// Whatever becomes of the refreshes, who keeps it fresh goes on.
#[tokio::test(start_paused = true)]
async fn a_token_is_kept_fresh_through_failures_and_refusals() {
    for pause in [Duration::ZERO, SECOND] {
        let provider = Numbered::new().taking(SECOND).living(SECOND * 100);
        let cache = provider.cache_with(Freshness::new().with_pause(pause));
        // Nothing but failures for an hour, from the start.
        provider.fail(3_000);
        let keeps = tokio::spawn({
            let cache = cache.clone();
            async move { cache.keep_fresh().await }
        });
        sleep(HOUR).await;
        assert!((1_500..=3_000).contains(&provider.fetches()), "{}", provider.fetches());
        provider.fail(0);
        sleep(SECOND * 5).await;
        let woken = Arc::new(Woken::default());
        for _ in 0..5 {
            let Poll::Ready(Ok(token)) = poll(pin!(cache.token()), &woken) else {
                panic!("it is not kept fresh")
            };
            assert!(cache.refuse(token.generation()));
            sleep(SECOND * 101).await;
        }
        keeps.abort();
    }
}
