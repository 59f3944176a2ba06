//! Redis that is frozen, killed and back, amid those who ask.
//!
//! What is said of time is proved in paused time, which goes on only when nobody has anything else to
//! do: a bound holds to the millisecond, however busy the machine is. The load is in real time, and
//! says nothing of it.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use kimi_errors::{Error, ErrorKind};
use kimi_testkit::redis::RedisServer;
use kimi_tower::{
    rate_limit::store::{Asked, Grant, RateStore as _, Verdict},
    redis::rate::{OnError, RedisRateStore},
};
use tokio::{
    task::JoinSet,
    time::{Instant, pause, resume, sleep, timeout},
};

use super::{MINUTE, asks, asks_many, link, one, rule, until};

/// That of the links, and the unit in which timers count.
const TIMEOUT: Duration = Duration::from_millis(100);
const TICK: Duration = Duration::from_millis(1);

const PLENTY: u32 = 1_000_000;

fn modes() -> [OnError; 3] {
    [OnError::Open, OnError::Closed, OnError::Local { replicas: NonZeroU32::new(2).unwrap() }]
}

/// Moments of grants by Redis lie far behind all others.
fn is_of_redis(grant: &Grant) -> bool {
    grant.at.as_nanos() >= 1 << 58
}

/// Returns whether it is what the mode says while there is no Redis, and plenty of everything.
fn is_without(mode: OnError, verdict: &Result<Verdict, Error>) -> bool {
    match verdict {
        Err(error) => mode == OnError::Closed && error.kind() == ErrorKind::Unavailable,
        Ok(Verdict::Admitted(grant)) => mode != OnError::Closed && !is_of_redis(grant),
        Ok(_) => false,
    }
}

/// Asks each 3 ms, for thrice the time-out, and proves that nobody waits longer than it does, counted
/// from the first who asks; and that from then on nobody asks Redis.
async fn prove(mode: OnError, store: &RedisRateStore) {
    let begin = Instant::now();
    let mut asked = JoinSet::new();
    let mut at_once = 0;
    for _ in 0..100 {
        let asked_at = Instant::now();
        match store.ask(&one(store)) {
            Asked::Now(verdict) => {
                assert!(is_without(mode, &verdict), "{mode:?} {verdict:?}");
                at_once += 1;
            }
            Asked::Later(later) => {
                assert!(asked_at <= begin + TIMEOUT + TICK, "{mode:?} {:?}", asked_at - begin);
                asked.spawn(async move { (later.await, Instant::now()) });
            }
            other => panic!("{other:?}"),
        }
        sleep(3 * TICK).await;
    }
    assert!(!asked.is_empty() && at_once > 50, "{mode:?} {at_once}");
    while let Some(answer) = asked.join_next().await {
        let (verdict, at) = answer.unwrap();
        assert!(is_without(mode, &verdict), "{mode:?} {verdict:?}");
        assert!(at <= begin + TIMEOUT + TICK, "{mode:?} {:?}", at - begin);
    }
}

async fn is_found_again(store: &RedisRateStore) {
    until("it is not found again", async || {
        matches!(store.ask(&one(store)).await, Ok(Verdict::Admitted(it)) if is_of_redis(&it))
    })
    .await;
}

/// R1 and R2. All that were asked are answered when the first has waited for the time-out.
#[tokio::test]
async fn a_frozen_redis_delays_nobody_longer_than_the_time_out() {
    let Some(redis) = RedisServer::start() else { return };
    for (mode, batch) in modes().into_iter().flat_map(|mode| [(mode, 1), (mode, 8)]) {
        let store = RedisRateStore::new(link(&redis, 100), rule(PLENTY, MINUTE));
        let store = store.with_on_error(mode).with_lease(batch);
        store.link().up().await;
        redis.freeze();
        pause();
        prove(mode, &store).await;
        resume();
        redis.thaw();
        is_found_again(&store).await;
    }
}

/// The same where nobody has ever had an answer: the kernel connects, and nobody speaks.
#[tokio::test]
async fn one_that_is_frozen_from_the_first_delays_nobody_longer_than_the_time_out() {
    let Some(redis) = RedisServer::start() else { return };
    redis.freeze();
    pause();
    for mode in modes() {
        let store = RedisRateStore::new(link(&redis, 100), rule(PLENTY, MINUTE));
        prove(mode, &store.with_on_error(mode)).await;
    }
}

#[tokio::test]
async fn a_killed_redis_delays_nobody_longer_than_the_time_out() {
    let Some(mut redis) = RedisServer::start() else { return };
    for mode in modes() {
        let store = RedisRateStore::new(link(&redis, 100), rule(PLENTY, MINUTE));
        let store = store.with_on_error(mode);
        store.link().up().await;
        redis.kill();
        pause();
        prove(mode, &store).await;
        resume();
        redis.restart();
        is_found_again(&store).await;
    }
}

