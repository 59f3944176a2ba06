//! Around a service that hyper serves, without a framework.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use kimi_errors::{BoxError, Error, ErrorKind};
use kimi_tower::{catch_error::CatchErrorLayer, replay::ReplayBody, retry::RetryLayer};
use tower::{ServiceBuilder, service_fn};

use super::{
    super::{send, send_h2, serve},
    at_once,
};

#[tokio::test]
async fn a_service_is_tried_again_with_the_same_body_over_both_versions_of_http() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    // Fails at every call but the third, then says what it was sent.
    let service = service_fn(async |request: Request<ReplayBody<Incoming>>| {
        let retry = request.headers().get("x-retry-count").cloned();
        let body = request.into_body().collect().await?.to_bytes();
        if CALLS.fetch_add(1, Relaxed) % 3 < 2 {
            return Err(Error::new(ErrorKind::Unavailable).into());
        }
        assert_eq!(retry.ok_or("no retry")?, "2");
        Ok::<_, BoxError>(Response::new(Full::new(body)))
    });
    let layers =
        ServiceBuilder::new().layer(CatchErrorLayer::new()).layer(RetryLayer::new(at_once()));
    let address = serve(layers.service(service)).await;
    let request = Request::post("/chat").body("你好").unwrap();
    for read in [send(address, request.clone()).await, send_h2(address, request).await] {
        assert_eq!((read.head.status.as_u16(), read.body.as_str()), (200, "你好"));
    }
    assert_eq!(CALLS.load(Relaxed), 6);
}
