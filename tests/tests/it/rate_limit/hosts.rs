//! In the servers that can hold it and over clients, over loopback sockets: one limit is one limit.

use std::{convert::Infallible, net::SocketAddr};

use axum::{
    Router,
    body::Body,
    routing::{Route, get},
};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{Empty, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use kimi_errors::BoxError;
use kimi_testkit::probe::{Probe, ProbeBody};
use kimi_tower::{
    catch_error::{CatchError, CatchErrorLayer},
    key::{Everyone, UpstreamAccount},
    rate_limit::{
        Plans, RateLimit, RateLimitLayer, ResponseBody, ResponseFuture,
        store::{Later, MemoryStore},
    },
};
use tokio::net::TcpListener;
use tonic::transport::{Channel, Server};
use tower::{
    ServiceBuilder, ServiceExt as _, service_fn,
    util::{BoxCloneSyncService, ServiceFn},
};
use tower_layer::Stack;

use super::{SECOND, patient, requests};

const fn is_shared<T: Clone + Send + Sync + 'static>() {}
const fn is_sync<T: Send + Sync + 'static>() {}
const fn is_sent<T: Send + 'static>() {}

/// What hosts ask of a layer, its services, their futures and their bodies: checked by compiling.
const _: () = {
    type HyperClient = Client<HttpConnector, Full<Bytes>>;
    type Answer = Result<Response<Full<Bytes>>, BoxError>;
    type Answering = fn(Request<Full<Bytes>>) -> std::future::Ready<Answer>;
    type Sync = BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>;
    is_shared::<RateLimitLayer>();
    is_shared::<RateLimitLayer<UpstreamAccount>>();
    is_shared::<RateLimit<Route>>();
    is_shared::<RateLimit<HyperClient, Everyone>>();
    is_shared::<RateLimit<reqwest::Client>>();
    is_shared::<RateLimit<Channel>>();
    is_shared::<MemoryStore>();
    is_shared::<Plans>();
    is_sync::<Later>();
    is_sent::<ResponseFuture<Route, Body, MemoryStore>>();
    is_sent::<ResponseFuture<Sync, Body, MemoryStore>>();
    is_sent::<ResponseFuture<Probe, ProbeBody, MemoryStore>>();
    is_sync::<ResponseFuture<ServiceFn<Answering>, Full<Bytes>, MemoryStore>>();
    is_sync::<ResponseBody<Full<Bytes>>>();
    is_sync::<ResponseBody<Incoming>>();
    is_sent::<ResponseBody<Body>>();
};

/// Refusals are answers, since a router's services never fail.
fn stack(layer: RateLimitLayer) -> Stack<RateLimitLayer, CatchErrorLayer> {
    Stack::new(layer, CatchErrorLayer::new())
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Asks over a connection of its own, and returns whether it was admitted.
async fn is_admitted(address: SocketAddr, path: &str) -> bool {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let request = Request::get(format!("http://{address}{path}"));
    let request = request.header("authorization", "Bearer sk-1").body(Empty::new()).unwrap();
    let answer = client.request(request).await.unwrap();
    let status = answer.status();
    assert!(answer.headers().contains_key("ratelimit"));
    assert_eq!(answer.headers().contains_key("retry-after"), status != StatusCode::OK);
    status == StatusCode::OK
}

/// Asks eight times, by these paths in turn, and returns how often it was admitted.
async fn admitted(address: SocketAddr, paths: &[&str]) -> usize {
    let mut admitted = 0;
    for path in paths.iter().cycle().take(8) {
        admitted += usize::from(is_admitted(address, path).await);
    }
    admitted
}

fn three() -> RateLimitLayer {
    RateLimitLayer::new(requests(3, SECOND * 3600))
}

/// Axum makes what a layer makes for each route.
#[tokio::test]
async fn two_routes_of_a_router_share_a_limit() {
    let routes = || Router::new().route("/a", get(async || "a")).route("/b", get(async || "b"));
    for router in [routes().layer(stack(three())), routes().route_layer(stack(three()))] {
        let (listener, address) = listen().await;
        tokio::spawn(async move { axum::serve(listener, router).await });
        assert_eq!(admitted(address, &["/a", "/b"]).await, 3);
    }
    let layer = three();
    let route = |text: &'static str| get(async move || text).layer(stack(layer.clone()));
    let router = Router::new().route("/a", route("a")).route("/b", route("b"));
    let (listener, address) = listen().await;
    tokio::spawn(async move { axum::serve(listener, router).await });
    assert_eq!(admitted(address, &["/a", "/b"]).await, 3);
}

/// Without `into_make_service` it makes them for each connection, too.
#[tokio::test]
async fn many_connections_share_a_limit() {
    let router = Router::new().route("/", get(async || "hello"));
    let (listener, address) = listen().await;
    let service = ServiceBuilder::new()
        .map_response(axum::response::IntoResponse::into_response)
        .layer(stack(three()))
        .service(router);
    let service = axum::ServiceExt::<Request<Body>>::into_make_service(service);
    tokio::spawn(async move { axum::serve(listener, service).await });
    assert_eq!(admitted(address, &["/"]).await, 3);
}

#[tokio::test]
async fn connections_of_hyper_share_a_limit() {
    let layer = three();
    let hello = service_fn(async |_: Request<Incoming>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("hello")))
    });
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // Made anew for each.
            let service = ServiceBuilder::new().layer(stack(layer.clone())).service(hello);
            let service = TowerToHyperService::new(service);
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                server.serve_connection(TokioIo::new(stream), service).await
            });
        }
    });
    assert_eq!(admitted(address, &["/"]).await, 3);
}

