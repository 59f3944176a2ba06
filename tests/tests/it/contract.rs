//! Every layer keeps the contract; the contract sees through layers that do not.

use std::{
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header::CONTENT_TYPE};
use http_body::{Body, Frame, SizeHint};
use kimi_errors::BoxError;
use kimi_testkit::{
    contract::Contract,
    probe::{Probe, ProbeBody},
};
use kimi_tower::{
    catch_error::CatchErrorLayer,
    raise_error::RaiseErrorLayer,
    rate_limit::{Admission, RateLimitLayer},
    replay::ReplayLimits,
    request_log::RequestLogLayer,
    retry::{RetryLayer, RetryPolicy},
    session::Policy,
    token::TokenLayer,
    validate::ValidateLayer,
};
use kimi_validate::Profile;
use tower::util::{MapRequestLayer, MapResponseLayer};
use tower_layer::{Identity, Layer, Stack};
use tower_service::Service;

use crate::{
    concurrency,
    rate_limit::{Elsewhere, patient, plan},
    request_log, session, token,
    validate_layer::Slow,
};

#[tokio::test(start_paused = true)]
async fn catch_error_keeps_the_contract() {
    Contract::of(CatchErrorLayer::new()).check().await;
}

#[tokio::test(start_paused = true)]
async fn validate_keeps_the_contract() {
    Contract::of(ValidateLayer::new(Profile::article())).check().await;
}

#[tokio::test(start_paused = true)]
async fn validate_keeps_the_contract_with_a_body_that_is_waited_for() {
    let waits = MapRequestLayer::new(|request: Request<ProbeBody>| request.map(Slow::new));
    let layer = Stack::new(ValidateLayer::new(Profile::article()), waits);
    Contract::of(layer).check().await;
}

#[tokio::test(start_paused = true)]
async fn validate_keeps_the_contract_with_a_request_that_it_does_not_look_at() {
    let ask = || Request::put("/v1/models/1").body("no JSON").unwrap();
    Contract::of(ValidateLayer::new(Profile::article())).with_request(ask).check().await;
}

#[tokio::test(start_paused = true)]
async fn raise_error_keeps_the_contract() {
    Contract::of(RaiseErrorLayer::new()).check().await;
}

#[tokio::test(start_paused = true)]
async fn retry_keeps_the_contract() {
    Contract::of(RetryLayer::default()).check().await;
}

#[tokio::test(start_paused = true)]
async fn retry_keeps_the_contract_with_a_policy_that_tries_once() {
    Contract::of(RetryLayer::new(RetryPolicy::none())).check().await;
}

#[tokio::test(start_paused = true)]
async fn retry_keeps_the_contract_with_a_key() {
    let policy = RetryPolicy::standard().with_idempotency_key();
    Contract::of(RetryLayer::new(policy)).adding(&["idempotency-key"]).check().await;
}

#[tokio::test(start_paused = true)]
async fn retry_keeps_the_contract_with_a_body_in_many_pieces() {
    let pieces = || MapRequestLayer::new(|request: Request<ProbeBody>| request.map(Slow::new));
    Contract::of(Stack::new(RetryLayer::default(), pieces())).check().await;
    let small = RetryPolicy::standard().with_replay(ReplayLimits::new().with_max_bytes(8));
    Contract::of(Stack::new(RetryLayer::new(small), pieces())).check().await;
}

/// The requests have no caller in the one case, and the same in the other.
#[tokio::test(start_paused = true)]
async fn concurrency_keeps_the_contract() {
    let by_one = || {
        let request = Request::post("/v1/chat/completions?a=b").header("x-caller", "one");
        request.body("{}").unwrap()
    };
    let wait = Admission::Wait { max_wait: Duration::from_secs(1), max_queue: 1 };
    for admission in [Admission::Reject, wait] {
        let layer = concurrency::layer(2).with_admission(admission);
        Contract::of(layer.clone()).check().await;
        Contract::of(layer).with_request(by_one).check().await;
    }
}

