//! Many requests of one conversation at once, as a gateway gets them.

use std::time::Duration;

use axum::{
    Extension, Router,
    body::Body,
    extract::{Request, State},
    response::Response,
    routing::post,
};
use http_body_util::{BodyExt as _, Full};
use kimi_testkit::{
    mock::Mock,
    script::{Repeat, Step},
};
use kimi_tower::{catch_error::CatchErrorLayer, session::SessionLayer, validate::ValidateLayer};
use kimi_validate::{ChatRequest, Profile};
use tokio::task::JoinSet;
use tower::{ServiceBuilder, ServiceExt as _};

const CONVERSATION: &str = "c-1";
/// One has the turn and fewer than 16 wait: none is refused.
const REQUESTS: usize = 8;

/// An upstream that takes 2 s for each answer, 500 ms before each chunk but the first.
fn slow() -> Mock {
    let mock = Mock::platform();
    let pace = Duration::from_millis(500);
    mock.push(Step::ok().with_chunk_delay(pace).with_repeat(Repeat::Forever)).unwrap();
    mock
}

/// The routes; the layers come around them.
fn routes(mock: Mock) -> Router {
    Router::new().route("/v1/chat/completions", post(chat)).with_state(mock)
}

async fn chat(
    State(mock): State<Mock>,
    Extension(chat): Extension<ChatRequest>,
    request: Request,
) -> Response {
    let sent = request.map(|_| Full::new(chat.into_body()));
    mock.oneshot(sent).await.unwrap().map(Body::new)
}

/// Sends all at once and reads each answer to its end. Returns the status and the text of each.
async fn ask(router: Router) -> Vec<(u16, String)> {
    let mut asked = JoinSet::new();
    for _ in 0..REQUESTS {
        let body = format!(
            r#"{{"model":"kimi-k3","messages":[{{"role":"user","content":"你好"}}],"stream":true,"conversation_id":"{CONVERSATION}"}}"#
        );
        let request = Request::post("/v1/chat/completions")
            .header("authorization", "Bearer sk-1")
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap();
        let router = router.clone();
        asked.spawn(async move {
            let answer = router.oneshot(request).await.unwrap();
            let status = answer.status().as_u16();
            let bytes = answer.into_body().collect().await.unwrap().to_bytes();
            (status, String::from_utf8(bytes.to_vec()).unwrap())
        });
    }
    asked.join_all().await
}

#[tokio::test(start_paused = true)]
async fn without_the_layer_the_upstream_refuses_all_but_one() {
    let mock = slow();
    let layers = ServiceBuilder::new()
        .layer(CatchErrorLayer::new())
        .layer(ValidateLayer::new(Profile::platform()));
    let answers = ask(routes(mock.clone()).layer(layers)).await;
    let busy = answers.iter().filter(|(status, text)| *status == 429 && text.contains("-2005"));
    assert_eq!(busy.count(), REQUESTS - 1);
    assert!(mock.max_overlap(CONVERSATION) > 1);
}

#[tokio::test(start_paused = true)]
async fn with_the_layer_each_is_answered_in_its_turn() {
    let mock = slow();
    let layers = ServiceBuilder::new()
        .layer(CatchErrorLayer::new())
        .layer(ValidateLayer::new(Profile::platform()))
        // Inside of `validate`: the body has to be read to know whose turn it is.
        .layer(SessionLayer::new());
    for (status, text) in ask(routes(mock.clone()).layer(layers)).await {
        assert_eq!(status, 200, "{text}");
        assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    }
    assert_eq!(mock.request_count(), REQUESTS as u64);
    assert_eq!(mock.max_overlap(CONVERSATION), 1);
}
