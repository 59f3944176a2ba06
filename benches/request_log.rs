//! What `request_log` adds to a service that echoes, beside `TraceLayer` of tower-http.
//!
//! Subtract `bare`. The service answers each request with its body: 260 bytes of JSON, or a stream of
//! [`EVENTS`] chunks as the platform sends them, each in a frame, and `[DONE]`. Nobody listens to
//! `tracing`, or its JSON formatter writes to a sink.

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
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use gungraun::{Dhat, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use http::{HeaderValue, Method, Request, Response, Uri, header};
use http_body::{Body, Frame, SizeHint};
use kimi_benches::{ROUNDS, drain, finish};
use kimi_tower::request_log::{
    JsonObserver, Observer, Record, RequestLogLayer, TextObserver, TracingObserver,
};
use tower::service_fn;
use tower_http::trace::{DefaultMakeSpan, DefaultOnResponse, TraceLayer};
use tower_layer::{Identity, Layer};
use tower_service::Service;
use tracing::Level;

/// How many chunks with content a stream has.
const EVENTS: usize = 100;
/// How often a stream is read.
const STREAMS: usize = ROUNDS / EVENTS;

/// An answer of 260 bytes.
const JSON: &str = r#"{"id":"chatcmpl-6745a1e0c5f1b2d3e4f5","object":"chat.completion","created":1732600000,"model":"kimi-k3","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":1,"total":9}}"#;

/// A chunk with content: each of them other words.
const CHUNKS: [&str; 4] = [
    concat!(
        r#"data: {"id":"chatcmpl-6745a1e0c5f1b2d3e4f50617","object":"chat.completion.chunk","created":1732600000,"model":"kimi-k3","choices":[{"index":0,"delta":{"content":" Hello,\n"},"finish_reason":null}],"system_fingerprint":"fpv0_1a2b3c4d"}"#,
        "\n\n"
    ),
    concat!(
        r#"data: {"id":"chatcmpl-6745a1e0c5f1b2d3e4f50617","object":"chat.completion.chunk","created":1732600000,"model":"kimi-k3","choices":[{"index":0,"delta":{"content":"月之"},"finish_reason":null}],"system_fingerprint":"fpv0_1a2b3c4d"}"#,
        "\n\n"
    ),
    concat!(
        r#"data: {"id":"chatcmpl-6745a1e0c5f1b2d3e4f50617","object":"chat.completion.chunk","created":1732600000,"model":"kimi-k3","choices":[{"index":0,"delta":{"content":" a"},"finish_reason":null}],"system_fingerprint":"fpv0_1a2b3c4d"}"#,
        "\n\n"
    ),
    concat!(
        r#"data: {"id":"chatcmpl-6745a1e0c5f1b2d3e4f50617","object":"chat.completion.chunk","created":1732600000,"model":"kimi-k3","choices":[{"index":0,"delta":{"content":" middleware"},"finish_reason":null}],"system_fingerprint":"fpv0_1a2b3c4d"}"#,
        "\n\n"
    ),
];

/// Frames that are there at once.
struct Frames {
    chunks: usize,
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
            Some(CHUNKS[self.chunks % CHUNKS.len()])
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

    fn size_hint(&self) -> SizeHint {
        SizeHint::new()
    }
}

/// Answers a request with its body and two of its fields.
async fn echo(request: Request<Frames>) -> Result<Response<Frames>, Infallible> {
    let (head, body) = request.into_parts();
    let mut response = Response::new(body);
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
        if let Some(value) = head.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    Ok(response)
}

fn request(content_type: &'static str, body: Frames) -> Request<Frames> {
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from_static("/v1/chat/completions");
    let fields = request.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    fields.insert(header::HOST, HeaderValue::from_static("127.0.0.1:8000"));
    fields.insert(header::USER_AGENT, HeaderValue::from_static("kimi/1.0"));
    fields.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer sk-any"));
    request
}

fn json() -> Request<Frames> {
    request("application/json", Frames { chunks: 0, last: Some(JSON) })
}

fn stream() -> Request<Frames> {
    request("text/event-stream", Frames { chunks: EVENTS, last: Some("data: [DONE]\n\n") })
}

/// A service that does not fail, as what the benchmarks ask of it.
trait Answering: Service<Request<Frames>, Response = Response<Self::Body>> {
    type Body: Body<Data = Bytes>;
}

impl<S, B> Answering for S
where
    S: Service<Request<Frames>, Response = Response<B>>,
    B: Body<Data = Bytes>,
{
    type Body = B;
}

fn bare() -> impl Answering {
    Identity::new().layer(service_fn(echo))
}

/// Lets the JSON formatter write to a sink, for the process.
fn listen() {
    let subscriber = tracing_subscriber::fmt().json().with_writer(io::sink).finish();
    tracing::subscriber::set_global_default(subscriber).expect("it is the first");
}

fn trace_off() -> impl Answering {
    TraceLayer::new_for_http().layer(service_fn(echo))
}

fn trace_json() -> impl Answering {
    listen();
    TraceLayer::new_for_http()
        .make_span_with(DefaultMakeSpan::new().level(Level::INFO))
        .on_response(DefaultOnResponse::new().level(Level::INFO))
        .layer(service_fn(echo))
}

fn log(observer: impl Observer + Clone) -> impl Answering {
    RequestLogLayer::new().with_observer(observer).layer(service_fn(echo))
}

fn log_off() -> impl Answering {
    log(TracingObserver::new())
}

fn log_tracing_json() -> impl Answering {
    listen();
    log(TracingObserver::new())
}

/// All but to write something.
fn log_nothing() -> impl Answering {
    log(|record: &Record<'_>| {
        black_box(record);
    })
}

