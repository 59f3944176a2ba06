//! hyper's client sends the attempts over loopback sockets.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body as AxumBody, extract::Request as AxumRequest, routing::post};
use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use http_body::{Body, Frame};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use kimi_errors::BoxError;
use kimi_testkit::{mock::Mock, script::Step, server::MockServer};
use kimi_tower::replay::ReplayBody;
use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc},
};

use super::{CHAT, chat, limits, send};

fn client<B>() -> Client<HttpConnector, ReplayBody<B>>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    Client::builder(TokioExecutor::new()).build_http()
}

fn to<B>(url: &str, body: B) -> Request<B> {
    let mut request = chat(body);
    *request.uri_mut() = format!("{url}{}", request.uri()).parse::<Uri>().unwrap();
    request
}

#[tokio::test]
async fn a_client_sends_the_same_bytes_until_it_is_answered() {
    let mock = Mock::platform();
    mock.push(Step::fault("plat.overloaded").with_repeat(2)).unwrap();
    let server = MockServer::start(mock.clone()).await.unwrap();
    let request = to(&server.url(), Full::from(CHAT));
    let answer = send(client(), 2, &limits(usize::MAX).0, request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);

    let requests = mock.requests();
    assert_eq!(requests.len(), 3);
    for request in requests {
        assert_eq!(request.body(), CHAT);
        assert_eq!(request.headers()["content-length"], CHAT.len().to_string());
    }
    server.stop().await;
}

/// Gives what is sent to it.
struct Upload(mpsc::UnboundedReceiver<&'static str>);

impl Body for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.poll_recv(cx).map(|data| data.map(|data| Ok(Frame::data(data.into()))))
    }
}

/// A server that refuses at once, while the client's connection waits for more of the body: the
/// connection is broken off, and the next one sends all from the start.
#[tokio::test]
async fn a_refusal_in_the_middle_of_an_upload_is_followed_by_the_whole() {
    let (upload, body) = mpsc::unbounded_channel();
    upload.send("{\"model\":").unwrap();
    let first_is_over = Arc::new(Notify::new());
    let calls = Arc::new(AtomicUsize::new(0));
    let handler = {
        let first_is_over = Arc::clone(&first_is_over);
        move |request: AxumRequest| async move {
            let mut body = request.into_body();
            if calls.fetch_add(1, SeqCst) == 0 {
                // Goes on reading, in the background, what will never come.
                tokio::spawn(async move {
                    while let Some(Ok(_)) = body.frame().await {}
                    first_is_over.notify_one();
                });
                return (StatusCode::SERVICE_UNAVAILABLE, AxumBody::empty());
            }
            (StatusCode::OK, body)
        }
    };
    let app: Router = Router::new().route("/v1/chat/completions", post(handler));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });

    let exchange = async {
        let (limits, budget) = limits(usize::MAX);
        let answer = send(client(), 1, &limits, to(&url, Upload(body))).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        first_is_over.notified().await;
        upload.send("\"kimi-k3\"}").unwrap();
        drop(upload);
        let echo = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(echo, "{\"model\":\"kimi-k3\"}");
        assert_eq!(budget.in_use(), 0);
    };
    // Only what waits for what never comes needs the ten seconds.
    tokio::time::timeout(Duration::from_secs(10), exchange).await.unwrap();
}
