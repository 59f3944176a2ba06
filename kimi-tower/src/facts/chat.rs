//! What `validate` tells.

use std::fmt::Write as _;

use kimi_validate::{ChatRequest, limits::MAX_NAME_BYTES};

use super::Facts;

pub(super) struct Chat {
    model: Option<Box<str>>,
    is_stream: bool,
    messages: usize,
    has_conversation: bool,
    #[cfg(feature = "request-log")]
    pub(super) previews: Box<[super::Preview]>,
}

impl Facts {
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
            model: request.model().map(|model| printable(&model, MAX_NAME_BYTES)),
            is_stream: request.is_stream(),
            messages: request.messages().len(),
            has_conversation: request.conversation_id().is_some(),
            #[cfg(feature = "request-log")]
            previews: super::Preview::all(request, self.preview_chars()),
        });
    }

    pub(super) fn chat(&self) -> Option<&Chat> {
        self.0.chat.get()
    }
}

/// Returns a text as it can stand in a line of a log: what has no shape of its own is escaped, and
/// so is the backslash, so that nothing else reads like an escape.
pub(super) fn printable(text: &str, max_bytes: usize) -> Box<str> {
    // As nearly every name is.
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'\\';
    if text.len() <= max_bytes && text.bytes().all(is_plain) {
        return text.into();
    }
    beginning(text, max_bytes).0.into()
}

/// Returns the same, and whether it is not all of the text.
pub(super) fn beginning(text: &str, max_bytes: usize) -> (String, bool) {
    let mut shown = String::with_capacity(text.len().min(max_bytes));
    for character in text.chars() {
        let before = shown.len();
        let written = match character {
            '"' | '\'' => shown.write_char(character),
            other => write!(shown, "{}", other.escape_debug()),
        };
        // A string takes all that it is given; what would be cut within is left out.
        if written.is_err() || shown.len() > max_bytes {
            shown.truncate(before);
            return (shown, true);
        }
    }
    (shown, false)
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
            assert_eq!(&*printable(name, MAX_NAME_BYTES), shown);
        }
    }

    #[test]
    fn a_name_is_cut_between_characters() {
        assert_eq!(printable(&"x".repeat(257), MAX_NAME_BYTES).len(), 256);
        assert_eq!(printable(&"月".repeat(100), MAX_NAME_BYTES).len(), 255);
        assert_eq!(printable(&format!("{}\n", "x".repeat(255)), MAX_NAME_BYTES).len(), 255);
    }
}
