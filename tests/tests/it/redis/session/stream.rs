//! A stream whose turn cannot be leased again, through the whole stack to its last event.

use std::cell::Cell;

use http::{Request, Response};
use http_body_util::BodyExt as _;
use kimi_errors::{BoxError, Dialect, Error};
use kimi_testkit::probe::{Beat, ProbeBody};
use kimi_tower::{
    catch_error::CatchErrorLayer,
    facts::Facts,
    key::KeyHasher,
    redis::session::RedisSessionStore,
    session::{Lost, SessionLayer, store::Ask},
};
use tokio::time::timeout;
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

use super::{LEASE, LONG, RedisServer, enter, key, link, place, proxy::Proxy, store, turn, wait};

const TEXT: &str = "无法确认本次回答仍占有该对话，回答已停止";

/// The answer of a service whose stream does not end, and what is known of its request.
async fn stream(store: &RedisSessionStore) -> (Response<ProbeStream>, Facts) {
    let chat = service_fn(async |_: Request<()>| {
        let body = ProbeBody::chunks(["data: 1\n\n"]).then(Beat::Hang);
        let mut answer = Response::new(body);
        answer.headers_mut().insert("content-type", "text/event-stream".parse().unwrap());
        Ok::<_, BoxError>(answer)
    });
    // The key is that of `key`.
    let session = SessionLayer::new()
        .with_key(|_: &http::request::Parts, hasher: &KeyHasher| Ok(Some(hasher.key(&[b"c-1"]))))
        .with_key_hasher(KeyHasher::with_secret(&[7; 16]))
        .with_store(store.clone());
    let service = ServiceBuilder::new()
        .layer(CatchErrorLayer::new().with_dialect(Dialect::OpenAi))
        .layer(session)
        .service(chat);
    let facts = Facts::new();
    let mut request = Request::post("/v1/chat/completions").body(()).unwrap();
    request.extensions_mut().insert(facts.clone());
    (service.oneshot(request).await.unwrap().map(ProbeStream::new), facts)
}

type ProbeStream = http_body_util::combinators::UnsyncBoxBody<bytes::Bytes, Error>;

/// Reads it to its end, which is one event that says why.
async fn ends(answer: Response<ProbeStream>, facts: &Facts) {
    let read = timeout(LONG, answer.into_body().collect()).await.expect("it ends");
    let text = read.expect("its end is an event").to_bytes();
    let text = str::from_utf8(&text).unwrap();
    let last = text.strip_prefix("data: 1\n\n").and_then(|it| it.strip_prefix("data: "));
    let last: serde_json::Value = serde_json::from_str(last.unwrap().trim_end()).unwrap();
    assert!(text.ends_with("\n\n"), "{text}");
    assert_eq!(last["error"]["message"], TEXT, "{text}");
    assert_eq!(facts.session_lost(), Some(Lost::Lease));
}

#[tokio::test]
async fn a_stream_ends_with_an_event_that_says_so_when_redis_is_away() {
    for is_frozen in [true, false] {
        let Some(mut server) = RedisServer::start() else { return };
        let store = store(&server);
        let (answer, facts) = stream(&store).await;
        if is_frozen {
            server.freeze();
        } else {
            server.kill();
        }
        ends(answer, &facts).await;
    }
}

/// Redis goes on, and by its clock gives the turn to the next when the lease is over.
#[tokio::test]
async fn a_stream_that_is_cut_off_from_redis_ends_before_the_next_has_its_turn() {
    let Some(server) = RedisServer::start() else { return };
    let proxy = Proxy::start(server.port()).await;
    let holder = RedisSessionStore::new(link(proxy.url())).with_lease(LEASE);
    let other = store(&server);
    let (answer, facts) = stream(&holder).await;
    let mut next = place(&other, &Ask::new(key("c-1")));
    enter(&mut next).await;
    proxy.cut();
    let has_ended = Cell::new(false);
    let stream = async {
        ends(answer, &facts).await;
        has_ended.set(true);
    };
    let next = async {
        let next = wait(&mut next).await.unwrap();
        assert!(has_ended.get(), "two are at work");
        drop(next);
    };
    tokio::join!(stream, next);
    // What it gives back when it can again is nobody's.
    proxy.mend();
    drop(turn(&other, &Ask::new(key("c-1"))).await.unwrap());
}
