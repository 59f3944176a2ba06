//! Asks that come to Redis when nobody waits for them any more.

use std::{future::poll_fn, sync::Arc, time::Duration};

use kimi_tower::{
    redis::session::RedisSessionStore,
    session::{
        Lost, Refused,
        store::{Ask, SessionTurn as _},
    },
};
use redis::Value;
use tokio::time::{sleep, timeout};

use super::{
    ENDLESS, LEASE, LONG, RedisServer, asks_and_dies, command, endless, enter, key, link, name,
    place, turn, until, wait,
};

#[tokio::test]
async fn an_ask_that_was_given_up_gets_nothing_from_a_redis_that_thaws() {
    let Some(server) = RedisServer::start() else { return };
    let server = Arc::new(server);
    let other = endless(&server).await;
    let ask = Ask::new(key("c-1"));
    drop(turn(&other, &ask).await.unwrap());

    let link = link(&server.url()).with_timeout(Duration::from_secs(1));
    let store = RedisSessionStore::new(link).with_lease(ENDLESS);
    let freezing = Arc::clone(&server);
    // Nor is anything given back later.
    asks_and_dies(async move || {
        drop(turn(&store, &Ask::new(key("c-2"))).await.unwrap());
        until("it is given back", async || store.active() == 0).await;
        freezing.freeze();
        assert_eq!(turn(&store, &ask).await.unwrap_err(), Refused::Unavailable);
        ((), store)
    })
    .await;
    server.thaw();
    // Else it were blocked for a lease.
    assert!(turn(&other, &ask).await.unwrap().fence().is_some());
}

/// Returns the name of a process that has sent a beat.
async fn process(server: &RedisServer) -> String {
    let processes = command(server, "ZRANGE", &["kimi:{session}:beats", "0", "0"]).await;
    let processes: Vec<String> = redis::from_redis_value(processes).unwrap();
    processes.into_iter().next().expect("it beats")
}

#[tokio::test]
async fn a_beat_that_was_given_up_does_not_revive_a_process() {
    let Some(server) = RedisServer::start() else { return };
    let server = Arc::new(server);
    let link = link(&server.url()).with_timeout(Duration::from_secs(1));
    let store = RedisSessionStore::new(link).with_lease(LEASE);
    let freezing = Arc::clone(&server);
    let name = asks_and_dies(async move || {
        let mut held = turn(&store, &Ask::new(key("c-1"))).await.unwrap();
        let name = process(&freezing).await;
        freezing.freeze();
        // Meanwhile it beats, of which nothing is heard.
        let lost = timeout(LONG, poll_fn(|cx| held.poll_lost(cx))).await;
        assert_eq!(lost, Ok(Lost::Lease));
        (name, (held, store))
    })
    .await;
    // So that what came to it before it was stopped is over.
    sleep(LEASE).await;
    server.thaw();
    let time: (u64, u64) = redis::from_redis_value(command(&server, "TIME", &[]).await).unwrap();
    let alive = command(&server, "ZSCORE", &["kimi:{session}:beats", &name]).await;
    let alive: f64 = redis::from_redis_value(alive).unwrap();
    let now = Duration::from_secs(time.0) + Duration::from_micros(time.1);
    assert!(Duration::from_secs_f64(alive / 1e6) < now, "{alive} {now:?}");
}

#[tokio::test]
async fn a_turn_that_is_given_to_nobody_is_given_back() {
    let Some(server) = RedisServer::start() else { return };
    let (one, other) = (endless(&server).await, endless(&server).await);
    let ask = Ask::new(key("c-1"));
    let first = turn(&one, &ask).await.unwrap();
    let process = process(&server).await;
    until("it hears", async || {
        let heard = command(&server, "PUBSUB", &["CHANNELS"]).await;
        matches!(heard, Value::Array(channels) if !channels.is_empty())
    })
    .await;
    // As if one had left without Redis having heard of it.
    let gone = format!("{process}.4000000");
    command(&server, "ZADD", &[&name("line", "c-1"), "1", &gone]).await;
    let mut next = place(&other, &ask);
    enter(&mut next).await;
    drop(first);
    drop(wait(&mut next).await.unwrap());
}
