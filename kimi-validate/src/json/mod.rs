//! Our own reader of JSON: no tree, no copy, no recursion; every byte is held to RFC 8259.
//!
//! A [`Scanner`] walks over a text once. Whoever drives it asks for what they expect next and gets
//! byte ranges; what they do not care for they [`skip`](Scanner::skip), which is as strict. The
//! first fault of syntax ends the walk.

mod bytes;
mod escape;
mod fault;
mod number;
mod scanner;
mod skip;
mod string;
mod unescape;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    fault::Fault,
    scanner::Scanner,
    string::Str,
    unescape::{Chars, unescape},
};

use std::fmt;

/// The type of a JSON value, RFC 8259 §3.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum JsonType {
    /// `{…}`.
    Object,
    /// `[…]`.
    Array,
    /// `"…"`.
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// `null`.
    Null,
}

impl JsonType {
    /// Returns the name that JSON Schema has for it: `object`, `array`, `string`, `number`,
    /// `boolean` or `null`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Null => "null",
        }
    }
}

impl fmt::Display for JsonType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
