//! Fails where the upstream answers an error, in whichever wire form, so that callers match on
//! [`ErrorKind`] instead of reading answers.
//!
//! The mirror of [`catch_error`](crate::catch_error), for clients and for the upstream side of a
//! gateway. With `catch_error` outside of it a gateway translates: Kimi's platform in, the
//! article's envelope out, in mid-stream too.
//!
//! | the inner service | outcome |
//! |---|---|
//! | fails | the [`Error`] in or behind it |
//! | answers a 4xx or 5xx | the error that [`decode`] makes of status, head and the beginning of the body |
//! | answers a 2xx of JSON, or a page, that is an error | that error |
//! | answers a 2xx event stream whose first event is an error | that error |
//! | answers any other 2xx | the answer, byte for byte; see [after the head](#after-the-head) |
//! | answers 1xx or 3xx, 304 among them | that answer: what to make of it is the client's business |
//! | answers in gRPC (`application/grpc`) | that answer: its outcome is the gRPC client's business |
//!
//! Nobody is asked about 204, 205 and 206, and about the success of a HEAD request.
//!
//! # The look
//!
//! Of what may be an error, the beginning is looked at, and handed on as if nobody had: the same
//! frames, trailers and size hint. A look ends
//!
//! - after 64 KiB ([`DECODE_LIMIT`]), more than which is never read for its meaning,
//! - with the body,
//! - with the first event of an event stream, or the first comment: a keep-alive passes at once,
//!   and what comes after it comes after the head,
//! - after 5 s, see [`with_look_timeout`](RaiseErrorLayer::with_look_timeout), or at once where the
//!   look of a `retry` inside has taken its time; what came by then decides.
//!
//! A body that breaks under the look is an error, since nobody has seen any of it: that which a 4xx
//! or 5xx stands for, [`StreamTruncated`](ErrorKind::StreamTruncated) of an event stream, else
//! [`BadGateway`](ErrorKind::BadGateway). A body that is compressed is not looked at: put
//! decompression inside of this layer. A 4xx or 5xx is then what its head says.
//!
//! # After the head
//!
//! | the body | what its reader gets |
//! |---|---|
//! | has an event that is an error | all before it, then that error |
//! | is an event stream and ends without its [end](StreamEnd), or within an event | all whole events, then [`StreamTruncated`](ErrorKind::StreamTruncated) |
//! | ends before its `Content-Length`; or, where the end of the connection is the only sign, within its JSON | all of it, then `StreamTruncated` |
//! | fails | all of it (of an event stream all whole events), then `StreamTruncated`, or the [`Error`] that stands in the chain of its sources |
//! | is an event stream that fails after its end | all of it, then the end: nothing of the answer is missing |
//!
//! The source of such an error is [`Interrupted`], which says how far the answer had come, and
//! whose source is why. Bytes are never altered, and delayed only where a chunk ends within an
//! event: its beginning waits for the rest, so that no half of an error is handed on. An event of
//! more than 64 KiB is judged by its beginning and let go.
//!
//! An event is an error if [`decode_event`] says so or its type is `error`. The end mark counts
//! without its line ends, and so does the JSON of an error, where the stream ends with it.
//!
//! # Example
//!
//! ```
//! use http::{Request, Response, header};
//! use http_body_util::{BodyExt, Full};
//! use kimi_errors::{ErrorKind, chain};
//! use kimi_tower::raise_error::{Interrupted, RaiseErrorLayer};
//! use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! // Errors with status 200, as kimi-free-api answers them, and a stream that is cut.
//! let upstream = service_fn(async |request: Request<&str>| {
//!     let (content_type, body) = match request.into_body() {
//!         "expired" => ("application/json", r#"{"code":-2002,"message":"Token已失效","data":null}"#),
//!         "cut" => ("text/event-stream", "data: {\"choices\":[]}\n\n"),
//!         _ => ("text/event-stream", "data: {\"choices\":[]}\n\ndata: [DONE]\n\n"),
//!     };
//!     Response::builder().header(header::CONTENT_TYPE, content_type).body(Full::from(body))
//! });
//! let client = ServiceBuilder::new().layer(RaiseErrorLayer::new()).service(upstream);
//!
//! let answer = client.clone().oneshot(Request::new("hello")).await?;
//! let body = answer.into_body().collect().await?.to_bytes();
//! assert_eq!(body, "data: {\"choices\":[]}\n\ndata: [DONE]\n\n");
//!
//! let refusal = client.clone().oneshot(Request::new("expired")).await.map(|_| ()).unwrap_err();
//! assert_eq!(refusal.kind(), ErrorKind::TokenExpired);
//!
//! let answer = client.oneshot(Request::new("cut")).await?;
//! let error = answer.into_body().collect().await.map(|_| ()).unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::StreamTruncated);
//! let events = chain::find(&error).map(Interrupted::events);
//! assert_eq!(events, Some(1));
//! # Ok(())
//! # }
//! ```
//!
//! # Order
//!
//! Inside of `request_log`, which then sees one sort of failure, and outside of `retry`, which
//! needs the answer to hand it on. Decompression belongs inside, redirections are followed inside.
//!
//! # Concurrency
//!
//! Clones share nothing.
//!
//! # Cancellation
//!
//! Dropping the future or the body drops the inner one, at once. A body is dropped as soon as it is
//! known to be an error.
//!
//! # Caveats
//!
//! - A look that has to wait needs tokio's timer; one that does not wait needs no runtime.
//! - A connection-delimited JSON body that is no object or array, or another type of body, can be
//!   cut unseen: nothing in it says where it ends.
//! - Streams in `application/connect+json`, as kimi.com sends them, are looked at as JSON is, for
//!   64 KiB or until the timeout, and after that not at all.
//! - An incomplete event costs its bytes and the size of a [`Bytes`] for each chunk that it came
//!   in, which count towards the 64 KiB; frames under the look count towards theirs as one byte at
//!   least.
//! - A look allocates only if a second frame is seen or waited for; a stream allocates only where
//!   its chunks do not end with events.

mod answer;
mod body;
mod future;
mod interrupted;
mod layer;
mod service;
mod stream_end;
mod watch;
mod whole;

pub use self::{
    body::ResponseBody, future::ResponseFuture, interrupted::Interrupted, layer::RaiseErrorLayer,
    service::RaiseError, stream_end::StreamEnd,
};

#[cfg(doc)]
use bytes::Bytes;
#[cfg(doc)]
use kimi_errors::{DECODE_LIMIT, Error, ErrorKind, decode, decode_event};
