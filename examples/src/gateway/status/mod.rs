//! What a person and a monitor see of a gateway: a page, its numbers, metrics, and whether it is there.
//!
//! | path | answer |
//! |---|---|
//! | `/` | a page that shows, every second anew, what is below |
//! | `/status.json` | the numbers of the page |
//! | `/metrics` | requests, durations, tokens, waits, and what is under way, as text for Prometheus, if a recorder is installed |
//! | `/healthz` | `ok` |
//!
//! None of them has a caller's key, a query or a word of what was said. They stand outside of the
//! layers: they cost no limit, and are not in the log.

mod board;
mod under_way;

use axum::{
    Json, Router,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use kimi_tower::{rate_limit::concurrency::ConcurrencyLayer, session};
use metrics_exporter_prometheus::PrometheusHandle;

pub use self::board::Board;
use self::under_way::UnderWay;

/// What the page of a gateway is made of.
#[derive(Clone, Default)]
#[expect(clippy::exhaustive_structs, reason = "it is filled in by whoever starts a gateway")]
pub struct Status {
    /// What was told of requests: the observer of the gateway's log, or part of it.
    pub board: Board,
    /// What was measured; `None` without metrics.
    pub metrics: Option<PrometheusHandle>,
}

/// Shows nothing of what was measured.
impl std::fmt::Debug for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Status").field("board", &self.board).finish_non_exhaustive()
    }
}

/// Says how many sessions there are; nothing if they are other replicas', too.
pub(super) type Gauges = Box<dyn Fn() -> Option<session::store::Gauges> + Send + Sync>;

/// Who can say how much is under way.
pub(super) struct Layers<K> {
    pub(super) sessions: Gauges,
    pub(super) concurrency: ConcurrencyLayer<K>,
}

/// Returns the routes.
pub(super) fn routes<K>(status: Status, layers: Layers<K>) -> Router
where
    K: Send + Sync + 'static,
{
    let Status { board, metrics } = status;
    let layers = std::sync::Arc::new(layers);
    let measured = std::sync::Arc::clone(&layers);
    let numbers = move || {
        let mut numbers = board.numbers();
        UnderWay::of(&layers).write(&mut numbers);
        Json(numbers)
    };
    let metrics = move || async move {
        let text = "text/plain; version=0.0.4; charset=utf-8";
        match metrics {
            Some(metrics) => {
                UnderWay::of(&measured).measure();
                metrics.run_upkeep();
                file(text, metrics.render()).into_response()
            }
            None => http::StatusCode::NOT_FOUND.into_response(),
        }
    };
    Router::new()
        .route("/", get(async || file("text/html; charset=utf-8", include_str!("page.html"))))
        .route("/status.js", get(async || file("text/javascript", include_str!("page.js"))))
        .route("/status.json", get(move || std::future::ready(numbers())))
        .route("/metrics", get(metrics))
        .route("/healthz", get(async || "ok"))
}

/// Nothing from elsewhere is loaded, and nobody may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; \
     frame-ancestors 'none'";

fn file(content_type: &'static str, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
