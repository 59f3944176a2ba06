//! The layer in a router, and what it asks of a host.

use axum::{Router, body::Body, routing::post};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use kimi_errors::BoxError;
use kimi_testkit::probe::{Beat, ProbeBody};
use kimi_tower::{
    catch_error::CatchErrorLayer,
    session::{Policy, ResponseBody, Session, SessionLayer, store::MemoryTurn},
};
use tower::{Service, ServiceBuilder, ServiceExt as _, util::BoxCloneSyncService};

use super::{FIELD, gauges, layer};

const fn is_shared<T: Clone + Send + Sync + 'static>() {}

/// As `axum` and `tonic` ask of futures, and `BodyExt::boxed` and `reqwest::Body::wrap` of bodies.
const fn is_sent<T: Send + 'static>() {}
const fn is_sync<T: Send + Sync + 'static>() {}

type Boxed = BoxCloneSyncService<Request<Body>, Response<Full<Bytes>>, BoxError>;

const _: () = {
    is_shared::<SessionLayer>();
    is_shared::<Session<axum::routing::Route>>();
    is_shared::<Session<reqwest::Client>>();
    is_shared::<Session<tonic::transport::Channel>>();
    is_sent::<<Session<Boxed> as Service<Request<Body>>>::Future>();
    is_sync::<ResponseBody<Full<Bytes>, MemoryTurn>>();
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
