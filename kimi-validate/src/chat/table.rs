//! The language of the rules: what a member is called and what its value must be. The pass over a
//! body and the JSON Schema are both read from such tables, so that they cannot disagree.

use crate::json::{Chars, JsonType};

/// A member that is judged. What no table names is ignored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) check: Check,
    pub(crate) is_required: bool,
    /// Whether `null` is as good as leaving it out.
    pub(crate) is_nullable: bool,
    /// Under which the object's judge finds the value again.
    pub(crate) slot: Option<Slot>,
}

/// The values that are looked at again when their object ends, or kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Slot {
    Model,
    Stream,
    ConversationId,
    Logprobs,
    TopLogprobs,
    Format,
    Role,
    Content,
    Partial,
    ToolCalls,
    ToolCallId,
    Tools,
    Type,
    Schema,
}

/// What a value must be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Check {
    Boolean,
    Number(Range),
    Text(Text),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    Object(&'static [Field]),
    Array(Items),
    /// The first of both that takes a value of that type.
    Either(&'static Self, &'static Self),
    /// The messages, held to the profile's roles and limits.
    Messages,
    /// One of the profile's roles.
    Role,
    /// A message's content: a text or, where the profile has any, parts.
    Content,
    /// The `type` of one of the profile's parts.
    PartType,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) is_integer: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    pub(crate) may_be_blank: bool,
    pub(crate) max_bytes: Option<usize>,
    pub(crate) pattern: Option<&'static Pattern>,
    pub(crate) is_noted: Option<Note>,
}

/// Which list a text is entered in while the pass goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Note {
    /// The functions' names, of which each must be different.
    FunctionName,
    /// The ids of the calls of this message.
    CallId,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Items {
    pub(crate) check: &'static Check,
    pub(crate) min: usize,
    pub(crate) max: usize,
}

/// A form that a text must have, once as code and once as a regular expression for the schema.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pattern {
    pub(crate) regex: &'static str,
    pub(crate) matches: fn(Chars<'_>) -> bool,
    pub(crate) zh: &'static str,
    pub(crate) en: &'static str,
}

impl Field {
    pub(crate) const fn new(name: &'static str, check: Check) -> Self {
        Self { name, check, is_required: false, is_nullable: false, slot: None }
    }

    pub(crate) const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    pub(crate) const fn nullable(mut self) -> Self {
        self.is_nullable = true;
        self
    }

    pub(crate) const fn kept(mut self, slot: Slot) -> Self {
        self.slot = Some(slot);
        self
    }
}

impl Text {
    /// Any text but a blank one.
    pub(crate) const NOT_BLANK: Self =
        Self { may_be_blank: false, max_bytes: None, pattern: None, is_noted: None };

    /// Any text.
    pub(crate) const ANY: Self = Self { may_be_blank: true, ..Self::NOT_BLANK };

    pub(crate) const fn with_max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = Some(max_bytes);
        self
    }

    pub(crate) const fn with_pattern(mut self, pattern: &'static Pattern) -> Self {
        self.pattern = Some(pattern);
        self
    }

    pub(crate) const fn noted(mut self, note: Note) -> Self {
        self.is_noted = Some(note);
        self
    }
}

impl Check {
    pub(crate) const fn number(min: f64, max: f64) -> Self {
        Self::Number(Range { min, max, is_integer: false })
    }

    pub(crate) const fn integer(min: f64, max: f64) -> Self {
        Self::Number(Range { min, max, is_integer: true })
    }

    /// Returns whether a value of this type can pass.
    #[inline]
    pub(crate) const fn takes(self, kind: JsonType, has_parts: bool) -> bool {
        match self {
            Self::Boolean => matches!(kind, JsonType::Boolean),
            Self::Number(_) => matches!(kind, JsonType::Number),
            Self::Text(_) | Self::OneOf(_) | Self::Role | Self::PartType => {
                matches!(kind, JsonType::String)
            }
            Self::Object(_) => matches!(kind, JsonType::Object),
            Self::Array(_) | Self::Messages => matches!(kind, JsonType::Array),
            // Whether `null` will do is known when the message ends.
            Self::Content => {
                matches!(kind, JsonType::String | JsonType::Null)
                    || has_parts && matches!(kind, JsonType::Array)
            }
            Self::Either(first, second) => {
                first.takes(kind, has_parts) || second.takes(kind, has_parts)
            }
        }
    }

    /// Adds the names of the types that can pass, for people.
    pub(crate) fn types(self, has_parts: bool, names: &mut Vec<&'static str>) {
        match self {
            Self::Boolean => names.push("boolean"),
            Self::Number(range) => names.push(if range.is_integer { "integer" } else { "number" }),
            Self::Text(_) | Self::OneOf(_) | Self::Role | Self::PartType => names.push("string"),
            Self::Object(_) => names.push("object"),
            Self::Array(_) | Self::Messages => names.push("array"),
            Self::Content => {
                names.push("string");
                if has_parts {
                    names.push("array");
                }
            }
            Self::Either(first, second) => {
                first.types(has_parts, names);
                second.types(has_parts, names);
            }
        }
    }
}
