//! Over hyper-util's client, which is a service of `http` requests as it is.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use kimi_testkit::{
    mock::Mock,
    probe::ProbeBody,
    script::{Script, Step},
    server::MockServer,
};
use kimi_tower::{
    replay::ReplayBody,
    retry::{Retry, RetryLayer, RetryPolicy},
};
use tower::{ServiceBuilder, ServiceExt as _};

use super::{at_once, down_at_first};

fn client<B>(policy: RetryPolicy) -> Retry<Client<HttpConnector, ReplayBody<B>>>
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<kimi_errors::BoxError>,
{
    let transport = Client::builder(TokioExecutor::new()).build_http();
    ServiceBuilder::new().layer(RetryLayer::new(policy)).service(transport)
}

#[tokio::test]
async fn a_body_that_can_be_read_once_is_sent_three_times() {
    let failing = Step::fault("plat.overloaded").with_header("retry-after", "0").with_repeat(2);
    let mock = Mock::platform().with_script(Script::try_new([failing]).unwrap());
    let server = MockServer::start(mock.clone()).await.unwrap();
    let chunks =
        [r#"{"model":"kimi-k3","mess"#, r#"ages":[{"role":"user","content":"你"#, "好\"}]}"];
    let request = Request::post(format!("{}/v1/chat/completions", server.url()))
        .header("authorization", "Bearer sk-test")
        .body(ProbeBody::chunks(chunks))
        .unwrap();
    let answer = client(at_once()).oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(str::from_utf8(&body).unwrap().contains("你说：你好"));
    let sent = mock.requests();
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|attempt| attempt.body() == &chunks.concat()));
}

#[tokio::test]
async fn a_refused_connection_is_tried_again() {
    let (address, policy) = down_at_first();
    let request = Request::post(format!("http://{address}/")).body(Full::from("你好")).unwrap();
    let answer = client::<Full<Bytes>>(policy).oneshot(request).await.unwrap();
    assert_eq!(answer.headers()["content-length"], "6");
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "你好");
}
