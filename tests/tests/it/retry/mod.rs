//! `retry` around probes and the scripted upstream: what is tried again, when, and what never is.

mod bytes;
mod cool_down;
mod cuts;
mod dropped;
mod edges;
mod facts;
mod hints;
mod keys;
mod ledger;
mod limits;
mod readiness;
mod rules;
mod schedule;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    time::Duration,
};

use http::{HeaderValue, Request, Response, header};
use kimi_errors::{BoxError, Dialect, Error, ErrorKind};
use kimi_testkit::probe::{Act, Probe, ProbeBody, Seen};
use kimi_tower::{
    replay::ReplayBody,
    retry::{ResponseBody, RetryLayer, RetryPolicy},
};
use tokio::time::Instant;
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;
use tower_service::Service;

type Answer = Response<ResponseBody<ProbeBody>>;

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";
const SECOND: Duration = Duration::from_secs(1);

/// An answer with this status and this body.
fn answer(status: u16, content_type: &'static str, body: &str) -> Response<ProbeBody> {
    let mut answer = Response::new(ProbeBody::full(body.to_owned()));
    *answer.status_mut() = status.try_into().unwrap();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// The answer that an error of this kind is, in the article's envelope.
fn error(kind: ErrorKind) -> Response<ProbeBody> {
    Dialect::Errcode.response(&Error::new(kind)).map(ProbeBody::full)
}

/// The same with a field in its head.
fn hinted(kind: ErrorKind, name: &'static str, value: &str) -> Response<ProbeBody> {
    let mut answer = error(kind);
    answer.headers_mut().insert(name, value.parse().unwrap());
    answer
}

/// So many times the answer of an error.
fn failing(kind: ErrorKind, times: usize) -> Vec<Act> {
    (0..times).map(|_| Act::Answer(error(kind))).collect()
}

/// A chat request.
fn chat() -> Request<ProbeBody> {
    Request::post("http://upstream/v1/chat/completions").body(ProbeBody::full("{}")).unwrap()
}

/// The same with another method.
fn with_method(method: &str) -> Request<ProbeBody> {
    let mut request = chat();
    *request.method_mut() = method.parse().unwrap();
    request
}

/// Sends a request through `retry` to a probe that acts like this.
async fn send(
    policy: RetryPolicy,
    acts: impl IntoIterator<Item = Act>,
) -> (Result<Answer, Error>, Seen) {
    send_as(policy, chat(), acts).await
}

async fn send_as(
    policy: RetryPolicy,
    request: Request<ProbeBody>,
    acts: impl IntoIterator<Item = Act>,
) -> (Result<Answer, Error>, Seen) {
    let (probe, seen) = Probe::new(acts);
    let sent = RetryLayer::new(policy).layer(probe).oneshot(request).await;
    (sent, seen)
}

/// When attempts began, since the upstream was made.
struct Times(mpsc::Receiver<Duration>);

impl Times {
    /// Returns the times so far, and forgets them.
    fn take(&self) -> Vec<Duration> {
        self.0.try_iter().collect()
    }
}

/// An upstream as `retry` calls it.
trait Upstream:
    Service<
        Request<ReplayBody<ProbeBody>>,
        Response = Response<ProbeBody>,
        Error = BoxError,
        Future: Send,
    > + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Upstream for S where
    S: Service<
            Request<ReplayBody<ProbeBody>>,
            Response = Response<ProbeBody>,
            Error = BoxError,
            Future: Send,
        > + Clone
        + Send
        + Sync
        + 'static
{
}

/// An upstream that notes when each attempt begins, and answers by how many there were before.
fn timed(
    answers: impl Fn(usize) -> Result<Response<ProbeBody>, BoxError> + Clone + Send + Sync + 'static,
) -> (impl Upstream, Times) {
    timed_slow(answers, |_| Duration::ZERO)
}

/// The same, whose answers take as long as `delays` says of the attempt.
fn timed_slow(
    answers: impl Fn(usize) -> Result<Response<ProbeBody>, BoxError> + Clone + Send + Sync + 'static,
    delays: impl Fn(usize) -> Duration + Clone + Send + Sync + 'static,
) -> (impl Upstream, Times) {
    let (sender, times) = mpsc::channel();
    let (start, attempts) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let upstream = service_fn(move |_: Request<ReplayBody<ProbeBody>>| {
        // A test that has seen enough does not listen any more.
        let _ = sender.send(start.elapsed());
        let attempt = attempts.fetch_add(1, SeqCst);
        let (answer, delay) = (answers(attempt), delays(attempt));
        async move {
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            answer
        }
    });
    (upstream, Times(times))
}

/// Runs them side by side.
async fn join_all<F>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let tasks: Vec<_> = futures.into_iter().map(tokio::spawn).collect();
    let mut outputs = Vec::new();
    for task in tasks {
        outputs.push(task.await.unwrap());
    }
    outputs
}

/// Returns the bytes of an answer.
async fn bytes(answer: Answer) -> Vec<u8> {
    use http_body_util::BodyExt as _;
    answer.into_body().collect().await.unwrap().to_bytes().to_vec()
}

/// Returns what an answer says of another try.
fn should_retry(answer: &Answer) -> Option<&str> {
    answer.headers().get("x-should-retry").map(|value| value.to_str().unwrap())
}
