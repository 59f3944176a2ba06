//! A Kimi upstream in the process: a tower service that answers what a [`script`](crate::script)
//! says, and a plausible success where it says nothing.
//!
//! | route | answer |
//! |---|---|
//! | `POST /v1/chat/completions`, `POST /api/chat` | the chat, as JSON or, with `"stream": true`, as events |
//! | `GET /v1/models` | the models |
//! | `POST /api/token` | `{"errcode":0,"data":{"token":"mock-token-1"}}` |
//! | `POST /token/check` with `{"token":"…"}` | `{"live":true}` |
//! | `GET /ping` | `pong` |
//! | `HEAD` in place of any `GET` | the same without its body |
//!
//! # Example
//!
//! ```
//! use http::{Request, StatusCode};
//! use http_body_util::{BodyExt as _, Full};
//! use kimi_testkit::{mock::Mock, script::Step};
//! use tower::ServiceExt as _;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mock = Mock::platform();
//! mock.push(Step::fault("plat.overloaded"))?;
//!
//! let ask = || {
//!     Request::post("/v1/chat/completions")
//!         .header("authorization", "Bearer sk-test")
//!         .body(Full::from(r#"{"model":"kimi-k3","messages":[{"role":"user","content":"Hello"}]}"#))
//! };
//! let refused = mock.clone().oneshot(ask()?).await?;
//! assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
//! assert_eq!(refused.headers()["retry-after"], "1");
//!
//! let answered = mock.clone().oneshot(ask()?).await?;
//! let body = answered.into_body().collect().await?.to_bytes();
//! assert!(String::from_utf8(body.to_vec())?.contains("你说：Hello"));
//! assert_eq!(mock.requests().len(), 2);
//! # Ok(())
//! # }
//! ```
//!
//! # What it does by itself
//!
//! - No `Authorization: Bearer …`: [`InvalidCredentials`](kimi_errors::ErrorKind), 401, on the
//!   chat and models routes. Any token passes but [`EXPIRED_TOKEN`] and tokens of `/api/token`
//!   past their lifetime: -2002, 401.
//! - A chat request whose conversation is already being answered: -2005, 429. The conversation is
//!   `conversation_id` of the body or the head field `x-conversation-id`, and it is free again
//!   when the answer's body has ended or was dropped.
//! - No such route: -1002, 404. Wrong method: -1002, 405 with `Allow`. A body that is not a JSON
//!   object, no `messages`, a `stream` that is no boolean: -1001, 400. A body over 100 MiB: 413.
//!
//! These errors are written in the mock's [`Dialect`](kimi_errors::Dialect).
//!
//! # One request only
//!
//! The head field `x-mock-step` holds a [`Step`](crate::script::Step) as JSON, `x-mock-fault` the
//! id of a fault. They come before the script and use up none of it. So anyone with curl or an
//! SDK can ask for any error, also through a gateway that forwards fields it does not know.
//!
//! # Order
//!
//! A `fault`, `kind` or `raw` is answered without a look at the token, the conversation or the
//! body. With any other step those checks come first, and the step disturbs whatever answer they
//! lead to.
//! The answer is chosen when the request has arrived; `delay_head_ms` then holds it back.
//!
//! # Cancellation
//!
//! Dropping the future or the body ends the request: its conversation is free, the counts go down.
//!
//! # In the process and on the wire
//!
//! | disturbance | in the process | [`MockServer`](crate::server), HTTP/1 | HTTP/2 |
//! |---|---|---|---|
//! | `cut_at` | the body ends | FIN; a chunked or sized body lacks its end | END_STREAM |
//! | `reset_at` | the body fails with `ConnectionReset` | RST | RST_STREAM |
//! | `content_length` too long | the head claims it | FIN after the real bytes | END_STREAM too early |
//! | `content_length` too short | the head claims it | all bytes are sent, then FIN | all bytes are sent |
//!
//! A unary body that is cut or reset says its full length in the head.

mod answer;
mod body;
mod chat;
mod exchange;
mod presence;
mod recorded;
mod reply;
mod route;
mod service;
mod state;
mod style;
mod tokens;
mod wire;

pub(crate) use self::wire::{Ending, Wire};
pub use self::{
    body::MockBody,
    recorded::Recorded,
    service::{Mock, ResponseFuture},
    tokens::EXPIRED_TOKEN,
};
