//! What is made of answers that are late, or are none.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use kimi_errors::{ErrorKind, Lang};
use kimi_testkit::probe::{Probe, ProbeBody};
use kimi_tower::{
    rate_limit::{
        Admission, RateLimitLayer,
        store::{Patience, RateStore as _, Verdict},
    },
    redis::{
        RedisLink,
        rate::{OnError, RedisRateStore},
    },
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};
use tower::{Layer as _, ServiceExt as _};

use super::{MINUTE, one, rule, scripted::Scripted};
use crate::events::Events;

const TIMEOUT: Duration = Duration::from_millis(100);
const TICK: Duration = Duration::from_millis(1);

/// What `ask.lua` answers by one window of 10: one was admitted, once.
const ADMITTED: &str = "*7\r\n:1\r\n:9000000\r\n:9000000\r\n:1\r\n:0\r\n:1\r\n:9000000";
const REFUSED: &str = "*7\r\n:0\r\n:9000000\r\n:9500000\r\n:1\r\n:0\r\n:10\r\n:9000000";

fn store(link: RedisLink) -> RedisRateStore {
    RedisRateStore::new(link.with_timeout(TIMEOUT), rule(10, MINUTE))
}

/// R1. Who waits for others that ask for the same lease, and then asks himself, has one time-out.
#[tokio::test(start_paused = true)]
async fn who_waits_for_a_lease_behind_others_waits_no_longer_than_the_time_out() {
    let redis = Scripted::start(|| (60 * TICK, ADMITTED.to_owned()));
    let store = store(redis.link()).with_on_error(OnError::Closed).with_lease(8);
    store.link().up().await;
    let begin = Instant::now();
    let mut asked = JoinSet::new();
    for _ in 0..9 {
        let store = store.clone();
        asked.spawn(async move { (store.ask(&one(&store)).await, begin.elapsed()) });
    }
    let mut admitted = 0;
    while let Some(answer) = asked.join_next().await {
        let (verdict, took) = answer.unwrap();
        assert!(took <= TIMEOUT + TICK, "{took:?}");
        match verdict {
            Ok(verdict) => admitted += usize::from(matches!(verdict, Verdict::Admitted(_))),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable),
        }
    }
    assert_eq!(admitted, 1);
}

/// The same where the lease is refused, and he would wait for a place of his own.
#[tokio::test(start_paused = true)]
async fn two_calls_for_one_decision_have_one_time_out() {
    let redis = Scripted::start(|| (60 * TICK, REFUSED.to_owned()));
    let store = store(redis.link()).with_lease(8);
    store.link().up().await;
    let mut ask = one(&store);
    ask.patience = Some(Patience::new(MINUTE, 9));
    let begin = Instant::now();
    let error = store.ask(&ask).await.unwrap_err();
    assert!(begin.elapsed() <= TIMEOUT + TICK, "{:?}", begin.elapsed());
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

/// One call for all who are refused while a lease would live, which is 600 ms here; and nobody is told
/// to come again before. What comes back until then is a batch, and not a permit for each call.
#[tokio::test(start_paused = true)]
async fn a_refusal_of_a_lease_is_one_call_and_holds_as_long_as_it_says() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let redis = Scripted::start(move || {
        count.fetch_add(1, SeqCst);
        // Half a second.
        (Duration::ZERO, REFUSED.to_owned())
    });
    let store = store(redis.link()).with_lease(8);
    store.link().up().await;
    let begin = Instant::now();
    let mut again = begin;
    while begin.elapsed() < 599 * TICK {
        let Ok(Verdict::Refused(refused)) = store.ask(&one(&store)).await else { panic!() };
        let first = Instant::now() + refused.wait.unwrap();
        assert!(first >= again && first >= begin + 600 * TICK, "{:?}", first - begin);
        again = first;
        sleep(TICK).await;
    }
    assert_eq!(asked.load(SeqCst), 1);
    sleep_until(again + TICK).await;
    assert!(store.ask(&one(&store)).await.is_ok());
    assert_eq!(asked.load(SeqCst), 2);
}

