//! Two gateways that share a Redis, and what becomes of both without it.

use std::time::Duration;

use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use kimi_examples::gateway::{Limits, Settings, Shared, Upstream};
use kimi_testkit::{mock::Mock, redis::RedisServer, script::Script, server::MockServer};
use kimi_tower::session::Policy;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::wire::{CHAT, Gateway, QUESTION};

const SECRET: &str = "sixteen bytes at least";

async fn gateways(redis: &RedisServer, mock: &MockServer, rpm: u32) -> [Gateway; 2] {
    // More than a busy machine takes: whom Redis does not count in time, nobody counts.
    let shared = Shared::try_new(&redis.url(), SECRET).unwrap();
    let shared = shared.with_timeout(Duration::from_secs(10));
    let start = async || {
        let upstream: Upstream = mock.url().parse().unwrap();
        let settings = Settings {
            limits: Limits::none().try_with_requests(rpm).unwrap(),
            session: Some(Policy::Reject),
            shared: Some(shared.clone()),
            ..Settings::default()
        };
        Gateway::serving(upstream, settings).await
    };
    [start().await, start().await]
}

fn chat(key: &str, body: &'static str) -> Request<Full<bytes::Bytes>> {
    Request::post(CHAT)
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {key}"))
        .body(Full::from(body))
        .unwrap()
}

#[tokio::test]
async fn a_limit_is_one_limit_on_both_and_none_without_redis() {
    let Some(mut redis) = RedisServer::start() else { return };
    let mock = MockServer::start(Mock::platform()).await.unwrap();
    let [first, second] = gateways(&redis, &mock, 5).await;
    let mut served = 0;
    for _ in 0..5 {
        for gateway in [&first, &second] {
            let status = gateway.send(chat("sk-1", QUESTION)).await.status;
            assert!([StatusCode::OK, StatusCode::TOO_MANY_REQUESTS].contains(&status), "{status}");
            served += usize::from(status == StatusCode::OK);
        }
    }
    // One more, if twelve seconds have passed.
    assert!((5..=6).contains(&served), "{served}");
    // Another caller has limits of its own.
    assert_eq!(second.send(chat("sk-2", QUESTION)).await.status, StatusCode::OK);
    redis.kill();
    for _ in 0..6 {
        assert_eq!(first.send(chat("sk-1", QUESTION)).await.status, StatusCode::OK);
    }
}

/// Else a Redis that has just started gives none before a lease has passed.
async fn gives_turns_at_once(redis: &RedisServer) {
    let address = redis.url();
    let mut stream = TcpStream::connect(address.trim_start_matches("redis://")).await.unwrap();
    stream.write_all(b"SET kimi:{session}:epoch 0\r\n").await.unwrap();
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"+OK\r\n");
}

#[tokio::test]
async fn a_conversation_has_one_turn_on_both() {
    const TALK: &str = r#"{"model":"kimi-k3","conversation_id":"c-1","messages":[{"role":"user","content":"你好"}],"stream":true}"#;
    let Some(redis) = RedisServer::start() else { return };
    gives_turns_at_once(&redis).await;
    let endless = Script::from_json(r#"{"steps": [{"endless": true}]}"#).unwrap();
    let mock = Mock::platform().with_script(endless);
    let upstream = MockServer::start(mock.clone()).await.unwrap();
    let [first, second] = gateways(&redis, &upstream, 0).await;
    let opened = first.open(chat("sk-1", TALK)).await;
    assert_eq!(opened.status(), StatusCode::OK);
    let mut opened = opened.into_body();
    opened.frame().await.unwrap().unwrap();
    let refused = second.send(chat("sk-1", TALK)).await;
    assert!(refused.status == StatusCode::TOO_MANY_REQUESTS, "{}", refused.body);
    assert!(refused.body.contains("-2005"), "{}", refused.body);
    // Not by the upstream, which would say the same.
    assert_eq!(mock.request_count(), 1);
    drop(opened);
}

#[test]
fn a_secret_that_is_none_is_refused_and_not_shown() {
    for (url, secret) in [("redis://127.0.0.1", "short"), ("redis://:CaNaRy@", SECRET)] {
        let error = Shared::try_new(url, secret).unwrap_err();
        assert!(!error.to_string().contains("CaNaRy") && !error.to_string().contains("short "));
    }
    assert!(
        !format!("{:?}", Shared::try_new("redis://:CaNaRy@h", SECRET).unwrap()).contains("CaNaRy")
    );
}
