//! What is wrong with a body: every fault with its place, its rule and what to say about it.

mod body;
mod draft;
mod list;
mod message;
mod place;
mod rule;
#[cfg(test)]
mod samples;
mod wire;

pub use self::{list::Violations, rule::Rule};

#[cfg(feature = "file-url")]
pub(crate) use self::place::param;
pub(crate) use self::{body::Place, draft::Draft};

use std::{borrow::Cow, error::Error as StdError, fmt};

use kimi_errors::Lang;

use crate::json::JsonType;

/// One fault, with its place. It never holds what stands there, only of which type that is.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    pub(crate) pointer: String,
    pub(crate) offset: usize,
    pub(crate) rule: Rule,
    pub(crate) found: Option<JsonType>,
    pub(crate) expected: Expected,
}

/// What the rule asks for, as far as the rule's name does not say it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expected {
    /// The rule's name says it.
    Nothing,
    /// A bound: bytes or items.
    Count(usize),
    /// A number from the first to the second, both included.
    Between(f64, f64),
    /// One of these texts.
    Names(Vec<Cow<'static, str>>),
    /// One of these types.
    Types(Vec<&'static str>),
    /// A form, in words of both languages, or another member of the request.
    Words { zh: &'static str, en: &'static str },
    /// Something else at this place.
    Place(Place),
    /// More text: it ends at this place.
    More(Place),
    /// No more levels than these at this place.
    Levels(u32, Place),
}

impl Violation {
    /// Returns the place as a JSON pointer, RFC 6901; empty for the whole body. It consists of names
    /// that the profile knows and of indexes. A missing member's is where it would stand.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Returns where the value begins, in bytes of the body; of a missing member, where its object
    /// does. Of a fault of syntax, the first byte that is wrong.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Returns the rule that is broken.
    #[must_use]
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// Returns the type of the value, if there is one.
    #[must_use]
    pub fn found(&self) -> Option<JsonType> {
        self.found
    }

    /// Returns what is wrong and what would be right, for people: one line without a full stop.
    ///
    /// It holds names, limits and types, and nothing of the body. Messages, parts, tools and calls
    /// are counted from 0, as in the pointer. A fault of syntax is told by line and column, both
    /// from 1, the column in characters. Where the article has words for a fault, the Chinese is
    /// the article's:
    ///
    /// ```
    /// use kimi_errors::Lang;
    /// use kimi_validate::{ChatRequest, Profile};
    ///
    /// let body = br#"{"model":"kimi","messages":[{"role":"bot","content":"hi"}],"stream":1}"#;
    /// let violations = ChatRequest::parse(body, &Profile::article()).unwrap_err();
    /// let [role, stream] = violations.as_slice() else { panic!() };
    ///
    /// assert_eq!(role.message(Lang::Zh), "消息0的角色(role)必须是user、assistant或system");
    /// assert_eq!(role.message(Lang::En), "message 0: role must be user, assistant or system");
    /// assert_eq!(stream.message(Lang::Zh), "流式输出(stream)必须是布尔值");
    /// assert_eq!(stream.message(Lang::En), "stream must be a boolean, not a number");
    /// ```
    #[must_use]
    pub fn message(&self, lang: Lang) -> String {
        message::of(self, lang)
    }
}

/// Writes pointer, rule and what is expected, in one line:
/// `/messages (min_items): messages must be a non-empty array`. The whole body is `body`.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = match place::shown(&self.pointer) {
            pointer if pointer.is_empty() => Cow::Borrowed("body"),
            pointer => pointer,
        };
        write!(f, "{pointer} ({}): {}", self.rule, self.message(Lang::En))
    }
}

impl StdError for Violation {}

#[cfg(test)]
mod tests;
