//! Tries requests again when it helps: never too early, never twice in effect, never as a storm.
//!
//! What an answer means is for [`decode`] to say, and what to do about it for [`RetryAdvice`]; the
//! layer obeys.
//!
//! | an attempt | what the service has done | tried again |
//! |---|---|---|
//! | could not be sent: [`is_never_sent`], or the service was not ready | nothing | yes |
//! | is answered by an error whose advice is `Backoff` or `AfterStream`, in any dialect, also in a 200 or as the first event of a stream | nothing: [`Refused`](Safety::Refused) | yes, after the backoff and not before the server's time |
//! | is answered by an event stream that is over before any content | nothing | yes |
//! | is answered by an error whose advice is `Never`, `AfterRefresh`, or `AfterReset` at a far or unknown time | nothing | no |
//! | is answered by a 502 or 504, or anything else that stands for `BadGateway` or `Timeout`, be it an event | [`Unknown`](Safety::Unknown) | if it is safe |
//! | fails after it was sent, or takes too long | unknown | if it is safe |
//! | is answered by a JSON success that breaks under the look | unknown | if it is safe |
//! | is answered by anything else: a success, 1xx, 3xx, gRPC | | no |
//!
//! An error means the same wherever it stands. Who answers for somebody behind it, and says that it
//! lost that one or waited in vain, does not know what was done there, and no more so in an event,
//! which is how it says so if its own head was out by then: tried again as if refused, a chat would
//! be paid for twice. An error that the upstream has about itself is a refusal in an event, too.
//!
//! It is safe if the method is idempotent (RFC 9110 §9.2.2), if the request has an idempotency key
//! that the upstream honors ([`with_idempotency_key`](RetryPolicy::with_idempotency_key)), or if the
//! policy says so ([`with_unknown_outcomes`](RetryPolicy::with_unknown_outcomes)). A chat is a POST,
//! and so it is not.
//!
//! [`RetryPolicy`] has the numbers; [`article`](RetryPolicy::article) is the article's own, and
//! [`with_rule`](RetryPolicy::with_rule) takes one's own rules.
//!
//! # On the wire
//!
//! | field | of | |
//! |---|---|---|
//! | `x-retry-count: 1` | a retry | 2 on the second |
//! | `idempotency-key: 4f0c…` | every attempt, if asked for | 32 hexadecimal digits, the same for all attempts; the caller's own stays |
//! | `x-should-retry: false` | an answer that would have been tried again, but that its retries, or all requests' together, are used up | so that gateways in a row do not multiply their attempts; an error is given the advice `Never` |
//!
//! Everything else of a request and of the answer that the caller gets is as it was, byte for byte.
//!
//! # Example
//!
//! ```
//! use http::{Request, Response, StatusCode};
//! use http_body_util::{BodyExt, Full};
//! use kimi_errors::BoxError;
//! use kimi_tower::{facts::Facts, replay::ReplayBody, retry::{RetryLayer, RetryPolicy, Stop}};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), BoxError> {
//! // Overloaded, then it says what it was sent. A question about money it always refuses.
//! let upstream = service_fn(async |request: Request<ReplayBody<Full<_>>>| {
//!     let is_first = !request.headers().contains_key("x-retry-count");
//!     let asked = request.into_body().collect().await?.to_bytes();
//!     let (status, body) = match &*asked {
//!         b"money" => (429, r#"{"error":{"type":"exceeded_current_quota_error","message":"…"}}"#.into()),
//!         _ if is_first => (429, r#"{"error":{"type":"engine_overloaded_error","message":"…"}}"#.into()),
//!         _ => (200, asked),
//!     };
//!     Ok::<_, BoxError>(Response::builder().status(status).body(Full::from(body))?)
//! });
//! // One layer for each upstream: it has the budget.
//! let layer = RetryLayer::new(RetryPolicy::standard());
//! let client = ServiceBuilder::new().layer(layer).service(upstream);
//!
//! let facts = Facts::new();
//! let request = Request::post("/v1/chat/completions").extension(facts.clone());
//! let answer = client.clone().oneshot(request.body(Full::from("你好"))?).await?;
//! assert_eq!(answer.into_body().collect().await?.to_bytes(), "你好");
//! assert_eq!(facts.attempts(), Some(2));
//!
//! let facts = Facts::new();
//! let request = Request::post("/v1/chat/completions").extension(facts.clone());
//! let answer = client.oneshot(request.body(Full::from("money"))?).await?;
//! assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
//! assert_eq!((facts.attempts(), facts.retry_stop()), (Some(1), Some(Stop::Hopeless)));
//! # Ok(())
//! # }
//! ```
//!
//! # When
//!
//! A wait has two parts: what the server asked for, of which no time is taken off, and a random
//! time on top, of up to 0.5 s after a fault and 1 s after a throttle, doubled with every retry
//! ([`Backoff`]). A server that asks for more than 60 s is not waited for: the caller gets its answer
//! at once, and so it does if the deadline would come first.
//!
//! After a throttle that names a time, whoever else asks the same authority with the same credential
//! waits until then: their first attempts too, at most 1 024 of them, which are then let go over a
//! quarter of that time. If one of them is told to wait again, so do those that are still to go. The
//! next, and whoever would wait until the deadline, are refused with
//! [`RateLimited`](kimi_errors::ErrorKind::RateLimited) and the time that is left.
//!
//! # The look
//!
//! Of an error, and of a success in JSON, up to 64 KiB ([`DECODE_LIMIT`]) are looked at; of an event
//! stream the events up to the first with content, at most 16. Comments and the chunk that only
//! names the role are no content. A look that has to wait ends after 5 s
//! ([`with_look_timeout`](RetryPolicy::with_look_timeout)), or at once if that of a `raise_error`
//! inside has ended so, and what came by then decides. What was looked at is handed on as if nobody
//! had. After that nothing is tried again.
//!
//! # Order
//!
//! Outside of what every attempt needs anew: a token, a place in a rate limit. Inside of `session`,
//! so that a turn is kept between attempts, and of [`raise_error`](crate::raise_error), which makes
//! errors of what is handed on, and sees the truncations that come after the look.
//!
//! # Concurrency
//!
//! T1. No attempt begins before the time that the server named in its answer to the one before.
//! T2. Retries that have begun are never more than the budget had at first and the deposits of
//!     successes since.
//! T3. An attempt that was paid for and does not begin is given back to the budget.
//! T4. An attempt begins only in an instance that was polled ready, and never while the body of an
//!     answer before is still held.
//! T5. One caller never waits for what another was told. A caller is the authority asked, and the
//!     credential as it is in the request: `authorization`, `x-api-key`, `api-key`, `cookie`.
//!
//! # Cancellation
//!
//! Dropping the future drops the attempt that is under way, or ends the wait: what the retry was to
//! cost is given back, and the place among the waiting is free. Dropping the answer's body drops the
//! inner one. The readiness of the inner service is never held while waiting.
//!
//! # Caveats
//!
//! - Make one layer for each upstream, outside of what runs once a connection or route: budget and
//!   cool-downs are the layer's.
//! - Between attempts the answer is kept, so that the caller can still have it. If its body is not
//!   over, it keeps its connection; then it is handed on rather than waiting for a service that is
//!   not ready, which may be waiting for just that connection.
//! - The budget is shared by all that the layer serves: one tenant's failures can use up what
//!   another's retries would need, though never an attempt.
//! - A client that follows redirections reports the failure of the last hop only: tell it not to
//!   (`redirect::Policy::none()` of reqwest), or a second hop that refuses connections passes for a
//!   request that was never sent.
//! - An [`Error`](kimi_errors::Error) of the inner service without a source, of a kind by which our
//!   layers refuse (`RateLimited`, `ConcurrencyLimited`, `StreamBusy`, `Overloaded`, `Unavailable`),
//!   passes for a request that was not sent: whoever makes one of a failed exchange gives it a source.
//! - An upstream is taken at its word: one that acts and then answers 500, or an error that is no
//!   `BadGateway` or `Timeout`, is asked again. A stream that breaks within its first event with content
//!   is over before any content, though the model had begun to speak.
//! - A success in JSON that is cut by a clean end, where the transport does not notice, passes as it
//!   came: `raise_error`, outside, finds that out.
//! - To know a failed connection from a lost answer takes the features `hyper` and `hyper-util`.
//! - A body of which more than 2 MiB was read cannot be sent again, see [`replay`](crate::replay).
//! - Timers are tokio's; a request that waits for nothing needs no runtime.
//! - Extensions of a request are cloned for its next attempts, and so is a credential in its head.

mod answer;
mod attempts;
mod backoff;
mod body;
mod budget;
mod clock;
mod cool_down;
mod failure;
mod future;
mod layer;
mod looking;
#[cfg(all(test, loom))]
mod loom_tests;
mod pause;
mod policy;
mod service;
mod shared;
mod stop;

pub use self::{
    backoff::Backoff,
    body::ResponseBody,
    budget::RetryBudget,
    failure::{Decision, Failure, Safety},
    future::ResponseFuture,
    layer::RetryLayer,
    policy::RetryPolicy,
    service::Retry,
    stop::Stop,
};

use http::HeaderName;
#[cfg(doc)]
use kimi_errors::{DECODE_LIMIT, RetryAdvice, chain::is_never_sent, decode};

/// `1` on the first retry of a request, `2` on the second.
const RETRY_COUNT: HeaderName = HeaderName::from_static("x-retry-count");

/// `false` where another try, by whoever stands outside, would not help: what the OpenAI SDKs ask.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
