//! `rate_limit::concurrency` around probes: who may, who waits, and when a permit comes back.

mod admission;
mod axum;
mod body;
mod dropped;
mod events;
mod line;
mod readiness;
mod stress;

use std::{num::NonZeroU32, time::Duration};

use http::{Request, Response, request::Parts};
use kimi_errors::{Error, ErrorKind};
use kimi_testkit::probe::{Act, Beat, Probe, ProbeBody, Seen};
use kimi_tower::{
    key::{Key, KeyHasher},
    rate_limit::{
        Admission,
        concurrency::{Concurrency, ConcurrencyLayer},
    },
};
use tower_layer::Layer as _;
use tower_service::Service;

use crate::woken::{Woken, poll};

const SECOND: Duration = Duration::from_secs(1);
/// What takes longer never ends.
const LONG: Duration = Duration::from_secs(60 * 60);
/// Whoever has to wait does.
const WAIT: Admission = Admission::Wait { max_wait: Duration::from_secs(30), max_queue: 16 };

pub(crate) type Extract = fn(&Parts, &KeyHasher) -> Result<Option<Key>, Error>;

/// A layer that admits so many with the same `x-caller`; who has none passes.
pub(crate) fn layer(max: u32) -> ConcurrencyLayer<Extract> {
    let by_caller: Extract = |head, hasher| {
        let caller = head.headers.get("x-caller");
        if caller.is_some_and(|it| it == "nobody we know") {
            return Err(Error::new(ErrorKind::TokenExpired));
        }
        Ok(caller.map(|caller| hasher.key(&[caller.as_bytes()])))
    };
    ConcurrencyLayer::new(at_most(max)).with_key(by_caller)
}

fn at_most(max: u32) -> NonZeroU32 {
    NonZeroU32::new(max).unwrap()
}

fn stack(
    layer: &ConcurrencyLayer<Extract>,
    acts: impl IntoIterator<Item = Act>,
) -> (Concurrency<Probe, Extract>, Seen) {
    let (probe, seen) = Probe::new(acts);
    (layer.layer(probe), seen)
}

fn by(caller: &str) -> Request<ProbeBody> {
    Request::post("/v1/chat/completions")
        .header("x-caller", caller)
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

/// Returns how many hold, wait, and of how many callers.
fn occupancy(layer: &ConcurrencyLayer<Extract>) -> (usize, usize, usize) {
    let occupancy = layer.occupancy();
    (occupancy.held, occupancy.waiting, occupancy.keys)
}
