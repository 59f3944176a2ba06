//! Always a valid token, refreshed once for everybody, replaced when it is refused.
//!
//! Each request is sent with a token. It comes from a [`TokenCache`], which has it of a
//! [`TokenProvider`]: [`HttpTokenProvider`] for the article's endpoint and for those of kimi.com,
//! [`StaticToken`] for an API key, or any `async` closure. A [`TokenPool`] has several, of which dead
//! and limited ones rest; [`CallerTokens`] has those that each caller sends, `Bearer T1,T2,T3`.
//!
//! | the token | a request |
//! |---|---|
//! | is good | is sent with it |
//! | is good, and its refresh is due, see [`Freshness::with_ahead`] | is sent with it; the refresh goes on beside it |
//! | is not there, or at its end | waits for the refresh, together with all others |
//! | could not be refreshed, less than a second ago | fails with the error of that refresh, which says when to come again |
//! | is refused: 401, -2002, `auth.token.invalid`, `invalid_authentication_error`, in any dialect, also in a 200 or as the first event of a stream | is sent once more, with another token |
//! | is refused the second time | gets that answer |
//!
//! Refused by generation: whoever is told late that an old token is refused has not the new one
//! refreshed, but is sent with it. What has no other token, or whose body cannot be sent again, gets
//! the refusal as it came, byte for byte; the refresh is then begun for the next.
//!
//! # On the wire
//!
//! ```text
//! authorization: Bearer T1
//! ```
//!
//! It is marked as sensitive. A request that has the field already is left alone, and so is its
//! answer, unless the layer is [`replacing`](TokenLayer::replacing).
//!
//! # Example
//!
//! ```
//! use http::{Request, Response, StatusCode};
//! use http_body_util::Full;
//! use kimi_errors::BoxError;
//! use kimi_tower::{replay::ReplayBody, token::{Freshness, Token, TokenCache, TokenLayer}};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), BoxError> {
//! # let fetches = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
//! // Hands out T1, T2, …; an `HttpTokenProvider` would ask an endpoint.
//! let provider = move || {
//!     // ..
//! #   let number = fetches.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
//!     async move { Token::parse(&format!("T{number}")) }
//! };
//! // Takes T2, and no token any more once it has had enough of it.
//! let upstream = service_fn(async |request: Request<ReplayBody<Full<_>>>| {
//!     let status = match request.headers()["authorization"].as_bytes() {
//!         b"Bearer T2" => StatusCode::OK,
//!         _ => StatusCode::UNAUTHORIZED,
//!     };
//!     Ok::<_, BoxError>(Response::builder().status(status).body(Full::default())?)
//! });
//! // One cache for each account: all services that share it share its token.
//! let cache = TokenCache::new(provider, Freshness::new());
//! let client = ServiceBuilder::new().layer(TokenLayer::new(cache.clone())).service(upstream);
//!
//! let ask = || Request::post("/v1/chat/completions").body(Full::from("你好"));
//! // T1 is refused, T2 fetched, and the request sent again.
//! assert_eq!(client.clone().oneshot(ask()?).await?.status(), StatusCode::OK);
//! assert_eq!(cache.token().await?.generation(), 2);
//!
//! // Whatever follows is refused: the caller is told, and nothing loops.
//! # tokio::time::advance(std::time::Duration::from_secs(1)).await;
//! cache.refuse(2);
//! assert_eq!(client.oneshot(ask()?).await?.status(), StatusCode::UNAUTHORIZED);
//! # Ok(())
//! # }
//! ```
//!
//! # Order
//!
//! Inside of `retry`, so that each attempt has the token of its time; a refused token is no attempt of
//! `retry`'s, which gives up on what is refused twice. Inside of `raise_error`, too, or outside: the
//! errors it makes are understood. Outside of a `rate_limit` that counts attempts.
//!
//! # The look
//!
//! As in `retry`: up to 64 KiB of an error or of a success in JSON, and the first
//! event of a stream, for at most 5 s. What was looked at is handed on as if nobody had.
//!
//! # Concurrency
//!
//! K1. A cache has one refresh under way at most, whoever asks.
//! K2. A refresh is driven by whoever waits for it, and by none in particular: it goes on as long as
//!     any of them is polled. There is no task, and none that a caller could stop.
//! K3. A refusal counts if it is of the current token, and then once. A service that refuses whatever
//!     it is sent has one refresh in a [pause](Freshness::with_pause), 1 s, and not one a request.
//! K4. Who waits for a refresh is given its token or its error, the same for all.
//! K5. No stranger's code runs under a lock: neither the provider nor a waker.
//!
//! # Cancellation
//!
//! Dropping a future leaves the refresh to the others who wait; if there are none, to the next who
//! asks, who goes on from where it was. So a refresh token that comes in place of another is not lost
//! because somebody went. What has failed long ago is asked for once more.
//!
//! # Caveats
//!
//! - Where requests are rare, each may come after the token's end and wait: spawn
//!   [`keep_fresh`](TokenCache::keep_fresh).
//! - A refresh that nobody polls makes no progress; between requests it stands still, and has its 15 s
//!   again when somebody waits for it. One that a client of HTTP has under way goes on in that client's own task.
//! - The client of a provider must not have the layer that is served by it: the refresh would wait for
//!   itself, until its time is over.
//! - One cache for each account, and one process for each refresh token that is good once: two that
//!   refresh with the same invalidate each other's.
//! - While it waits for a token a request waits for at most the 15 s of the refresh, whatever its
//!   own deadline is. `retry`, outside, bounds it.
//! - The status of an answer in gRPC is for its client to read.
//! - A panic of the provider is one of the request that polled it; others are told
//!   [`System`](kimi_errors::ErrorKind::System).
//! - Timers are tokio's; a request whose token is there needs no runtime.

mod answer;
mod body;
mod cache;
mod fetch;
mod flight;
mod freshness;
mod future;
mod http_provider;
mod joined;
mod layer;
#[cfg(all(test, loom))]
mod loom_tests;
mod pause;
mod pool;
mod provider;
mod secret;
mod sent;
mod service;
mod shared;
mod signal;
mod source;
mod state;
mod token_future;

pub use self::{
    body::ResponseBody,
    cache::{CachedToken, TokenCache},
    freshness::Freshness,
    future::ResponseFuture,
    http_provider::{HttpTokenProvider, InMemory, Persist, RefreshToken},
    layer::TokenLayer,
    pool::{CallerTokens, Choice, PoolLease, PoolPolicy, PoolWait, TokenPool},
    provider::{StaticToken, TokenProvider},
    secret::Token,
    service::TokenService,
    source::{Leased, TokenSource},
    token_future::TokenFuture,
};
