//! Limits of requests and tokens in time, for each caller: what they promise holds in every window,
//! they tell the truth about the wait, and they see an answer through to its last byte.
//!
//! A [`Rule`] is a limit with a name and a unit, a [`Plan`] the rules of one sort of caller, which are
//! decided together: all are charged, or none. Each [`Key`](crate::key::Key) has its own state; a key
//! is that of the caller's credential unless told otherwise ([`crate::key`]).
//!
//! | a request that a limit does not admit | [`Admission`] |
//! |---|---|
//! | is refused at once, and told how long to wait | `Reject`, the default |
//! | waits for its turn, first come, first served | `Wait` |
//! | passes, and logs and facts are told, not the answer | `Shadow` |
//!
//! The limits themselves are pure functions: [`engine`]. [`concurrency`] limits how many requests are
//! under way at a time.
//!
//! # On the wire
//!
//! A refusal is [`RateLimited`](kimi_errors::ErrorKind::RateLimited): HTTP 429 or gRPC
//! `RESOURCE_EXHAUSTED`, made of the `Err` by [`catch_error`](crate::catch_error) in its dialect.
//!
//! ```text
//! HTTP/1.1 429 Too Many Requests
//! retry-after: 1
//! retry-after-ms: 600
//! ratelimit-policy: "requests";q=100;w=60, "tokens";q=2000000;w=60;qu="tokens"
//! ratelimit: "requests";r=0;t=1, "tokens";r=1991808;t=1
//! x-ratelimit-limit-requests: 100
//! x-ratelimit-remaining-requests: 0
//! x-ratelimit-reset-requests: 1s
//! …
//! ```
//!
//! | field | of | says |
//! |---|---|---|
//! | `retry-after` | refusals | whole seconds, rounded up, at least 1 (RFC 9110 §10.2.3) |
//! | `retry-after-ms` | refusals | the same in milliseconds, if the wait is no whole seconds |
//! | `ratelimit-policy` | all | each rule: `q` units in `w` seconds, counted in `qu` |
//! | `ratelimit` | all | each rule: `r` units are left, all are back in `t` seconds; of the one that refuses, the wait |
//! | `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` | all | of each unit the rule of which the least part is left, as OpenAI names and writes them |
//!
//! An `Err` of the service, which has been counted too, carries them for the answer that will be made
//! of it. The two `ratelimit` fields are those of draft-ietf-httpapi-ratelimit-headers-10. Its registry knows
//! no unit of tokens, so that `qu="tokens"` is ours. A request that costs more than there can ever be
//! is refused with the advice `Never`, no `retry-after`, and `x-should-retry: false`.
//!
//! # Example
//!
//! ```
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use kimi_errors::{BoxError, ErrorKind};
//! use kimi_tower::rate_limit::{Gcra, Plan, Quota, RateLimitLayer, Rule};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), BoxError> {
//! // Two requests at once, then one every 12 s, for each API key.
//! let requests = Gcra::new(Quota::article()).try_with_burst(2)?;
//! // Made once: what the layer makes shares its state.
//! let layer = RateLimitLayer::new(Rule::requests(requests));
//! let service = ServiceBuilder::new().layer(layer).service(service_fn(
//!     async |_: Request<()>| Ok::<_, BoxError>(Response::new(Full::<bytes::Bytes>::default())),
//! ));
//! let ask = |key: &str| {
//!     let request = Request::post("/v1/chat/completions").header("authorization", key).body(());
//!     let service = service.clone();
//!     async { service.oneshot(request?).await.map_err(BoxError::from) }
//! };
//!
//! let first = ask("Bearer sk-1").await?;
//! assert_eq!(first.headers()["ratelimit"], r#""requests";r=1;t=12"#);
//! ask("Bearer sk-1").await?;
//! let refused = ask("Bearer sk-1").await.unwrap_err();
//! let refused = refused.downcast::<kimi_errors::Error>()?;
//! assert_eq!(refused.kind(), ErrorKind::RateLimited);
//! assert_eq!(refused.retry_after().map(|wait| wait.as_secs()), Some(12));
//! // Another caller has his own.
//! ask("Bearer sk-2").await?;
//! # Ok(())
//! # }
//! ```
//!
//! A client that waits for its turn, and believes its upstream:
//!
//! ```
//! use std::time::Duration;
//! use kimi_tower::key::UpstreamAccount;
//! use kimi_tower::rate_limit::{Admission, Plan, Quota, RateLimitLayer, Rule, SlidingWindow};
//!
//! // The platform's tier 1. A tenth of a second more than its minute, since not every request takes
//! // equally long to get there.
//! let minute = Duration::from_millis(60_100);
//! let requests = Rule::requests(SlidingWindow::try_new(Quota::try_new(100, minute)?)?);
//! let tokens = SlidingWindow::try_with_sub_windows(Quota::try_new(2_000_000, minute)?, 60)?;
//! let layer = RateLimitLayer::new(Plan::new(requests).try_with(Rule::tokens(tokens))?)
//!     .with_key(UpstreamAccount::new())
//!     .with_admission(Admission::Wait { max_wait: Duration::from_secs(120), max_queue: 1_000 })
//!     .with_upstream_hints()
//!     .without_fields();
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Tokens
//!
//! What a request will cost is not known when it is admitted. So much is reserved as
//! [`EstimateTokens`] says, and corrected when the answer's body is over:
//!
//! | the answer | charged |
//! |---|---|
//! | says what was used, in its JSON or an event of its stream | that: the rest is given back, or more is charged on top |
//! | is a refusal: an `Err`, 4xx, 5xx, a status of gRPC in its head, or one of ours by its extensions | no tokens |
//! | is lost: 502, 504, a time-out, a connection that broke | what was reserved |
//! | does not say, or is cut before it does | what was reserved |
//!
//! A stream may begin with counts of its beginning, as those of Anthropic's form do. Where it is cut,
//! only a total that it states itself is believed.
//!
//! With the default, [`ChatTokens::upper_bound`], and a [`SlidingWindow`], no more is used in any window
//! than the limit; a [`Gcra`] may be given back what has come back by itself. With
//! [`ChatTokens::typical`] more may be used for a while: what is used beyond what was there is owed,
//! and nothing is admitted before it has come back, at most a whole quota.
//!
//! What was reserved counts from when the request was admitted, as the platform counts it, and so does
//! what is given back; what is charged on top counts from when it is known.
//!
//! # Upstream
//!
//! [`RateLimitLayer::with_upstream_hints`] is for clients. A 429 with a wait, in its head or its text,
//! lets nothing of that key go before; who waits then goes in order as the limit allows. An answer
//! that says how many requests or tokens are left lowers ours to that; a 429, if it does not say how
//! long to wait. An hour at most is believed. A wait that only the text says is known when the body
//! has been read.
//!
//! # Order
//!
//! Server: a limit of requests stands outside of [`validate`](crate::validate), since to count costs
//! less than to read; one of tokens inside, since `validate` leaves the
//! `ChatRequest` that it estimates by. Client: inside of [`retry`](crate::retry), since each attempt
//! counts, next to the transport. Concurrency stands outside of a limit of tokens, so that who waits
//! for his turn has been charged none. Where an upstream refuses within a 200, as kimi-free-api does,
//! [`raise_error`](crate::raise_error) stands inside, which makes an `Err` of it.
//!
//! # Concurrency
//!
//! L1. No readiness of the inner service is held by a request that waits, or was refused: the
//!     instance that was polled ready is dropped, and a clone is polled when the wait is over.
//! L2. No wake-up is lost: a turn that comes before the future is first polled is there when it is.
//! L3. What is decided at once calls the instance that was ready, and no service is cloned; nothing is
//!     boxed if nothing is to be done with the answer, as without fields, tokens and hints.
//! L4. A limit is one limit: the state is the layer's, and all that it and its clones make share it.
//!
//! The store has its own: [`store`].
//!
//! # Cancellation
//!
//! Dropping the future of one who waits gives his place to the next. What was charged for a request
//! that is not sent is given back; one that was sent has been counted. Dropping a body corrects the
//! charge by what was read of it.
//!
//! # Caveats
//!
//! - Many machines have as many limits, each of its own, unless they share a
//!   [store](store::RateStore).
//! - A key is what was sent, not what was verified: guessing is to be limited by address, outside.
//! - Requests that the service answers with an error have been counted; only tokens are given back.
//! - The `ratelimit` fields that the inner service has written are kept, since they are lists; the
//!   `x-ratelimit` fields are replaced, but not those of an `Err`, which say why it is one. A gateway
//!   takes out its upstream's first.
//! - A request that waits stays in memory with what came of its body; `max_queue` bounds one caller's.

mod admission;
mod answer;
mod body;
pub mod concurrency;
mod costs;
pub mod engine;
mod estimate;
mod fields;
mod future;
mod layer;
mod limiter;
mod line;
mod plan;
mod refusal;
mod rule;
mod service;
pub mod store;
mod upstream;

#[doc(no_inline)]
pub use self::engine::{
    Charge, Decision, Gcra, GcraCell, Level, Limit, Moment, Quota, QuotaError, SlidingWindow,
    Together, decide_together,
};
pub use self::{
    admission::Admission,
    body::ResponseBody,
    costs::{Costs, Levels},
    estimate::{ChatTokens, EstimateTokens},
    future::ResponseFuture,
    layer::RateLimitLayer,
    plan::{MAX_RULES, Plan, PlanError, Plans},
    rule::{Rule, Unit},
    service::RateLimit,
};
