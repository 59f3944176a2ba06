//! What becomes of a request whose conversation is being answered.

use std::task::Poll;

use http::Request;
use http_body_util::{BodyExt as _, Full};
use kimi_testkit::{mock::Mock, script::Script, server::MockServer};
use kimi_tower::session::Policy;

use super::wire::{CHAT, Gateway};

const IN_CONVERSATION: &str = r#"{"model":"kimi-k3","messages":[{"role":"user","content":"你好"}],"stream":true,"conversation_id":"c-1"}"#;
/// The first answer does not end, the others do.
const ENDLESS: &str = r#"{"steps": [{"endless": true}]}"#;

fn chat() -> Request<Full<bytes::Bytes>> {
    Request::post(CHAT)
        .header("authorization", "Bearer sk-1")
        .header("content-type", "application/json")
        .body(Full::from(IN_CONVERSATION))
        .unwrap()
}

/// Asks while an answer is under way. Returns the status and the body of the second,
/// how many requests the upstream saw, and how many of them at once.
async fn second(session: Option<Policy>) -> (u16, String, u64, usize) {
    let mock = Mock::platform().with_script(Script::from_json(ENDLESS).unwrap());
    let server = MockServer::start(mock.clone()).await.unwrap();
    let gateway = Gateway::of_sessions(server.url().parse().unwrap(), session).await;
    let mut first = gateway.open(chat()).await.into_body();
    first.frame().await.unwrap().unwrap();
    let answer = gateway.send(chat()).await;
    drop(first);
    (answer.status.as_u16(), answer.body, mock.request_count(), mock.max_overlap("c-1"))
}

const BUSY: &str = r#"{"errcode":-2005,"errmsg":"已有对话流正在输出","data":null}"#;

#[tokio::test]
async fn rejecting_it_leaves_the_upstream_alone() {
    assert_eq!(second(Some(Policy::Reject)).await, (429, BUSY.to_owned(), 1, 1));
}

#[tokio::test]
async fn without_sessions_the_upstream_says_that_it_is_busy() {
    assert_eq!(second(None).await, (429, BUSY.to_owned(), 2, 2));
}

#[tokio::test]
async fn in_a_queue_it_waits_until_the_first_reader_has_gone() {
    let mock = Mock::platform().with_script(Script::from_json(ENDLESS).unwrap());
    let server = MockServer::start(mock.clone()).await.unwrap();
    let queue = Policy::Queue { max_waiting: 1, max_wait: std::time::Duration::from_secs(600) };
    let gateway = Gateway::of_sessions(server.url().parse().unwrap(), Some(queue)).await;
    let mut first = gateway.open(chat()).await.into_body();
    first.frame().await.unwrap().unwrap();
    // One of two more waits, and so there is no room for the other: as soon as that is known, both
    // have come.
    let mut others = Vec::from([(); 2].map(|()| Box::pin(gateway.send(chat()))));
    let (at, refused) = std::future::poll_fn(|cx| {
        let ready = others.iter_mut().enumerate().find_map(|(at, it)| {
            let Poll::Ready(answer) = it.as_mut().poll(cx) else { return None };
            Some((at, answer))
        });
        ready.map_or(Poll::Pending, Poll::Ready)
    })
    .await;
    drop(others.swap_remove(at));
    let other = others.swap_remove(0);
    assert_eq!((refused.status.as_u16(), &*refused.body), (429, BUSY));
    drop(first);
    let answer = other.await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    assert_eq!((mock.request_count(), mock.max_overlap("c-1")), (2, 1));
}

#[tokio::test]
async fn the_newest_ends_the_first_by_an_event() {
    let mock = Mock::platform().with_script(Script::from_json(ENDLESS).unwrap());
    let server = MockServer::start(mock.clone()).await.unwrap();
    let policy = Some(Policy::Supersede);
    let gateway = Gateway::of_sessions(server.url().parse().unwrap(), policy).await;
    let mut first = gateway.open(chat()).await.into_body();
    first.frame().await.unwrap().unwrap();
    let (second, rest) = tokio::join!(gateway.send(chat()), first.collect());
    assert_eq!(second.status.as_u16(), 200, "{}", second.body);
    let rest = rest.unwrap().to_bytes();
    let rest = std::str::from_utf8(&rest).unwrap();
    assert!(rest.contains("该对话有了新的请求，本次回答已停止"), "{rest}");
    assert_eq!((mock.request_count(), mock.max_overlap("c-1")), (2, 1));
}
