//! What one request of a session at a time adds to a service, to the last byte of its answer.
//!
//! Subtract `bare`. A chat request is answered at once and well, by a body that is not at its end
//! when it comes: a text in one frame, which knows its end; or a stream of [`CHUNKS`] chunks, which
//! does not. Nobody contends. The session is of a key that is there; of the field with its id; or of
//! that and the credential, as by default. `none` names no session. `by_hand` is what one writes
//! without the layer: a map of locks by the id, a box for the future, and a guard in the body.

#![expect(
    clippy::exit,
    missing_docs,
    unused_qualifications,
    reason = "of what the macros of the harness expand to"
)]

use std::{
    convert::Infallible,
    future::{Future, Ready, poll_fn, ready},
    hint::black_box,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use gungraun::{Dhat, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use http::{HeaderName, HeaderValue, Request, Response, header, request::Parts};
use http_body::{Body, Frame};
use kimi_benches::{
    ROUNDS, drain, finish,
    locks::{Naive, Named, Turns},
};
use kimi_errors::{BoxError, Error};
use kimi_tower::{
    key::{Everyone, Key, KeyHasher},
    session::{Conversation, SessionLayer},
};
use tower::{Layer, Service};

const CHUNKS: usize = 100;

const FIELD: HeaderName = HeaderName::from_static("x-conversation-id");

fn requests(id: Option<&'static str>) -> Vec<Request<()>> {
    let request = || {
        let request = Request::post("https://gateway/v1/chat/completions")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "text/event-stream")
            .header(header::USER_AGENT, "kimi-benches/1")
            .header(header::AUTHORIZATION, "Bearer sk-0123456789abcdef0123456789abcdef");
        let request = id.into_iter().fold(request, |it, id| it.header(FIELD, id));
        request.body(()).expect("each part is valid")
    };
    (0..ROUNDS).map(|_| request()).collect()
}

fn of_one() -> Vec<Request<()>> {
    requests(Some(Named::many(0, 1)[0].name))
}

fn of_none() -> Vec<Request<()>> {
    requests(None)
}

/// Sends this many chunks.
#[derive(Clone)]
struct Handler(usize);

/// So many chunks are left; one alone is a text, and known to be the last.
struct Chunks {
    left: usize,
    is_text: bool,
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        // So that the compiler does not see through an unwrapped body, which it could not in earnest.
        let Some(left) = black_box(self.left).checked_sub(1) else { return Poll::Ready(None) };
        self.left = left;
        let chunk = Bytes::from_static(b"data: {\"choices\":[{\"index\":0}]}\n\n");
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_text && self.left == 0
    }
}

impl Service<Request<()>> for Handler {
    type Response = Response<Chunks>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Chunks>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        drop(black_box(request));
        let mut answer = Response::new(Chunks { left: self.0, is_text: self.0 == 1 });
        let json = HeaderValue::from_static("application/json");
        answer.headers_mut().insert(header::CONTENT_TYPE, json);
        ready(Ok(answer))
    }
}

/// What all services here are.
trait Answering: Service<Request<()>, Response = Response<Self::Body>, Error: Into<BoxError>> {
    type Body: Body<Data = Bytes>;
}

impl<S, B> Answering for S
where
    S: Service<Request<()>, Response = Response<B>, Error: Into<BoxError>>,
    B: Body<Data = Bytes>,
{
    type Body = B;
}

fn ours_by_key(chunks: usize) -> impl Answering {
    let key = Named::many(0, 1)[0].key;
    let of = move |_: &Parts, _: &KeyHasher| Ok::<Option<Key>, Error>(Some(black_box(key)));
    SessionLayer::new().with_key(of).layer(Handler(chunks))
}

fn ours_by_field(chunks: usize) -> impl Answering {
    let of = Conversation::in_field(FIELD).with_caller(Everyone::new());
    SessionLayer::new().with_key(of).layer(Handler(chunks))
}

fn ours(chunks: usize) -> impl Answering {
    SessionLayer::new().with_key(Conversation::in_field(FIELD)).layer(Handler(chunks))
}

fn by_hand(chunks: usize) -> impl Answering {
    ByHand { inner: Handler(chunks), locks: Naive::lasting() }
}

struct ByHand {
    inner: Handler,
    locks: &'static Naive,
}

struct Guarded<T> {
    body: Chunks,
    _turn: Option<T>,
}

impl<T: Unpin> Body for Guarded<T> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

impl Service<Request<()>> for ByHand {
    type Response = Response<Guarded<<Naive as Turns>::Turn>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let (mut inner, locks) = (self.inner.clone(), self.locks);
        Box::pin(async move {
            let id = request.headers().get(FIELD).and_then(|id| id.to_str().ok());
            let turn = match id {
                Some(id) => Some(locks.lock(id).await),
                None => None,
            };
            let answer = inner.call(request).await?;
            Ok(answer.map(|body| Guarded { body, _turn: turn }))
        })
    }
}

/// Asks for all requests and reads the answers.
fn ask<S: Answering>(mut service: S, requests: Vec<Request<()>>) -> usize {
    let mut read = 0;
    for request in requests {
        let is_ready = finish(poll_fn(|cx| service.poll_ready(cx))).is_ok();
        let answered = finish(service.call(black_box(request)));
        read += answered.map_or(0, |answer| drain(answer.into_body())) + usize::from(is_ready);
    }
    read
}

/// The same for a service that has been asked once, since the first makes what others find.
fn warm<S: Answering>(mut service: S) -> S {
    let request = of_one().swap_remove(0);
    assert!(finish(poll_fn(|cx| service.poll_ready(cx))).is_ok());
    assert!(finish(service.call(request)).is_ok_and(|answer| drain(answer.into_body()) > 0));
    service
}

#[library_benchmark]
#[bench::bare(warm(Handler(1)), of_one())]
#[bench::by_key(warm(ours_by_key(1)), of_one())]
#[bench::by_field(warm(ours_by_field(1)), of_one())]
#[bench::ours(warm(ours(1)), of_one())]
#[bench::by_hand(warm(by_hand(1)), of_one())]
#[bench::none_bare(warm(Handler(1)), of_none())]
#[bench::none_by_field(warm(ours_by_field(1)), of_none())]
#[bench::none_ours(warm(ours(1)), of_none())]
#[bench::none_by_hand(warm(by_hand(1)), of_none())]
fn text<S: Answering>(service: S, requests: Vec<Request<()>>) -> usize {
    ask(service, requests)
}

#[library_benchmark]
#[bench::bare(warm(Handler(CHUNKS)), of_one())]
#[bench::by_key(warm(ours_by_key(CHUNKS)), of_one())]
#[bench::by_hand(warm(by_hand(CHUNKS)), of_one())]
#[bench::none_bare(warm(Handler(CHUNKS)), of_none())]
#[bench::none_ours(warm(ours(CHUNKS)), of_none())]
fn stream<S: Answering>(service: S, requests: Vec<Request<()>>) -> usize {
    ask(service, requests)
}

library_benchmark_group!(name = session_beside_bare; benchmarks = text, stream);

main!(
    config = LibraryBenchmarkConfig::default().tool(Dhat::default());
    library_benchmark_groups = session_beside_bare
);
