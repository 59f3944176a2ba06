use std::net::SocketAddr;

use axum::{
    Json, Router, ServiceExt,
    body::Body,
    extract::{ConnectInfo, DefaultBodyLimit, Path},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{Method, Request, StatusCode, header};
use kimi_errors::{Dialect, Error, ErrorKind};
use kimi_testkit::probe::{Beat, ProbeBody};
use kimi_tower::catch_error::CatchErrorLayer;
use tower::ServiceBuilder;

use super::{CANARY, Read, SYSTEM, head_is_that_of_get, listen, send};

/// Compiles only if every route of a router can be wrapped.
fn app(layer: CatchErrorLayer) -> Router {
    routes().layer(layer)
}

fn routes() -> Router {
    let chat = post(async |Json(request): Json<Vec<u8>>| format!("{request:?}"));
    Router::new()
        .route("/chat", chat.layer(DefaultBodyLimit::max(64)))
        .route("/fail/{code}", get(fail))
        .route("/peer", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()))
        .route("/panic", get(panic))
        .route("/panic-later/{kind}/{subkind}", get(panic_later))
}

/// What an `IntoResponse` of an error does: the article's form, the error in the extensions.
async fn fail(Path(code): Path<i32>) -> Response {
    let error = Error::new(ErrorKind::from_errcode(code).unwrap());
    Dialect::Errcode.response(&error).map(Body::from)
}

async fn panic() -> Response {
    panic!("{CANARY}");
}

async fn panic_later(Path((kind, subkind)): Path<(String, String)>) -> Response {
    let body = ProbeBody::chunks(["data: 1\n\ndata"]).then(Beat::Yield).then(Beat::Panic(CANARY));
    let content_type = format!("{kind}/{subkind}");
    Response::builder().header("content-type", content_type).body(Body::new(body)).unwrap()
}

async fn serve(layer: CatchErrorLayer) -> SocketAddr {
    let (listener, address) = listen().await;
    let service = app(layer).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

/// Serves a router with the layer around it, not in it.
async fn serve_outside() -> SocketAddr {
    let (listener, address) = listen().await;
    // The type of body that `axum::serve` asks for.
    let service = ServiceBuilder::new()
        .map_response(IntoResponse::into_response)
        .layer(CatchErrorLayer::new())
        .service(routes());
    let service =
        ServiceExt::<Request<Body>>::into_make_service_with_connect_info::<SocketAddr>(service);
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

async fn get_from(layer: CatchErrorLayer, path: &str) -> Read {
    super::get(serve(layer).await, path).await
}

async fn post_chat(content_type: &str, body: &'static str) -> Read {
    let request = Request::post("/chat").header(header::CONTENT_TYPE, content_type);
    send(serve(CatchErrorLayer::new()).await, request.body(body).unwrap()).await
}

#[tokio::test]
async fn a_good_answer_passes() {
    let read = post_chat("application/json", "[1, 2]").await;
    assert_eq!((read.head.status, read.body.as_str()), (StatusCode::OK, "[1, 2]"));
}

#[tokio::test]
async fn a_path_without_a_route_is_answered_to_the_letter() {
    let read = get_from(CatchErrorLayer::new(), "/nowhere").await;
    assert_eq!(read.head.status, StatusCode::NOT_FOUND);
    let body = r#"{"errcode":-1002,"errmsg":"无匹配的路由","data":null}"#;
    assert_eq!(read.body, body);
    assert_eq!(read.head.headers[header::CONTENT_LENGTH], body.len().to_string().as_str());
}

#[tokio::test]
async fn a_wrong_method_is_answered_with_allow() {
    let read = get_from(CatchErrorLayer::new(), "/chat").await;
    assert_eq!(read.head.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(read.head.headers[header::ALLOW], Method::POST.as_str());
    assert!(read.body.starts_with(r#"{"errcode":-1002,"#), "{}", read.body);
}

#[tokio::test]
async fn what_an_extractor_refuses_is_answered_in_our_form() {
    let long = "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]";
    for (content_type, body, status) in [
        ("text/plain", "[1]", 415),
        ("application/json", "[1", 400),
        ("application/json", r#"{"hunter2":1}"#, 422),
        ("application/json", long, 413),
    ] {
        let read = post_chat(content_type, body).await;
        assert_eq!(read.head.status, status, "{body}");
        assert_eq!(read.head.headers[header::CONTENT_TYPE], "application/json");
        assert!(read.body.starts_with(r#"{"errcode":-1001,"#), "{}", read.body);
    }
}

#[tokio::test]
async fn a_handlers_error_is_answered_in_every_dialect() {
    for kind in ErrorKind::ALL.iter().copied().filter(|kind| kind.owns_errcode()) {
        for dialect in Dialect::ALL.iter().copied() {
            let layer = CatchErrorLayer::new().with_dialect(dialect);
            let read = get_from(layer, &format!("/fail/{}", kind.errcode())).await;
            let status = if dialect == Dialect::FreeApi { 200 } else { kind.status() };
            assert_eq!(read.head.status, status, "{kind} in {dialect}");
            assert_eq!(read.body.as_bytes(), dialect.body(&Error::new(kind)));
        }
    }
}

#[tokio::test]
async fn a_panic_before_the_head_is_a_system_error() {
    let read = get_from(CatchErrorLayer::new(), "/panic").await;
    assert_eq!(read.head.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(read.body, SYSTEM);
}

#[tokio::test]
async fn a_panic_in_mid_stream_is_the_last_event() {
    let read = get_from(CatchErrorLayer::new(), "/panic-later/text/event-stream").await;
    let frame = Dialect::Errcode.sse_frame(&Error::new(ErrorKind::System));
    assert_eq!(read.body, format!("data: 1\n\n{}", String::from_utf8(frame).unwrap()));
    assert!(read.is_whole);
}

#[tokio::test]
async fn a_panic_in_mid_body_is_no_clean_end() {
    let read = get_from(CatchErrorLayer::new(), "/panic-later/text/plain").await;
    assert_eq!(read.head.status, StatusCode::OK);
    assert!(!read.is_whole);
}

#[tokio::test]
async fn a_head_request_is_answered_as_get_is_but_for_the_body() {
    let inside = serve(CatchErrorLayer::new()).await;
    // Only here: inside of a router, axum drops the body of an answer to HEAD itself.
    let outside = serve_outside().await;
    for address in [inside, outside] {
        for path in ["/nowhere", "/chat", "/fail/-2005", "/panic"] {
            head_is_that_of_get(address, path).await;
        }
    }
}

#[tokio::test]
async fn the_peers_address_gets_through() {
    for address in [serve(CatchErrorLayer::new()).await, serve_outside().await] {
        let read = super::get(address, "/peer").await;
        assert!(read.body.starts_with("127.0.0.1:"), "{}", read.body);
        assert_eq!(read.head.status, StatusCode::OK);
    }
}