/// R2. Each change is told by one event, however many have asked.
#[tokio::test(start_paused = true)]
async fn each_change_of_state_is_one_event() {
    let slow = Arc::new(AtomicUsize::new(0));
    let is_slow = Arc::clone(&slow);
    let redis = Scripted::start(move || {
        let after = if is_slow.load(SeqCst) > 0 { 300 * TICK } else { Duration::ZERO };
        (after, ADMITTED.to_owned())
    });
    let store = store(redis.link());
    let events = Events::listen();
    store.link().up().await;
    assert_eq!(events.take(), ["INFO message=redis is up"]);
    slow.store(1, SeqCst);
    let crowd: JoinSet<_> = (0..50)
        .map(|_| {
            let store = store.clone();
            async move { store.ask(&one(&store)).await.unwrap_err().kind() }
        })
        .collect();
    assert!(crowd.join_all().await.iter().all(|kind| *kind == ErrorKind::Unavailable));
    assert!(store.ask(&one(&store)).await.is_err());
    assert_eq!(events.take(), [r#"WARN message=redis is down why="no answer in time""#]);
    slow.store(0, SeqCst);
    store.link().up().await;
    assert!(store.ask(&one(&store)).await.is_ok());
    assert_eq!(events.take(), ["INFO message=redis is up"]);
}

/// However often it is looked for.
#[tokio::test(start_paused = true)]
async fn one_that_was_never_there_is_one_event() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("redis+unix://{}", dir.path().join("none").display());
    let store = store(RedisLink::try_new(url).unwrap());
    let events = Events::listen();
    for _ in 0..5 {
        assert!(store.ask(&one(&store)).await.is_err());
        sleep(TIMEOUT * 3).await;
    }
    assert_eq!(events.take(), [r#"WARN message=redis is down why="no connection""#]);
}

/// What Redis says where it does not obey, and what is no answer of the script. It is up, and is asked
/// each time.
#[tokio::test(start_paused = true)]
async fn an_error_of_redis_is_told_once_and_the_mode_decides() {
    for (answer, code) in [
        ("-NOPERM User gateway has no permissions to run evalsha", Some("NOPERM")),
        ("-OOM command not allowed when used memory > 'maxmemory'.", Some("OOM")),
        ("-ERR kimi:{0123}:rate:0 is secret", Some("ERR")),
        ("$-1", None),
        (":1", None),
        ("*2\r\n:1\r\n:1", None),
        ("*7\r\n:7\r\n:1\r\n:1\r\n:1\r\n:0\r\n:1\r\n:1", None),
    ] {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let redis = Scripted::start(move || {
            count.fetch_add(1, SeqCst);
            (Duration::ZERO, answer.to_owned())
        });
        let store = store(redis.link());
        store.link().up().await;
        let events = Events::listen();
        for _ in 0..3 {
            let error = store.ask(&one(&store)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
        assert!(store.link().is_up(), "{answer}");
        assert_eq!(asked.load(SeqCst), 3, "{answer}");
        let told =
            code.map(|code| format!("WARN message=redis answers with an error code={code:?}"));
        assert_eq!(events.take(), told.into_iter().collect::<Vec<_>>(), "{answer}");
    }
}

/// The refusal for want of Redis speaks the layer's language, and a limit that is only tried refuses
/// nobody for it.
#[tokio::test]
async fn the_layer_says_in_its_language_that_redis_is_away() {
    let layer = || {
        let link = RedisLink::try_new("redis://127.0.0.1:1").unwrap();
        RateLimitLayer::in_store(store(link))
    };
    let request = || http::Request::new(ProbeBody::empty());
    for (lang, text) in [(Lang::Zh, "服务"), (Lang::En, "unavailable")] {
        let service = layer().with_lang(lang).layer(Probe::new([]).0);
        let error = service.oneshot(request()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().contains(text), "{}", error.message());
        assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
    }
    let tried = layer().with_admission(Admission::Shadow).layer(Probe::new([]).0);
    assert!(tried.oneshot(request()).await.is_ok());
}
