//! Refuses chat requests that are not well formed, before any work is done.
//!
//! Reads the body of each request [selected](Select), by default `POST` to a path that ends in
//! `/chat/completions`, and holds it to the rules of a [`Profile`].
//!
//! | request | what becomes of it |
//! |---|---|
//! | not selected | passes untouched and unread |
//! | its content type is not JSON, or it is compressed | `UnsupportedMediaType`, -1001 with 415, unread |
//! | it announces more than [`Profile::max_body_bytes`] | `PayloadTooLarge`, -1001 with 413, unread |
//! | it has more than it may | the same, at the first byte too many |
//! | it breaks a rule | `Validation`, -1001 with 400, and all that is wrong with it |
//! | a file that it names may not be fetched, [if that is asked](#files) | `FileUrlInvalid`, -2003 with 400, or `FileTooLarge`, -2004 with 413, and all such files |
//! | its framing is wrong | `Validation`, -1001 with 400 |
//! | it ends before it should, or its client goes away | `Cancelled`, -2000 with 499 |
//! | it is well formed | passes, head and bytes and trailers as they came |
//!
//! A request that passes has its [`ChatRequest`] in its extensions, and its [`Facts`] told, if
//! someone outside put any there. A refusal reaches no one inside. With
//! [`catch_error`](crate#features) around it, to `{"model":"kimi","messages":[{"role":"robot"}]}` is
//! answered:
//!
//! ```text
//! HTTP/1.1 400 Bad Request
//! content-type: application/json
//!
//! {"errcode":-1001,"errmsg":"请求参数校验错误：消息0的内容(content)必须是非空字符串（/messages/0/content），另有1处错误","data":{"limit":32,"truncated":0,"violations":[{"message":"消息0的内容(content)必须是非空字符串","pointer":"/messages/0/content","rule":"required","type":null},{"message":"消息0的角色(role)必须是user、assistant或system","pointer":"/messages/0/role","rule":"one_of","type":"string"}]}}
//! ```
//!
//! # Files
//!
//! A request may name files: in parts of its messages, and in a `file_url` of its own. With feature
//! `file-url`, `ValidateLayer::with_file_urls` holds their URLs to a `UrlPolicy`; nothing is fetched.
//! With feature `probe`, `ValidateLayer::with_file_probe` asks their servers as well, each URL once, 4
//! at once and for 30 s in all, and the request waits for it. A request may name 64 such files; of all
//! requests together 64 files are asked about at once, and the others wait. The pointer in the answer leads to the URL. See
//! [`kimi_validate`] for what that protects from, and what not.
//!
//! # Example
//!
//! ```
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full};
//! use kimi_errors::{BoxError, Error};
//! use kimi_tower::validate::{RequestBody, ValidateLayer};
//! use kimi_validate::{ChatRequest, Profile};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let service = ServiceBuilder::new().layer(ValidateLayer::new(Profile::article())).service(
//!     service_fn(async |request: Request<RequestBody<Full<_>>>| {
//!         let chat: Option<&ChatRequest> = request.extensions().get();
//!         assert_eq!(chat.and_then(ChatRequest::model).as_deref(), Some("kimi"));
//!         // The same bytes, for whoever reads them again.
//!         Ok::<_, BoxError>(Response::new(request.into_body().collect().await?.to_bytes()))
//!     }),
//! );
//! let ask = |body: &'static str| {
//!     Request::post("/v1/chat/completions")
//!         .header("content-type", "application/json")
//!         .body(Full::<bytes::Bytes>::from(body))
//! };
//!
//! let good = r#"{"model":"kimi","messages":[{"role":"user","content":"你好"}]}"#;
//! assert_eq!(service.clone().oneshot(ask(good)?).await?.into_body(), good);
//!
//! let bad = r#"{"model":"kimi","messages":[{"role":"robot","content":" "}]}"#;
//! let refusal: Error = service.oneshot(ask(bad)?).await.unwrap_err();
//! assert_eq!((refusal.errcode(), refusal.status()), (-1001, 400));
//! let data = refusal.data().ok_or("no data")?;
//! assert_eq!(data["violations"][0]["pointer"], "/messages/0/role");
//! assert_eq!(data["violations"][0]["rule"], "one_of");
//! assert_eq!(data["violations"][1]["pointer"], "/messages/0/content");
//! assert_eq!(data["violations"][1]["rule"], "blank");
//! # Ok(())
//! # }
//! ```
//!
//! # Order
//!
//! - Inside of `catch_error`, which answers the refusals, and of `request_log`, which records them.
//! - Inside of what refuses by the head alone, such as a limit of requests or a check of
//!   credentials: it costs less than a body.
//! - Inside of whatever decompresses bodies, and of a limit of time for the whole request: this
//!   layer waits for as long as the client takes to send.
//! - Outside of what holds something while it is being called: a session, a permit, a token.
//!
//! On the side of a client it stands outside of everything that sends. Nothing is sent of a
//! request that is refused.
//!
//! # Concurrency
//!
//! The profile is made with the layer and shared by all services it makes; it does not change. Of
//! the inner service
//!
//! - I1. only an instance that was polled ready is called. If the body is there at once, or not
//!   looked at, it is the very instance that was polled before the call, nothing is cloned and the
//!   layer allocates nothing but the [`ChatRequest`] and its place among the extensions.
//! - I2. no readiness is held while a client sends, nor by a service whose last call was refused.
//!   The instance that was ready is dropped, with the permit it may hold, and replaced by a
//!   clone; another clone is polled ready when the body is whole. Else a few slow clients could
//!   take all permits of a concurrency limit inside, without a single call.
//!
//! Of the body
//!
//! - I3. no wake-up is lost. It is first polled in `call`, without a waker, and again by the first
//!   poll of the future.
//! - I4. at most 64 frames are taken in one poll, so that a body which is always ready lets
//!   other tasks run in between.
//!
//! # Cancellation
//!
//! Dropping the future drops the rest of the body, or the inner future, at once. A body that is
//! refused is dropped with its refusal.
//!
//! # Caveats
//!
//! - Memory: up to [`Profile::max_body_bytes`], 100 MiB by default, for each request that is being
//!   sent, and while data comes in pieces up to twice of what has come. An announced length is not
//!   trusted with more than 64 KiB. Bound the number of connections, or the size:
//!   [`Profile::with_max_body_bytes`].
//! - Time: a body is judged in one go, on the task itself.
//! - The [`ChatRequest`] in the extensions shares the body's memory, which is free when both are.
//! - A path is compared as it was written, neither decoded nor normalized. Inside of an axum router
//!   that is nested under `/v1/chat`, it is `/completions`: put the layer around the outer router,
//!   or say which requests are meant, with [`ValidateLayer::with_select`].
//! - axum's `DefaultBodyLimit` is the extractors' own and also holds inside of this layer: 2 MiB by
//!   default, whatever the profile says.
//! - A request body that is not `Unpin` goes into a `Box::pin`.
//! - Without feature `hyper` a client that goes away can be taken for one whose framing is wrong.

mod body;
mod check;
mod collect;
#[cfg(feature = "file-url")]
mod files;
mod future;
mod gather;
mod layer;
mod probing;
mod select;
mod service;

pub use self::{
    body::RequestBody,
    future::ResponseFuture,
    layer::ValidateLayer,
    select::{ChatCompletions, Select},
    service::Validate,
};

#[cfg(doc)]
use crate::facts::Facts;
#[cfg(doc)]
use kimi_validate::{ChatRequest, Profile};
