//! The layer in a router, and what it asks of a host.

use axum::{Router, body::Body, routing::post};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use kimi_testkit::probe::{Beat, ProbeBody};
use kimi_tower::{
    catch_error::CatchErrorLayer,
    session::{Policy, Session, SessionLayer},
};
use tower::{ServiceBuilder, ServiceExt as _};

use super::{FIELD, gauges, layer};

const fn is_shared<T: Clone + Send + Sync + 'static>() {}

const _: () = {
    is_shared::<SessionLayer>();
    is_shared::<Session<axum::routing::Route>>();
};

async fn stream() -> Response<Body> {
    Response::new(Body::new(ProbeBody::chunks(["data: {}\n\n"]).then(Beat::Hang)))
}

fn of(conversation: &str, path: &str) -> Request<Body> {
    Request::post(path).header(FIELD, conversation).body(Body::empty()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_routes_of_a_router_and_clones_of_the_layer_share_the_sessions() {
    let layer = layer().with_policy(Policy::Reject);
    let around = || ServiceBuilder::new().layer(CatchErrorLayer::new()).layer(layer.clone());
    let routes = || Router::new().route("/chat", post(stream)).route("/other", post(stream));
    let each = Router::new()
        .route("/chat", post(stream).layer(around()))
        .route("/other", post(stream).layer(around()));
    for router in [routes().layer(around()), routes().route_layer(around()), each] {
        let answer = router.clone().oneshot(of("c-1", "/chat")).await.unwrap();
        assert_eq!((answer.status(), gauges(&layer)), (StatusCode::OK, (1, 0)));
        let refused = router.clone().oneshot(of("c-1", "/other")).await.unwrap();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        let body = refused.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, r#"{"errcode":-2005,"errmsg":"已有对话流正在输出","data":null}"#);
        drop(answer);
        assert_eq!(gauges(&layer), (0, 0));
    }
}
