//! What becomes of requests when Redis, or a process, is away.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderName, Request, Response};
use http_body_util::Full;
use kimi_errors::{BoxError, ErrorKind};
use kimi_tower::{
    redis::session::OnError,
    session::{
        Conversation, Fence, Refused, SessionLayer,
        store::{Ask, SessionPlace as _, SessionTurn as _},
    },
};
use tokio::time::timeout;
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

use super::{
    LONG, RedisServer, asks_and_dies, command, enter, key, place, store, turn, until, wait,
};
use crate::events::Events;

/// How many die, more than there are heartbeats while a test runs.
const DEAD: usize = 100;

/// Returns how many scripts were run since the counts were reset.
async fn calls(server: &RedisServer) -> usize {
    let stats = command(server, "INFO", &["commandstats"]).await;
    let stats = redis::from_redis_value::<String>(stats).unwrap();
    let scripts = stats.lines().filter(|line| line.starts_with("cmdstat_eval"));
    let calls = scripts
        .filter_map(|line| line.split_once("calls=")?.1.split_once(',')?.0.parse::<usize>().ok());
    calls.sum()
}

#[tokio::test]
async fn nothing_hangs_and_each_mode_does_what_it_says() {
    for is_frozen in [true, false] {
        let Some(mut server) = RedisServer::start() else { return };
        let modes = [OnError::Open, OnError::Closed, OnError::Local];
        let stores = modes.map(|mode| store(&server).with_on_error(mode));
        let ask = Ask::new(key("c-1"));
        for store in &stores {
            drop(turn(store, &ask).await.unwrap());
        }
        if is_frozen {
            server.freeze();
        } else {
            server.kill();
        }
        let [open, closed, local] = &stores;
        let first = turn(open, &ask).await.unwrap();
        let second = turn(open, &ask).await.unwrap();
        assert_eq!((first.number(), first.fence(), second.number()), (0, None, 0));
        assert_eq!(turn(closed, &ask).await.unwrap_err(), Refused::Unavailable);
        let first = turn(local, &ask).await.unwrap();
        let mut second = place(local, &ask);
        enter(&mut second).await;
        drop(first);
        drop(wait(&mut second).await.unwrap());
    }
}

#[tokio::test]
async fn one_who_waits_when_redis_goes_is_told() {
    let Some(mut server) = RedisServer::start() else { return };
    let store = store(&server);
    let ask = Ask::new(key("c-1"));
    let _first = turn(&store, &ask).await.unwrap();
    let mut second = place(&store, &ask);
    enter(&mut second).await;
    server.kill();
    assert_eq!(wait(&mut second).await.unwrap_err(), Refused::Unavailable);
}

#[tokio::test]
async fn a_turn_of_the_process_and_one_of_redis_are_not_at_work_at_once() {
    let Some(mut server) = RedisServer::start() else { return };
    let store = store(&server).with_on_error(OnError::Local);
    let ask = Ask::new(key("c-1"));
    drop(turn(&store, &ask).await.unwrap());
    server.kill();
    let local = turn(&store, &ask).await.unwrap();
    assert_eq!(local.fence(), None);
    server.restart();
    // Another session shows that Redis is there again.
    until("redis is asked again", async || {
        turn(&store, &Ask::new(key("c-2"))).await.unwrap().fence().is_some()
    })
    .await;
    let mut next = place(&store, &ask);
    until("it has its turn in Redis", async || {
        let waker = std::task::Waker::noop();
        assert!(next.poll_turn(&mut std::task::Context::from_waker(waker)).is_pending());
        store.active() == 1
    })
    .await;
    drop(local);
    assert!(wait(&mut next).await.unwrap().fence().is_some());
}

