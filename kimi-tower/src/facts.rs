//! What the layers of a stack tell each other about one request.
//!
//! Whoever wants to know puts a [`Facts`] into the request's extensions, keeps a clone, and reads
//! it when the answer is there. The layers inside find it and tell what they learn; none of them
//! knows who asks. Without it nobody tells anything, at no cost.
//!
//! ```
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
//! No fact is a secret or part of a conversation. The model's name is what the caller wrote: it is
//! escaped and cut so that it can stand in a line of a log, but it is no name from a known list,
//! and a metric must not have it as a label.

use std::{
    fmt::{self, Write as _},
    sync::{Arc, OnceLock},
};

use kimi_validate::{ChatRequest, limits::MAX_NAME_BYTES};

/// What is known about one request. A clone shows the same. See the [module](self).
#[derive(Clone, Default)]
pub struct Facts(Arc<Cells>);

/// One cell for each layer that tells, so that what it tells appears at once.
#[derive(Default)]
struct Cells {
    /// Written by `validate`, when a request has passed.
    chat: OnceLock<Chat>,
}

struct Chat {
    model: Option<Box<str>>,
    is_stream: bool,
    messages: usize,
    has_conversation: bool,
}

impl Facts {
    /// Creates facts of which none is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the model that the request names, without control characters, 256 bytes at most.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.chat()?.model.as_deref()
    }

    /// Returns whether the answer is asked for as a stream of events.
    #[must_use]
    pub fn is_stream(&self) -> Option<bool> {
        self.chat().map(|chat| chat.is_stream)
    }

    /// Returns how many messages the request has.
    #[must_use]
    pub fn messages(&self) -> Option<usize> {
        self.chat().map(|chat| chat.messages)
    }

    /// Returns whether the request names the conversation to which it belongs.
    #[must_use]
    pub fn has_conversation(&self) -> Option<bool> {
        self.chat().map(|chat| chat.has_conversation)
    }

    pub(crate) fn tell_chat(&self, request: &ChatRequest) {
        self.0.chat.get_or_init(|| Chat {
            model: request.model().map(|model| printable(&model)),
            is_stream: request.is_stream(),
            messages: request.messages().len(),
            has_conversation: request.conversation_id().is_some(),
        });
    }

    fn chat(&self) -> Option<&Chat> {
        self.0.chat.get()
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("model", &self.model())
            .field("is_stream", &self.is_stream())
            .field("messages", &self.messages())
            .field("has_conversation", &self.has_conversation())
            .finish()
    }
}

/// Returns a name as it can stand in a line of a log: what has no shape of its own is escaped, and
/// so is the backslash, so that nothing else reads like an escape.
fn printable(name: &str) -> Box<str> {
    let mut shown = String::with_capacity(name.len().min(MAX_NAME_BYTES));
    for character in name.chars() {
        let before = shown.len();
        let written = match character {
            '"' | '\'' => shown.write_char(character),
            other => write!(shown, "{}", other.escape_debug()),
        };
        // A string takes all that it is given; what would be cut within is left out.
        if written.is_err() || shown.len() > MAX_NAME_BYTES {
            shown.truncate(before);
            break;
        }
    }
    shown.into()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use kimi_validate::Profile;

    use super::*;

    fn chat(body: &'static str) -> ChatRequest {
        ChatRequest::parse(Bytes::from(body), &Profile::free_api()).unwrap()
    }

    #[test]
    fn nothing_is_known_before_it_is_told() {
        let facts = Facts::new();
        assert_eq!((facts.model(), facts.is_stream()), (None, None));
        assert_eq!((facts.messages(), facts.has_conversation()), (None, None));
    }

    #[test]
    fn a_clone_shows_what_the_other_was_told_and_the_first_telling_stands() {
        let facts = Facts::new();
        let told = facts.clone();
        told.tell_chat(&chat(
            r#"{"model":"kimi","stream":true,"messages":[{"role":"user","content":"secret"}]}"#,
        ));
        told.tell_chat(&chat(r#"{"model":"other","messages":[{"role":"user","content":"x"}]}"#));
        assert_eq!((facts.model(), facts.is_stream()), (Some("kimi"), Some(true)));
        assert_eq!((facts.messages(), facts.has_conversation()), (Some(1), Some(false)));
        assert!(!format!("{facts:?}").contains("secret"));
    }

    #[test]
    fn a_conversation_is_known_to_be_there_but_not_which() {
        let facts = Facts::new();
        facts.tell_chat(&chat(
            r#"{"conversation_id":"hunter2","messages":[{"role":"user","content":"x"}]}"#,
        ));
        assert_eq!((facts.model(), facts.has_conversation()), (None, Some(true)));
        assert!(!format!("{facts:?}").contains("hunter2"));
    }

    #[test]
    fn a_name_can_stand_in_a_line_of_a_log() {
        for (name, shown) in [
            ("kimi-k3", "kimi-k3"),
            ("月之暗面 \"k'", "月之暗面 \"k'"),
            ("a\r\n2026 ERROR", "a\\r\\n2026 ERROR"),
            ("\u{1b}[31m\\\0", "\\u{1b}[31m\\\\\\0"),
            ("\u{202e}imik\u{2028}\u{feff}", "\\u{202e}imik\\u{2028}\\u{feff}"),
        ] {
            assert_eq!(&*printable(name), shown);
        }
    }

    #[test]
    fn a_name_is_cut_between_characters() {
        assert_eq!(printable(&"x".repeat(257)).len(), 256);
        assert_eq!(printable(&"月".repeat(100)).len(), 255);
        assert_eq!(printable(&format!("{}\n", "x".repeat(255))).len(), 255);
    }
}
