//! The beginnings of messages, where somebody asks for them.

use std::fmt;

use kimi_validate::{ChatRequest, Role};

use super::{Facts, chat::beginning};

/// How many messages are previewed at most, the last of them. Ours: a conversation may have
/// thousands, and what was said last tells most.
const MAX_MESSAGES: usize = 16;

/// The longest preview, in bytes and without its `...`: it is kept until the answer has ended.
const MAX_BYTES: usize = 4096;

/// The beginning of one message.
#[derive(Clone, Eq, PartialEq)]
pub struct Preview {
    role: Role,
    text: Box<str>,
}

impl Preview {
    /// Returns who speaks it.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Returns the first characters of its text, with `...` after them only if there are more. What
    /// could not stand in a line of a log is escaped.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns those of the last 16 messages.
    pub(super) fn all(request: &ChatRequest, chars: usize) -> Box<[Self]> {
        if chars == 0 {
            return Box::default();
        }
        let messages = request.messages();
        let before = messages.len().saturating_sub(MAX_MESSAGES);
        let preview = |message: kimi_validate::Message<'_>| {
            let text = message.preview(chars.min(MAX_BYTES));
            let (mut shown, is_cut) = beginning(&text, MAX_BYTES);
            if is_cut {
                shown.push_str("...");
            }
            Self { role: message.role(), text: shown.into() }
        };
        messages.skip(before).map(preview).collect()
    }
}

impl Facts {
    /// Returns the beginnings of the request's messages, of the last 16 if there are more; empty if
    /// no `request_log` asks for them.
    #[must_use]
    pub fn previews(&self) -> &[Preview] {
        self.chat().map_or(&[], |chat| &chat.previews)
    }
}

/// Shows who speaks, not what is said.
impl fmt::Debug for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Preview").field("role", &self.role).finish_non_exhaustive()
    }
}
