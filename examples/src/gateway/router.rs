//! The routes, and the layers around them.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{Request, State},
    response::Response,
    routing::{get, post},
};
use http_body_util::Full;
use kimi_errors::{Dialect, Error, Lang};
use kimi_tower::{catch_error::CatchErrorLayer, validate::ValidateLayer};
use kimi_validate::{ChatRequest, Profile};
use tower::ServiceBuilder;

use super::{Limits, Upstream, door};

/// Returns the routes of a gateway to `upstream`, whose callers are held to `limits` and their chat
/// requests to `profile`, and whose errors are answered in `dialect` and, as far as the texts are
/// ours, in `lang`.
pub fn router(
    upstream: Upstream,
    limits: Limits,
    profile: Profile,
    dialect: Dialect,
    lang: Lang,
) -> Router {
    let layers = ServiceBuilder::new()
        // Outermost: it also answers what no route matches.
        .layer(CatchErrorLayer::new().with_dialect(dialect).with_lang(lang))
        // To count a request costs less than to read it.
        .layer(limits.of_requests(lang))
        // Before anything is asked of the upstream. What is no chat request passes it unread.
        .layer(ValidateLayer::new(profile).with_lang(lang))
        // From here to the last byte of the answer. Outside of the tokens, so that who is refused
        // has been charged none.
        .layer(limits.of_concurrent())
        // Last, when nothing else can refuse. It estimates by what was just read.
        .layer(limits.of_tokens(lang));
    Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/models", get(relay))
        .route("/token/check", post(relay))
        .route("/ping", get(relay))
        .with_state(Arc::new(upstream))
        .layer(layers)
}

/// Sends a chat request on, which is well formed: its bytes, as they came.
async fn chat(
    State(upstream): State<Arc<Upstream>>,
    Extension(chat): Extension<ChatRequest>,
    request: Request,
) -> Result<Response, Error> {
    upstream.send(request.map(|_| Full::new(chat.into_body()))).await
}

/// Relays any other request.
async fn relay(State(upstream): State<Arc<Upstream>>, request: Request) -> Result<Response, Error> {
    upstream.send(door::read(request).await?).await
}
