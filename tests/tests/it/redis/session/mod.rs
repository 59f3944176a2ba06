//! Turns through Redis: each store here stands for a process.

mod access;
mod answer;
mod away;
mod deaf;
mod fence;
mod late;
mod layer;
mod line;
mod load;
mod lost;
mod proxy;
mod referee;
mod stream;

use std::{future::poll_fn, time::Duration};

use kimi_testkit::redis::RedisServer;
use kimi_tower::{
    key::{Key, KeyHasher},
    redis::{
        RedisLink,
        session::{RedisPlace, RedisSessionStore, RedisTurn},
    },
    session::{
        Lost,
        store::{Ask, Asked, Refused, SessionPlace as _, SessionStore as _},
    },
};
use tokio::time::{Instant, timeout};

use self::answer::Answer;

/// What takes longer does not end.
const LONG: Duration = Duration::from_secs(20);
/// Long enough for a busy machine to renew it in time.
const LEASE: Duration = Duration::from_secs(2);

fn link(url: &str) -> RedisLink {
    // Longer than a busy machine takes.
    RedisLink::try_new(url).unwrap().with_timeout(Duration::from_secs(1))
}

fn store(server: &RedisServer) -> RedisSessionStore {
    RedisSessionStore::new(link(&server.url())).with_lease(LEASE)
}

/// A lease that does not run out while a test runs.
const ENDLESS: Duration = Duration::from_secs(600);

/// With a lease without end, of a server that gives turns at once.
async fn endless(server: &RedisServer) -> RedisSessionStore {
    let store = RedisSessionStore::new(link(&server.url())).with_lease(ENDLESS);
    // Else it gives none before a lease has passed since it was started.
    command(server, "SET", &["kimi:{session}:epoch", "0"]).await;
    store
}

/// Runs a command of its own.
async fn command(server: &RedisServer, name: &str, args: &[&str]) -> redis::Value {
    let client = redis::Client::open(server.url()).unwrap();
    let config = redis::AsyncConnectionConfig::new();
    let config = config.set_connection_timeout(Some(LONG)).set_response_timeout(Some(LONG));
    let connection = client.get_multiplexed_async_connection_with_config(&config);
    let mut connection = connection.await.unwrap();
    redis::cmd(name).arg(args).query_async(&mut connection).await.unwrap()
}

/// Returns the name in Redis of a session or its line.
fn name(kind: &str, session: &str) -> String {
    format!("kimi:{{session}}:{kind}:{:032x}", u128::from_be_bytes(key(session).to_bytes()))
}

/// Returns who has the turn of a session, as Redis knows.
async fn holder(server: &RedisServer, session: &str) -> Option<String> {
    let holder = command(server, "HGET", &[&name("session", session), "h"]).await;
    redis::from_redis_value(holder).unwrap()
}

/// Has somebody ask in a process that dies then: with its runtime, so that nothing of what it leaves is
/// given back.
async fn asks_and_dies<T: Send + 'static, L>(
    asks: impl AsyncFnOnce() -> (T, L) + Send + 'static,
) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let dead = std::thread::spawn(move || {
        let (told, left) = runtime.block_on(asks());
        runtime.shutdown_background();
        std::mem::forget(left);
        told
    });
    tokio::task::spawn_blocking(|| dead.join().unwrap()).await.unwrap()
}

fn key(name: &str) -> Key {
    KeyHasher::with_secret(&[7; 16]).key(&[name.as_bytes()])
}

fn place(store: &RedisSessionStore, ask: &Ask) -> RedisPlace {
    match store.ask(ask) {
        Asked::Waits { place, .. } => place,
        other => panic!("{other:?}"),
    }
}

async fn wait(place: &mut RedisPlace) -> Result<RedisTurn, Refused> {
    timeout(LONG, poll_fn(|cx| place.poll_turn(cx))).await.expect("it does not hang")
}

async fn turn(store: &RedisSessionStore, ask: &Ask) -> Result<RedisTurn, Refused> {
    wait(&mut place(store, ask)).await
}

/// A turn whose answer nobody has read since it began ends for this reason, and the next has it.
async fn ends_for_the_next(mut first: RedisTurn, mut next: RedisPlace, lost: Lost) {
    let answer = Answer::of(&mut first, Some(Instant::now()));
    let told = async {
        assert_eq!(answer.end().await, lost);
        drop(first);
    };
    let (next, ()) = tokio::join!(wait(&mut next), told);
    drop(next.unwrap());
}

/// Polls until it is known in Redis.
async fn enter(place: &mut RedisPlace) {
    let known = poll_fn(|cx| {
        assert!(place.poll_turn(cx).is_pending());
        if place.ahead().is_some() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    });
    timeout(LONG, known).await.expect("it comes to know its place");
}

/// Tries again until something is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let tried = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(LONG, tried).await.unwrap_or_else(|_| panic!("{what}"));
}
