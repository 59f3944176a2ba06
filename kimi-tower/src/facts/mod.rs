//! What the layers of a stack tell each other about one request.
//!
//! Whoever wants to know puts a [`Facts`] into the request's extensions, keeps a clone, and reads
//! it when the answer is there. The layers inside find it and tell what they learn; none of them
//! knows who asks. Without it nobody tells anything, at no cost.
//!
#![cfg_attr(feature = "validate", doc = "```")]
#![cfg_attr(not(feature = "validate"), doc = "```ignore")]
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use kimi_errors::BoxError;
//! use kimi_tower::{facts::Facts, validate::{RequestBody, ValidateLayer}};
//! use kimi_validate::Profile;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let service = ServiceBuilder::new()
//!     .layer(ValidateLayer::new(Profile::article()))
//!     .service(service_fn(async |_: Request<RequestBody<Full<_>>>| {
//!         Ok::<_, BoxError>(Response::new(()))
//!     }));
//!
//! let facts = Facts::new();
//! let request = Request::post("/v1/chat/completions")
//!     .header("content-type", "application/json")
//!     .extension(facts.clone())
//!     .body(Full::from(r#"{"model":"kimi","messages":[{"role":"user","content":"你好"}]}"#))?;
//! service.oneshot(request).await?;
//! assert_eq!(facts.model(), Some("kimi"));
//! assert_eq!(facts.messages(), Some(1));
//! # Ok(())
//! # }
//! ```
//!
//! # Concurrency
//!
//! A fact is told once and does not change: where it is told again, as by a second layer of the
//! same sort or another attempt, the first telling stands. Readers wait for nobody.
//!
//! # Caveats
//!
//! No fact is a secret. None is part of a conversation, but for the beginnings of messages where a
//! [`request_log`](crate#features) asks for them, which `Debug` does not show. The model's name is what the caller wrote: it is
//! escaped and cut so that it can stand in a line of a log, but it is no name from a known list,
//! and a metric must not have it as a label.

#[cfg(feature = "retry")]
mod attempts;
#[cfg(feature = "validate")]
mod chat;
#[cfg(all(feature = "request-log", feature = "validate"))]
mod preview;
#[cfg(feature = "rate-limit")]
mod rate;
#[cfg(feature = "request-log")]
mod request;
#[cfg(feature = "session")]
mod session;

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

#[cfg(all(feature = "request-log", feature = "validate"))]
pub use self::preview::Preview;
#[cfg(feature = "rate-limit")]
pub use self::rate::RateDecision;
#[cfg(feature = "session")]
pub use self::session::{SessionDecision, SessionHash};

/// What is known about one request. A clone shows the same. See the [module](self).
#[derive(Clone, Default)]
pub struct Facts(Arc<Cells>);

/// One cell for each layer that tells, so that what it tells appears at once.
#[derive(Default)]
struct Cells {
    /// Written by `request_log`, before anyone else sees the request.
    #[cfg(feature = "request-log")]
    request: OnceLock<request::Request>,
    /// Written by `validate`, when a request has passed.
    #[cfg(feature = "validate")]
    chat: OnceLock<chat::Chat>,
    /// Written by `retry`, when there will be no other attempt.
    #[cfg(feature = "retry")]
    attempts: OnceLock<attempts::Attempts>,
    /// Written by `rate_limit`, when it has not let a request pass at once.
    #[cfg(feature = "rate-limit")]
    rate: OnceLock<RateDecision>,
    /// Written by `session`, when it knows of which one the request is.
    #[cfg(feature = "session")]
    session_hash: OnceLock<SessionHash>,
    /// Written by `session`, when it has decided.
    #[cfg(feature = "session")]
    session: OnceLock<SessionDecision>,
    /// Written by `session`, when an answer has lost its turn.
    #[cfg(feature = "session")]
    session_lost: OnceLock<crate::session::Lost>,
}

impl Facts {
    /// Creates facts of which none is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Facts");
        #[cfg(feature = "request-log")]
        shown.field("request_id", &self.request_id());
        #[cfg(feature = "validate")]
        shown
            .field("model", &self.model())
            .field("is_stream", &self.is_stream())
            .field("messages", &self.messages())
            .field("has_conversation", &self.has_conversation());
        #[cfg(feature = "retry")]
        shown.field("attempts", &self.attempts()).field("retry_stop", &self.retry_stop());
        #[cfg(feature = "rate-limit")]
        shown.field("rate_decision", &self.rate_decision());
        #[cfg(feature = "session")]
        shown
            .field("session_hash", &self.session_hash())
            .field("session_decision", &self.session_decision())
            .field("session_lost", &self.session_lost());
        shown.finish()
    }
}
