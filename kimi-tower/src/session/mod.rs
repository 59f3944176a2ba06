//! Serves one request of a session at a time, from its admission to the end of the answer's body.
//!
//! Kimi refuses a second request of a conversation while it still answers the first. This layer
//! makes the second wait instead, or refuses it here, or ends the first for it.
//!
//! | request | what becomes of it |
//! |---|---|
//! | is of no session, says the [`ExtractKey`], by default [`Conversation`] | passes |
//! | nobody has the turn of its session | passes with the turn |
//! | else, with [`Policy::Queue`], the default | waits for its turn; refused as below at once if `max_waiting` wait already or its [`Deadline`] is over, and later if neither `max_wait` nor the deadline leaves it more time |
//! | else, with [`Policy::Reject`] | `StreamBusy`, -2005 with 429 |
//! | else, with [`Policy::Supersede`] | ends the one that has the turn, and whoever waits, and goes as soon as that has ended |
//! | is sent from within the work of the one that has the turn | `StreamBusy` with a text of its own and the advice never to try again, since it would wait for itself |
//! | would be one session more than `max_sessions` | `Overloaded`, -2001 with 429 |
//!
//! A turn comes back
//!
//! - at the end of the body: with its last byte if the body knows its end, else when its reader
//!   asks for more, or with its error;
//! - at once if the body is at its end when it comes, or if the service fails. Where a server does not
//!   read a body, as of an answer to HEAD, it drops it;
//! - when future or body is dropped, also after a panic;
//! - when others wait and it has been held for `max_hold`, or its reader has not asked for more for
//!   `max_idle`; or when it is superseded. The rest of the answer is then an error, whatever the
//!   reader does, and what worked for it is dropped.
//!
//! With [`catch_error`](crate#features) around it, a refusal is answered:
//!
//! ```text
//! HTTP/1.1 429 Too Many Requests
//! content-type: application/json
//!
//! {"errcode":-2005,"errmsg":"已有对话流正在输出","data":null}
//! ```
//!
//! and a stream that has lost its turn ends with one more event, which holds the error.
//!
//! # Example
//!
//! ```
//! use bytes::Bytes;
//! use http::{HeaderName, Request, Response};
//! use http_body_util::Full;
//! use kimi_errors::{BoxError, ErrorKind};
//! use kimi_tower::session::{Conversation, Policy, SessionLayer};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let field = HeaderName::from_static("x-conversation-id");
//! let layer = SessionLayer::new().with_key(Conversation::in_field(field));
//! let chat = service_fn(async |_: Request<()>| {
//!     Ok::<_, BoxError>(Response::new(Full::<Bytes>::from("你好")))
//! });
//! let service = ServiceBuilder::new().layer(layer.clone()).service(chat);
//! let ask = |id: &str| Request::post("/v1/chat/completions").header("x-conversation-id", id).body(());
//!
//! // The head of the answer is there, and its body is not read yet.
//! let answer = service.clone().oneshot(ask("c-1")?).await?;
//! // Another conversation is not concerned.
//! service.clone().oneshot(ask("c-2")?).await?;
//! // Where nobody is to wait, the same is refused.
//! let rejects = layer.clone().with_policy(Policy::Reject);
//! let refused = ServiceBuilder::new().layer(rejects).service(chat).oneshot(ask("c-1")?).await;
//! let refusal = refused.unwrap_err();
//! assert_eq!((refusal.kind(), refusal.errcode()), (ErrorKind::StreamBusy, -2005));
//!
//! // Else it waits for the end of the body.
//! let next = tokio::spawn(service.oneshot(ask("c-1")?));
//! tokio::task::yield_now().await;
//! assert_eq!(layer.gauges().waiting, 1);
//! drop(answer);
//! assert!(next.await?.is_ok());
//! assert_eq!(layer.gauges().active, 0);
//! # Ok(())
//! # }
//! ```
//!
//! # While a stream waits
//!
//! Proxies and clients give up on a connection on which nothing comes. With
//! [`with_keep_alive`](SessionLayer::with_keep_alive), which is off by default, a request for a stream
//! that has waited for that time is answered before its turn has come: with 200,
//! `content-type: text/event-stream` and a comment, which readers of events skip, and then with a
//! comment in each such time,
//!
//! ```text
//! : keep-alive
//!
//! ```
//!
//! until the head of the answer comes; its events follow. That a stream is asked for is seen from
//! `"stream":true` in a checked body, else from an `accept` that names that type alone. The fields of the answer's head are lost
//! then, and a refusal, or an answer that is no stream, is an error of the body, which `catch_error`
//! writes as the last event. With `raise_error` inside, that error says what the answer said.
//!
//! # Order
//!
//! - Inside of `catch_error`, which answers the refusals and writes the last event of a stream.
//! - Inside of `validate`, which reads which conversation it is, and of a limit of requests: a turn
//!   is only for a request that will be served.
//! - Outside of limits of tokens and of concurrency: whoever waits for its turn holds none of theirs.
//! - On the side of a client outside of `retry`, so that the turn is kept between attempts.
//!
//! # Concurrency
//!
//! T1. At most one request of a session is at work, from its turn to the end of its body, its error,
//!     its panic or its drop. What is ended from elsewhere is dropped before the next begins. Only
//!     what was told to end, and has not done so after a second, is not waited for: a future that
//!     nobody polls although it was woken, or one poll, or drop, that takes longer.
//! T2. Turns are granted in the order of `call`, and no newcomer overtakes.
//! T3. A session that nobody holds or awaits is not kept, and takes no memory. Where there were very
//!     many, the memory is given back but for up to 28 sessions' and 32 waiters' in each of 16 parts;
//!     that of who waited, as soon as nobody has a place in its part, be it only one that was called
//!     and does not know yet.
//! T4. Whoever is dropped makes room for the next: from the line at once and in constant time,
//!     wherever it stands; with the turn, also one that it has not seen yet. Its work is not begun.
//! T5. A session never waits for another. A lock that is shared by some is held for a few steps,
//!     on average, and one for each that is superseded; never while foreign code runs. Each that waits is woken once, by its turn; and, where times
//!     are bounded, when one of them may be over. Each looks for itself: whoever is before it need
//!     not be polled.
//!
//! Of the inner service
//!
//! T6. only an instance that was polled ready is called. A request that has its turn at once is given
//!     to the very instance that was polled before; nothing is cloned for it. One that waits, or is
//!     refused, gives up the readiness that was there for it, and a clone is polled ready after its
//!     turn has come.
//!
//! # Cancellation
//!
//! Dropping the future at any point gives back its place in the line or its turn, and dropping the
//! body gives back its turn, both after what is inside of them was dropped.
//!
//! # Caveats
//!
//! - A turn is taken only for somebody who waits. A reader that nobody waits for may take its time.
//! - That a request waits for itself is seen where `call` is called within a poll of the work that
//!   has the turn, as by `await` in a handler. It is refused then also if its future is given to
//!   another task, and need not wait for itself. Called in a task of its own, or of two sessions
//!   that each call the other, it waits for `max_wait`.
//! - `max_hold` and `max_idle` are those of whoever waits, not of the one that has the turn.
//! - A turn that has come, and is not seen by whoever waited for it, counts as an answer that is not
//!   read.
//! - Who has one answer of a session unread, and asks for another of the same, waits for itself: until
//!   the first is idle for `max_idle`.
//! - Behind a head that went early nothing but the reader polls the request. If it stops, the request
//!   keeps its place, also past `max_wait`, and its turn, once it has seen it, for `max_hold`; what
//!   it has begun by then is not dropped before its reader goes.
//! - A [`Deadline`] bounds the wait. A request whose deadline is over still has a turn that is free;
//!   where that is asked of a store that is elsewhere, it waits for what it says.
//! - After its turn has come, a request waits for the inner service to be ready for up to `max_hold`
//!   if others wait, and else without a limit of time, as before every call.
//! - An upgraded connection is not covered: the answer that announces it has no body.
//! - The turns are of one process. Several replicas need another [`store`], as that of the feature
//!   `redis`. With it, a request has a [`Fence`] in its extensions, and in a field if
//!   [`with_fence_field`](SessionLayer::with_fence_field) names one.
//! - The answer's body goes into a `Box`, and into an `Arc` that the session shares, unless it is at
//!   its end when it comes: two allocations. The turn itself takes none.

mod admit;
mod body;
mod conversation;
mod fence;
mod future;
mod gauges;
mod keep_alive;
mod layer;
mod lost;
mod memory;
mod nested;
pub(crate) mod notice;
mod policy;
mod refusal;
mod registry;
mod service;
mod slot;
pub mod store;
mod waiting;

pub use self::{
    body::ResponseBody,
    conversation::Conversation,
    fence::Fence,
    future::ResponseFuture,
    layer::SessionLayer,
    lost::Lost,
    policy::Policy,
    service::Session,
    store::{EndTurn, Refused},
};

#[cfg(doc)]
use crate::{deadline::Deadline, key::ExtractKey};
