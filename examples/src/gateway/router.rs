//! The routes, and the layers around them.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{MatchedPath, Request, State},
    response::Response,
    routing::{get, post},
};
use http::{StatusCode, request::Parts};
use http_body_util::Full;
use kimi_errors::Error;
use kimi_tower::{
    key::{ExtractKey, KeyHasher},
    rate_limit::RateLimitLayer,
    session::{Conversation, Policy, SessionLayer},
    stack,
    validate::ValidateLayer,
};
use kimi_validate::ChatRequest;

use super::{
    Settings, Upstream, door,
    limits::tokens,
    status::{self, Gauges, Layers},
};

/// Returns the routes of a gateway to `upstream`.
pub fn router(upstream: Upstream, settings: Settings) -> Router {
    let Settings { limits, profile, files, session, shared, log, status, dialect, lang } = settings;
    let (session, concurrency) = (one_at_a_time(session), limits.of_concurrent());
    let (requests, costs) = (limits.of_requests(), limits.of_tokens());
    let layers = stack::server()
        .with_dialect(dialect)
        .with_request_log(log.with_route(|extensions| {
            Some(extensions.get::<MatchedPath>()?.as_str().to_owned().into())
        }))
        // What is no chat request passes it unread.
        .with_validate(ValidateLayer::new(profile).with_file_urls(files))
        .with_concurrency(concurrency.clone());
    // In their order, and around the routes, so that what no route matches is answered, too.
    let routes = routes(upstream);
    let (routes, sessions): (_, Gauges) = match shared {
        None => {
            let layers = layers
                .with_requests(RateLimitLayer::new(requests))
                .with_session(session.clone())
                .with_tokens(RateLimitLayer::new(costs).with_tokens(tokens));
            (routes.layer(layers.with_lang(lang)), Box::new(move || Some(session.gauges())))
        }
        Some(shared) => {
            let layers = layers
                .with_requests(shared.limit("requests", requests))
                .with_session(shared.turns(session))
                .with_tokens(shared.limit("tokens", costs).with_tokens(tokens));
            (routes.layer(layers.with_lang(lang)), Box::new(|| None))
        }
    };
    match status {
        Some(status) => routes.merge(status::routes(status, Layers { sessions, concurrency })),
        None => routes,
    }
}

fn routes(upstream: Upstream) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/models", get(relay))
        .route("/token/check", post(relay))
        .route("/ping", get(relay))
        // Said here, so that it stays within the layers, whatever is merged.
        .fallback(async || StatusCode::NOT_FOUND)
        .with_state(Arc::new(upstream))
}

/// Returns the layer that serves a conversation's requests one at a time, or none of it with `None`.
fn one_at_a_time(policy: Option<Policy>) -> SessionLayer<impl ExtractKey + Clone> {
    let conversation = policy.map(|_| Conversation::new());
    // A request without a key passes.
    let key = move |head: &Parts, hasher: &KeyHasher| match &conversation {
        Some(conversation) => conversation.extract(head, hasher),
        None => Ok(None),
    };
    SessionLayer::new().with_policy(policy.unwrap_or_default()).with_key(key)
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
