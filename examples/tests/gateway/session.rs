//! What becomes of a request whose conversation is being answered.

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

/// Begins an answer that does not end, and asks again. Returns what the upstream has seen until the
/// second is answered, and the
/// rest of the first, whose reader may have gone.
async fn both(policy: Policy, leaves: bool) -> (u64, usize, String) {
    let mock = Mock::platform().with_script(Script::from_json(ENDLESS).unwrap());
    let server = MockServer::start(mock.clone()).await.unwrap();
    let gateway = Gateway::of_sessions(server.url().parse().unwrap(), Some(policy)).await;
    let mut first = gateway.open(chat()).await.into_body();
    first.frame().await.unwrap().unwrap();
    let rest = async {
        if leaves {
            drop(first);
            return String::new();
        }
        let rest = first.collect().await.unwrap().to_bytes();
        String::from_utf8(rest.to_vec()).unwrap()
    };
    let (second, rest) = tokio::join!(gateway.send(chat()), rest);
    assert_eq!(second.status.as_u16(), 200, "{}", second.body);
    assert!(second.body.ends_with("data: [DONE]\n\n"), "{}", second.body);
    (mock.request_count(), mock.max_overlap("c-1"), rest)
}

#[tokio::test]
async fn in_a_queue_it_waits_until_the_first_reader_has_gone() {
    let queue = Policy::Queue { max_waiting: 1, max_wait: std::time::Duration::from_secs(600) };
    assert_eq!(both(queue, true).await, (2, 1, String::new()));
}

#[tokio::test]
async fn the_newest_ends_the_first_by_an_event() {
    let (requests, overlap, rest) = both(Policy::Supersede, false).await;
    assert_eq!((requests, overlap), (2, 1));
    assert!(rest.contains("该对话有了新的请求，本次回答已停止"), "{rest}");
}
