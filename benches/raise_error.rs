//! What `raise_error` adds to a service that answers at once and well.
//!
//! Subtract `bare`. `text` is an answer that is not looked at, `json` one of 260 bytes, and
//! `stream` one of [`EVENTS`] chunks as the platform sends them, each in a frame, and `[DONE]`.

#![expect(
    clippy::exit,
    missing_docs,
    unused_qualifications,
    reason = "of what the macros of the harness expand to"
)]

use std::{
    convert::Infallible,
    future::poll_fn,
    hint::black_box,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use gungraun::{Dhat, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use http::{HeaderValue, Request, Response, header};
use http_body::{Body, Frame};
use kimi_benches::{ROUNDS, drain, finish};
use kimi_tower::raise_error::RaiseErrorLayer;
use tower::service_fn;
use tower_layer::Layer;
use tower_service::Service;

/// How many chunks with content a stream has.
const EVENTS: usize = 100;

/// How often a stream is read.
const STREAMS: usize = ROUNDS / EVENTS;

const TEXT: (&str, &str) = ("text/plain", "Hello");

/// An answer of 260 bytes.
const JSON: (&str, &str) = (
    "application/json",
    r#"{"id":"chatcmpl-6745a1e0c5f1b2d3e4f5","object":"chat.completion","created":1732600000,"model":"kimi-k3","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":1,"total":9}}"#,
);

/// A chunk with content.
const CHUNK: &str = concat!(
    r#"data: {"id":"chatcmpl-6745a1e0c5f1b2d3e4f50617","object":"chat.completion.chunk","created":1732600000,"model":"kimi-k3","choices":[{"index":0,"delta":{"content":" Hello,\n"},"finish_reason":null}],"system_fingerprint":"fpv0_1a2b3c4d"}"#,
    "\n\n"
);

/// Frames that are there at once.
struct Frames {
    chunks: usize,
    chunk: &'static str,
    last: Option<&'static str>,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let text = if self.chunks > 0 {
            self.chunks -= 1;
            Some(self.chunk)
        } else {
            self.last.take()
        };
        Poll::Ready(
            text.map(|text| Ok(Frame::data(Bytes::from_static(black_box(text).as_bytes())))),
        )
    }

    fn is_end_stream(&self) -> bool {
        self.chunks == 0 && self.last.is_none()
    }
}

fn answer(content_type: &'static str, body: Frames) -> Response<Frames> {
    let mut response = Response::new(body);
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

fn unary((content_type, chunk): (&'static str, &'static str)) -> Response<Frames> {
    let mut answer = answer(content_type, Frames { chunks: 1, chunk, last: None });
    answer.headers_mut().insert(header::CONTENT_LENGTH, chunk.len().into());
    answer
}

fn text() -> Response<Frames> {
    unary(TEXT)
}

fn json() -> Response<Frames> {
    unary(JSON)
}

fn stream() -> Response<Frames> {
    let body = Frames { chunks: EVENTS, chunk: CHUNK, last: Some("data: [DONE]\n\n") };
    answer("text/event-stream", body)
}

/// A service that does not fail, as what the benchmarks ask of it.
trait Answering: Service<Request<()>, Response = Response<Self::Body>> {
    type Body: Body<Data = Bytes>;
}

impl<S, B> Answering for S
where
    S: Service<Request<()>, Response = Response<B>>,
    B: Body<Data = Bytes>,
{
    type Body = B;
}

fn bare(answer: fn() -> Response<Frames>) -> impl Answering {
    service_fn(move |_| async move { Ok::<_, Infallible>(answer()) })
}

fn raise_error(answer: fn() -> Response<Frames>) -> impl Answering {
    RaiseErrorLayer::new().layer(service_fn(move |_| async move { Ok::<_, Infallible>(answer()) }))
}

/// Reads one answer to its end.
fn read<S: Answering>(service: &mut S) -> Option<usize> {
    finish(poll_fn(|cx| service.poll_ready(cx))).ok()?;
    let answer = finish(service.call(black_box(Request::new(())))).ok()?;
    Some(drain(answer.into_body()))
}

#[library_benchmark]
#[bench::bare_text(bare(text))]
#[bench::raise_error_text(raise_error(text))]
#[bench::bare_json(bare(json))]
#[bench::raise_error_json(raise_error(json))]
fn whole<S: Answering>(mut service: S) -> usize {
    (0..ROUNDS).filter_map(|_| read(&mut service)).sum()
}

#[library_benchmark]
#[bench::bare(bare(stream))]
#[bench::raise_error(raise_error(stream))]
fn events<S: Answering>(mut service: S) -> usize {
    (0..STREAMS).filter_map(|_| read(&mut service)).sum()
}

library_benchmark_group!(name = raise_error_on_success; benchmarks = whole, events);

main!(
    config = LibraryBenchmarkConfig::default().tool(Dhat::default());
    library_benchmark_groups = raise_error_on_success
);
