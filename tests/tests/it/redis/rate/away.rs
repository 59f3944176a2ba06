//! Who finds a Redis away, and what it is told when it is back.

use std::{num::NonZeroU32, time::Duration};

use kimi_testkit::redis::RedisServer;
use kimi_tower::{
    rate_limit::{
        Quota, Rule, SlidingWindow,
        store::{Ask, RateStore as _, Verdict},
    },
    redis::{LinkError, rate::OnError},
};
use redis::Script;
use tokio::time::Instant;

use super::{MINUTE, asks, key, link, one, rule, store, until};

#[tokio::test]
async fn one_who_has_hardly_any_time_finds_nobody_away() {
    let Some(redis) = RedisServer::start() else { return };
    let (link, script) = (link(&redis, 60_000), Script::new("return 1"));
    link.call(&script, &[], &[""]).await.unwrap();
    redis.freeze();
    let soon = Instant::now() + Duration::from_millis(20);
    let answer = link.call_until(soon, &script, &[], &[""]).await;
    assert!(matches!(answer, Err(LinkError::Timeout)), "{answer:?}");
    assert!(link.is_up());
    redis.thaw();
    link.call(&script, &[], &[""]).await.unwrap();
}

#[tokio::test]
async fn a_server_that_has_become_a_replica_is_connected_to_anew() {
    let Some(redis) = RedisServer::start() else { return };
    let mut own = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
    let connections = |own: &mut redis::Connection| {
        let info: redis::InfoDict = redis::cmd("INFO").arg("stats").query(own).unwrap();
        info.get::<u64>("total_connections_received").unwrap()
    };
    let store = store(&redis, rule(9, MINUTE));
    assert!(asks(&store).await);
    let before = connections(&mut own);
    redis::cmd("REPLICAOF").arg("127.0.0.1").arg(1).exec(&mut own).unwrap();
    assert!(store.ask(&one(&store)).await.is_err());
    // As the name of the server may lead elsewhere by now.
    until("it is not connected anew", async || connections(&mut own) > before).await;
    redis::cmd("REPLICAOF").arg("NO").arg("ONE").exec(&mut own).unwrap();
    until("it is not served again", async || asks(&store).await).await;
}

/// What a stream has used is known at its end, when Redis was told already what it had asked for.
#[tokio::test]
async fn what_was_used_on_top_while_redis_was_away_is_told() {
    let Some(mut redis) = RedisServer::start() else { return };
    let tokens = SlidingWindow::try_new(Quota::try_new(10, MINUTE).unwrap()).unwrap();
    let local = OnError::Local { replicas: NonZeroU32::new(2).unwrap() };
    let store = store(&redis, Rule::tokens(tokens)).with_on_error(local);
    let costs = |tokens| store.plans().get(0).costs(|| tokens);
    let ask = async |tokens| store.ask(&Ask::new(key(), 0, costs(tokens))).await;
    redis.kill();
    let Ok(Verdict::Admitted(grant)) = ask(1).await else { panic!("there is a share") };
    redis.restart();
    store.link().up().await;
    // Whoever asks waits until that one is told.
    assert!(matches!(ask(1).await, Ok(Verdict::Admitted(_))));
    store.settle(&grant, costs(5));
    assert!(matches!(ask(5).await, Ok(Verdict::Refused(_))));
    assert!(matches!(ask(4).await, Ok(Verdict::Admitted(_))));
}
