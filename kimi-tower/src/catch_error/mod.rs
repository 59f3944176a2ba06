//! Answers what fails inside, in one wire form, so that nothing fails outside.
//!
//! The only layer that makes responses out of errors: the others fail with a
//! [`kimi_errors::Error`], and this one knows the [`Dialect`] to write it in.
//!
//! | what happens inside | what the caller reads |
//! |---|---|
//! | the service, or its readiness, fails with an [`Error`], or one stands in the source chain | that error |
//! | it fails with anything else, or panics, in `call` or in the future | -1000, 500, 「系统异常，请稍后重试」 and nothing from inside |
//! | it answers a 4xx or 5xx that holds an [`Error`] in its extensions | that error, written anew in this dialect; other head fields stay, as with foreign answers |
//! | it answers a 4xx or 5xx of a stranger | see [foreign answers](#foreign-answers) |
//! | the body fails or panics | see [after the head](#after-the-head) |
//!
//! Every error answer holds its [`Error`] in its extensions, for whoever logs it. One with status
//! 200 says `Cache-Control: no-store`, unless the error brings that field itself.
//!
//! A HEAD request that fails is answered with the head that GET would get, its `Content-Length`
//! too, and no body.
//!
//! A gRPC request (HTTP/2 or later, `content-type: application/grpc`) is answered in trailers
//! only, whatever the dialect.
//!
//! # Example
//!
//! ```
//! use std::convert::Infallible;
//!
//! use http::{Request, Response, StatusCode};
//! use http_body_util::{BodyExt, Full};
//! use kimi_errors::{Error, ErrorKind};
//! use kimi_tower::catch_error::CatchErrorLayer;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let service = ServiceBuilder::new().layer(CatchErrorLayer::new()).service(service_fn(
//!     async |request: Request<&str>| match request.into_body() {
//!         "hello" => Ok(Response::new(Full::from("你好"))),
//!         _ => Err(Error::new(ErrorKind::StreamBusy)),
//!     },
//! ));
//!
//! let answer = service.clone().oneshot(Request::new("hello")).await?;
//! assert_eq!(answer.into_body().collect().await?.to_bytes(), "你好");
//!
//! let refusal = service.oneshot(Request::new("again")).await?;
//! assert_eq!(refusal.status(), StatusCode::TOO_MANY_REQUESTS);
//! assert_eq!(
//!     refusal.into_body().collect().await?.to_bytes(),
//!     r#"{"errcode":-2005,"errmsg":"已有对话流正在输出","data":null}"#,
//! );
//! # Ok(())
//! # }
//! ```
//!
//! # Order
//!
//! Outermost of all that may fail: what is outside of it is not caught. Two that do not fail
//! belong outside:
//!
//! - CORS. A failure passes a CORS layer inside as an error, not as an answer, and gets none of
//!   its fields: browsers then hide the answer from the page.
//! - Compression. No event can be added to a stream that is already encoded, so that such a one
//!   can only break. Errors are whole in either place.
//!
//! Around a whole axum router, [`ResponseBody`] is not the body that `axum::serve` asks for: put
//! `.map_response(IntoResponse::into_response)` outside of this layer.
//!
//! # Foreign answers
//!
//! A 4xx or 5xx whose content type is not JSON, `text/event-stream` or gRPC was made by somebody
//! who does not know our wire form: a router, an extractor, a proxy. Its body is dropped unread
//! and the error that its status stands for is answered in its place; 404 and 405 are -1002. The
//! status stays (in [`Dialect::FreeApi`] it is 200, as always there), and so do all head fields but
//! those that describe the old body: `Allow`, `Retry-After`, `WWW-Authenticate`, cookies, CORS.
//! If the status does not stay, `Location` and what lets caches keep the answer go too.
//! [`CatchErrorLayer::without_normalization`] turns this off.
//!
//! # After the head
//!
//! A body that fails does not end cleanly, which a client would take for the end of the answer.
//!
//! | answer | what the caller reads |
//! |---|---|
//! | `text/event-stream` | one more event, [`Dialect::sse_frame`], then the end |
//! | to a gRPC request | trailers with the status, then the end |
//! | any other, also an event stream with `Content-Length` or `Content-Encoding` | a broken connection or reset stream: the body fails with the [`Error`] |
//!
//! For the added event to be read it must stand between two others. So the start of an event is
//! kept back until its end has come, as slices of the chunks it came in, and is dropped if the
//! stream fails first. Chunks that end where an event does, as nearly all do, pass untouched. An
//! event of more than 64 KiB is let go; if the stream then fails, a blank line closes it first.
//!
//! # Concurrency
//!
//! Clones share nothing. A failure of `poll_ready` belongs to the instance: its next call is
//! answered with it, without calling the inner service, and `poll_ready` asks that anew after.
//!
//! # Cancellation
//!
//! Dropping the future or the body drops the inner one, at once.
//!
//! # Caveats
//!
//! - What the server refuses by itself, such as a malformed request, a target or a head too long
//!   (hyper's 400, 414 and 431), reaches no layer and is answered in the server's own way.
//! - Compiled with `panic = "abort"`, a panic ends the process before anyone can answer.
//! - The panic hook runs as ever, and the default one prints the panic's message. This module
//!   writes neither that nor the text of an unknown error, to the caller or to the log: it logs
//!   where it was caught, and for an error the name of its type.
//! - An event stream announces no length, even where the inner body knows it, since an error can
//!   make it shorter or longer.
//! - Nothing is allocated as long as nothing fails, but for the list of held-back slices in a
//!   stream whose chunks do not end where events do.

mod answer;
mod body;
mod fence;
mod foreign;
mod future;
mod layer;
mod service;

pub use self::{
    body::ResponseBody, future::ResponseFuture, layer::CatchErrorLayer, service::CatchError,
};

#[cfg(doc)]
use kimi_errors::{Dialect, Error};
