//! Credentials: which are good, which are issued, and until when.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use kimi_errors::Dialect;
use kimi_testkit::mock::{EXPIRED_TOKEN, Mock};
use serde_json::json;
use tokio::time::sleep;

use super::{ask, chat, errcode, hello, post};

fn with_token(token: &str) -> Request<Full<Bytes>> {
    let mut request = chat(&hello());
    let field = format!("Bearer {token}").parse().unwrap();
    request.headers_mut().insert("authorization", field);
    request
}

#[tokio::test]
async fn a_missing_or_odd_credential_is_refused() {
    let mock = Mock::platform().with_dialect(Dialect::OpenAi);
    for field in [None, Some("Basic dTpw"), Some("Bearer"), Some("Bearer  , "), Some("sk-test")] {
        let mut request = chat(&hello());
        request.headers_mut().remove("authorization");
        if let Some(field) = field {
            request.headers_mut().insert("authorization", field.parse().unwrap());
        }
        let answer = ask(&mock, request).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{field:?}");
        assert_eq!(answer.json()["error"]["type"], "incorrect_api_key_error", "{field:?}");
    }
    let mut request = chat(&hello());
    request.headers_mut().remove("authorization");
    assert_eq!(ask(&mock.without_auth(), request).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_expired_token_of_the_article_is_expired() {
    let answer = ask(&Mock::platform(), with_token(EXPIRED_TOKEN)).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.text(), r#"{"errcode":-2002,"errmsg":"Token已失效","data":null}"#);
}

#[tokio::test(start_paused = true)]
async fn issued_tokens_expire_with_time() {
    let mock = Mock::platform().with_token_lifetime(Duration::from_secs(60));
    let issued = ask(&mock, post("/api/token", &json!({}))).await;
    assert_eq!(issued.text(), r#"{"errcode":0,"data":{"token":"mock-token-1"}}"#);
    let check = post("/token/check", &json!({"token": "mock-token-1"}));

    sleep(Duration::from_secs(59)).await;
    assert_eq!(ask(&mock, with_token("mock-token-1")).await.status, StatusCode::OK);
    assert_eq!(ask(&mock, check.clone()).await.text(), r#"{"live":true}"#);

    sleep(Duration::from_secs(1)).await;
    assert_eq!(errcode(&ask(&mock, with_token("mock-token-1")).await), (401, -2002));
    assert_eq!(ask(&mock, check).await.text(), r#"{"live":false}"#);
    assert_eq!(ask(&mock, with_token("mock-token-1, sk-live")).await.status, StatusCode::OK);

    ask(&mock, post("/api/token", &json!({}))).await;
    assert_eq!(ask(&mock, with_token("mock-token-2")).await.status, StatusCode::OK);
    mock.expire_tokens();
    assert_eq!(errcode(&ask(&mock, with_token("mock-token-2")).await), (401, -2002));
    assert_eq!(mock.issued_tokens(), 2);
}

#[tokio::test]
async fn free_api_refuses_with_status_200() {
    let answer = ask(&Mock::free_api(), with_token(EXPIRED_TOKEN)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.text(), r#"{"code":-2002,"message":"Token已失效","data":null}"#);
}