/// Compiles only if servers and clients of tonic can be wrapped.
#[tokio::test]
async fn tonic_can_be_wrapped() {
    fn is_grpc_service<S: tonic::client::GrpcService<tonic::body::Body>>(_: &S) {}
    let channel = Channel::from_static("http://127.0.0.1:9").connect_lazy();
    is_grpc_service(&tower_layer::Layer::layer(&three(), channel));
    let routes = tonic::service::Routes::default();
    let server = Server::builder().layer(stack(three())).add_routes(routes.clone());
    drop(server.serve(([127, 0, 0, 1], 0).into()));
    fn is_caught<S>(_: &CatchError<RateLimit<S>>) {}
    is_caught(&tower_layer::Layer::layer(&stack(three()), routes));
}

/// A client that waits, over a real connection.
#[tokio::test]
async fn clients_can_be_wrapped() {
    let (listener, address) = listen().await;
    let router = Router::new().route("/", get(async || "hello"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let layer = three()
        .with_key(UpstreamAccount::new())
        .with_admission(patient(SECOND, 10))
        .with_upstream_hints()
        .without_fields();
    let ask = || Request::get(format!("http://{address}/")).body(Full::<Bytes>::default()).unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let hyper = ServiceBuilder::new().layer(layer.clone()).service(client);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let transport = service_fn(move |request: Request<Full<Bytes>>| {
        let client = client.clone();
        async move {
            let request = reqwest::Request::try_from(request.map(reqwest::Body::wrap))?;
            Ok::<_, reqwest::Error>(Response::<reqwest::Body>::from(client.execute(request).await?))
        }
    });
    let reqwest = ServiceBuilder::new().layer(layer).service(transport);
    assert_eq!(hyper.clone().oneshot(ask()).await.unwrap().status(), StatusCode::OK);
    assert_eq!(reqwest.clone().oneshot(ask()).await.unwrap().status(), StatusCode::OK);
    assert_eq!(hyper.oneshot(ask()).await.unwrap().status(), StatusCode::OK);
    // The fourth would have to wait for an hour.
    assert!(reqwest.oneshot(ask()).await.is_err());
}
