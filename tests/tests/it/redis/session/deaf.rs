//! Processes that do not hear what they are told.

use std::time::Duration;

use kimi_tower::{
    redis::session::RedisSessionStore,
    session::{Lost, store::Ask},
};

use super::{
    LEASE, RedisServer, ends_for_the_next, key, link, place, proxy::Proxy, store, turn, until,
};

async fn store_by(proxy: &Proxy) -> RedisSessionStore {
    let store = RedisSessionStore::new(link(proxy.url())).with_lease(LEASE);
    drop(turn(&store, &Ask::new(key("first"))).await.unwrap());
    until("it is subscribed", async || proxy.subscriptions() > 0).await;
    store
}

/// What is told by another is not heard, and the beat says it.
#[tokio::test]
async fn a_holder_that_hears_nothing_ends_all_the_same() {
    let Some(server) = RedisServer::start() else { return };
    let proxy = Proxy::start(server.port()).await;
    let (deaf, other) = (store_by(&proxy).await, store(&server));
    proxy.silence_all();
    let [mut newer, mut held, mut idle] = ["c-1", "c-2", "c-3"].map(|name| Ask::new(key(name)));
    newer.supersedes = true;
    held.max_hold = Some(Duration::from_millis(100));
    idle.max_idle = Some(Duration::from_millis(100));
    for (ask, lost) in [(newer, Lost::Superseded), (held, Lost::MaxHold), (idle, Lost::Idle)] {
        let first = turn(&deaf, &Ask::new(ask.key)).await.unwrap();
        ends_for_the_next(first, place(&other, &ask), lost).await;
    }
}

#[tokio::test]
async fn one_that_hears_nothing_subscribes_anew() {
    let Some(server) = RedisServer::start() else { return };
    let proxy = Proxy::start(server.port()).await;
    let store = store_by(&proxy).await;
    proxy.silence();
    let before = proxy.subscriptions();
    // Beats are sent as long as there is a turn.
    let _held = turn(&store, &Ask::new(key("c-1"))).await.unwrap();
    until("it subscribes anew", async || proxy.subscriptions() > before).await;
}