/// The requests are of no session in the one case, and each of its own in the other.
#[tokio::test(start_paused = true)]
async fn session_keeps_the_contract() {
    static LAST: AtomicUsize = AtomicUsize::new(0);
    let of_one = || {
        let conversation = LAST.fetch_add(1, SeqCst);
        let request = Request::post("/v1/chat/completions?a=b");
        request.header("x-conversation-id", conversation).body("{}").unwrap()
    };
    for policy in [Policy::default(), Policy::Reject, Policy::Supersede] {
        let layer = session::layer().with_policy(policy);
        Contract::of(layer.clone()).check().await;
        Contract::of(layer).with_request(of_one).check().await;
    }
}

/// With a token that is there, and one that is waited for.
#[tokio::test(start_paused = true)]
async fn token_keeps_the_contract() {
    let provider = token::Numbered::new();
    Contract::of(TokenLayer::new(provider.cache())).adding(&["authorization"]).check().await;
    let slow = provider.taking(Duration::from_millis(10)).cache();
    Contract::of(TokenLayer::new(slow)).adding(&["authorization"]).check().await;
    let own = || {
        let request = Request::post("/v1/chat/completions?a=b").header("authorization", "Bearer k");
        request.body("{}").unwrap()
    };
    let layer = TokenLayer::new(token::Numbered::new().cache());
    Contract::of(layer).with_request(own).check().await;
}

/// An observer that wants to know, and one that does not, since nobody listens to its events.
#[tokio::test(start_paused = true)]
async fn request_log_keeps_the_contract() {
    let (observed, _) = request_log::layer();
    Contract::of(observed.with_longest_gap()).adding(&["x-request-id"]).check().await;
    // Whether somebody listens depends on the other tests.
    Contract::of(RequestLogLayer::new()).adding(&["x-request-id"]).check().await;
}

#[tokio::test(start_paused = true)]
async fn request_log_keeps_the_contract_with_an_answer_that_it_reads() {
    for content_type in ["text/event-stream", "application/json", "application/grpc"] {
        let tells = MapResponseLayer::new(move |mut answer: Response<ProbeBody>| {
            let content_type = HeaderValue::from_static(content_type);
            answer.headers_mut().insert(CONTENT_TYPE, content_type);
            answer
        });
        let layer = Stack::new(tells, request_log::layer().0);
        let ask = || Request::post("/v1/chat/completions").body("{}").unwrap();
        let contract = Contract::of(layer).with_request(ask);
        contract.adding(&["content-type", "x-request-id"]).check().await;
    }
}

/// What a limit of requests and one of tokens add.
const LIMITS: &[&str] = &[
    "ratelimit",
    "ratelimit-policy",
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens",
];

#[tokio::test(start_paused = true)]
async fn rate_limit_keeps_the_contract_whether_it_refuses_lets_wait_or_is_only_tried() {
    let waits = patient(Duration::from_secs(60), 10);
    for admission in [Admission::Reject, waits, Admission::Shadow] {
        let layer = RateLimitLayer::new(plan()).with_admission(admission);
        let added = if admission == Admission::Shadow { &[] } else { LIMITS };
        Contract::of(layer).adding(added).check().await;
    }
}

#[tokio::test(start_paused = true)]
async fn rate_limit_keeps_the_contract_without_fields() {
    let layer = RateLimitLayer::new(plan()).without_fields();
    Contract::of(layer.clone()).check().await;
    Contract::of(layer.with_upstream_hints()).check().await;
}

#[tokio::test(start_paused = true)]
async fn rate_limit_keeps_the_contract_with_an_answer_that_it_reads() {
    let tells = MapResponseLayer::new(|mut answer: Response<ProbeBody>| {
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        answer
    });
    let layer = Stack::new(tells, RateLimitLayer::new(plan()).without_fields());
    let ask = || Request::post("/v1/chat/completions").body("{}").unwrap();
    Contract::of(layer).with_request(ask).adding(&["content-type"]).check().await;
}

