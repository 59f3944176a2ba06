//! Limits that replicas share, and what becomes of them when Redis does not answer.

mod access;
mod answers;
mod away;
mod fault;
mod referee;
mod scripted;
mod tls;

use std::{num::NonZeroU32, time::Duration};

use kimi_errors::ErrorKind;
use kimi_testkit::redis::RedisServer;
use kimi_tower::{
    key::{Key, KeyHasher},
    rate_limit::{
        Costs, Quota, Rule, SlidingWindow,
        store::{Ask, Patience, RateStore as _, Verdict},
    },
    redis::{
        RedisLink,
        rate::{OnError, RedisRateStore},
    },
};
use tokio::time::{Instant, sleep, timeout};

/// Longer than any call is allowed to take on a busy machine.
const SLACK: Duration = Duration::from_secs(2);

fn rule(units: u32, period: Duration) -> Rule {
    Rule::requests(SlidingWindow::try_new(Quota::try_new(units, period).unwrap()).unwrap())
}

fn store(redis: &RedisServer, rule: Rule) -> RedisRateStore {
    RedisRateStore::new(link(redis, 1_000), rule)
}

fn link(redis: &RedisServer, timeout_ms: u64) -> RedisLink {
    RedisLink::try_new(redis.url()).unwrap().with_timeout(Duration::from_millis(timeout_ms))
}

fn key() -> Key {
    KeyHasher::with_secret(&[7; 16]).key(&[b"caller"])
}

/// One request that does not wait.
fn one(store: &RedisRateStore) -> Ask {
    Ask::new(key(), 0, store.plans().get(0).costs(|| 0))
}

async fn asks(store: &RedisRateStore) -> bool {
    matches!(store.ask(&one(store)).await, Ok(Verdict::Admitted(_)))
}

async fn asks_many(store: &RedisRateStore, times: usize) -> usize {
    let mut admitted = 0;
    for _ in 0..times {
        admitted += usize::from(asks(store).await);
    }
    admitted
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !is_so().await {
        assert!(begin.elapsed() < 5 * SLACK, "{what}");
        sleep(Duration::from_millis(5)).await;
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn two_replicas_have_one_limit() {
    let Some(redis) = RedisServer::start() else { return };
    let [first, second] = [(), ()].map(|()| store(&redis, rule(5, MINUTE)));
    assert_eq!(asks_many(&first, 3).await + asks_many(&second, 9).await, 5);
    let Ok(Verdict::Refused(refused)) = first.ask(&one(&first)).await else { panic!() };
    let wait = refused.wait.unwrap();
    assert!(wait <= MINUTE && wait > MINUTE / 2, "{wait:?}");
}

#[tokio::test]
async fn what_is_settled_is_given_back() {
    let Some(redis) = RedisServer::start() else { return };
    let store = store(&redis, rule(1, MINUTE));
    let Ok(Verdict::Admitted(grant)) = store.ask(&one(&store)).await else { panic!() };
    assert!(!asks(&store).await);
    store.settle(&grant, Costs::default());
    until("it is not given back", async || asks(&store).await).await;
}

#[tokio::test]
async fn who_waits_goes_in_order_and_the_queue_is_bounded() {
    let Some(redis) = RedisServer::start() else { return };
    let store = store(&redis, rule(1, Duration::from_secs(1)));
    assert!(asks(&store).await);
    let mut ask = one(&store);
    ask.patience = Some(Patience::new(MINUTE, 2));
    let [first, second] = [(), ()].map(|()| tokio::spawn(store.ask(&ask)));
    // Whoever waits, too, is refused when two do; one that did not is given up, and leaves.
    until("the queue is never full", async || {
        let third = timeout(Duration::from_millis(50), store.ask(&ask)).await;
        matches!(third, Ok(Ok(Verdict::Refused(_))))
    })
    .await;
    let mut at = Vec::new();
    for waits in [first, second] {
        let Ok(Verdict::Admitted(grant)) = waits.await.unwrap() else { panic!() };
        assert!(!grant.waited.is_zero());
        at.push(grant.at);
    }
    assert!(at[0] + Duration::from_secs(1) <= at[1], "{at:?}");
}

/// What [`asks`] would have to wait for.
async fn wait_of(store: &RedisRateStore) -> Duration {
    match store.ask(&one(store)).await {
        Ok(Verdict::Refused(refused)) => refused.wait.unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn who_leaves_gives_back_what_was_reserved() {
    let Some(redis) = RedisServer::start() else { return };
    let store = store(&redis, rule(1, MINUTE));
    assert!(asks(&store).await);
    let mut ask = one(&store);
    ask.patience = Some(Patience::new(10 * MINUTE, 9));
    let waits = tokio::spawn(store.ask(&ask));
    // Nobody overtakes: whoever asks would go behind him.
    until("he has no place", async || wait_of(&store).await > MINUTE).await;
    waits.abort();
    until("his place stays taken", async || wait_of(&store).await <= MINUTE).await;
    // One who leaves before he is told that he has one.
    drop(store.ask(&ask));
    until("it comes to rest", async || wait_of(&store).await <= MINUTE).await;
}

/// Redis is gone, then is back, without what it knew.
#[tokio::test]
async fn each_mode_does_what_it_says_when_redis_is_killed() {
    let Some(mut redis) = RedisServer::start() else { return };
    let replicas = NonZeroU32::new(2).unwrap();
    let modes = [OnError::Open, OnError::Closed, OnError::Local { replicas }];
    let stores = modes.map(|mode| store(&redis, rule(4, MINUTE)).with_on_error(mode));
    for store in &stores {
        assert!(asks(store).await);
    }
    redis.kill();
    let [open, closed, local] = &stores;
    assert_eq!(asks_many(open, 9).await, 9);
    until("it does not say so", async || {
        let refused = closed.ask(&one(closed)).await;
        matches!(refused, Err(error) if error.kind() == ErrorKind::Unavailable)
    })
    .await;
    // Its share is 2; what a call that broke had asked for may be charged twice.
    assert_eq!(asks_many(local, 9).await, 2);
    redis.restart();
    until("it does not come back", async || local.link().is_up() && open.link().is_up()).await;
    // No burst: Redis is told what was admitted meanwhile.
    until("redis is not told", async || {
        let all = asks_many(local, 9).await;
        assert!(all <= 2, "{all}");
        !asks(open).await
    })
    .await;
}

#[tokio::test]
async fn a_lease_is_decided_on_without_redis_and_never_over() {
    let Some(redis) = RedisServer::start() else { return };
    let [first, second] = [(), ()].map(|()| store(&redis, rule(500, MINUTE)).with_lease(100));
    let mut admitted = 0;
    for _ in 0..500 {
        admitted += asks_many(&first, 1).await + asks_many(&second, 1).await;
    }
    assert!(admitted <= 500, "{admitted}");
    assert!(admitted > 200, "{admitted}");
}

#[tokio::test]
async fn what_is_left_of_a_lease_is_returned() {
    let Some(redis) = RedisServer::start() else { return };
    let [first, second] = [(), ()].map(|()| store(&redis, rule(100, MINUTE)).with_lease(100));
    assert!(asks(&first).await);
    until("it is not returned", async || asks(&second).await).await;
}

#[tokio::test]
async fn nothing_there_is_said_within_the_time_out() {
    let link = RedisLink::try_new("redis://:hunter2@127.0.0.1:1").unwrap();
    let store = RedisRateStore::new(link, rule(1, MINUTE));
    let refused = timeout(SLACK, store.ask(&one(&store))).await.unwrap().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    assert!(!format!("{store:?} {refused:?}").contains("hunter2"));
}