#[tokio::test]
async fn many_who_have_died_cost_the_heartbeat_of_one() {
    let Some(server) = RedisServer::start() else { return };
    let (one, dying, other) = (store(&server), store(&server), store(&server));
    let ask = Ask::new(key("c-1"));
    let first = turn(&one, &ask).await.unwrap();
    asks_and_dies(async move || {
        let mut places: Vec<_> = (0..DEAD).map(|_| place(&dying, &ask)).collect();
        for place in &mut places {
            enter(place).await;
        }
        ((), (places, dying))
    })
    .await;
    let mut last = place(&other, &ask);
    enter(&mut last).await;
    assert_eq!(last.ahead(), Some(1 + DEAD));
    command(&server, "CONFIG", &["RESETSTAT"]).await;
    drop(first);
    drop(wait(&mut last).await.unwrap());
    // Those of a lease: some beats of two processes, and who waits looks some times. If each of the dead
    // cost a heartbeat, there would be more than one call for each.
    let calls = calls(&server).await;
    assert!((1..DEAD).contains(&calls), "{calls}");
}

#[tokio::test]
async fn the_service_is_told_the_fence_and_no_client_can_say_it() {
    let Some(server) = RedisServer::start() else { return };
    let field = HeaderName::from_static("x-kimi-fence");
    let id = HeaderName::from_static("x-conversation-id");
    let chat = service_fn(async |request: Request<()>| {
        let fence = request.extensions().get::<Fence>().copied();
        let sent = request.headers().get("x-kimi-fence").cloned();
        let mut answer = Response::new(Full::<Bytes>::from("hello"));
        answer.extensions_mut().insert(Arc::new((fence, sent)));
        Ok::<_, BoxError>(answer)
    });
    let layer = SessionLayer::new()
        .with_key(Conversation::in_field(id.clone()))
        .with_fence_field(field.clone())
        .with_store(store(&server));
    let request = |names: &[&str]| {
        let mut request = Request::post("/").header(&field, "9").body(()).unwrap();
        for name in names {
            request.headers_mut().insert(&id, name.parse().unwrap());
        }
        request
    };
    type Told = Arc<(Option<Fence>, Option<http::HeaderValue>)>;
    let answer = layer.layer(chat).oneshot(request(&["c-1"])).await.unwrap();
    let told = answer.extensions().get::<Told>().unwrap().clone();
    let fence = told.0.unwrap();
    assert_eq!(told.1.as_ref().unwrap(), &fence.to_string());
    // One of no session has none.
    let free = layer.layer(chat).oneshot(request(&[])).await.unwrap();
    assert_eq!(**free.extensions().get::<Told>().unwrap(), (None, None));
    // The turn is held until the end of the body.
    let next = layer.layer(chat).oneshot(request(&["c-1"]));
    let mut next = std::pin::pin!(next);
    assert!(timeout(Duration::from_millis(50), next.as_mut()).await.is_err());
    drop(answer);
    let next = timeout(LONG, next).await.unwrap().unwrap();
    assert!(next.extensions().get::<Told>().unwrap().0.unwrap() > fence);

    drop(next);
    let mut server = server;
    server.kill();
    let refused = timeout(LONG, layer.layer(chat).oneshot(request(&["c-1"]))).await.unwrap();
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn each_change_is_told_once() {
    let Some(mut server) = RedisServer::start() else { return };
    let events = Events::listen();
    let heard = |what: &str| {
        let all = events.take();
        let count = all.iter().filter(|line| line.contains("redis is")).count();
        assert!(all.iter().any(|line| line.contains(what)), "{all:?}");
        count
    };
    let store = store(&server);
    let ask = Ask::new(key("c-1"));
    drop(turn(&store, &ask).await.unwrap());
    assert_eq!(heard("INFO message=redis is up"), 1);
    server.kill();
    for _ in 0..20 {
        assert_eq!(turn(&store, &ask).await.unwrap_err(), Refused::Unavailable);
    }
    assert_eq!(heard("WARN message=redis is down"), 1);
    server.restart();
    until("turns are given again", async || turn(&store, &ask).await.is_ok()).await;
    assert_eq!(heard("INFO message=redis is up"), 1);
}
