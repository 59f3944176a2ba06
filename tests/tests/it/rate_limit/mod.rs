//! `rate_limit` around probes and upstreams: who is refused, who waits, and what it costs.

mod client;
mod dropped;
mod elsewhere;
mod facts;
mod fields;
mod hosts;
mod one_limit;
mod paused;
mod promise;
mod readiness;
mod refused;
mod shadow;
mod streams;
mod tokens;
mod upstream;
mod waiting;

use std::{
    pin::Pin,
    task::{Context, Waker},
    time::Duration,
};

use http::{HeaderMap, HeaderValue, Request, Response};
use kimi_errors::{BoxError, Error};
use kimi_testkit::probe::{Act, Probe, ProbeBody, Seen};
use kimi_tower::{
    key::{ApiKey, ExtractKey as _, Key, KeyHasher},
    rate_limit::{
        Admission, Gcra, Plan, Plans, Quota, RateLimit, RateLimitLayer, Rule, SlidingWindow,
    },
};
use tower_layer::Layer as _;
use tower_service::Service;

use crate::woken::{Woken, poll};

pub(crate) use self::elsewhere::Elsewhere;

const SECOND: Duration = Duration::from_secs(1);

fn quota(units: u32, period: Duration) -> Quota {
    Quota::try_new(units, period).unwrap()
}

/// So many requests in any such time.
fn requests(units: u32, period: Duration) -> Rule {
    Rule::requests(SlidingWindow::try_new(quota(units, period)).unwrap())
}

/// So many tokens in any such time.
fn tokens(units: u32, period: Duration) -> Rule {
    Rule::tokens(SlidingWindow::try_new(quota(units, period)).unwrap())
}

/// So many requests at once, and one each time that a part of the period has passed.
fn bucket(units: u32, period: Duration) -> Rule {
    Rule::requests(Gcra::new(quota(units, period)))
}

/// A layer whose callers the tests know the keys of.
fn layer(plans: impl Into<Plans>) -> RateLimitLayer {
    RateLimitLayer::new(plans).with_key_hasher(hasher())
}

/// The same for whoever waits as long as it takes.
fn waiting(plans: impl Into<Plans>) -> RateLimitLayer {
    layer(plans).with_admission(patient(SECOND * 3600, 10_000))
}

fn both(one: Rule, other: Rule) -> Plan {
    Plan::new(one).try_with(other).unwrap()
}

/// Requests and tokens, more than a test asks for.
pub(crate) fn plan() -> Plan {
    both(requests(1_000, SECOND), Rule::tokens(Gcra::new(quota(1_000_000_000, SECOND * 60))))
}

pub(crate) const fn patient(max_wait: Duration, max_queue: usize) -> Admission {
    Admission::Wait { max_wait, max_queue }
}

fn hasher() -> KeyHasher {
    KeyHasher::with_secret(&[7; 16])
}

/// The key of whoever sends this.
fn key_of<B>(request: Request<B>) -> Key {
    ApiKey::new().extract(&request.into_parts().0, &hasher()).unwrap().unwrap()
}

/// How much the caller of [`chat`] has left by each rule.
fn left(layer: &RateLimitLayer) -> Vec<u32> {
    let levels = layer.store().levels(key_of(chat()), 0);
    levels.as_slice().iter().map(|level| level.remaining()).collect()
}

fn chat() -> Request<ProbeBody> {
    from("sk-1")
}

fn from(api_key: &str) -> Request<ProbeBody> {
    Request::post("http://upstream/v1/chat/completions")
        .header("authorization", format!("Bearer {api_key}"))
        .body(ProbeBody::full("{}"))
        .unwrap()
}

/// A request that the upstream tells from others.
fn numbered(number: usize) -> Request<ProbeBody> {
    let mut request = chat();
    request.headers_mut().insert("x-number", HeaderValue::from(number));
    request
}

/// The numbers of those that came since it was asked last, in the order in which they came.
fn numbers(seen: &Seen) -> Vec<usize> {
    let number = |headers: &HeaderMap| headers["x-number"].to_str().unwrap().parse().unwrap();
    seen.take_requests().iter().map(|request| number(&request.head.headers)).collect()
}

/// An answer with this status, these fields and this body.
fn answer(
    status: u16,
    fields: &[(&'static str, &'static str)],
    body: ProbeBody,
) -> Response<ProbeBody> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status.try_into().unwrap();
    for (name, value) in fields {
        answer.headers_mut().insert(*name, HeaderValue::from_static(value));
    }
    answer
}

const JSON: (&str, &str) = ("content-type", "application/json");
const EVENTS: (&str, &str) = ("content-type", "text/event-stream");

fn stack(layer: &RateLimitLayer, acts: impl IntoIterator<Item = Act>) -> (RateLimit<Probe>, Seen) {
    let (probe, seen) = Probe::new(acts);
    (layer.layer(probe), seen)
}

/// Waits until the service is ready, and calls it.
async fn start<S, B>(service: &mut S, request: Request<B>) -> Pin<Box<S::Future>>
where
    S: Service<Request<B>, Error: Into<BoxError>>,
{
    std::future::poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into).unwrap();
    Box::pin(service.call(request))
}

async fn call<S, B>(service: &mut S, request: Request<B>) -> Result<S::Response, Error>
where
    S: Service<Request<B>, Error = Error>,
{
    start(service, request).await.await
}

/// Polls once, for nobody.
fn is_pending<F: Future + ?Sized>(future: Pin<&mut F>) -> bool {
    future.poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

/// Random numbers, the same each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        // xorshift64*, Vigna 2016.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11
    }

    /// Returns a number below `end`.
    fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.next() % u64::from(end)).unwrap()
    }

    fn millis(&mut self, end: u32) -> Duration {
        Duration::from_millis(u64::from(self.below(end)))
    }
}
