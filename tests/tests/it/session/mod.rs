//! `session` around probes: who has the turn, who waits, and when a turn comes back.

mod body;
mod hosts;
mod keep_alive;
mod loopback;
mod lost;
mod neighbors;
mod nested;
mod policy;
mod readiness;
mod store;
mod stress;
mod upstream;

use std::time::Duration;

use http::{HeaderName, Request, Response};
use kimi_errors::Error;
use kimi_testkit::probe::{Act, Beat, Probe, ProbeBody, Seen};
use kimi_tower::session::{Conversation, Session, SessionLayer};
use tower_layer::Layer as _;
use tower_service::Service;

use crate::woken::{Woken, poll};

const SECOND: Duration = Duration::from_secs(1);
/// What takes longer never ends.
const LONG: Duration = Duration::from_secs(60 * 60);
const FIELD: HeaderName = HeaderName::from_static("x-conversation-id");

/// A layer that serves one with the same `x-conversation-id` at a time.
pub(crate) fn layer() -> SessionLayer {
    SessionLayer::new().with_key(Conversation::in_field(FIELD))
}

fn stack(layer: &SessionLayer, acts: impl IntoIterator<Item = Act>) -> (Session<Probe>, Seen) {
    let (probe, seen) = Probe::new(acts);
    (layer.layer(probe), seen)
}

fn of(conversation: &str) -> Request<ProbeBody> {
    Request::post("/v1/chat/completions")
        .header(FIELD, conversation)
        .body(ProbeBody::empty())
        .unwrap()
}

fn answer(body: ProbeBody) -> Act {
    Act::Answer(Response::new(body))
}

/// An answer whose body never ends.
fn stream() -> Act {
    answer(ProbeBody::chunks(["first"]).then(Beat::Hang))
}

/// Waits until the service is ready, calls it, and returns the future.
async fn start<S, B>(service: &mut S, request: Request<B>) -> S::Future
where
    S: Service<Request<B>, Error = Error>,
{
    let ready = std::future::poll_fn(|cx| service.poll_ready(cx));
    tokio::time::timeout(LONG, ready).await.expect("it is ready at some time").unwrap();
    service.call(request)
}

/// The same, and waits for the answer.
async fn call<S, B>(service: &mut S, request: Request<B>) -> Result<S::Response, Error>
where
    S: Service<Request<B>, Error = Error>,
{
    let future = start(service, request).await;
    tokio::time::timeout(LONG, future).await.expect("it is answered at some time")
}

/// Returns how many sessions there are, and how many requests wait.
fn gauges(layer: &SessionLayer) -> (usize, usize) {
    let gauges = layer.gauges();
    (gauges.active, gauges.waiting)
}
