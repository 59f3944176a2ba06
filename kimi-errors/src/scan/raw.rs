//! One value: where it ends, and what it says.

use std::borrow::Cow;

use memchr::memchr2;

/// The bytes that a cut may take off a string before it can be read again: an escaped surrogate
/// pair, `\ud83d\ude00`.
const LONGEST_ESCAPE: usize = 12;

#[cfg(test)]
std::thread_local! {
    /// How many bytes of values have been walked over, each as often as it was.
    pub(crate) static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// A value as it stands in the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw<'a> {
    pub(crate) bytes: &'a [u8],
    /// Whether the value's end was seen.
    whole: bool,
    /// Whether the value is a string with a backslash in it.
    escaped: bool,
}

impl<'a> Raw<'a> {
    /// Returns the value that `bytes` begin with.
    pub(crate) fn first(bytes: &'a [u8]) -> Self {
        let (end, escaped) = match bytes.first() {
            Some(b'"') => string_end(bytes),
            Some(b'{' | b'[') => (nested_end(bytes), false),
            _ => (bytes.iter().position(ends_a_word), false),
        };
        let value = &bytes[..end.unwrap_or(bytes.len())];
        #[cfg(test)]
        STEPS.set(STEPS.get() + value.len());
        Self { bytes: value, whole: end.is_some(), escaped }
    }

    /// Returns the text of a string; of one that was cut, as much as there is.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        let inner = self.bytes.strip_prefix(b"\"")?;
        if !self.whole {
            return cut_text(inner);
        }
        let inner = &inner[..inner.len() - 1];
        if !self.escaped {
            return std::str::from_utf8(inner).ok().map(Cow::Borrowed);
        }
        serde_json::from_slice(self.bytes).ok().map(Cow::Owned)
    }

    /// Returns the text of a string or a number.
    pub(crate) fn word(self) -> Option<Cow<'a, str>> {
        match self.bytes.first()? {
            b'"' => self.text(),
            b'-' | b'0'..=b'9' if self.whole => {
                std::str::from_utf8(self.bytes).ok().map(Cow::Borrowed)
            }
            _ => None,
        }
    }

    /// Returns a whole number, also one that stands in quotes.
    pub(crate) fn integer(self) -> Option<i64> {
        self.word()?.parse().ok()
    }

    /// Returns whether the value is a number that is zero, also one that stands in quotes: `0`,
    /// `0.0`, `"0"`, `"0000"`.
    pub(crate) fn is_zero(self) -> bool {
        let quoted = self.bytes.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
        let number = quoted.unwrap_or(self.bytes);
        self.whole && number.contains(&b'0') && number.iter().all(|byte| b"0.".contains(byte))
    }

    /// Returns whether the value is a code that stands in good answers: zero, the status 200, or a
    /// word that says so.
    pub(crate) fn is_good_code(self) -> bool {
        const GOOD: [&str; 4] = ["", "200", "ok", "success"];
        self.is_zero()
            || self
                .word()
                .is_some_and(|word| GOOD.iter().any(|good| word.eq_ignore_ascii_case(good)))
    }

    /// Returns whether the value names an error: an object with members, or a word that does not
    /// say that there is none.
    pub(crate) fn names_error(self) -> bool {
        const NONE: [&str; 8] = ["", "0", "none", "null", "false", "ok", "success", "no error"];
        match self.bytes.first() {
            Some(b'{') => Self::first(self.bytes[1..].trim_ascii_start()).bytes != b"",
            Some(b'"') => self
                .text()
                .is_some_and(|text| NONE.iter().all(|none| !text.eq_ignore_ascii_case(none))),
            _ => false,
        }
    }

    /// Returns whether the value is an object.
    pub(crate) fn is_object(self) -> bool {
        self.bytes.first() == Some(&b'{')
    }

    /// Returns whether the value is a string that is not empty.
    pub(crate) fn is_text(self) -> bool {
        self.bytes.first() == Some(&b'"') && self.bytes.get(1).is_some_and(|byte| *byte != b'"')
    }

    /// Returns whether the value is exactly the string `text`, written without escapes.
    pub(crate) fn says(self, text: &str) -> bool {
        self.bytes.len() == text.len() + 2 && &self.bytes[1..=text.len()] == text.as_bytes()
    }
}

/// Returns whether a number or a word, such as `null`, ends before a byte.
fn ends_a_word(byte: &u8) -> bool {
    matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n')
}

/// Returns the text before a cut, without what the cut has made unreadable.
fn cut_text(inner: &[u8]) -> Option<Cow<'_, str>> {
    (0..=LONGEST_ESCAPE.min(inner.len())).find_map(|lost| {
        let kept = &inner[..inner.len() - lost];
        if !kept.contains(&b'\\') {
            return std::str::from_utf8(kept).ok().map(Cow::Borrowed);
        }
        let quoted = [b"\"", kept, b"\""].concat();
        serde_json::from_slice(&quoted).ok().map(Cow::Owned)
    })
}

/// Returns the place behind the closing quote of the string that `bytes` begin with, and whether a
/// backslash stands before it.
fn string_end(bytes: &[u8]) -> (Option<usize>, bool) {
    let mut at = 1;
    let mut escaped = false;
    while let Some(found) = bytes.get(at..).and_then(mark) {
        at += found;
        if bytes[at] == b'"' {
            return (Some(at + 1), escaped);
        }
        escaped = true;
        at += 2;
    }
    (None, escaped)
}

/// Returns where the next quote or backslash stands. Most strings are short, and a search that is
/// quick on long ones takes longer to begin than they take to read.
fn mark(bytes: &[u8]) -> Option<usize> {
    let (near, far) = bytes.split_at(bytes.len().min(16));
    let found = near.iter().position(|byte| matches!(byte, b'"' | b'\\'));
    found.or_else(|| memchr2(b'"', b'\\', far).map(|at| near.len() + at))
}

/// Returns the place behind the closing bracket of the object or array that `bytes` begin with.
/// Depth is a number, not a call: nesting costs no stack.
fn nested_end(bytes: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        match *bytes.get(at)? {
            b'"' => at += string_end(&bytes[at..]).0?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth -= 1;
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
}
