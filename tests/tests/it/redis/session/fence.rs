//! Fences, as others see them, and what is given back by whoever has it no more.

use bytes::Bytes;
use http::{Request, request::Parts};
use http_body_util::Full;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use kimi_testkit::{mock::Mock, server::MockServer};
use kimi_tower::{
    key::KeyHasher,
    session::{
        SessionLayer,
        store::{Ask, SessionTurn as _},
    },
};
use tokio::{task::yield_now, time::timeout};
use tower::ServiceExt as _;
use tower_layer::Layer as _;

use super::{
    LONG, RedisServer, asks_and_dies, command, endless, holder, key, name, store, turn, until,
};

#[tokio::test]
async fn fences_do_not_go_back_when_redis_has_forgotten_all() {
    let Some(mut server) = RedisServer::start() else { return };
    let (dying, other) = (store(&server), store(&server));
    let ask = Ask::new(key("c-1"));
    // Nobody is left to say which was the last.
    let last = asks_and_dies(async move || {
        for _ in 0..3 {
            drop(turn(&dying, &ask).await.unwrap());
        }
        let turn = turn(&dying, &ask).await.unwrap();
        (turn.fence().unwrap(), (turn, dying))
    })
    .await;
    server.restart();
    let next = async {
        loop {
            match turn(&other, &ask).await {
                Ok(turn) => return turn.fence().unwrap(),
                Err(_) => yield_now().await,
            }
        }
    };
    let next = timeout(LONG, next).await.expect("turns are given again");
    assert!(next > last, "{next} {last}");
}

#[tokio::test]
async fn what_is_given_back_too_late_is_anothers_and_stays() {
    let Some(server) = RedisServer::start() else { return };
    let store = endless(&server).await;
    let stale = turn(&store, &Ask::new(key("c-1"))).await.unwrap();
    let session = name("session", "c-1");
    command(&server, "HSET", &[&session, "h", "another.1"]).await;
    drop(stale);
    // What is given back after it has been given back.
    drop(turn(&store, &Ask::new(key("c-2"))).await.unwrap());
    until("all is given back", async || holder(&server, "c-2").await.is_none()).await;
    assert_eq!(holder(&server, "c-1").await.as_deref(), Some("another.1"));
}

#[tokio::test]
async fn an_upstream_is_sent_the_fence_of_each_turn() {
    let Some(server) = RedisServer::start() else { return };
    let mock = Mock::platform();
    let upstream = MockServer::start(mock.clone()).await.unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let service = SessionLayer::new()
        .with_key(|_: &Parts, hasher: &KeyHasher| Ok(Some(hasher.key(&[b"c-1"]))))
        .with_fence_field("x-kimi-fence".parse().unwrap())
        .with_store(store(&server))
        .layer(client);
    for _ in 0..2 {
        // What a client has sent there is nobody's.
        let request = Request::post(format!("{}/v1/chat/completions", upstream.url()))
            .header("x-kimi-fence", "18446744073709551615")
            .header("x-kimi-fence", "0")
            .body(Full::<Bytes>::default());
        drop(service.clone().oneshot(request.unwrap()).await.unwrap());
    }
    let fences: Vec<u64> = mock
        .requests()
        .iter()
        .map(|request| {
            let mut sent = request.headers().get_all("x-kimi-fence").iter();
            let fence = sent.next().unwrap().to_str().unwrap().parse().unwrap();
            assert_eq!(sent.next(), None);
            fence
        })
        .collect();
    // In microseconds since 1970: after 2020, and in order.
    assert!(fences.len() == 2 && fences[0] < fences[1], "{fences:?}");
    assert!((1_577_836_800_000_000..u64::MAX).contains(&fences[0]), "{fences:?}");
}
