//! Each attempt asks whether the service is ready, and whoever asks in vain keeps the answer.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use kimi_errors::{BoxError, ErrorKind};
use kimi_testkit::probe::{Act, Beat, Probe, ProbeBody, Readiness};
use kimi_tower::{
    facts::Facts,
    retry::{RetryBudget, RetryLayer, RetryPolicy, Stop},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::{ServiceExt as _, limit::ConcurrencyLimit};
use tower_layer::Layer as _;
use tower_service::Service;

use super::{Answer, Instant, JSON, SECOND, answer, chat, error, failing, hinted, should_retry};

/// An answer whose body is longer than what is looked at.
fn long_failure() -> (ProbeBody, Vec<u8>) {
    let first = [br#"{"errcode":-1000,"errmsg":"x","data":""#, &[b' '; 70_000][..]].concat();
    let whole = [&first[..], br#""}"#].concat();
    (ProbeBody::chunks([first, br#""}"#.to_vec()]), whole)
}

/// What became of a request, and what it cost.
struct Outcome {
    sent: Answer,
    stop: Option<Stop>,
    calls: usize,
    retries_left: u32,
}

async fn send(act: Act, readiness: impl IntoIterator<Item = Readiness>) -> Outcome {
    let budget = RetryBudget::new(9, 0);
    let policy = RetryPolicy::standard().with_budget(budget.clone()).with_deadline(SECOND * 30);
    let (probe, seen) = Probe::new([act]);
    let facts = Facts::new();
    let mut request = chat();
    request.extensions_mut().insert(facts.clone());
    let service = RetryLayer::new(policy).layer(probe.with_readiness(readiness));
    let sent = tokio::time::timeout(SECOND * 99, service.oneshot(request)).await;
    let sent = sent.expect("nobody waits for ever").unwrap();
    assert_eq!(seen.unready_calls(), 0);
    let (stop, calls) = (facts.retry_stop(), seen.calls());
    Outcome { sent, stop, calls, retries_left: budget.retries_left() }
}

#[tokio::test(start_paused = true)]
async fn a_retry_waits_until_the_service_is_ready() {
    let (probe, seen) = Probe::new(failing(ErrorKind::Unavailable, 1));
    let probe = probe.with_readiness([Readiness::Ready, Readiness::Pending]);
    let start = Instant::now();
    let sent = tokio::spawn(RetryLayer::default().layer(probe).oneshot(chat()));
    tokio::time::sleep(SECOND * 20).await;
    assert_eq!((seen.calls(), seen.polls_ready()), (1, 2));
    seen.wake();
    assert_eq!(sent.await.unwrap().unwrap().status(), 200);
    assert_eq!((seen.calls(), seen.unready_calls()), (2, 0));
    assert_eq!(start.elapsed(), SECOND * 20);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_before_the_first_attempt_is_an_error() {
    let (probe, seen) = Probe::new([]);
    let probe = probe.with_readiness([Readiness::Fail("closed".into())]);
    let sent = RetryLayer::default().layer(probe).oneshot(chat()).await;
    assert_eq!(sent.unwrap_err().kind(), ErrorKind::System);
    assert_eq!(seen.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_answer_is_kept_when_the_service_fails_to_become_ready() {
    let closed = || [Readiness::Ready, Readiness::Fail("closed".into())];
    let busy = || hinted(ErrorKind::RateLimited, "retry-after", "2");
    let outcome = send(Act::Answer(busy()), closed()).await;
    assert_eq!((outcome.stop, outcome.calls, outcome.retries_left), (Some(Stop::NotReady), 1, 9));
    assert_eq!(
        (outcome.sent.status(), outcome.sent.headers()),
        (busy().status(), busy().headers())
    );
    let whole = busy().into_body().collect().await.unwrap().to_bytes();
    assert_eq!(super::bytes(outcome.sent).await, whole);

    // The same where there is more of it than was looked at.
    let (body, whole) = long_failure();
    let outcome = send(Act::Answer(answer(500, JSON, "").map(|_| body)), closed()).await;
    assert_eq!((outcome.stop, outcome.calls, outcome.retries_left), (Some(Stop::NotReady), 1, 9));
    assert!(super::bytes(outcome.sent).await == whole);

    // And where it breaks.
    let body = ProbeBody::chunks(["busy"]).then(Beat::Fail("cut".into()));
    let outcome = send(Act::Answer(answer(503, JSON, "").map(|_| body)), closed()).await;
    let mut body = outcome.sent.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "busy");
    assert_eq!(body.frame().await.unwrap().unwrap_err().to_string(), "cut");
    assert!(body.frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_over_is_not_held_while_the_service_is_not_ready() {
    let start = Instant::now();
    let (body, whole) = long_failure();
    let act = Act::Answer(answer(500, JSON, "").map(|_| body));
    let outcome = send(act, [Readiness::Ready, Readiness::Pending]).await;
    assert_eq!((outcome.stop, outcome.calls, outcome.retries_left), (Some(Stop::NotReady), 1, 9));
    assert!(start.elapsed() <= SECOND, "it has waited for no more than its backoff");
    assert_eq!(should_retry(&outcome.sent), None);
    assert!(super::bytes(outcome.sent).await == whole);
    // Ready at once, it is tried again.
    let (body, _) = long_failure();
    let act = Act::Answer(answer(500, JSON, "").map(|_| body));
    let outcome = send(act, [Readiness::Ready, Readiness::Ready]).await;
    assert_eq!((outcome.stop, outcome.calls, outcome.retries_left), (None, 2, 8));
}

#[tokio::test(start_paused = true)]
async fn the_answer_is_kept_when_the_deadline_comes_before_the_service_is_ready() {
    let start = Instant::now();
    let busy = || error(ErrorKind::Unavailable);
    let outcome = send(Act::Answer(busy()), [Readiness::Ready, Readiness::Pending]).await;
    assert_eq!((outcome.stop, outcome.calls, outcome.retries_left), (Some(Stop::Deadline), 1, 9));
    assert_eq!(start.elapsed(), SECOND * 30);
    assert_eq!(
        (outcome.sent.status(), outcome.sent.headers()),
        (busy().status(), busy().headers())
    );
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_one_attempt_at_a_time_lets_all_of_them_through() {
    let (probe, seen) = Probe::new(failing(ErrorKind::Unavailable, 3));
    let service = RetryLayer::default().layer(ConcurrencyLimit::new(probe, 1));
    let sent = (0..8).map(|_| service.clone().oneshot(chat()));
    let sent = super::join_all(sent).await;
    assert!(sent.iter().all(|sent| sent.as_ref().unwrap().status() == 200));
    assert_eq!((seen.calls(), seen.unready_calls(), seen.most_live_futures()), (11, 0, 1));
}

/// Lets one exchange through at a time, to the end of the answer's body.
struct OneAtATime {
    inner: Probe,
    permits: Arc<Semaphore>,
    asking: Option<Pin<Box<dyn Future<Output = OwnedSemaphorePermit> + Send>>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Clone for OneAtATime {
    fn clone(&self) -> Self {
        let permits = Arc::clone(&self.permits);
        Self { inner: self.inner.clone(), permits, asking: None, permit: None }
    }
}

impl<B> Service<Request<B>> for OneAtATime
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<PermitBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if self.permit.is_none() {
            let permits = Arc::clone(&self.permits);
            let asking = self
                .asking
                .get_or_insert_with(|| Box::pin(async { permits.acquire_owned().await.unwrap() }));
            self.permit = Some(ready!(asking.as_mut().poll(cx)));
            self.asking = None;
        }
        Service::<Request<B>>::poll_ready(&mut self.inner, cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let permit = self.permit.take().unwrap();
        let answer = self.inner.call(request);
        Box::pin(async { Ok(answer.await?.map(|body| PermitBody { body, _permit: permit })) })
    }
}

struct PermitBody {
    body: ProbeBody,
    _permit: OwnedSemaphorePermit,
}

impl Body for PermitBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_has_the_only_permit_is_no_deadlock() {
    let one = |act| {
        let (inner, seen) = Probe::new([act]);
        let permits = Arc::new(Semaphore::new(1));
        let one = OneAtATime { inner, permits: Arc::clone(&permits), asking: None, permit: None };
        (RetryLayer::new(RetryPolicy::standard().without_deadline()).layer(one), seen, permits)
    };
    // It has been read to its end, and so has given the permit back.
    let (service, seen, permits) = one(Act::Answer(error(ErrorKind::Unavailable)));
    let sent = service.clone().oneshot(chat()).await.unwrap();
    assert_eq!((sent.status().as_u16(), seen.calls(), permits.available_permits()), (200, 2, 0));
    drop(sent);
    assert_eq!(permits.available_permits(), 1);

    // There is more of it, so that only the caller can end it.
    let (body, whole) = long_failure();
    let (service, seen, permits) = one(Act::Answer(answer(500, JSON, "").map(|_| body)));
    let start = Instant::now();
    let sent = tokio::time::timeout(SECOND * 99, service.clone().oneshot(chat())).await;
    let sent = sent.expect("no deadlock").unwrap();
    assert_eq!((sent.status().as_u16(), seen.calls(), permits.available_permits()), (500, 1, 0));
    assert!(start.elapsed() <= SECOND);
    let read = sent.into_body().collect().await.unwrap().to_bytes();
    assert!(read == whole);
    assert_eq!(permits.available_permits(), 1);
    assert_eq!(service.oneshot(chat()).await.unwrap().status(), 200);
}
