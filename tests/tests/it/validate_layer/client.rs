//! On the side of a client: nothing is sent of what is refused.

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use kimi_errors::{Error, ErrorKind};
use kimi_testkit::{mock::Mock, server::MockServer};
use kimi_tower::validate::{RequestBody, Validate};
use tower_layer::Layer as _;

use super::{BAD, GOOD, call, layer, rules};

type Service = Validate<Client<HttpConnector, RequestBody<Full<Bytes>>>>;

fn client() -> Service {
    layer().layer(Client::builder(TokioExecutor::new()).build_http())
}

fn ask(server: &MockServer, body: &'static str) -> Request<Full<Bytes>> {
    Request::post(format!("{}/v1/chat/completions", server.url()))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, "Bearer sk-test")
        .body(Full::from(body))
        .unwrap()
}

#[tokio::test]
async fn a_wrong_request_is_refused_before_anything_is_sent() {
    let mock = Mock::platform();
    let server = MockServer::start(mock.clone()).await.unwrap();
    let mut client = client();
    let refusal: Error = call(&mut client, ask(&server, BAD)).await.unwrap_err();
    assert_eq!(refusal.kind(), ErrorKind::Validation);
    assert_eq!(rules(&refusal)[0], ("/messages/0/role", "one_of"));
    assert_eq!((mock.request_count(), mock.in_flight()), (0, 0));

    let answer = call(&mut client, ask(&server, GOOD)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8(body.to_vec()).unwrap().contains("你好"));
    assert_eq!(mock.request_count(), 1);
    let [sent] = <[_; 1]>::try_from(mock.requests()).unwrap();
    assert_eq!(sent.body(), GOOD);
    let length = &sent.headers()[header::CONTENT_LENGTH];
    assert_eq!(length, &GOOD.len().to_string(), "a body of known length is sent as such");
    server.stop().await;
}

#[tokio::test]
async fn a_transport_that_fails_is_an_error_of_ours() {
    let server = MockServer::start(Mock::platform()).await.unwrap();
    let ask = ask(&server, GOOD);
    server.stop().await;
    let error = call(&mut client(), ask).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadGateway);
}
