//! Request bodies that can be sent again.
//!
//! A body can be read once, and a request that is tried again needs it whole. [`Replay`] makes a
//! body for each attempt, in one of two ways.
//!
//! A body that is there at once, in one frame of the length that it said, as `Full` is, is *whole*:
//! each attempt has its bytes for itself, shared and not copied, and nothing is allocated.
//!
//! Any other is *shared*: what the running attempt reads is recorded as it passes, and a next
//! attempt is given the record first and then reads on in the original. It does not wait for the
//! one before it, whose body may be held, half read, by a connection that is stuck: it supersedes
//! it. Nothing is read ahead but for the one frame by which it is found that a body that knows its
//! length is not whole; that frame, or error, is the first that an attempt reads.
//!
//! | an attempt | reads |
//! |---|---|
//! | has a whole body | its bytes, whatever other attempts do |
//! | runs | the bytes and trailers of the original, its error if it fails |
//! | is superseded | one error of kind [`Cancelled`](kimi_errors::ErrorKind::Cancelled), then the end |
//! | finds that the original has panicked | one error of kind [`System`](kimi_errors::ErrorKind::System) |
//!
//! # Example
//!
//! ```
//! # use std::{collections::VecDeque, convert::Infallible, pin::Pin, task::{Context, Poll}};
//! #
//! use bytes::Bytes;
//! use http_body::{Body, Frame};
//! use http_body_util::BodyExt;
//! use kimi_tower::replay::{Replay, ReplayLimits};
//!
//! # struct Chunks(VecDeque<&'static str>);
//! #
//! # impl Body for Chunks {
//! #     type Data = Bytes;
//! #     type Error = Infallible;
//! #
//! #     fn poll_frame(
//! #         mut self: Pin<&mut Self>,
//! #         _: &mut Context<'_>,
//! #     ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
//! #         Poll::Ready(self.0.pop_front().map(|data| Ok(Frame::data(data.into()))))
//! #     }
//! # }
//! #
//! # fn two_chunks() -> Chunks {
//! #     Chunks(["你好, ", "Kimi"].into())
//! # }
//! #
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! // A body of two chunks, 12 bytes. It is read half, had again, and read to its end.
//! let (mut first, replay) = Replay::new(two_chunks(), &ReplayLimits::new());
//! let chunk = first.frame().await.ok_or("no frame")??;
//! assert_eq!(chunk.data_ref(), Some(&Bytes::from("你好, ")));
//!
//! let second = replay.again().ok_or("read more than was kept")?;
//! assert_eq!(second.collect().await?.to_bytes(), "你好, Kimi");
//! assert!(first.frame().await.is_some_and(|frame| frame.is_err()));
//!
//! // Over the limit nothing is kept: the attempt reads on, and there is no other.
//! let limits = ReplayLimits::new().with_max_bytes(11);
//! let (first, replay) = Replay::new(two_chunks(), &limits);
//! assert_eq!(first.collect().await?.to_bytes(), "你好, Kimi");
//! assert!(replay.again().is_none());
//! # Ok(())
//! # }
//! ```
//!
//! # With tower's retry
//!
//! `Policy::clone_request` sees a request before it is sent, when its body cannot be cloned yet. So
//! the clone has an empty body and the handle, and `Policy::retry` puts the body in when it has
//! decided that there is a next attempt. If the body cannot be had again, the answer goes to the
//! caller.
//!
//! ```
//! use std::{future::{Ready, ready}, sync::Arc};
//!
//! use bytes::Bytes;
//! use http::{Request, Response, StatusCode};
//! use http_body_util::{BodyExt, Full};
//! use kimi_tower::replay::{Replay, ReplayBody, ReplayLimits};
//! use tower::{BoxError, ServiceBuilder, ServiceExt, retry::{Policy, RetryLayer}, service_fn};
//!
//! type Handle = Arc<Replay<Full<Bytes>>>;
//! type Attempt = Request<ReplayBody<Full<Bytes>>>;
//!
//! #[derive(Clone)]
//! struct Unavailable {
//!     retries_left: usize,
//! }
//!
//! impl<B> Policy<Attempt, Response<B>, BoxError> for Unavailable {
//!     type Future = Ready<()>;
//!
//!     fn retry(
//!         &mut self,
//!         next: &mut Attempt,
//!         result: &mut Result<Response<B>, BoxError>,
//!     ) -> Option<Ready<()>> {
//!         let answer = result.as_ref().ok()?;
//!         if answer.status() != StatusCode::SERVICE_UNAVAILABLE {
//!             return None;
//!         }
//!         *next.body_mut() = next.extensions().get::<Handle>()?.again()?;
//!         self.retries_left -= 1;
//!         Some(ready(()))
//!     }
//!
//!     fn clone_request(&mut self, request: &Attempt) -> Option<Attempt> {
//!         if self.retries_left == 0 {
//!             return None;
//!         }
//!         let mut next = Request::new(ReplayBody::default());
//!         *next.method_mut() = request.method().clone();
//!         *next.uri_mut() = request.uri().clone();
//!         *next.version_mut() = request.version();
//!         *next.headers_mut() = request.headers().clone();
//!         *next.extensions_mut() = request.extensions().clone();
//!         Some(next)
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! # let calls = std::sync::atomic::AtomicU32::new(0);
//! let limits = ReplayLimits::new();
//! let client = ServiceBuilder::new()
//!     .map_request(|request: Request<Full<Bytes>>| {
//!         let (head, body) = request.into_parts();
//!         let (body, replay) = Replay::new(body, &limits);
//!         let mut attempt = Request::from_parts(head, body);
//!         attempt.extensions_mut().insert(Handle::new(replay));
//!         attempt
//!     })
//!     .layer(RetryLayer::new(Unavailable { retries_left: 2 }))
//!     // Only the clone that waits has the handle, so that the last attempt is not recorded.
//!     .map_request(|mut attempt: Attempt| {
//!         attempt.extensions_mut().remove::<Handle>();
//!         attempt
//!     })
//!     // Unavailable twice, then it says what it was sent.
//!     .service(service_fn(async |attempt: Attempt| {
//!         let body = attempt.into_body().collect().await?.to_bytes();
//! #       let call = calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
//! #       let status = if call < 2 { 503 } else { 200 };
//!         // ..
//! #       Ok::<_, BoxError>(Response::builder().status(status).body(body)?)
//!     }));
//!
//! let answer = client.oneshot(Request::new(Full::from("你好"))).await?;
//! assert_eq!((answer.status(), answer.into_body()), (StatusCode::OK, Bytes::from("你好")));
//! # Ok(())
//! # }
//! ```
//!
//! # Limits
//!
//! [`ReplayLimits`] bound a record in two ways, for one request and for all in flight. Over either,
//! recording stops and what was recorded is let go at once; the attempt reads on untouched and the
//! body cannot be had again. If the original says beforehand that it is longer than the limit,
//! nothing is recorded at all, and it can be had again until its first byte has been read. A body
//! in one frame for which the budget has no room is shared, so that this holds of it, too.
//!
//! The limit of a request counts bytes of the body, and of the names and values of trailers. The
//! [`ReplayBudget`] counts memory, before it is taken: the bytes, the room that short frames are
//! copied into, and what it takes to keep track of a piece (96 bytes) or of a trailer field (128
//! bytes). For a body of many frames that is at most twice its bytes, and 192 for each KiB of them,
//! so that tiny frames cost little more than others. A whole body is counted as a record of its
//! one frame, from the start and until the handle is dropped. Not counted: the state itself (at
//! most 256 bytes and the original); a frame that was read ahead; what else the buffer holds of
//! which the first frame, or one of 1 KiB or more, is a slice; and the bytes that attempts hold of
//! a whole body when the handle is gone, which they would hold without it as well.
//!
//! # Concurrency
//!
//! R1. An attempt's bytes are a prefix of the original's, whatever other attempts do.
//! R2. Only the running attempt reads the original; a superseded one fails at its next poll and is
//!     woken for it. Attempts with a whole body have no part in this: none is superseded, since
//!     none reads what another does.
//! R3. What a superseded attempt, or the look at a body that is not whole, has read is not lost:
//!     the running one gets it.
//! R4. An attempt that waits is woken, by the original or by whoever has the original in hand.
//! R5. The budget never has more in use than its size; nothing is in use when no record is left,
//!     nor the handle of a whole body.
//! R6. No stranger's code runs under the lock: not the body, not a waker's `wake` or `drop`, not
//!     what drops bytes.
//!
//! # Cancellation
//!
//! Dropping an attempt's body leaves the record and the original to the next. Dropping the handle
//! leaves the running attempt alone: it reads on, nothing more is recorded, and what it was given
//! of the record is let go. With the last of both everything goes. Of a whole body the original is
//! dropped at once, and attempts and handle let go their bytes each for itself.
//!
//! # Caveats
//!
//! - Whether a request may be sent twice is for the caller to know: a server may have acted on one
//!   whose answer was lost.
//! - A transport whose body is superseded sees it fail, and breaks off that connection or stream.
//!   One that has a whole body goes on sending it.
//! - A body that knows its length to be within the limit is polled once when [`Replay::new`] is
//!   called: if it panics then, that call does. The body of a request that a server is still
//!   receiving may ask its client to go on by that.
//! - A body that is over before all the bytes that it said says them to the first attempt all the
//!   same, so that a transport notices; and it cannot be had again, since no transport would notice
//!   of what was recorded that it was cut.
//! - Frames may be cut elsewhere in a next attempt: short ones are put together, empty ones left
//!   out.
//! - A body that goes on after its trailers, or has a frame that is neither data nor trailers, is
//!   passed on and cannot be had again.
//! - An original that has failed cannot be had again: its error is the caller's.
//! - A record holds what the body holds, secrets too, until it is let go. No `Debug` shows it.

mod body;
mod budget;
mod handle;
mod pieces;
mod record;
mod shared;
mod state;

#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
mod tests;

pub use self::{
    body::ReplayBody,
    budget::{ReplayBudget, ReplayLimits},
    handle::Replay,
};
