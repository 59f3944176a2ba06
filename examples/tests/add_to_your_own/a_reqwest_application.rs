//! The application of reqwest against a scripted upstream, before and after.

use kimi_errors::{Error, ErrorKind};
use kimi_testkit::{
    mock::Mock,
    script::{Script, Step},
    server::MockServer,
};

use super::{reqwest_after, reqwest_before};

/// Starts an upstream that refuses twice, in vain and in earnest.
async fn upstream() -> (Mock, MockServer, String) {
    let overloaded = Step::fault("plat.overloaded").with_header("retry-after", "0");
    let script = Script::try_new([overloaded, Step::ok(), Step::fault("plat.content_filter")]);
    let mock = Mock::platform().with_script(script.unwrap());
    let server = MockServer::start(mock.clone()).await.unwrap();
    let url = format!("{}/v1/chat/completions", server.url());
    (mock, server, url)
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

#[tokio::test]
async fn before_the_first_error_is_the_end() {
    let (mock, _server, url) = upstream().await;
    let kimi = reqwest_before::Kimi::new(http(), url, "sk-1".to_owned());
    let error = kimi.ask("你好").await.unwrap_err();
    let error: &reqwest::Error = error.downcast_ref().unwrap();
    assert_eq!(error.status().unwrap(), 429);
    assert_eq!(kimi.ask("你好").await.unwrap(), "你说：你好");
    assert_eq!(mock.request_count(), 2);
}

#[tokio::test]
async fn after_it_is_sent_again_where_that_helps_and_errors_have_a_kind() {
    let (mock, _server, url) = upstream().await;
    let kimi = reqwest_after::Kimi::new(http(), url, "sk-1".to_owned());
    assert_eq!(kimi.ask("你好").await.unwrap(), "你说：你好");
    assert_eq!(mock.request_count(), 2);
    let error = kimi.ask("你好").await.unwrap_err();
    let error: &Error = error.downcast_ref().unwrap();
    assert_eq!(error.kind(), ErrorKind::ContentFiltered);
    let sent = mock.requests();
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|it| it.headers()["authorization"] == "Bearer sk-1"));
}
