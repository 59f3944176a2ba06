//! `validate` around probes: what passes, what is refused, and what it waits for.

mod axum;
mod cancelled;
mod client;
mod compressed;
mod files;
mod passed;
mod readiness;
mod refused;
mod slow;
mod wire;

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, header};
use http_body::{Body, Frame, SizeHint};
use kimi_errors::Error;
use kimi_testkit::probe::{Probe, ProbeBody, Seen};
use kimi_tower::validate::{Validate, ValidateLayer};
use kimi_validate::Profile;
use tower_layer::Layer as _;
use tower_service::Service;

use crate::woken::{Woken, poll};

const CHAT: &str = "/v1/chat/completions";
const GOOD: &str = r#"{"model":"kimi","messages":[{"role":"user","content":"你好"}]}"#;
/// Its role and its content are wrong. Stands for what must not come out, too.
const BAD: &str = r#"{"model":"kimi","messages":[{"role":"hunter2","content":7}]}"#;

fn layer() -> ValidateLayer {
    ValidateLayer::new(Profile::article())
}

/// A layer that lets bodies of so many bytes pass.
fn up_to(max_body_bytes: usize) -> ValidateLayer {
    ValidateLayer::new(Profile::article().with_max_body_bytes(max_body_bytes))
}

fn stack(layer: &ValidateLayer) -> (Validate<Probe>, Seen) {
    let (probe, seen) = Probe::new([]);
    (layer.layer(probe), seen)
}

fn post<B>(body: B) -> Request<B> {
    let json = (header::CONTENT_TYPE, "application/json");
    Request::post(CHAT).header(json.0, json.1).body(body).unwrap()
}

/// Waits until the service is ready, and calls it.
async fn call<S, B>(service: &mut S, request: Request<B>) -> Result<S::Response, Error>
where
    S: Service<Request<B>, Error = Error>,
{
    start(service, request).await.await
}

/// Waits until the service is ready, calls it, and returns the future.
async fn start<S, B>(service: &mut S, request: Request<B>) -> S::Future
where
    S: Service<Request<B>, Error = Error>,
{
    std::future::poll_fn(|cx| service.poll_ready(cx)).await.unwrap();
    service.call(request)
}

/// Returns why the request is refused, and checks that the inner service never heard of it.
async fn refusal(layer: &ValidateLayer, request: Request<ProbeBody>) -> Error {
    let (mut service, seen) = stack(layer);
    let refusal = call(&mut service, request).await.unwrap_err();
    assert_eq!(seen.calls(), 0);
    refusal
}

/// Returns the rules that the refusal names, each with its place.
fn rules(refusal: &Error) -> Vec<(&str, &str)> {
    let list = refusal.data().and_then(|data| data["violations"].as_array());
    let list = list.into_iter().flatten();
    list.map(|it| (it["pointer"].as_str().unwrap(), it["rule"].as_str().unwrap())).collect()
}

/// A body that is not ready before each of its frames, once.
#[derive(Debug)]
pub(crate) struct Slow<B> {
    inner: B,
    was_pending: bool,
}

impl<B> Slow<B> {
    pub(crate) const fn new(inner: B) -> Self {
        Self { inner, was_pending: false }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Slow<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        self.was_pending = !self.was_pending;
        if self.was_pending {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
}
