//! Bodies that are sent again by tower's `Retry`, as `kimi_tower::replay` says how.

mod given_back;
mod sent_again;
mod wire;

use std::{
    future::{Ready, ready},
    sync::Arc,
};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body::Body;
use kimi_errors::BoxError;
use kimi_testkit::probe::{Beat, ProbeBody};
use kimi_tower::replay::{Replay, ReplayBody, ReplayBudget, ReplayLimits};
use tower::{
    ServiceExt as _,
    retry::{Policy, Retry},
};
use tower_service::Service;

/// Tries again what failed or was answered with an error, at most so many times.
#[derive(Clone)]
struct Retries(usize);

impl<B, R, E> Policy<Request<ReplayBody<B>>, Response<R>, E> for Retries
where
    B: Send + 'static,
{
    type Future = Ready<()>;

    fn retry(
        &mut self,
        next: &mut Request<ReplayBody<B>>,
        result: &mut Result<Response<R>, E>,
    ) -> Option<Ready<()>> {
        if result.as_ref().is_ok_and(|answer| answer.status().is_success()) {
            return None;
        }
        *next.body_mut() = next.extensions().get::<Arc<Replay<B>>>()?.again()?;
        self.0 -= 1;
        Some(ready(()))
    }

    fn clone_request(
        &mut self,
        request: &Request<ReplayBody<B>>,
    ) -> Option<Request<ReplayBody<B>>> {
        if self.0 == 0 {
            return None;
        }
        let mut next = Request::new(ReplayBody::default());
        *next.method_mut() = request.method().clone();
        *next.uri_mut() = request.uri().clone();
        *next.version_mut() = request.version();
        *next.headers_mut() = request.headers().clone();
        *next.extensions_mut() = request.extensions().clone();
        Some(next)
    }
}

/// Sends a request, and after it at most `retries` more.
async fn send<S, B, R>(
    service: S,
    retries: usize,
    limits: &ReplayLimits,
    request: Request<B>,
) -> Result<Response<R>, S::Error>
where
    S: Service<Request<ReplayBody<B>>, Response = Response<R>> + Clone,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let attempt = service.map_request(|mut attempt: Request<ReplayBody<B>>| {
        attempt.extensions_mut().remove::<Arc<Replay<B>>>();
        attempt
    });
    let (head, body) = request.into_parts();
    let (body, replay) = Replay::new(body, limits);
    let mut first = Request::from_parts(head, body);
    first.extensions_mut().insert(Arc::new(replay));
    Retry::new(Retries(retries), attempt).oneshot(first).await
}

const CHAT: &str = r#"{"model":"kimi-k3","messages":[{"role":"user","content":"你好"}]}"#;

fn chat<B>(body: B) -> Request<B> {
    Request::post("/v1/chat/completions")
        .header(header::AUTHORIZATION, "Bearer sk-test")
        .header(header::CONTENT_TYPE, "application/json")
        .body(body)
        .unwrap()
}

/// [`CHAT`] in pieces of seven bytes, each after a wait.
fn in_pieces() -> ProbeBody {
    let pieces = CHAT.as_bytes().chunks(7);
    ProbeBody::new(
        pieces.flat_map(|piece| [Beat::Yield, Beat::Data(Bytes::copy_from_slice(piece))]),
    )
}

fn limits(max_bytes: usize) -> (ReplayLimits, ReplayBudget) {
    let limits = ReplayLimits::new().with_max_bytes(max_bytes);
    let budget = limits.budget().clone();
    (limits, budget)
}
