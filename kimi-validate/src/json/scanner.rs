use super::{Chars, Fault, JsonType, Str};
use crate::{limits::MAX_DEPTH, violation::Rule};

/// A walk over a JSON text.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
    /// How many arrays and objects are open here.
    pub(super) depth: u32,
    pub(super) max_depth: u32,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a [u8], max_depth: u32) -> Self {
        // What `skip` remembers of each level is one bit of 128.
        Self { text, at: 0, depth: 0, max_depth: max_depth.min(MAX_DEPTH) }
    }

    pub(crate) fn text(&self) -> &'a [u8] {
        self.text
    }

    /// Returns the offset of the next byte.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Returns whether a string that was read is this one, its escapes resolved.
    pub(crate) fn is(&self, string: Str, expected: &str) -> bool {
        let raw = self.text.get(string.start..string.end).unwrap_or_default();
        match string.is_escaped {
            false => raw == expected.as_bytes(),
            true => Chars::new(raw).eq(expected.chars()),
        }
    }

    /// Skips white space and returns what the next value is, by its first byte. [`at`](Self::at)
    /// is then where it begins.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<JsonType, Fault> {
        self.white_space();
        match self.text.get(self.at) {
            Some(b'"') => Ok(JsonType::String),
            Some(b'{') => Ok(JsonType::Object),
            Some(b'[') => Ok(JsonType::Array),
            Some(b'-' | b'0'..=b'9') => Ok(JsonType::Number),
            Some(b't' | b'f') => Ok(JsonType::Boolean),
            Some(b'n') => Ok(JsonType::Null),
            _ => Err(self.fault()),
        }
    }

    /// Enters the array or object that begins here.
    #[inline]
    pub(crate) fn enter(&mut self) -> Result<(), Fault> {
        if self.depth == self.max_depth {
            return Err(Fault { at: self.at, rule: Rule::Depth });
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// Goes on from there instead, over whole values of the innermost container that were read
    /// before.
    pub(crate) fn go_on_from(&mut self, at: usize) {
        self.at = self.at.max(at);
    }

    /// Goes to the next member of the object that was entered, over its name and colon, and returns
    /// the name; or over the closing brace, and returns `None`.
    #[inline]
    pub(crate) fn next_name(&mut self, is_first: bool) -> Result<Option<Str>, Fault> {
        self.white_space();
        match self.text.get(self.at) {
            Some(b'"') if is_first => {}
            Some(b',') if !is_first => {
                self.at += 1;
                self.white_space();
                if self.text.get(self.at) != Some(&b'"') {
                    return Err(self.fault());
                }
            }
            Some(b'}') => {
                self.at += 1;
                self.depth -= 1;
                return Ok(None);
            }
            _ => return Err(self.fault()),
        }
        let name = self.string()?;
        // Nearly always the colon follows at once.
        if self.text.get(self.at) != Some(&b':') {
            self.white_space();
            if self.text.get(self.at) != Some(&b':') {
                return Err(self.fault());
            }
        }
        self.at += 1;
        Ok(Some(name))
    }

    /// Goes to the next item of the array that was entered, and returns true; or over the closing
    /// bracket, and returns false.
    #[inline]
    pub(crate) fn next_item(&mut self, is_first: bool) -> Result<bool, Fault> {
        self.white_space();
        match self.text.get(self.at) {
            Some(b']') => {
                self.at += 1;
                self.depth -= 1;
                Ok(false)
            }
            Some(b',') if !is_first => {
                self.at += 1;
                Ok(true)
            }
            Some(_) if is_first => Ok(true),
            _ => Err(self.fault()),
        }
    }

    /// Reads `true` or `false`.
    pub(crate) fn boolean(&mut self) -> Result<bool, Fault> {
        let is_true = self.text.get(self.at) == Some(&b't');
        self.word(if is_true { b"true" } else { b"false" })?;
        Ok(is_true)
    }

    /// Reads `null`.
    pub(crate) fn null(&mut self) -> Result<(), Fault> {
        self.word(b"null")
    }

    /// Makes sure that nothing but white space follows.
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        self.white_space();
        if self.at == self.text.len() {
            return Ok(());
        }
        Err(Fault { at: self.at, rule: Rule::TrailingData })
    }

    #[inline]
    fn word(&mut self, word: &[u8]) -> Result<(), Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest.starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        self.at += rest.iter().zip(word).take_while(|(byte, expected)| byte == expected).count();
        Err(self.fault())
    }

    #[inline(always)]
    fn white_space(&mut self) {
        // Nearly everywhere there is none, or one space.
        if let Some(0..=b' ') = self.text.get(self.at) {
            self.more_white_space();
        }
    }

    #[inline(never)]
    fn more_white_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    /// The fault of the byte that comes next.
    pub(super) fn fault(&self) -> Fault {
        Fault { at: self.at, rule: Rule::Syntax }
    }
}
