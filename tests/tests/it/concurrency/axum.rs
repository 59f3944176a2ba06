//! The layer in a router, which makes a service of it for each route.

use axum::{Router, body::Body, routing::post};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use kimi_testkit::probe::{Beat, ProbeBody};
use kimi_tower::catch_error::CatchErrorLayer;
use tower::{ServiceBuilder, ServiceExt as _};

use super::{layer, occupancy};

async fn stream() -> Response<Body> {
    Response::new(Body::new(ProbeBody::chunks(["data: {}\n\n"]).then(Beat::Hang)))
}

fn by(caller: &str, path: &str) -> Request<Body> {
    Request::post(path).header("x-caller", caller).body(Body::empty()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_layer_around_a_router_is_one_limit_for_its_routes() {
    let layer = layer(1);
    let around = ServiceBuilder::new().layer(CatchErrorLayer::new()).layer(layer.clone());
    let router =
        Router::new().route("/chat", post(stream)).route("/embeddings", post(stream)).layer(around);
    let answer = router.clone().oneshot(by("one", "/chat")).await.unwrap();
    assert_eq!((answer.status(), occupancy(&layer)), (StatusCode::OK, (1, 0, 1)));
    let refused = router.clone().oneshot(by("one", "/embeddings")).await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(!refused.headers().contains_key("retry-after"));
    let body = refused.into_body().collect().await.unwrap().to_bytes();
    let written =
        r#"{"errcode":-2001,"errmsg":"并发请求过多，请等待进行中的请求结束","data":null}"#;
    assert_eq!(body, written);
    let other = router.clone().oneshot(by("two", "/embeddings")).await.unwrap();
    assert_eq!((other.status(), occupancy(&layer)), (StatusCode::OK, (2, 0, 2)));
    drop((answer, other));
    assert_eq!(occupancy(&layer), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn two_routes_with_clones_of_the_layer_share_one_limit() {
    let layer = layer(1);
    let around = || ServiceBuilder::new().layer(CatchErrorLayer::new()).layer(layer.clone());
    let router = Router::new()
        .route("/chat", post(stream).layer(around()))
        .route("/embeddings", post(stream).layer(around()));
    let answer = router.clone().oneshot(by("one", "/chat")).await.unwrap();
    assert_eq!((answer.status(), occupancy(&layer)), (StatusCode::OK, (1, 0, 1)));
    let refused = router.clone().oneshot(by("one", "/embeddings")).await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    drop(answer);
    let answer = router.oneshot(by("one", "/embeddings")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}
