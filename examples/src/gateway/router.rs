//! The routes, and the one layer around them.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    routing::{get, post},
};
use http_body_util::Full;
use kimi_errors::{Dialect, Error, Lang};
use kimi_tower::catch_error::CatchErrorLayer;

use super::{Upstream, door};

struct Gateway {
    upstream: Upstream,
    lang: Lang,
}

/// Returns the routes of a gateway to `upstream`, whose errors are answered in `dialect` and, as
/// far as the texts are ours, in `lang`.
pub fn router(upstream: Upstream, dialect: Dialect, lang: Lang) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(relay_json))
        .route("/v1/models", get(relay))
        .route("/token/check", post(relay_json))
        .route("/ping", get(relay))
        .with_state(Arc::new(Gateway { upstream, lang }))
        // Last, hence outermost: it also answers what no route matches.
        .layer(CatchErrorLayer::new().with_dialect(dialect).with_lang(lang))
}

/// Relays a request without a body.
async fn relay(State(gateway): State<Arc<Gateway>>, request: Request) -> Result<Response, Error> {
    gateway.upstream.send(request.map(|_| Full::default())).await
}

/// Relays a request whose body is JSON.
async fn relay_json(
    State(gateway): State<Arc<Gateway>>,
    request: Request,
) -> Result<Response, Error> {
    let request = door::read_json(request, gateway.lang).await?;
    gateway.upstream.send(request).await
}
