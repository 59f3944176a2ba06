//! What a request is sent to the upstream with, if its caller has no credential.

use axum::{Router, routing::post};
use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use http_body_util::Full;
use kimi_errors::Dialect;
use kimi_examples::gateway::{Credentials, Upstream};
use kimi_testkit::{
    mock::{EXPIRED_TOKEN, Mock},
    script::{Script, Step},
    server::MockServer,
};
use kimi_tower::token::RefreshToken;
use tokio::net::TcpListener;

use super::wire::{Answer, CHAT, Gateway, QUESTION, STREAMED};

/// A chat whose caller has no credential, or this one.
fn chat(body: &'static str, own: Option<&str>) -> Request<Full<Bytes>> {
    let mut request = Request::post(CHAT).header("content-type", "application/json");
    if let Some(own) = own {
        request = request.header("authorization", own);
    }
    request.body(Full::from(body)).unwrap()
}

/// A gateway that is known by what `credentials` makes of the upstream's URL.
async fn known_by(
    mock: &Mock,
    credentials: impl FnOnce(&str) -> Credentials,
) -> (Gateway, MockServer) {
    let server = MockServer::start(mock.clone()).await.unwrap();
    let upstream: Upstream = server.url().parse().unwrap();
    let upstream = upstream.with_credentials(credentials(&server.url()));
    (Gateway::before(Dialect::Errcode, upstream).await, server)
}

fn endpoint(url: &str) -> Credentials {
    Credentials::of_endpoint(format!("{url}/api/token").parse().unwrap())
}

fn assert_answered(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert!(answer.body.contains("你"), "{}", answer.body);
}

#[tokio::test]
async fn callers_need_no_credential_and_a_token_that_expires_is_replaced() {
    let mock = Mock::platform();
    let (gateway, _server) = known_by(&mock, endpoint).await;
    assert_answered(&gateway.send(chat(QUESTION, None)).await);
    mock.expire_tokens();
    assert_answered(&gateway.send(chat(STREAMED, None)).await);
    assert_eq!((mock.issued_tokens(), mock.request_count()), (2, 5));
}

#[tokio::test]
async fn a_caller_s_own_credential_is_passed_on_and_its_refusal_as_well() {
    let mock = Mock::platform();
    let (gateway, _server) = known_by(&mock, endpoint).await;
    let own = format!("Bearer {EXPIRED_TOKEN}");
    let refused = gateway.send(chat(QUESTION, Some(&own))).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.body, r#"{"errcode":-2002,"errmsg":"Token已失效","data":null}"#);
    assert_answered(&gateway.send(chat(QUESTION, Some("Bearer sk-own"))).await);
    assert_eq!(mock.issued_tokens(), 0);
}

#[tokio::test]
async fn of_several_keys_a_dead_one_is_never_noticed() {
    let mock = Mock::platform();
    let list = format!("{EXPIRED_TOKEN}, sk-1");
    let keys = |_: &str| Credentials::parse(&list).unwrap();
    let (gateway, _server) = known_by(&mock, keys).await;
    for _ in 0..10 {
        assert_answered(&gateway.send(chat(QUESTION, None)).await);
    }
    assert!(mock.request_count() <= 11);
}

#[tokio::test]
async fn without_credentials_a_caller_that_brings_none_is_refused_by_the_upstream() {
    let mock = Mock::platform();
    let (gateway, _server) = known_by(&mock, |_| Credentials::none()).await;
    assert_eq!(gateway.send(chat(QUESTION, None)).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_refresh_token_that_is_refused_is_not_the_caller_s_fault_and_is_not_shown() {
    let refused = r#"{"steps": [{"fault": "web.token_invalid", "repeat": "forever"}]}"#;
    let mock = Mock::platform().with_script(Script::from_json(refused).unwrap());
    let (gateway, _server) = known_by(&mock, |url| {
        let uri = format!("{url}/refresh").parse().unwrap();
        Credentials::of_refresh_token(uri, RefreshToken::new("CaNaRy0"))
    })
    .await;
    let answer = gateway.send(chat(QUESTION, None)).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.body);
    assert!(answer.body.contains("log in again") && !answer.body.contains("CaNaRy0"));
    // Nobody is told to refresh a token that is not theirs.
    assert!(!answer.body.contains("-2002"), "{}", answer.body);
    assert_eq!(mock.request_count(), 1);
}

/// Each refresh token is good once: the next gateway goes on with the one that the last was given.
#[tokio::test]
async fn a_refresh_token_outlives_the_gateway() {
    let refresh = post(async |said: String| {
        let number: u32 = said.trim_matches(|it: char| !it.is_ascii_digit()).parse().unwrap();
        format!(r#"{{"accessToken":"sk-{number}","refreshToken":"R{}"}}"#, number + 1)
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri: Uri = format!("http://{}/refresh", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(axum::serve(listener, Router::new().route("/refresh", refresh)).into_future());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "R1\n").unwrap();
    let mock = Mock::platform();
    for next in ["R2\n", "R3\n"] {
        let file = || Credentials::of_refresh_file(uri.clone(), &path).unwrap();
        let (gateway, _server) = known_by(&mock, |_| file()).await;
        assert_answered(&gateway.send(chat(QUESTION, None)).await);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), next);
    }
    let sent: Vec<_> =
        mock.requests().iter().map(|it| it.headers()["authorization"].clone()).collect();
    assert_eq!(sent, ["Bearer sk-1", "Bearer sk-2"]);
}

#[tokio::test]
async fn a_token_endpoint_that_fails_once_is_asked_again() {
    let mock = Mock::platform();
    mock.push(Step::fault("errcode.system")).unwrap();
    let (gateway, _server) = known_by(&mock, endpoint).await;
    assert_answered(&gateway.send(chat(QUESTION, None)).await);
    assert_eq!(mock.issued_tokens(), 1);
}

#[test]
fn no_debug_shows_a_credential() {
    let keys = Credentials::parse("CaNaRy0,CaNaRy1").unwrap();
    assert!(!format!("{keys:?}").contains("CaNaRy"));
    for list in ["", " , ", "CaNaRy 0"] {
        let error = Credentials::parse(list).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("CaNaRy"));
    }
}
