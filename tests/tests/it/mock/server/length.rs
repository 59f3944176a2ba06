//! A length that the head claims and the body does not have.

use http_body_util::BodyExt as _;
use kimi_testkit::script::Step;
use serde_json::Value;

use super::{chat_at, client, hello, in_time, raw, split_head, start};

#[tokio::test]
async fn too_long_a_length_is_followed_by_too_few_bytes() {
    let (_, server) = start([Step::ok().with_content_length(5000)]).await;
    let (received, end) = raw(&server, &hello()).await;
    end.unwrap();
    let (head, body) = split_head(&received);
    assert!(head.contains("content-length: 5000\r\n"), "{head}");
    assert_eq!(body.len(), 263);
}

#[tokio::test]
async fn a_length_may_be_claimed_for_nothing_at_all() {
    let nothing = Step::raw(200, "text/plain", "").with_content_length(5000);
    let (_, server) = start([nothing]).await;
    let (received, end) = raw(&server, &hello()).await;
    end.unwrap();
    let (head, body) = split_head(&received);
    assert!(head.contains("content-length: 5000\r\n"), "{head}");
    assert!(body.is_empty());
}

#[tokio::test]
async fn too_short_a_length_is_followed_by_too_many_bytes() {
    for claimed in [0, 10] {
        let (mock, server) = start([Step::ok().with_content_length(claimed)]).await;
        let (received, end) = raw(&server, &hello()).await;
        end.unwrap();
        let (head, body) = split_head(&received);
        assert!(head.contains(&format!("content-length: {claimed}\r\n")), "{head}");
        let answer: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(answer["object"], "chat.completion");
        in_time(mock.idle()).await;
    }
}

#[tokio::test]
async fn a_right_length_is_no_disturbance() {
    let (_, server) = start([Step::ok().with_content_length(263)]).await;
    let client = client();
    let body = client.request(chat_at(&server, &hello())).await.unwrap().into_body();
    assert_eq!(body.collect().await.unwrap().to_bytes().len(), 263);
}
