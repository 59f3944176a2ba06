use std::{borrow::Cow, fmt, ops::Range};

use bytes::Bytes;

use super::{AnswerLimits, Profile, Role, content::Content, found::Found, pass::Pass};
use crate::{
    json::{Str, unescape},
    violation::{Expected, Rule, Violation, Violations},
};

/// A chat request that is well formed: it exists only if its profile found nothing wrong.
///
/// It keeps the body as it came, in whatever holds it, and beside it where what later layers need
/// stands: the model, whether a stream is asked for, the conversation, each message. Nothing is
/// copied out of the body.
#[derive(Clone)]
pub struct ChatRequest<B = Bytes> {
    body: B,
    outline: Outline,
}

impl<B: AsRef<[u8]>> ChatRequest<B> {
    /// Judges a body by a profile, in one pass.
    ///
    /// # Errors
    ///
    /// All that is wrong with it, in input order.
    pub fn parse(body: B, profile: &Profile) -> Result<Self, Violations> {
        let outline = Outline::of(body.as_ref(), profile)?;
        Ok(Self { body, outline })
    }

    /// Returns the body, as it came.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.body.as_ref()
    }

    /// Returns what held the body.
    #[must_use]
    pub fn into_body(self) -> B {
        self.body
    }

    /// Returns the model; `None` if none is named, which only some profiles allow.
    #[must_use]
    pub fn model(&self) -> Option<Cow<'_, str>> {
        self.outline.model.map(|text| self.text(text))
    }

    /// Returns the conversation to which the request belongs, if its profile has any.
    #[must_use]
    pub fn conversation_id(&self) -> Option<Cow<'_, str>> {
        self.outline.conversation_id.map(|text| self.text(text))
    }

    /// Returns whether the answer is asked for as a stream of events.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.outline.is_stream
    }

    /// Returns how long the answer may be, whether or not the profile has rules for it. It is read
    /// when it is asked for: all of the body but the messages is gone over again.
    ///
    /// ```
    /// use kimi_validate::{ChatRequest, Profile};
    ///
    /// let body = br#"{"model":"kimi-k3","messages":[{"role":"user","content":"?"}],
    ///     "max_completion_tokens":1024}"#;
    /// let limits = ChatRequest::parse(body, &Profile::platform())?.answer_limits();
    /// assert_eq!((limits.max_tokens(), limits.choices()), (Some(1024), 1));
    /// # Ok::<(), kimi_validate::Violations>(())
    /// ```
    #[must_use]
    pub fn answer_limits(&self) -> AnswerLimits {
        let last = self.outline.messages.last().map_or(0, |span| span.end as usize);
        AnswerLimits::read(self.as_bytes(), last)
    }

    /// Returns the messages, of which there is at least one.
    pub fn messages(&self) -> impl ExactSizeIterator<Item = Message<'_>> + '_ {
        let body = self.as_bytes();
        self.outline.messages.iter().map(move |span| Message { body, span })
    }

    fn text(&self, text: Str) -> Cow<'_, str> {
        unescape(self.as_bytes().get(text.start..text.end).unwrap_or_default())
    }
}

/// Shows what is asked, not what is said.
impl<B: AsRef<[u8]>> fmt::Debug for ChatRequest<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatRequest")
            .field("model", &self.model())
            .field("is_stream", &self.is_stream())
            .field("messages", &self.outline.messages.len())
            .field("bytes", &self.as_bytes().len())
            .finish_non_exhaustive()
    }
}

/// One message of a [`ChatRequest`].
#[derive(Clone, Copy)]
pub struct Message<'a> {
    body: &'a [u8],
    span: &'a Span,
}

impl<'a> Message<'a> {
    /// Returns who speaks it.
    #[must_use]
    pub fn role(&self) -> Role {
        self.span.role
    }

    /// Returns where it stands in the body, in bytes, from its opening brace to its closing one.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.span.start as usize..self.span.end as usize
    }

    /// Returns what it says.
    #[must_use]
    pub fn content(&self) -> Content<'a> {
        let range = self.span.content_start as usize..self.span.content_end as usize;
        Content::new(self.body.get(range).unwrap_or_default())
    }

    /// Returns where its content begins, in bytes of the body.
    pub(super) fn content_start(&self) -> usize {
        self.span.content_start as usize
    }

    /// Returns the first `max_chars` characters of its text, or of the texts among its parts, with
    /// `...` after them only if there are more. Only so much is copied.
    #[must_use]
    pub fn preview(&self, max_chars: usize) -> String {
        let mut chars = self.content().chars();
        let mut preview: String = chars.by_ref().take(max_chars).collect();
        if chars.next().is_some() {
            preview.push_str("...");
        }
        preview
    }
}

/// Shows who speaks and where, not what is said.
impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Message");
        shown.field("role", &self.role()).field("range", &self.range()).finish_non_exhaustive()
    }
}

/// Where in the body stands what is kept of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Outline {
    pub(super) model: Option<Str>,
    pub(super) conversation_id: Option<Str>,
    pub(super) is_stream: bool,
    pub(super) messages: Vec<Span>,
}

/// Where one message stands. No body is longer than 32 bits count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    role: Role,
    start: u32,
    end: u32,
    /// The value, with its quotes or brackets; empty if there is none.
    content_start: u32,
    content_end: u32,
}

// The default too is below what `Profile::with_max_body_bytes` allows.
const _: () = assert!(crate::limits::MAX_BODY_BYTES <= u32::MAX as usize);

impl Span {
    pub(super) fn new(role: Role, start: usize, end: usize, content: Found) -> Self {
        let [start, end] = [start, end].map(|it| u32::try_from(it).unwrap_or(u32::MAX));
        let (content_start, content_end) = match content {
            Found::Text(text) | Found::Blank(text) => (text.start - 1, text.end + 1),
            Found::Array { start, end, .. } => (start, end),
            _ => (start, start),
        };
        Self { role, start, end, content_start, content_end }
    }
}

impl Outline {
    fn of(body: &[u8], profile: &Profile) -> Result<Self, Violations> {
        if body.len() > profile.max_body_bytes {
            return Err(Violations::too_large(profile.max_body_bytes));
        }
        if body.starts_with(b"\xEF\xBB\xBF") {
            return Err(Violation::of_body(Rule::Bom, Expected::Nothing).into());
        }
        if body.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
            return Err(Violation::of_body(Rule::EmptyBody, Expected::Nothing).into());
        }
        let mut pass = Pass::new(body, profile);
        if let Err(fault) = pass.request() {
            let pointer = pass.path.pointer(&[]);
            return Err(Violation::of_fault(body, fault, pointer, profile.max_depth).into());
        }
        match pass.draft.finish() {
            None => Ok(pass.outline),
            Some(violations) => Err(violations),
        }
    }

    /// Adds a message, after which `rest` bytes follow.
    pub(super) fn push(&mut self, message: Span, rest: usize) {
        if self.messages.capacity() == 0 {
            // One allocation for nearly all: a message has some 256 bytes at least, but for the
            // shortest. More grow the list as they come, so that a long body alone takes nothing.
            self.messages.reserve_exact(1 + (rest / 256).min(63));
        }
        self.messages.push(message);
    }
}