#[tokio::test(start_paused = true)]
async fn rate_limit_keeps_the_contract_with_a_store_that_is_waited_for() {
    let layer = RateLimitLayer::in_store(Elsewhere::new(plan()));
    Contract::of(layer).adding(LIMITS).check().await;
}

#[tokio::test(start_paused = true)]
async fn no_layer_keeps_the_contract() {
    Contract::of(Identity::new()).check().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "called without being ready")]
async fn ignoring_readiness_breaks_it() {
    Contract::of(Fault::IgnoresReadiness).check().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "called without being ready")]
async fn calling_a_clone_breaks_it() {
    Contract::of(Fault::CallsAClone).check().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "took its original's readiness")]
async fn remembering_readiness_in_a_clone_breaks_it() {
    Contract::of(Fault::ClonesReadiness).check().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the inner future outlives the outer one")]
async fn going_on_after_a_cancel_breaks_it() {
    Contract::of(Fault::Spawns).check().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the inner body outlives the outer one")]
async fn keeping_the_body_breaks_it() {
    Contract::of(Fault::LeaksTheBody).check().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the frames of the answer")]
async fn dropping_an_empty_frame_breaks_it() {
    Contract::of(Fault::SkipsEmptyFrames).check().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the size hint of the answer")]
async fn hiding_the_size_breaks_it() {
    Contract::of(Fault::HidesTheSize).check().await;
}

/// What is wrong with a layer that else does nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
    IgnoresReadiness,
    CallsAClone,
    ClonesReadiness,
    Spawns,
    LeaksTheBody,
    SkipsEmptyFrames,
    HidesTheSize,
}

impl Layer<Probe> for Fault {
    type Service = Faulty;

    fn layer(&self, inner: Probe) -> Faulty {
        Faulty { inner, fault: *self, is_ready: false }
    }
}

#[derive(Clone)]
struct Faulty {
    inner: Probe,
    fault: Fault,
    is_ready: bool,
}

impl Service<Request<ProbeBody>> for Faulty {
    type Response = Response<FaultyBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match self.fault {
            Fault::IgnoresReadiness => return Poll::Ready(Ok(())),
            Fault::ClonesReadiness if self.is_ready => return Poll::Ready(Ok(())),
            _ => {}
        }
        let polled = Service::<Request<ProbeBody>>::poll_ready(&mut self.inner, cx);
        self.is_ready = polled.is_ready();
        polled
    }

    fn call(&mut self, request: Request<ProbeBody>) -> Self::Future {
        let fault = self.fault;
        self.is_ready = false;
        let answer = match fault {
            Fault::CallsAClone => self.inner.clone().call(request),
            _ => self.inner.call(request),
        };
        let answer = async move {
            Ok(answer.await?.map(|body| FaultyBody { inner: Some(Box::pin(body)), fault }))
        };
        if fault == Fault::Spawns {
            let task = tokio::spawn(answer);
            return Box::pin(async { task.await? });
        }
        Box::pin(answer)
    }
}

struct FaultyBody {
    inner: Option<Pin<Box<ProbeBody>>>,
    fault: Fault,
}

impl FaultyBody {
    fn inner(&self) -> &ProbeBody {
        self.inner.as_ref().unwrap()
    }
}

impl Drop for FaultyBody {
    fn drop(&mut self) {
        if self.fault == Fault::LeaksTheBody {
            std::mem::forget(self.inner.take());
        }
    }
}

impl Body for FaultyBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let skips = self.fault == Fault::SkipsEmptyFrames;
        let inner = self.inner.as_mut().unwrap();
        loop {
            match inner.as_mut().poll_frame(cx) {
                Poll::Ready(Some(Ok(frame)))
                    if skips && frame.data_ref().is_some_and(Bytes::is_empty) => {}
                polled => return polled,
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self.fault {
            Fault::HidesTheSize => SizeHint::new(),
            _ => self.inner().size_hint(),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner().is_end_stream()
    }
}
