//! What `token` adds to a service.
//!
//! Subtract `bare`. A chat request of 2 KiB with three head fields and one extension is sent; the
//! service reads it and answers at once: a `text`, which nobody looks at; or `json`, whose beginning
//! is read, since Kimi hides errors there. `clones` is what any layer pays that may send it again:
//! the clone of the head alone. `read` is the token itself: what a cache that has one, or a pool of
//! three, gives for a request, and the clone of the field's value.

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
    task::{Context, Poll},
};

use bytes::Bytes;
use gungraun::{Dhat, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use http::{HeaderValue, Request, Response, header, request::Parts};
use http_body::Body;
use http_body_util::Full;
use kimi_benches::{ROUNDS, drain, finish};
use kimi_tower::token::{
    Choice, Freshness, Leased, PoolPolicy, Token, TokenCache, TokenLayer, TokenPool, TokenSource,
};
use tower::{Layer, Service};

type Answer = Response<Full<Bytes>>;

const TOKEN: &str = "eyJhbGciOiJIUzUxMiJ9.0123456789abcdef0123456789abcdef.0123456789abcdef";

/// Returns requests, which are not measured: their bodies are cut from what a connection read.
fn requests(own: &[&'static str]) -> Vec<Request<Full<Bytes>>> {
    let bytes = Bytes::from(vec![b'x'; 2_048]);
    let request = || {
        let request = Request::post("https://api.moonshot.cn/v1/chat/completions")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "text/event-stream")
            .header(header::USER_AGENT, "kimi-benches/1")
            .extension(7_u32);
        let request = own.iter().fold(request, |it, own| it.header(header::AUTHORIZATION, *own));
        request.body(Full::new(bytes.clone())).expect("each part is valid")
    };
    (0..ROUNDS).map(|_| request()).collect()
}

fn head() -> Parts {
    requests(&[]).remove(0).into_parts().0
}

fn text() -> Answer {
    answer("text/plain", "Hello")
}

fn json() -> Answer {
    answer(
        "application/json",
        r#"{"id":"chatcmpl-6745a1e0c5f1b2d3e4f5","object":"chat.completion","created":1732600000,"model":"kimi-k3","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":1,"total":9}}"#,
    )
}

fn answer(content_type: &'static str, body: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(black_box(body).as_bytes())));
    let content_type = HeaderValue::from_static(content_type);
    answer.headers_mut().insert(header::CONTENT_TYPE, content_type);
    answer
}

/// Reads the request and answers it.
#[derive(Clone)]
struct Upstream(fn() -> Answer);

impl<B: Body<Data = Bytes>> Service<Request<B>> for Upstream {
    type Response = Answer;
    type Error = Infallible;
    type Future = Ready<Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        black_box(drain(request.into_body()));
        ready(Ok((self.0)()))
    }
}

/// A cache that has its token.
fn cache() -> impl TokenSource {
    let cache = TokenCache::new(async || Token::parse(TOKEN), Freshness::new());
    finish(cache.token()).expect("it is a token");
    cache
}

/// A pool whose tokens are all there.
fn pool() -> impl TokenSource {
    let list = format!("{TOKEN}1,{TOKEN}2,{TOKEN}3");
    let policy = PoolPolicy::new().with_choice(Choice::RoundRobin);
    let pool = TokenPool::parse(&list, policy).expect("each is a token");
    let head = head();
    for _ in 0..3 {
        if let Leased::Waiting(wait) = pool.lease(&head) {
            finish(wait).expect("it is there");
        }
    }
    pool
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

fn with_token<T: TokenSource>(answer: fn() -> Answer, source: T) -> impl Answering {
    TokenLayer::new(source).layer(Upstream(answer))
}

#[library_benchmark]
#[bench::text(requests(&[]))]
fn clones(requests: Vec<Request<Full<Bytes>>>) -> Vec<Request<Full<Bytes>>> {
    for request in &requests {
        drop(black_box(request.clone()));
    }
    // Returned, so that what `bare` drops as well is not counted.
    requests
}

#[library_benchmark]
#[bench::cache(cache(), head())]
#[bench::pool(pool(), head())]
fn read<T: TokenSource>(source: T, head: Parts) -> (T, Parts) {
    for _ in 0..ROUNDS {
        match source.lease(black_box(&head)) {
            Leased::Ready(lease, None) => drop(black_box(lease.as_ref().clone())),
            other => panic!("{other:?}"),
        }
    }
    (source, head)
}

#[library_benchmark]
#[bench::bare_text(Upstream(text), requests(&[]))]
#[bench::cache_text(with_token(text, cache()), requests(&[]))]
#[bench::pool_text(with_token(text, pool()), requests(&[]))]
#[bench::bare_json(Upstream(json), requests(&[]))]
#[bench::cache_json(with_token(json, cache()), requests(&[]))]
#[bench::bare_own(Upstream(text), requests(&["Bearer own"]))]
#[bench::own(with_token(text, cache()), requests(&["Bearer own"]))]
fn layer<S: Answering>(mut service: S, requests: Vec<Request<Full<Bytes>>>) -> usize {
    let mut read = 0;
    for request in requests {
        let is_ready = finish(poll_fn(|cx| service.poll_ready(cx))).is_ok();
        let answered = finish(service.call(black_box(request)));
        read += answered.map_or(0, |answer| drain(answer.into_body())) * usize::from(is_ready);
    }
    read
}

library_benchmark_group!(name = token; benchmarks = clones, read, layer);

main!(
    config = LibraryBenchmarkConfig::default().tool(Dhat::default());
    library_benchmark_groups = token
);
