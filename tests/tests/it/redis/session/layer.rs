//! What the layer promises of its policies holds through Redis as in memory.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, request::Parts};
use http_body_util::Full;
use kimi_errors::{BoxError, Error, ErrorKind};
use kimi_tower::{
    deadline::Deadline,
    facts::{Facts, SessionDecision},
    key::KeyHasher,
    redis::session::RedisSessionStore,
    session::{Policy, Refused, ResponseBody, SessionLayer},
};
use redis::Value;
use tokio::time::{Instant, timeout};
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

use super::{LONG, RedisServer, RedisTurn, command, endless, holder, name, store, until};

type Answer = Response<ResponseBody<Full<Bytes>, RedisTurn>>;

/// Asks through the layer, and holds the turn as long as the answer is there.
async fn ask(
    store: &RedisSessionStore,
    policy: Policy,
    deadline: Option<Deadline>,
) -> (Result<Answer, Error>, Facts) {
    let chat = service_fn(async |_: Request<()>| {
        Ok::<_, BoxError>(Response::new(Full::<Bytes>::from("hello")))
    });
    let facts = Facts::new();
    let mut request = Request::post("/").body(()).unwrap();
    request.extensions_mut().insert(facts.clone());
    if let Some(deadline) = deadline {
        request.extensions_mut().insert(deadline);
    }
    let service = SessionLayer::new()
        .with_key(|_: &Parts, hasher: &KeyHasher| Ok(Some(hasher.key(&[b"c-1"]))))
        .with_key_hasher(KeyHasher::with_secret(&[7; 16]))
        .with_policy(policy)
        .with_store(store.clone())
        .layer(chat);
    let answer = timeout(LONG, service.oneshot(request)).await.expect("it does not hang");
    (answer, facts)
}

const fn queue(max_wait: Duration) -> Policy {
    Policy::Queue { max_waiting: 16, max_wait }
}

fn over() -> Option<Deadline> {
    Some(Deadline::at(Instant::now()))
}

#[tokio::test]
async fn one_whose_turn_does_not_come_in_time_is_refused_and_leaves_no_trace() {
    let Some(server) = RedisServer::start() else { return };
    // What is left there would stay.
    let (one, other) = (endless(&server).await, endless(&server).await);
    let (first, facts) = ask(&one, Policy::default(), None).await;
    assert!(matches!(facts.session_decision(), Some(SessionDecision::Granted)), "{facts:?}");
    let first = first.unwrap();
    let (late, facts) = ask(&other, queue(Duration::from_millis(50)), None).await;
    assert_eq!(late.unwrap_err().kind(), ErrorKind::StreamBusy);
    let told = facts.session_decision();
    assert!(
        matches!(told, Some(SessionDecision::Refused { reason: Refused::TooLate, .. })),
        "{told:?}"
    );
    assert_eq!(other.waiting(), 0);
    until("it has left", async || {
        command(&server, "EXISTS", &[&name("line", "c-1")]).await == Value::Int(0)
    })
    .await;
    // It takes no room, and is given no turn.
    let waits = async {
        let policy = Policy::Queue { max_waiting: 1, max_wait: LONG };
        let (answer, facts) = ask(&other, policy, None).await;
        drop(answer.unwrap());
        facts
    };
    let leaves = async {
        until("it waits", async || other.waiting() == 1).await;
        drop(first);
    };
    let (facts, ()) = tokio::join!(waits, leaves);
    let told = facts.session_decision();
    assert!(matches!(told, Some(SessionDecision::Waited { ahead: 1, .. })), "{told:?}");
}

#[tokio::test]
async fn a_turn_that_is_free_is_had_without_patience() {
    let Some(server) = RedisServer::start() else { return };
    let store = store(&server);
    until("the turn is given", async || ask(&store, queue(Duration::ZERO), None).await.0.is_ok())
        .await;
    until("it is given back", async || holder(&server, "c-1").await.is_none()).await;
    // Also where Redis takes its time.
    server.freeze();
    let thaw = async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        server.thaw();
    };
    let ((answer, _), ()) = tokio::join!(ask(&store, queue(Duration::ZERO), over()), thaw);
    drop(answer.unwrap());
    for policy in [queue(Duration::ZERO), Policy::Reject, Policy::Supersede, Policy::default()] {
        until("the turn is free", async || {
            let (answer, _) = ask(&store, policy, over()).await;
            answer.is_ok()
        })
        .await;
        until("it is given back", async || store.active() == 0).await;
    }
}

#[tokio::test]
async fn one_that_has_no_time_left_is_told_so_and_ends_nobody() {
    let Some(server) = RedisServer::start() else { return };
    let (one, other) = (store(&server), store(&server));
    let (first, _) = ask(&one, Policy::default(), None).await;
    let first = first.unwrap();
    for (policy, deadline, expected) in [
        (queue(Duration::ZERO), None, Refused::TooLate),
        (queue(LONG), over(), Refused::TooLate),
        (Policy::Supersede, over(), Refused::TooLate),
        (Policy::Reject, None, Refused::Busy),
    ] {
        let (answer, facts) = ask(&other, policy, deadline).await;
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::StreamBusy);
        match facts.session_decision() {
            Some(SessionDecision::Refused { reason, .. }) => {
                assert_eq!(reason, expected, "{policy:?}");
            }
            told => panic!("{told:?}"),
        }
    }
    assert_eq!(one.active(), 1);
    drop(first);
}
