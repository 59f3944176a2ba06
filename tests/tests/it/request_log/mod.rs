//! `request_log` around services that end in every way: what there is of each request.

mod endings;
mod given;
mod ids;
mod lines;
mod metrics;
mod names;
mod secrets;
mod tap;
mod told;

use std::{
    panic::resume_unwind,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame};
use kimi_errors::{BoxError, Error};
use kimi_tower::request_log::{FinishReason, Observer, Outcome, Record, RequestLogLayer};
use tokio::sync::Mutex;

/// What is kept of a record.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) id: String,
    pub(crate) outcome: Outcome,
    pub(crate) status: Option<u16>,
    pub(crate) error_type: Option<String>,
    pub(crate) errcode: Option<i32>,
    pub(crate) bytes: u64,
    pub(crate) chunks: u64,
    pub(crate) finish_reason: Option<FinishReason>,
    pub(crate) tokens: (Option<u64>, Option<u64>),
    pub(crate) duration: Duration,
    pub(crate) time_to_head: Option<Duration>,
    pub(crate) time_to_first_content: Option<Duration>,
    pub(crate) longest_gap: Option<Duration>,
    pub(crate) path: String,
    pub(crate) route: Option<String>,
    pub(crate) trace: Option<String>,
    pub(crate) server: Option<(String, Option<u16>)>,
    pub(crate) upstream_id: Option<String>,
}

/// An observer that keeps all it is told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Kept>>>);

impl Log {
    /// Returns what it was told since.
    pub(crate) fn take(&self) -> Vec<Kept> {
        std::mem::take(&mut *self.0.try_lock().unwrap())
    }

    /// Returns the one record that it was told since.
    pub(crate) fn only(&self) -> Kept {
        let [kept] = self.take().try_into().expect("one record of one request");
        kept
    }
}

impl Observer for Log {
    fn on_end(&self, record: &Record<'_>) {
        let start = &record.start;
        self.0.try_lock().unwrap().push(Kept {
            id: start.request_id.to_owned(),
            outcome: record.outcome,
            status: record.status.map(|status| status.as_u16()),
            error_type: record.error_type().map(|name| name.into_owned()),
            errcode: record.errcode(),
            bytes: record.bytes,
            chunks: record.chunks,
            finish_reason: record.finish_reason,
            tokens: (record.input_tokens, record.output_tokens),
            duration: record.duration,
            time_to_head: record.time_to_head,
            time_to_first_content: record.time_to_first_content,
            longest_gap: record.longest_gap,
            path: start.path.to_owned(),
            route: start.route.map(str::to_owned),
            trace: start.trace.map(|trace| trace.to_string()),
            server: start.server.map(|server| (server.address.to_owned(), server.port)),
            upstream_id: record.upstream_request_id.map(str::to_owned),
        });
    }
}

pub(crate) fn layer() -> (RequestLogLayer<Log>, Log) {
    let log = Log::default();
    (RequestLogLayer::new().with_observer(log.clone()), log)
}

/// What a [`Script`] does at one poll.
pub(crate) enum Step {
    Data(Bytes),
    Trailers(HeaderMap),
    /// Is not ready.
    Wait,
    Fail(BoxError),
    /// Panics, unheard by the hook.
    Panic,
}

/// A body that does one step after the other.
pub(crate) struct Script {
    steps: std::collections::VecDeque<Step>,
    says_end: bool,
}

impl Script {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect(), says_end: false }
    }

    pub(crate) fn text(chunks: &[&str]) -> Self {
        Self::new(chunks.iter().map(|chunk| data(chunk)))
    }

    /// Lets it tell when it is at its end.
    pub(crate) fn that_says_its_end(mut self) -> Self {
        self.says_end = true;
        self
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.steps.pop_front() {
            None => Poll::Ready(None),
            Some(Step::Data(data)) => Poll::Ready(Some(Ok(Frame::data(data)))),
            Some(Step::Trailers(trailers)) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
            Some(Step::Wait) => Poll::Pending,
            Some(Step::Fail(error)) => Poll::Ready(Some(Err(error))),
            Some(Step::Panic) => resume_unwind(Box::new("of the script")),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.says_end && self.steps.is_empty()
    }
}

pub(crate) fn data(text: &str) -> Step {
    Step::Data(Bytes::copy_from_slice(text.as_bytes()))
}

pub(crate) const EVENTS: &str = "text/event-stream";
pub(crate) const JSON: &str = "application/json";

pub(crate) fn answer(status: u16, content_type: &str, body: Script) -> Response<Script> {
    let response = Response::builder().status(status).header("content-type", content_type);
    response.body(body).unwrap()
}

/// A chat request.
pub(crate) fn ask() -> Request<()> {
    Request::post("/v1/chat/completions?key=value").body(()).unwrap()
}

/// Polls a future that has nothing to wait for.
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing to wait for"),
    }
}

/// Reads a body as far as it goes: all that comes at once, and how it ends if it does.
pub(crate) fn read<B: Body<Data = Bytes, Error = Error>>(body: &mut Pin<Box<B>>) -> Ended {
    let mut bytes = Vec::new();
    loop {
        match body.as_mut().poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => return Ended { bytes, error: None, is_over: false },
            Poll::Ready(None) => return Ended { bytes, error: None, is_over: true },
            Poll::Ready(Some(Err(error))) => {
                return Ended { bytes, error: Some(error), is_over: true };
            }
            Poll::Ready(Some(Ok(frame))) => {
                bytes.extend_from_slice(&frame.into_data().unwrap_or_default());
                // As hyper does.
                if body.is_end_stream() {
                    return Ended { bytes, error: None, is_over: true };
                }
            }
        }
    }
}

/// How far a body was read.
pub(crate) struct Ended {
    pub(crate) bytes: Vec<u8>,
    pub(crate) error: Option<Error>,
    pub(crate) is_over: bool,
}