fn log_text() -> impl Answering {
    log(TextObserver::new(io::sink()))
}

fn log_json() -> impl Answering {
    log(JsonObserver::new(io::sink()))
}

fn log_json_gaps() -> impl Answering {
    let layer = RequestLogLayer::new().with_observer(JsonObserver::new(io::sink()));
    layer.with_longest_gap().layer(service_fn(echo))
}

/// Sends a request and reads the answer to its end.
fn read<S: Answering>(service: &mut S, request: Request<Frames>) -> Option<usize> {
    finish(poll_fn(|cx| service.poll_ready(cx))).ok()?;
    let answer = finish(service.call(black_box(request))).ok()?;
    Some(drain(answer.into_body()))
}

#[library_benchmark]
#[bench::bare(bare())]
#[bench::trace_off(trace_off())]
#[bench::log_off(log_off())]
#[bench::trace_json(trace_json())]
#[bench::log_tracing_json(log_tracing_json())]
#[bench::log_nothing(log_nothing())]
#[bench::log_text(log_text())]
#[bench::log_json(log_json())]
fn whole<S: Answering>(mut service: S) -> usize {
    (0..ROUNDS).filter_map(|_| read(&mut service, json())).sum()
}

#[library_benchmark]
#[bench::bare(bare())]
#[bench::log_off(log_off())]
#[bench::log_json(log_json())]
fn with_extensions_and_id<S: Answering>(mut service: S) -> usize {
    let request = || {
        let mut request = json();
        request.extensions_mut().insert(());
        let id = HeaderValue::from_static("0193f0c2-9d5b-7a3e-8c41-5b7e2f1a9d60");
        request.headers_mut().insert("x-request-id", id);
        request
    };
    (0..ROUNDS).filter_map(|_| read(&mut service, request())).sum()
}

#[library_benchmark]
#[bench::bare(bare())]
#[bench::trace_off(trace_off())]
#[bench::log_off(log_off())]
#[bench::trace_json(trace_json())]
#[bench::log_json(log_json())]
#[bench::log_json_gaps(log_json_gaps())]
fn events<S: Answering>(mut service: S) -> usize {
    (0..STREAMS).filter_map(|_| read(&mut service, stream())).sum()
}

library_benchmark_group!(name = request_log; benchmarks = whole, with_extensions_and_id, events);

main!(
    config = LibraryBenchmarkConfig::default().tool(Dhat::default());
    library_benchmark_groups = request_log
);
