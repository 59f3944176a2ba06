//! One record of each request, that explains what happened, and no secret in it.
//!
//! The layer tells an [`Observer`] of each request: [`TracingObserver`] by default, [`JsonObserver`]
//! and [`TextObserver`] to write lines without asking `tracing`, `MetricsObserver` with the feature
//! `metrics`, or a closure. It also gives the request its id, and puts [`Facts`] into it, which the
//! layers inside fill in.
//!
//! | how it ended | [`Outcome`] |
//! |---|---|
//! | a success, to the last byte; at once if the answer has no body, as to HEAD | `success` |
//! | an answer or an error of 400 to 498, also inside a 200 | `client_error` |
//! | one of 500 or more, also inside a 200; the service is not ready | `server_error` |
//! | an event of a stream is an error, or the body fails with a known one | `stream_error` |
//! | the body fails, and nobody knows why | `body_error` |
//! | a stream of events ends without [saying that it is complete](RequestLogLayer::without_stream_end) | `truncated` |
//! | an error of the kind `timeout`, or 504 | `timeout` |
//! | the future is dropped before the head, or the body before its end; 499 | `client_gone` |
//! | a newer request of the session takes its turn | `superseded` |
//! | a panic: in `call`, the future or the body | `panic` |
//!
//! A reader that leaves when it has all bytes that `content-length` announces, or the event with
//! which a stream says that it is complete, has had a success.
//!
//! # Example
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::{BodyExt as _, Full};
//! use kimi_errors::{BoxError, Error, ErrorKind};
//! use kimi_tower::request_log::{Outcome, Record, RequestLogLayer};
//! use std::sync::mpsc;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let (sender, records) = mpsc::channel();
//! let layer = RequestLogLayer::new().with_observer(move |record: &Record<'_>| {
//!     let _ = sender.send((record.outcome, record.errcode(), record.bytes));
//! });
//! let service = service_fn(async |request: Request<&str>| match request.into_body() {
//!     "hello" => Ok(Response::new(Full::<Bytes>::from("你好"))),
//!     _ => Err(Error::new(ErrorKind::StreamBusy)),
//! });
//! let service = ServiceBuilder::new().layer(layer).service(service);
//!
//! let answer = service.clone().oneshot(Request::new("hello")).await?;
//! assert!(answer.headers().contains_key("x-request-id"));
//! answer.into_body().collect().await?;
//! assert_eq!(records.recv()?, (Outcome::Success, None, 6));
//!
//! let refusal = service.oneshot(Request::new("again")).await.unwrap_err();
//! assert!(refusal.request_id().is_some());
//! assert_eq!(records.recv()?, (Outcome::ClientError, Some(-2005), 0));
//! # Ok(())
//! # }
//! ```
//!
//! # The id
//!
//! | | |
//! |---|---|
//! | `x-request-id` of the request, 1 to 64 of `A-Z a-z 0-9 - _ .` and no credential | is kept |
//! | none, or any other | a UUID of version 7, made without a call of the system |
//! | within another log | the id that it has there |
//!
//! It stands in the head of the answer in place of another, in an error of the service or of the
//! body, and so in what `catch_error` writes. A handler finds it in the [`Facts`]. On the
//! [client's side](Side::Client) what the upstream says stays, and stands in the record beside it.
//! `traceparent` is passed on as it came, and the record has the ids in it.
//!
//! # Fields
//!
//! Of HTTP and of generative AI as OpenTelemetry names them, in the version that [`Schema`] says;
//! ours begin with `kimi.`. What is not known is left out.
//!
//! | field | |
//! |---|---|
//! | `kimi.outcome` | of the table above |
//! | `kimi.request.id`, `trace_id`, `span_id` | the last is the caller's span |
//! | `http.request.method`, `url.path`, `http.route`, `network.protocol.version` | `_OTHER` for a method of no standard; no query; the route if [somebody says it](RequestLogLayer::with_route) |
//! | `server.address`, `server.port` | on the client's side |
//! | `http.response.status_code` | of an error, the status that it stands for |
//! | `error.type`, `kimi.errcode` | the name of the [kind](kimi_errors::ErrorKind); without one, the status or the outcome |
//! | `kimi.duration_ms`, `kimi.time_to_head_ms`, `kimi.time_to_first_content_ms`, `kimi.longest_gap_ms` | to the microsecond; the last if it is [asked for](RequestLogLayer::with_longest_gap) |
//! | `http.response.body.size`, `kimi.response.chunks` | what has passed |
//! | `gen_ai.operation.name`, `gen_ai.provider.name` or `gen_ai.system` | `chat`, `moonshot_ai`, of chats |
//! | `gen_ai.request.model`, `kimi.request.stream`, `kimi.request.messages` | `validate` tells them |
//! | `gen_ai.response.finish_reasons`, `gen_ai.usage.input_tokens`, `gen_ai.usage.output_tokens` | as the answer says |
//! | `kimi.request.preview` | if it is [asked for](RequestLogLayer::with_preview) |
//! | `kimi.attempts`, `kimi.retry.stop` | `retry` tells them |
//! | `kimi.rate.decision`, `kimi.rate.rule`, `kimi.queue_wait_ms` | `rate_limit` tells them; the wait for the session is part of the last |
//! | `kimi.session.hash`, `kimi.session.decision`, `kimi.session.lost` | `session` tells them |
//! | `kimi.upstream.request_id` | that of the answer or error, where it is another |
//!
//! # Secrets
//!
//! Nothing of what was said is written, unless a [preview](RequestLogLayer::with_preview) is asked
//! for. No head field but the two above, no query, no user information, no text of an error and no
//! cause of one ever is; of an answer only numbers and the reasons that are known. What a stranger
//! wrote, the path and the model, is escaped, so that it can neither end a line nor look like
//! another. A session is a keyed hash.
//!
//! # Order
//!
//! On a server inside of `catch_error`, and outside of everything that may refuse; a client's stands
//! outside of `raise_error` and `retry`, so that there is one record of a call.
//!
//! # Concurrency
//!
//! L1. Of each call there is exactly one record: it is written when what stands for the call is
//!     dropped, which the future, then the body has, and which nobody else can write.
//! L2. The record is written after what was inside of the future or body is dropped, unless the body
//!     has ended before.
//! L3. The body passes frame by frame as it comes, in the same poll.
//! L4. A panic of the observer ends its record, and nothing else.
//!
//! # Cancellation
//!
//! Dropping future or body drops the inner one and then writes the record, as `client_gone` if it was
//! not over.
//!
//! # Caveats
//!
//! - A future or body that is leaked has no record. A panic in `poll_ready` belongs to no request.
//! - That a time-out stands outside of this layer looks like a client that goes.
//! - What comes in pieces, be it an event or a text of JSON, is judged by its first 4 KiB as to
//!   whether it is an error. A compressed body is not read.
//! - Of a request to a path that ends with `/chat/completions`, or that `validate` has read, it is
//!   said that it is a chat.
//! - When nobody wants to know, as without a subscriber, the layer does nothing: there is no id, since
//!   there is no record to be found by it, and there are no facts. Else a request costs six
//!   allocations, or three if it brings an id and extensions, and a stream up to four more; none of
//!   them is of a line or a frame. See `benches/README.md`.

mod body;
mod entry;
mod fields;
mod future;
mod judge;
mod known;
mod layer;
mod observer;
mod outcome;
mod plain;
mod record;
mod request_id;
mod schema;
mod service;
mod settings;
mod tap;
mod tell;
mod trace_parent;

#[cfg(feature = "metrics")]
pub use self::observer::MetricsObserver;
pub use self::{
    body::ResponseBody,
    future::ResponseFuture,
    layer::RequestLogLayer,
    observer::{JsonObserver, Levels, Observer, Sampled, TextObserver, TracingObserver},
    outcome::Outcome,
    record::{Record, Server, Side, Start},
    request_id::RequestId,
    schema::Schema,
    service::RequestLog,
    trace_parent::TraceParent,
};
pub use crate::body::usage::FinishReason;

#[cfg(doc)]
use crate::facts::Facts;
