//! The service at the far end, which counts what reaches it.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderName, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tokio::time::{Instant, sleep};
use tower::BoxError;
use tower_service::Service;

use super::{random::mixed, scenario::Weather};

/// What every success says.
pub(super) const ANSWER: &str = r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"你好"},"finish_reason":"stop"}]}"#;

/// The platform's own refusals, as the facts of `kimi-errors` have them.
const UNAVAILABLE: &str =
    r#"{"error":{"message":"server unavailable","type":"server_unavailable"}}"#;
const FAILED: &str =
    r#"{"error":{"message":"Failed to extract file: unknown","type":"server_error"}}"#;
const OVERLOADED: &str = r#"{"error":{"message":"The engine is currently overloaded, please try again later","type":"engine_overloaded_error"}}"#;
const MALFORMED: &str = r#"{"error":{"message":"Invalid request","type":"invalid_request_error"}}"#;

/// Which of all requests this one is.
const NUMBER: HeaderName = HeaderName::from_static("x-number");

/// How long an answer takes, whatever it says.
const LATENCY: Duration = Duration::from_millis(50);

/// Chance, in this run and in the next.
const SEED: u64 = 4;

/// Answers chat requests as the [`Weather`] is. Clones share everything.
#[derive(Clone, Debug)]
pub(super) struct Origin(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    weather: Weather,
    started: Instant,
    /// How often each request has come. `Relaxed` as all here: one thread runs a simulation.
    attempts: Box<[AtomicU32]>,
    /// The second that passes, in the upper half, and who was let in within it.
    admitted: AtomicU64,
}

impl Origin {
    /// Creates an origin for so many requests, whose weather begins now.
    pub(super) fn new(weather: Weather, requests: usize) -> Self {
        let attempts = (0..requests).map(|_| AtomicU32::new(0)).collect();
        let admitted = AtomicU64::new(0);
        Self(Arc::new(Shared { weather, started: Instant::now(), attempts, admitted }))
    }

    /// Returns how many attempts have come.
    pub(super) fn hits(&self) -> u64 {
        self.0.attempts.iter().map(|count| u64::from(count.load(Relaxed))).sum()
    }
}

impl<B> Service<Request<B>> for Origin
where
    B: Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let number = number(&request);
        let answer = self.0.answer(number);
        let body = request.into_body();
        Box::pin(async move {
            let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            sleep(LATENCY).await;
            // An attempt that brings half of its question would be answered by none.
            Ok(if body == question(number) { answer } else { refusal(400, MALFORMED) })
        })
    }
}

impl Shared {
    /// Counts an attempt, and decides what to answer.
    fn answer(&self, number: u64) -> Response<Full<Bytes>> {
        let counter = usize::try_from(number).ok().and_then(|index| self.attempts.get(index));
        let attempt = counter.map_or(0, |counter| counter.fetch_add(1, Relaxed));
        let now = self.started.elapsed();
        let chance = mixed(mixed(mixed(SEED) ^ number) ^ u64::from(attempt));
        if self.weather.outage.contains(&now) {
            refusal(503, UNAVAILABLE)
        } else if !self.admits(now.as_secs()) {
            let mut answer = refusal(429, OVERLOADED);
            answer.headers_mut().insert(header::RETRY_AFTER, 1.into());
            answer
        } else if chance % 100 < self.weather.failures {
            // Another digit of chance says how.
            if (chance / 100).is_multiple_of(2) {
                refusal(503, UNAVAILABLE)
            } else {
                refusal(500, FAILED)
            }
        } else {
            json(StatusCode::OK, ANSWER)
        }
    }

    fn admits(&self, second: u64) -> bool {
        let admitted = self.admitted.load(Relaxed);
        let count = if admitted >> 32 == second { admitted & u64::from(u32::MAX) } else { 0 };
        let admits = count < u64::from(self.weather.per_second);
        self.admitted.store(second << 32 | (count + u64::from(admits)), Relaxed);
        admits
    }
}

/// Returns the request of this number.
pub(super) fn request(number: u64) -> Request<Full<Bytes>> {
    Request::post("http://api.moonshot.cn/v1/chat/completions")
        .header(header::AUTHORIZATION, "Bearer sk-simulated")
        .header(header::CONTENT_TYPE, "application/json")
        .header(NUMBER, number)
        .body(Full::from(question(number)))
        .expect("all of its parts are well formed")
}

fn number<B>(request: &Request<B>) -> u64 {
    let number = request.headers().get(NUMBER).and_then(|value| value.to_str().ok());
    number.and_then(|number| number.parse().ok()).unwrap_or(u64::MAX)
}

fn question(number: u64) -> String {
    format!(r#"{{"model":"kimi-k2","messages":[{{"role":"user","content":"第 {number} 问"}}]}}"#)
}

fn refusal(status: u16, body: &'static str) -> Response<Full<Bytes>> {
    json(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body)
}

fn json(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
