//! The routes, and the layers around them.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{MatchedPath, Request, State},
    response::Response,
    routing::{get, post},
};
use http::request::Parts;
use http_body_util::Full;
use kimi_errors::{Error, Lang};
use kimi_tower::{
    catch_error::CatchErrorLayer,
    key::{ExtractKey, KeyHasher},
    session::{Conversation, Policy, SessionLayer},
    validate::ValidateLayer,
};
use kimi_validate::ChatRequest;
use tower::ServiceBuilder;

use super::{Settings, Upstream, door};

/// Returns the routes of a gateway to `upstream`.
pub fn router(upstream: Upstream, settings: Settings) -> Router {
    let Settings { limits, profile, files, session, log, dialect, lang } = settings;
    let layers = ServiceBuilder::new()
        // Outermost: it also answers what no route matches.
        .layer(CatchErrorLayer::new().with_dialect(dialect).with_lang(lang))
        // Of what is refused there is a record, too.
        .layer(log.with_route(|extensions| {
            Some(extensions.get::<MatchedPath>()?.as_str().to_owned().into())
        }))
        // To count a request costs less than to read it.
        .layer(limits.of_requests(lang))
        // Before anything is asked of the upstream. What is no chat request passes it unread.
        .layer(ValidateLayer::new(profile).with_file_urls(files).with_lang(lang))
        // Only what will be served takes a turn, and the body has to be read to know whose. Outside
        // of the other limits, so that who waits takes no place and no tokens.
        .layer(one_at_a_time(session, lang))
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

/// Returns the layer that serves a conversation's requests one at a time, or none of it with `None`.
fn one_at_a_time(policy: Option<Policy>, lang: Lang) -> SessionLayer<impl ExtractKey + Clone> {
    let conversation = policy.map(|_| Conversation::new());
    // A request without a key passes.
    let key = move |head: &Parts, hasher: &KeyHasher| match &conversation {
        Some(conversation) => conversation.extract(head, hasher),
        None => Ok(None),
    };
    SessionLayer::new().with_policy(policy.unwrap_or_default()).with_lang(lang).with_key(key)
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
