//! What a message says, read again when it is asked for.

mod parts;
#[cfg(test)]
mod tests;

pub use self::parts::{ContentPart, Parts};

use std::{borrow::Cow, fmt};

use super::Part;
use crate::json::{Chars, unescape};

/// What a message says: a text, or parts of which some are texts. It may be nothing at all, where an
/// assistant calls tools.
///
/// Nothing is copied out of the body until it is asked for, and nothing is read twice but by asking
/// twice.
///
/// ```
/// use kimi_validate::{ChatRequest, Part, Profile};
///
/// let body = br#"{"model":"kimi-k3","messages":[{"role":"user","content":[
///     {"type":"text","text":"What is this?"},
///     {"image_url":{"url":"ms://f1"},"type":"image_url"}
/// ]}]}"#;
/// let request = ChatRequest::parse(body, &Profile::platform())?;
/// let content = request.messages().next().unwrap().content();
///
/// assert_eq!(content.as_text(), None);
/// assert_eq!(content.chars().count(), 13);
/// let parts: Vec<_> = content.parts().map(|part| (part.kind(), part.value())).collect();
/// assert_eq!(parts[0], (Part::Text, "What is this?".into()));
/// assert_eq!(parts[1], (Part::ImageUrl, "ms://f1".into()));
/// # Ok::<(), kimi_validate::Violations>(())
/// ```
#[derive(Clone, Copy)]
pub struct Content<'a> {
    /// The JSON value; empty if there is none.
    raw: &'a [u8],
}

impl<'a> Content<'a> {
    /// Takes a value that was found well formed. Of any other, what cannot be read is left out.
    pub(in crate::chat) fn new(raw: &'a [u8]) -> Self {
        Self { raw }
    }

    /// Returns the text, copied only if there is an escape in it; `None` if it is not one text but
    /// parts, or nothing.
    #[must_use]
    pub fn as_text(&self) -> Option<Cow<'a, str>> {
        self.text().map(unescape)
    }

    /// Returns the parts, in order. A text is one part of its own.
    pub fn parts(&self) -> Parts<'a> {
        Parts::new(self.raw, self.text())
    }

    /// Returns the characters of its text; of parts, those of the texts among them, in order, with
    /// nothing between.
    pub fn chars(&self) -> impl Iterator<Item = char> + 'a {
        let texts = self.parts().filter(|part| part.kind() == Part::Text);
        texts.flat_map(|part| Chars::new(part.raw()))
    }

    /// Returns what stands between the quotes, if it is a text.
    fn text(&self) -> Option<&'a [u8]> {
        self.raw.strip_prefix(b"\"")?.strip_suffix(b"\"")
    }
}

/// Shows how long it is, not what it says.
impl fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.text().is_some() { "text" } else { "parts" };
        f.debug_struct("Content")
            .field("kind", &kind)
            .field("bytes", &self.raw.len())
            .finish_non_exhaustive()
    }
}
