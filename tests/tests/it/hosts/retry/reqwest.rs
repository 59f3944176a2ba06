//! Over reqwest, which has requests and answers of its own.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use kimi_errors::Error;
use kimi_testkit::{
    mock::Mock,
    script::{Script, Step},
    server::MockServer,
};
use kimi_tower::{
    replay::ReplayBody,
    retry::{ResponseBody, RetryLayer, RetryPolicy},
};
use reqwest::{Body, Client, redirect};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

use super::{at_once, down_at_first};

/// Sends a request with reqwest, again where that helps.
async fn send(
    policy: RetryPolicy,
    request: Request<Full<Bytes>>,
) -> Result<Response<ResponseBody<Body>>, Error> {
    // Of two places that one call is sent to, the second may refuse what the first has done.
    let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().build().unwrap();
    // From and to the types of `http`, in a few lines.
    let transport = service_fn(move |request: Request<ReplayBody<Full<Bytes>>>| {
        let client = client.clone();
        async move {
            let request = reqwest::Request::try_from(request.map(Body::wrap))?;
            Ok::<_, reqwest::Error>(Response::from(client.execute(request).await?))
        }
    });
    ServiceBuilder::new().layer(RetryLayer::new(policy)).service(transport).oneshot(request).await
}

#[tokio::test]
async fn an_upstream_that_fails_twice_is_a_success() {
    const QUESTION: &str = r#"{"model":"kimi-k3","messages":[{"role":"user","content":"你好"}]}"#;
    let failing = Step::fault("plat.overloaded").with_header("retry-after", "0").with_repeat(2);
    let mock = Mock::platform().with_script(Script::try_new([failing]).unwrap());
    let server = MockServer::start(mock.clone()).await.unwrap();
    let request = Request::post(format!("{}/v1/chat/completions", server.url()))
        .header("authorization", "Bearer sk-test")
        .body(Full::from(QUESTION))
        .unwrap();
    let answer = send(at_once(), request).await.unwrap();
    assert_eq!(answer.status(), 200);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(str::from_utf8(&body).unwrap().contains("你说：你好"));
    let sent = mock.requests();
    assert_eq!(sent.len(), 3);
    for attempt in sent {
        assert_eq!(attempt.body(), QUESTION);
        assert_eq!(attempt.headers()["content-length"], QUESTION.len().to_string());
    }
}

#[tokio::test]
async fn a_refused_connection_is_tried_again() {
    let (address, policy) = down_at_first();
    let request = Request::post(format!("http://{address}/")).body(Full::from("你好")).unwrap();
    let answer = send(policy, request).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "你好");
}
