//! Tower layers for services that serve or call the Kimi chat API.
//!
//! Not a client and not a server: bring axum, hyper, tonic or reqwest, and add layers.
//!
//! ```text
//! server                                   client
//!
//!   request      answer                      request      answer
//!      │            ▲                           │            ▲
//!      ▼            │                           ▼            │
//! ┌────────────────────────┐               ┌────────────────────────┐
//! │ catch_error         ✓  │               │ request_log         ✓  │ the call
//! │ request_log         ✓  │               │ raise_error         ✓  │
//! │ rate_limit          ✓  │ requests      │ session             ✓  │
//! │ validate            ✓  │               │ retry               ✓  │
//! │ session             ✓  │               │   ┌──── per attempt ───┤
//! │ rate_limit          ✓  │ tokens        │   │ token           ✓  │
//! ├────────────────────────┤               │   │ rate_limit      ✓  │
//! │ your handler           │               ├───┴────────────────────┤
//! └────────────────────────┘               │ your transport         │
//!                                          └────────────────────────┘
//! ```
//!
//! ✓ stands for what there is today: [`catch_error`], [`request_log`], [`rate_limit`], [`validate`],
//! [`session`], [`raise_error`], [`retry`] and [`token`]. [`facts`] is what they tell each other. [`key`]
//! says which caller a request belongs to, [`deadline`] by when it is to be answered. [`replay`] has
//! the request bodies that whoever retries needs.
//!
//! Why this order: `catch_error` is outermost, since what it does not enclose it cannot answer.
//! `request_log` encloses every refusal, so that each request has its record. Counting requests
//! costs less than reading them, so that limit comes before `validate`; a session is taken
//! only for a request that will be served; tokens are reserved last, when nothing else can refuse.
//! On the client's side `session` encloses `retry`, so that the turn is kept between attempts, and
//! each attempt gets its token and its place in the limits anew.
//!
#![cfg_attr(feature = "catch-error", doc = "```")]
#![cfg_attr(not(feature = "catch-error"), doc = "```ignore")]
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full};
//! use kimi_errors::{Dialect, Error, ErrorKind};
//! use kimi_tower::catch_error::CatchErrorLayer;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let service = ServiceBuilder::new()
//!     .layer(CatchErrorLayer::new().with_dialect(Dialect::FreeApi))
//!     .service(service_fn(async |_: Request<String>| {
//!         Err::<Response<Full<_>>, _>(Error::new(ErrorKind::TokenExpired))
//!     }));
//!
//! let answer = service.oneshot(Request::new(String::new())).await?;
//! assert_eq!(answer.status(), 200);
//! assert_eq!(
//!     answer.into_body().collect().await?.to_bytes(),
//!     r#"{"code":-2002,"message":"Token已失效","data":null}"#,
//! );
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! None is on by default.
//!
//! | feature | what it adds |
//! |---|---|
//! | `catch-error` | [`catch_error`] |
//! | `validate` | [`validate`], [`facts`]; with it `kimi-validate` |
//! | `file-url` | `validate` holds the URLs of files to a policy |
//! | `probe` | `validate` asks the servers of files for size and type |
//! | `retry` | [`retry`], [`replay`], [`facts`] |
//! | `hyper` | `catch_error` and `validate` tell the errors of `http-body-util`, `hyper` and `h2` apart |
//! | `hyper-util` | a failed connection of `hyper-util`'s client, and so of `reqwest`, is told from a lost answer, which `retry` asks |
//! | `tower` | `catch_error` tells the errors of `tower`'s time-out and load-shed layers apart |
//! | `raise-error` | [`raise_error`] |
//! | `request-log` | [`request_log`], [`facts`] |
//! | `metrics` | `request_log` counts and measures, too, through the facade of the crate `metrics` |
//! | `rate-limit` | [`rate_limit`], [`key`], [`deadline`], [`facts`] |
//! | `redis` | [`redis`]: limits and turns of many machines |
//! | `redis-tls` | `redis` speaks TLS |
//! | `replay` | [`replay`] |
//! | `session` | [`session`], [`key`], [`deadline`], [`facts`] |
//! | `token` | [`token`], [`replay`] |
//! | `stack` | [`stack`], and with it all layers |
//! | `full` | all of them, but for `redis-tls` |
//!
//! # Minimum Rust version
//!
//! 1.88.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(
    feature = "catch-error",
    feature = "raise-error",
    feature = "rate-limit",
    feature = "request-log",
    feature = "retry",
    feature = "session",
    feature = "token",
    feature = "validate"
))]
#[macro_use]
mod macros;

#[cfg(any(
    feature = "catch-error",
    feature = "raise-error",
    feature = "rate-limit",
    feature = "request-log",
    feature = "retry",
    feature = "token"
))]
mod body;
#[cfg(feature = "catch-error")]
pub mod catch_error;
#[cfg(feature = "request-log")]
mod clock;
#[cfg(any(feature = "rate-limit", feature = "session"))]
pub mod deadline;
#[cfg(any(
    feature = "rate-limit",
    feature = "request-log",
    feature = "retry",
    feature = "session",
    feature = "validate"
))]
pub mod facts;
#[cfg(any(feature = "rate-limit", feature = "redis", feature = "session"))]
pub mod key;
#[cfg(any(
    feature = "catch-error",
    feature = "raise-error",
    feature = "rate-limit",
    feature = "request-log",
    feature = "retry",
    feature = "session",
    feature = "token",
    feature = "validate"
))]
mod media;
#[cfg(feature = "raise-error")]
pub mod raise_error;
#[cfg(any(
    feature = "retry",
    feature = "token",
    all(feature = "redis", any(feature = "rate-limit", feature = "session"))
))]
mod random;
#[cfg(feature = "rate-limit")]
pub mod rate_limit;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "replay")]
pub mod replay;
#[cfg(feature = "request-log")]
pub mod request_log;
#[cfg(feature = "retry")]
pub mod retry;
#[cfg(feature = "session")]
pub mod session;
#[cfg(feature = "stack")]
pub mod stack;
#[cfg(any(
    feature = "rate-limit",
    feature = "replay",
    feature = "request-log",
    feature = "session"
))]
mod sync;
#[cfg(feature = "token")]
pub mod token;
#[cfg(feature = "validate")]
pub mod validate;
