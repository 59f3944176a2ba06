//! Admits so many requests of one caller at a time, from admission to the end of the answer's body.
//!
//! | request | what becomes of it |
//! |---|---|
//! | is nobody's, says the [`ExtractKey`] | passes uncounted |
//! | fewer than `max` of its caller's are under way, and none waits | passes with a permit |
//! | else, with [`Admission::Reject`], the default | `ConcurrencyLimited`, -2001 with 429 |
//! | else, with [`Admission::Wait`] | waits for its turn; refused as above at once if `max_queue` wait already or its [`Deadline`] is over, and later if neither `max_wait` nor the deadline leaves it more time |
//! | else, with [`Admission::Shadow`] | passes without a permit, and an event says so |
//!
//! A permit comes back
//!
//! - at the end of the body: with its last byte if the body knows its end, else when its reader
//!   asks for more, or with its error;
//! - at once if the answer has no body when it comes, as to HEAD, or if the service fails;
//! - when future or body is dropped, or panics.
//!
//! A refusal names no time to wait, since nobody knows when an answer ends; its advice is to back
//! off. With [`catch_error`](crate#features) around it, it is answered:
//!
//! ```text
//! HTTP/1.1 429 Too Many Requests
//! content-type: application/json
//!
//! {"errcode":-2001,"errmsg":"并发请求过多，请等待进行中的请求结束","data":null}
//! ```
//!
//! `tower::limit::ConcurrencyLimit` has one limit for all, lets go of it when the head is out, while
//! a chat's answer has hardly begun, and takes it in `poll_ready`, so that who is ready and does not
//! call keeps others waiting.
//!
//! # Example
//!
//! ```
//! use std::num::NonZeroU32;
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use kimi_errors::{BoxError, ErrorKind};
//! use kimi_tower::rate_limit::concurrency::ConcurrencyLayer;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! // One at a time, as of the platform's tier 0, for each API key.
//! let layer = ConcurrencyLayer::new(NonZeroU32::MIN);
//! let service = ServiceBuilder::new().layer(layer.clone()).service(service_fn(
//!     async |_: Request<()>| Ok::<_, BoxError>(Response::new(Full::<Bytes>::from("你好"))),
//! ));
//! let ask = |key| Request::post("/v1/chat/completions").header("authorization", key).body(());
//!
//! // The head of the answer is there, and its body is not read yet.
//! let answer = service.clone().oneshot(ask("Bearer one")?).await?;
//! assert_eq!(layer.occupancy().held, 1);
//! let refusal = service.clone().oneshot(ask("Bearer one")?).await.unwrap_err();
//! assert_eq!(refusal.kind(), ErrorKind::ConcurrencyLimited);
//! // Somebody else's.
//! service.clone().oneshot(ask("Bearer two")?).await?;
//!
//! drop(answer);
//! assert!(service.oneshot(ask("Bearer one")?).await.is_ok());
//! # Ok(())
//! # }
//! ```
//!
//! # Order
//!
//! - Inside of `catch_error`, which answers the refusals.
//! - Inside of what refuses for less: a limit of requests, `validate`. A permit is only for a
//!   request that will be served.
//! - Outside of what works: the permit covers all that is inside.
//! - On the side of a client inside of `retry`, so that no permit is held between two attempts.
//!
//! # Concurrency
//!
//! C1. Never more than `max` requests of a caller have a permit, from admission to the end of the
//!     body, the error, the panic or the drop.
//! C2. Permits are granted in the order of `call`. One that comes back goes to the first in the
//!     line, and no newcomer overtakes, not even one with a greater limit of its own.
//! C3. Nothing is kept for a caller that neither holds nor waits. Where there were very many, the
//!     memory is given back but for up to 28 callers' and 32 waiters' in each of 16 parts.
//! C4. Whoever is dropped makes room for the next: from the line at once and in constant time,
//!     wherever it stands; with a permit, also one that it has not seen yet.
//! C5. A caller never waits for another. Their permits are apart, and a lock that is shared by some
//!     is held for a few steps, never while foreign code runs.
//! C6. Each that waits is woken once, by the permit that is granted to it.
//!
//! Of the inner service
//!
//! C7. only an instance that was polled ready is called. A request that is admitted at once is given
//!     to the very instance that was polled before; nothing is cloned or allocated for it. One that
//!     waits, or is refused, gives up the readiness that was there for it, and a clone is polled
//!     ready after it has got its permit.
//!
//! # Cancellation
//!
//! Dropping the future at any point gives back its place in the line or its permit, and dropping
//! the body gives back its permit, both after what is inside of them was dropped.
//!
//! # Caveats
//!
//! - A reader that takes its time keeps its permit. Bound the time of a body, or of a connection.
//! - An upgraded connection is not counted: the answer that announces it has no body.
//! - After its turn has come, a request waits for the inner service to be ready without a limit of
//!   time, as before every call.
//! - A permit that is there is taken, even if the task gets to see it after the time is over.
//! - The limit is of one process. Of n replicas each admits as many.
//! - How many callers there are is not bounded, but each has at least one request under way.

mod body;
mod callers;
mod future;
mod layer;
mod limit;
#[cfg(all(test, loom))]
mod loom_tests;
mod occupancy;
mod permits;
mod places;
mod service;
#[cfg(all(test, not(loom)))]
mod tests;
mod waiting;

pub use self::{
    body::ResponseBody, future::ResponseFuture, layer::ConcurrencyLayer, occupancy::Occupancy,
    service::Concurrency,
};

#[cfg(doc)]
use crate::{deadline::Deadline, key::ExtractKey, rate_limit::Admission};
