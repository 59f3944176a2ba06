//! Asks that come to Redis when nobody waits for them any more.

use std::time::Duration;

use kimi_tower::{
    redis::session::RedisSessionStore,
    session::{
        Refused,
        store::{Ask, SessionTurn as _},
    },
};
use redis::Value;

use super::{
    ENDLESS, RedisServer, asks_and_dies, command, endless, enter, key, link, name, place, turn,
    until, wait,
};

#[tokio::test]
async fn an_ask_that_was_given_up_gets_nothing_from_a_redis_that_thaws() {
    let Some(server) = RedisServer::start() else { return };
    let server = std::sync::Arc::new(server);
    let other = endless(&server).await;
    let ask = Ask::new(key("c-1"));
    drop(turn(&other, &ask).await.unwrap());

    let link = link(&server.url()).with_timeout(Duration::from_millis(200));
    let store = RedisSessionStore::new(link).with_lease(ENDLESS);
    let freezing = std::sync::Arc::clone(&server);
    // Nor is anything given back later.
    asks_and_dies(async move || {
        drop(turn(&store, &Ask::new(key("c-2"))).await.unwrap());
        until("it is given back", async || store.active() == 0).await;
        freezing.freeze();
        assert_eq!(turn(&store, &ask).await.unwrap_err(), Refused::Unavailable);
        store
    })
    .await;
    server.thaw();
    // Else it were blocked for a lease.
    assert!(turn(&other, &ask).await.unwrap().fence().is_some());
}

#[tokio::test]
async fn a_turn_that_is_given_to_nobody_is_given_back() {
    let Some(server) = RedisServer::start() else { return };
    let (one, other) = (endless(&server).await, endless(&server).await);
    let ask = Ask::new(key("c-1"));
    let first = turn(&one, &ask).await.unwrap();
    let Value::Array(processes) =
        command(&server, "ZRANGE", &["kimi:{session}:beats", "0", "0"]).await
    else {
        panic!("it beats")
    };
    let Value::BulkString(process) = &processes[0] else { panic!("it has a name") };
    until("it hears", async || {
        let heard = command(&server, "PUBSUB", &["CHANNELS"]).await;
        matches!(heard, Value::Array(channels) if !channels.is_empty())
    })
    .await;
    // As if one had left without Redis having heard of it.
    let gone = format!("{}.4000000", str::from_utf8(process).unwrap());
    command(&server, "ZADD", &[&name("line", "c-1"), "1", &gone]).await;
    let mut next = place(&other, &ask);
    enter(&mut next).await;
    drop(first);
    drop(wait(&mut next).await.unwrap());
}
