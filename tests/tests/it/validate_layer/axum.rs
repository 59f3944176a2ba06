//! Around the routes of an axum router, `catch_error` outside.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use axum::{
    Extension, Json, Router,
    body::Body,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use kimi_testkit::probe::ProbeBody;
use kimi_tower::{catch_error::CatchErrorLayer, validate::ValidateLayer};
use kimi_validate::{ChatRequest, Profile};
use tower::{ServiceBuilder, ServiceExt as _};

use super::{BAD, CHAT, GOOD, Slow, layer};

#[derive(serde::Deserialize)]
struct Chat {
    model: String,
    messages: Vec<serde_json::Value>,
}

async fn typed(Extension(chat): Extension<ChatRequest>, Json(body): Json<Chat>) -> String {
    assert_eq!(chat.model().as_deref(), Some(&*body.model));
    assert_eq!(chat.messages().len(), body.messages.len());
    format!("{} {}", body.model, body.messages[0]["content"])
}

#[tokio::test]
async fn a_single_route_can_be_wrapped() {
    let around = ServiceBuilder::new().layer(CatchErrorLayer::new()).layer(layer());
    let app = Router::new()
        .route(CHAT, post(typed).layer(around))
        .route("/loose/chat/completions", post(|| async { "loose" }));
    assert_eq!(ask(app.clone(), Body::from(GOOD)).await.0, StatusCode::OK);
    assert_eq!(ask(app.clone(), Body::from(BAD)).await.0, StatusCode::BAD_REQUEST);
    let mut loose = super::post(Body::from(BAD));
    *loose.uri_mut() = "/loose/chat/completions".parse().unwrap();
    assert_eq!(app.oneshot(loose).await.unwrap().status(), StatusCode::OK);
}

/// Compiles only if every route of a router can be wrapped.
fn app(layer: ValidateLayer) -> Router {
    let around = ServiceBuilder::new().layer(CatchErrorLayer::new()).layer(layer);
    Router::new()
        .route(CHAT, post(typed).get(|| async { "GET" }))
        .route("/v1/models", get(|| async { "models" }))
        .layer(around)
}

async fn ask(app: Router, body: Body) -> (StatusCode, String) {
    let answer = app.oneshot(super::post(body)).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn pieces(text: &str) -> Body {
    let pieces = text.as_bytes().chunks(9).map(<[u8]>::to_vec);
    Body::new(Slow::new(ProbeBody::chunks(pieces)))
}

#[tokio::test]
async fn a_handlers_extractors_still_read_the_body() {
    for body in [Body::from(GOOD), pieces(GOOD)] {
        let (status, answer) = ask(app(layer()), body).await;
        assert_eq!((status, answer.as_str()), (StatusCode::OK, "kimi \"你好\""));
    }
}

/// As the page of the module shows it.
#[tokio::test]
async fn what_is_refused_is_answered_in_the_articles_form() {
    let bad = r#"{"model":"kimi","messages":[{"role":"robot"}]}"#;
    for body in [Body::from(bad), pieces(bad)] {
        let (status, answer) = ask(app(layer()), body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        let expected = concat!(
            r#"{"errcode":-1001,"#,
            r#""errmsg":"请求参数校验错误：消息0的内容(content)必须是非空字符串"#,
            r#"（/messages/0/content），另有1处错误","#,
            r#""data":{"limit":32,"truncated":0,"violations":["#,
            r#"{"message":"消息0的内容(content)必须是非空字符串","#,
            r#""pointer":"/messages/0/content","rule":"required","type":null},"#,
            r#"{"message":"消息0的角色(role)必须是user、assistant或system","#,
            r#""pointer":"/messages/0/role","rule":"one_of","type":"string"}]}}"#,
        );
        assert_eq!(answer, expected);
    }
}

#[tokio::test]
async fn other_routes_and_methods_are_not_looked_at() {
    for (path, expected) in [(CHAT, "GET"), ("/v1/models", "models")] {
        let request = Request::get(path).body(Body::from(BAD)).unwrap();
        let answer = app(layer()).oneshot(request).await.unwrap();
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), expected);
    }
}

#[tokio::test]
async fn a_path_without_a_route_is_no_route_although_it_is_selected() {
    let around = ServiceBuilder::new().layer(CatchErrorLayer::new()).layer(layer());
    let app: Router = Router::new().route("/v1/models", get(|| async { "models" })).layer(around);
    let (status, answer) = ask(app, Body::from(GOOD)).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(answer.contains("-1002"), "{answer}");
}

#[tokio::test]
async fn the_extractors_limit_holds_inside() {
    let long = GOOD.replace("你好", &"x".repeat(3 * 1024 * 1024));
    let (status, _) = ask(app(layer()), Body::from(long.clone())).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, _) = ask(app(layer()).layer(DefaultBodyLimit::disable()), Body::from(long)).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_nested_router_shows_its_own_path() {
    let checked = Arc::new(AtomicUsize::new(0));
    let count = checked.clone();
    let around = |layer| {
        let around = ServiceBuilder::new().layer(CatchErrorLayer::new()).layer(layer);
        Router::new().route("/completions", post(|| async {})).layer(around)
    };
    let by_default = Router::new().nest("/v1/chat", around(layer()));
    assert_eq!(ask(by_default, Body::from(BAD)).await.0, StatusCode::OK);

    let all = move |head: &http::request::Parts| {
        count.fetch_add(1, SeqCst);
        head.uri.path() == "/completions"
    };
    let around = ServiceBuilder::new()
        .layer(CatchErrorLayer::new())
        .layer(ValidateLayer::new(Profile::article()).with_select(all));
    let inner = Router::new().route("/completions", post(|| async {})).layer(around);
    let told = Router::new().nest("/v1/chat", inner);
    assert_eq!(ask(told, Body::from(BAD)).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(checked.load(SeqCst), 1);
}

#[tokio::test]
async fn a_browsers_plain_text_is_refused() {
    let request = Request::post(CHAT).header(header::CONTENT_TYPE, "text/plain");
    let answer = app(layer()).oneshot(request.body(Body::from(GOOD)).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
}
