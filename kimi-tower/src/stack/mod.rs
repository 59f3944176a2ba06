//! All layers in their order, each of which may be set, replaced or left out.
//!
//! | [`server`], outermost first | at first | why there |
//! |---|---|---|
//! | `catch_error` | on | what it does not enclose it cannot answer |
//! | `request_log` | on, events of `tracing` | encloses every refusal, so that each request has its record |
//! | `requests`, a `rate_limit` | off | to count a request costs less than to read it |
//! | `validate` | on, the platform's rules | refuses before anything else is taken for the request |
//! | `session` | on, a queue for each conversation | only what will be served takes a turn; the body says whose |
//! | `concurrency` | off | who waits for a turn takes no place |
//! | `tokens`, a `rate_limit` | off | last, when nothing else can refuse: it estimates by what was read |
//!
//! | [`client`], outermost first | at first | why there |
//! |---|---|---|
//! | `request_log` | on, events of `tracing` | one record of a call, however many attempts it takes |
//! | `raise_error` | on | outside of it an answer that is an error is one |
//! | `session` | off | the turn is kept between attempts |
//! | `retry` | on, [`RetryPolicy::standard`](crate::retry::RetryPolicy::standard) | each attempt passes all that stands within |
//! | `token` | off | each attempt has the token of its time |
//! | `limits`, a `rate_limit` | off | close to the transport: it counts what is sent |
//!
//! What is off has no number that would be right for everybody. A part is any layer: of a type of
//! yours as well, and [`Identity`] for none.
//!
//! # A server
//!
//! ```
//! use axum::{Json, Router, routing::post};
//! use kimi_tower::{rate_limit::{Gcra, Plan, Quota, RateLimitLayer, Rule}, stack};
//! use serde_json::{Value, json};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let minute = Plan::new(Rule::requests(Gcra::new(Quota::try_per_minute(500)?)));
//! let layers = stack::server().with_requests(RateLimitLayer::new(minute));
//!
//! async fn chat(Json(request): Json<Value>) -> Json<Value> {
//!     Json(json!({ "model": request["model"], "choices": [] }))
//! }
//! let app: Router = Router::new().route("/v1/chat/completions", post(chat)).layer(layers);
//! # Ok(())
//! # }
//! ```
//!
//! # A client
//!
//! ```
//! # use http::{Request, Response};
//! # use http_body_util::Full;
//! # use kimi_errors::BoxError;
//! # use kimi_tower::replay::ReplayBody;
//! # use tower::service_fn;
//! use kimi_tower::{stack, token::{StaticToken, Token, TokenCache, TokenLayer}};
//! use tower::{Layer, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), BoxError> {
//! # let transport = service_fn(async |request: Request<ReplayBody<ReplayBody<Full<bytes::Bytes>>>>| {
//! #     assert_eq!(request.headers()["authorization"], "Bearer sk-1");
//! #     Ok::<_, BoxError>(Response::new(Full::<bytes::Bytes>::from("{}")))
//! # });
//! let key = TokenCache::new(StaticToken::new(Token::parse("sk-1")?), Default::default());
//! let client = stack::client().with_token(TokenLayer::new(key)).layer(transport);
//! let request = Request::post("https://api.moonshot.cn/v1/chat/completions").body(Full::from("{}"))?;
//! let answer = client.oneshot(request).await?;
//! # assert_eq!(answer.status(), 200);
//! # Ok(())
//! # }
//! ```
//!
//! # One by one
//!
//! [`KimiServiceBuilder`] adds to tower's `ServiceBuilder` a method for each layer, for orders of
//! one's own.
//!
//! # Concurrency
//!
//! A stack is a value, and each of its parts a layer whose state is made with it: clone the stack, or
//! the services that it makes, and all share limits, turns and budgets. Make one for each upstream.
//!
//! # Caveats
//!
//! - Without `catch_error` a server's service fails with [`Error`](kimi_errors::Error), which axum
//!   and hyper do not take.
//! - Without `validate` no request is known to be a chat: `session` then knows conversations by a
//!   field of the head alone, and tokens cannot be estimated.
//! - `session` and `tokens` go by API key, as [`key`](crate::key) reads it: put what authenticates
//!   callers outside.

mod builder;
mod client;
mod lang;
mod server;

pub use tower_layer::Identity;

pub use self::{
    builder::KimiServiceBuilder,
    client::{ClientStack, client},
    lang::SetLang,
    server::{ServerStack, server},
};
