//! Redis goes while many requests come.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderName, Request, Response};
use http_body_util::Full;
use kimi_errors::{Error, ErrorKind};
use kimi_tower::{
    redis::session::{OnError, RedisSessionStore},
    session::{Conversation, Fence, Refused, SessionLayer, store::Ask},
};
use tokio::{
    task::{JoinSet, yield_now},
    time::{Instant, timeout},
};
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

use super::{LEASE, LONG, RedisServer, enter, key, link, place, turn, until, wait};

const ID: HeaderName = HeaderName::from_static("x-conversation-id");
const TIMEOUT: Duration = Duration::from_millis(500);
/// Timers of tokio go by whole milliseconds.
const TICK: Duration = Duration::from_millis(2);
const CLIENTS: usize = 32;
const SESSIONS: usize = 8;
/// How many each client still sends.
const AFTER: usize = 5;

/// Once Redis is gone, the clock of the test is paused: it moves on when nobody does anything, by no
/// more than somebody waits for. So how long a request takes is exact, however busy the machine is.
#[tokio::test]
async fn no_request_waits_longer_than_one_call_and_the_mode_takes_over() {
    for mode in [OnError::Open, OnError::Closed, OnError::Local] {
        for is_frozen in [true, false] {
            let Some(mut server) = RedisServer::start() else { return };
            let link = link(&server.url()).with_timeout(TIMEOUT);
            let store = RedisSessionStore::new(link).with_lease(LEASE).with_on_error(mode);
            let chat = service_fn(async |request: Request<()>| {
                let mut answer = Response::new(Full::<Bytes>::from("hello"));
                if let Some(fence) = request.extensions().get::<Fence>() {
                    answer.extensions_mut().insert(*fence);
                }
                Ok::<_, Error>(answer)
            });
            let layer = SessionLayer::new().with_key(Conversation::in_field(ID)).with_store(store);
            let service = layer.layer(chat);
            let (served, is_gone) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
            let mut clients = JoinSet::new();
            for client in 0..CLIENTS {
                let service = service.clone();
                let (served, is_gone) = (Arc::clone(&served), Arc::clone(&is_gone));
                clients.spawn(async move {
                    let mut after = 0;
                    while after < AFTER {
                        let (was_gone, since) = (is_gone.load(Relaxed), Instant::now());
                        let name = format!("c-{}", client % SESSIONS);
                        let request = Request::post("/").header(ID, name).body(()).unwrap();
                        let answer = service.clone().oneshot(request).await;
                        if was_gone {
                            after += 1;
                            let took = since.elapsed();
                            assert!(took <= TIMEOUT + TICK, "{mode:?} {is_frozen} {took:?}");
                            match answer {
                                Ok(answer) => {
                                    assert_ne!(mode, OnError::Closed);
                                    assert_eq!(answer.extensions().get::<Fence>(), None);
                                }
                                Err(error) => {
                                    let told = (mode, error.kind());
                                    assert_eq!(told, (OnError::Closed, ErrorKind::Unavailable));
                                }
                            }
                        }
                        served.fetch_add(1, Relaxed);
                        yield_now().await;
                    }
                });
            }
            until("it is under load", async || served.load(Relaxed) > 4 * CLIENTS).await;
            if is_frozen {
                server.freeze();
            } else {
                server.kill();
            }
            tokio::time::pause();
            is_gone.store(true, Relaxed);
            let all = async { while clients.join_next().await.transpose().unwrap().is_some() {} };
            timeout(LONG, all).await.expect("no request hangs");
            tokio::time::resume();
        }
    }
}

#[tokio::test]
async fn one_who_waits_is_told_as_soon_as_another_finds_out() {
    let Some(server) = RedisServer::start() else { return };
    let link = link(&server.url()).with_timeout(TIMEOUT);
    let store = RedisSessionStore::new(link).with_lease(LEASE);
    let _first = turn(&store, &Ask::new(key("c-1"))).await.unwrap();
    let mut second = place(&store, &Ask::new(key("c-1")));
    enter(&mut second).await;
    server.freeze();
    tokio::time::pause();
    let since = Instant::now();
    let ask = Ask::new(key("c-2"));
    let (second, other) = tokio::join!(wait(&mut second), turn(&store, &ask));
    assert_eq!(second.unwrap_err(), Refused::Unavailable);
    assert_eq!(other.unwrap_err(), Refused::Unavailable);
    // Sooner than it would look by itself.
    assert!(since.elapsed() <= TIMEOUT + TICK, "{:?}", since.elapsed());
}
