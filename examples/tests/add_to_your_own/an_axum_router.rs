//! The axum router over sockets, before and after.

use axum::Router;
use reqwest::StatusCode;
use serde_json::json;

use super::{
    axum_after, axum_before, listen,
    model::{CANARY, Model},
};

async fn serve(router: Router) -> String {
    let (listener, url) = listen().await;
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn chat(url: &str, content: &str) -> (StatusCode, String) {
    let message = json!({ "role": "user", "content": content });
    let body = json!({ "model": "kimi-k3", "messages": [message] });
    let answer = client().post(format!("{url}/v1/chat/completions")).json(&body).send().await;
    read(answer.unwrap()).await
}

async fn get(url: &str, path: &str) -> (StatusCode, String) {
    read(client().get(format!("{url}{path}")).send().await.unwrap()).await
}

async fn read(answer: reqwest::Response) -> (StatusCode, String) {
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(!text.contains(CANARY), "{text}");
    (status, text)
}

const ANSWER: &str = r#"{"choices":[{"message":{"content":"Hello, you say?"}}]}"#;

#[tokio::test]
async fn before_errors_are_bare() {
    let url = serve(axum_before::router(axum_before::App { model: Model::new() })).await;
    assert_eq!(chat(&url, "Hello").await, (StatusCode::OK, ANSWER.to_owned()));
    assert_eq!(chat(&url, "fail").await, (StatusCode::INTERNAL_SERVER_ERROR, String::new()));
    for path in ["/v1/models/other", "/nowhere"] {
        assert_eq!(get(&url, path).await, (StatusCode::NOT_FOUND, String::new()));
    }
    let broken = json!({ "messages": [{ "content": "panic" }] });
    let broken = client().post(format!("{url}/v1/chat/completions")).json(&broken).send().await;
    assert!(broken.unwrap_err().status().is_none(), "a panic ends the connection");
    // Whatever the rules are, the handler is called.
    assert_eq!(chat(&url, " ").await.0, StatusCode::OK);
    for _ in 0..6 {
        assert_eq!(chat(&url, "Hello").await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn after_each_says_what_happened() {
    let url = serve(axum_after::router(axum_after::App { model: Model::new() })).await;
    assert_eq!(chat(&url, "Hello").await, (StatusCode::OK, ANSWER.to_owned()));
    for (answered, status, errcode) in [
        (chat(&url, "fail").await, 504, -2001),
        (chat(&url, "panic").await, 500, -1000),
        (chat(&url, " ").await, 400, -1001),
        (get(&url, "/v1/models/other").await, 404, -2000),
        // The sixth in this minute.
        (get(&url, "/v1/models/kimi-k3").await, 429, -2001),
    ] {
        assert_eq!(answered.0, status, "{}", answered.1);
        assert!(answered.1.starts_with(&format!(r#"{{"errcode":{errcode},"#)), "{}", answered.1);
    }
}

#[tokio::test]
async fn after_whatever_no_route_takes_is_answered_too() {
    let url = serve(axum_after::router(axum_after::App { model: Model::new() })).await;
    let (status, text) = get(&url, "/v1/models/kimi-k3").await;
    let model = r#"{"context_length":262144,"id":"kimi-k3"}"#;
    assert_eq!((status, text.as_str()), (StatusCode::OK, model));
    let (status, text) = get(&url, "/nowhere").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(text.starts_with(r#"{"errcode":-1002,"#), "{text}");
}
