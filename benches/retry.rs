//! What `retry` adds to a service, beside `tower::retry`.
//!
//! Subtract `bare`. A chat request of 2 KiB with four head fields and one extension is sent; the
//! service reads it and answers at once. `first_try` is answered well: a `text`, which nobody looks
//! at; and `json`, whose beginning is read, since Kimi hides errors there. `one_failure` is
//! answered 503 without a body, tried again without a wait, then answered well.
//!
//! `tower` retries a 503 as its docs show: the head is cloned by hand, the body is `Full<Bytes>`.
//! `clones` is what any retry pays for that: the clone of the request alone.

#![expect(
    clippy::exit,
    missing_docs,
    unused_qualifications,
    reason = "of what the macros of the harness expand to"
)]

use std::{
    convert::Infallible,
    future::{Ready, poll_fn, ready},
    hint::black_box,
    time::Duration,
};

use bytes::Bytes;
use gungraun::{Dhat, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::Full;
use kimi_benches::{ROUNDS, drain, finish};
use kimi_tower::retry::{Backoff, RetryBudget, RetryLayer, RetryPolicy};
use tower::{Layer, Service, retry::Policy};

type Answer = Response<Full<Bytes>>;

/// Returns a request, which is not measured: its body is cut from what a connection read.
fn request(bytes: &Bytes) -> Request<Full<Bytes>> {
    let request = Request::post("https://api.moonshot.cn/v1/chat/completions")
        .header(header::AUTHORIZATION, "Bearer sk-0123456789abcdef")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "text/event-stream")
        .header(header::USER_AGENT, "kimi-benches/1")
        .extension(7_u32);
    request.body(Full::new(bytes.clone())).expect("each part is valid")
}

fn requests() -> Vec<Request<Full<Bytes>>> {
    let bytes = Bytes::from(vec![b'x'; 2_048]);
    (0..ROUNDS).map(|_| request(&bytes)).collect()
}

fn answer(status: StatusCode, content_type: &'static str, body: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(black_box(body).as_bytes())));
    *answer.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    answer.headers_mut().insert(header::CONTENT_TYPE, content_type);
    answer
}

fn text() -> Answer {
    answer(StatusCode::OK, "text/plain", "Hello")
}

fn json() -> Answer {
    answer(
        StatusCode::OK,
        "application/json",
        r#"{"id":"chatcmpl-6745a1e0c5f1b2d3e4f5","object":"chat.completion","created":1732600000,"model":"kimi-k3","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":1,"total":9}}"#,
    )
}

/// Reads the request and answers it; a first try with 503 if it `fails`.
#[derive(Clone)]
struct Upstream {
    answer: fn() -> Answer,
    fails: bool,
}

impl<B: Body<Data = Bytes>> Service<Request<B>> for Upstream {
    type Response = Answer;
    type Error = Infallible;
    type Future = Ready<Result<Answer, Infallible>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let is_retry = request.headers().contains_key("x-retry-count");
        black_box(drain(request.into_body()));
        let fails = self.fails && !is_retry;
        ready(Ok(if fails { unavailable() } else { (self.answer)() }))
    }
}

#[inline(never)]
fn unavailable() -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    answer
}

fn upstream(answer: fn() -> Answer, fails: bool) -> Upstream {
    Upstream { answer, fails }
}

/// A service that does not fail, as what the benchmarks ask of it.
trait Answering: Service<Request<Full<Bytes>>, Response = Response<Self::Body>> {
    type Body: Body<Data = Bytes>;
}

impl<S, B> Answering for S
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>>,
    B: Body<Data = Bytes>,
{
    type Body = B;
}

fn policy() -> RetryPolicy {
    let at_once = Backoff::exponential(Duration::ZERO, Duration::ZERO);
    RetryPolicy::standard().with_fault_backoff(at_once).with_budget(RetryBudget::new(100, 100))
}

fn ours(answer: fn() -> Answer, fails: bool, policy: RetryPolicy) -> impl Answering {
    RetryLayer::new(policy).layer(upstream(answer, fails))
}

#[derive(Clone)]
struct Unavailable {
    left: usize,
}

impl<B> Policy<Request<Full<Bytes>>, Response<B>, Infallible> for Unavailable {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        next: &mut Request<Full<Bytes>>,
        result: &mut Result<Response<B>, Infallible>,
    ) -> Option<Ready<()>> {
        let answer = result.as_ref().ok()?;
        let fails = answer.status() == StatusCode::SERVICE_UNAVAILABLE;
        if !fails || self.left == 0 {
            return None;
        }
        self.left -= 1;
        next.headers_mut().insert("x-retry-count", HeaderValue::from_static("1"));
        Some(ready(()))
    }

    fn clone_request(&mut self, request: &Request<Full<Bytes>>) -> Option<Request<Full<Bytes>>> {
        Some(request.clone())
    }
}

fn tower(answer: fn() -> Answer, fails: bool, retries: usize) -> impl Answering {
    tower::retry::RetryLayer::new(Unavailable { left: retries }).layer(upstream(answer, fails))
}

/// Asks for all requests and reads the answers.
fn ask<S: Answering>(mut service: S, requests: Vec<Request<Full<Bytes>>>) -> usize {
    let mut read = 0;
    for request in requests {
        let is_ready = finish(poll_fn(|cx| service.poll_ready(cx))).is_ok();
        let answered = finish(service.call(black_box(request)));
        read += answered.map_or(0, |answer| drain(answer.into_body())) * usize::from(is_ready);
    }
    read
}

#[library_benchmark]
#[bench::text(requests())]
fn clones(requests: Vec<Request<Full<Bytes>>>) -> Vec<Request<Full<Bytes>>> {
    for request in &requests {
        drop(black_box(request.clone()));
    }
    // Returned, so that what `bare` drops as well is not counted.
    requests
}

#[library_benchmark]
#[bench::bare_text(upstream(text, false), requests())]
#[bench::ours_text(ours(text, false, policy()), requests())]
#[bench::ours_none_text(ours(text, false, RetryPolicy::none()), requests())]
#[bench::ours_not_selected_text(ours(text, false, policy().with_selection(|_| false)), requests())]
#[bench::tower_text(tower(text, false, 3), requests())]
#[bench::bare_json(upstream(json, false), requests())]
#[bench::ours_json(ours(json, false, policy()), requests())]
#[bench::tower_json(tower(json, false, 3), requests())]
fn first_try<S: Answering>(service: S, requests: Vec<Request<Full<Bytes>>>) -> usize {
    ask(service, requests)
}

#[library_benchmark]
#[bench::ours(ours(text, true, policy()), requests())]
#[bench::ours_last(ours(text, true, policy().with_max_retries(1)), requests())]
#[bench::tower(tower(text, true, 3), requests())]
#[bench::tower_last(tower(text, true, 1), requests())]
fn one_failure<S: Answering>(service: S, requests: Vec<Request<Full<Bytes>>>) -> usize {
    ask(service, requests)
}

library_benchmark_group!(name = retry_beside_tower; benchmarks = clones, first_try, one_failure);

main!(
    config = LibraryBenchmarkConfig::default().tool(Dhat::default());
    library_benchmark_groups = retry_beside_tower
);