/// What the load sees, and what the one who breaks Redis tells it.
#[derive(Default)]
struct Load {
    /// Redis is known to be down, and cannot be back.
    is_down: AtomicBool,
    is_over: AtomicBool,
    /// How many were answered by Redis, and how many were not while it was down.
    by_redis: AtomicUsize,
    without: AtomicUsize,
}

impl Load {
    async fn run(self: Arc<Self>, mode: OnError, store: RedisRateStore) {
        while !self.is_over.load(SeqCst) {
            let is_down = || self.is_down.load(SeqCst) && !store.link().is_up();
            let was_down = is_down();
            let asked = store.ask(&one(&store));
            let is_at_once = matches!(asked, Asked::Now(_));
            // Read before and after: what was asked meanwhile was asked while it was down.
            let is_down = was_down && is_down();
            let verdict = asked.await;
            match &verdict {
                Ok(Verdict::Admitted(grant)) if is_of_redis(grant) => {
                    assert!(!is_down);
                    self.by_redis.fetch_add(1, SeqCst);
                }
                verdict => {
                    assert!(is_without(mode, verdict), "{mode:?} {verdict:?}");
                    assert!(is_at_once || !is_down, "{mode:?}");
                    self.without.fetch_add(usize::from(is_down), SeqCst);
                }
            }
            // As one that comes over a socket does.
            tokio::task::yield_now().await;
        }
    }
}

/// Redis is frozen and thawed, killed and restarted, while 64 ask as fast as they can: no call hangs,
/// nothing but Redis and the mode is heard of, and while Redis is down nobody waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_each_request_is_answered_by_redis_or_by_the_mode() {
    let Some(mut redis) = RedisServer::start() else { return };
    for (mode, batch) in modes().into_iter().flat_map(|mode| [(mode, 1), (mode, 64)]) {
        let store = RedisRateStore::new(link(&redis, 100), rule(PLENTY, MINUTE));
        let store = store.with_on_error(mode).with_lease(batch);
        let load = Arc::new(Load::default());
        let mut running = JoinSet::new();
        for _ in 0..64 {
            running.spawn(Arc::clone(&load).run(mode, store.clone()));
        }
        for round in 0..4 {
            let (by_redis, without) = (load.by_redis.load(SeqCst), load.without.load(SeqCst));
            until("redis is not asked", async || load.by_redis.load(SeqCst) > by_redis).await;
            if round % 2 == 0 {
                redis.freeze();
            } else {
                redis.kill();
            }
            until("it is not found down", async || !store.link().is_up()).await;
            load.is_down.store(true, SeqCst);
            until("nobody is answered", async || load.without.load(SeqCst) > without + 64).await;
            load.is_down.store(false, SeqCst);
            // Whoever has seen that it was down has been answered, or is about to be, without it.
            if round % 2 == 0 {
                redis.thaw();
            } else {
                redis.restart();
            }
        }
        load.is_over.store(true, SeqCst);
        let ended = timeout(MINUTE, running.join_all()).await;
        assert!(ended.is_ok(), "somebody hangs");
    }
}

/// A crowd that waits for Redis to be back is admitted what is left, and no more: each replica
/// tells first what it has admitted meanwhile.
#[tokio::test]
async fn when_redis_is_back_there_is_no_burst() {
    let Some(redis) = RedisServer::start() else { return };
    let [local] = [OnError::Local { replicas: NonZeroU32::new(2).unwrap() }];
    let replica = || RedisRateStore::new(link(&redis, 5_000), rule(100, MINUTE));
    let [first, second] = [(), ()].map(|()| replica().with_on_error(local));
    assert_eq!(asks_many(&first, 20).await + asks_many(&second, 20).await, 40);
    redis.freeze();
    pause();
    assert_eq!((asks_many(&first, 99).await, asks_many(&second, 99).await), (50, 50));
    resume();
    redis.thaw();
    first.link().up().await;
    // 40 before and its own 50 are known by now. What the other has admitted may not be.
    let crowd: JoinSet<_> = (0..99)
        .map(|_| {
            let store = first.clone();
            async move { asks(&store).await }
        })
        .collect();
    let admitted = crowd.join_all().await.into_iter().filter(|is_admitted| *is_admitted).count();
    assert!(admitted <= 10, "{admitted}");
    // Then nothing is: 40, 100 and the 10 are more than there is.
    second.link().up().await;
    assert!(asks_many(&second, 99).await <= 10 - admitted);
    assert_eq!(asks_many(&first, 99).await, 0);
}
