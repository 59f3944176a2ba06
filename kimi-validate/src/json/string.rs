use super::{
    Fault, Scanner,
    bytes::{plain_block, plain_bytes, plain_words},
    escape::escapes,
};
use crate::violation::Rule;

/// A string that was read, without its quotes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Str {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Whether there is an escape in it.
    pub(crate) is_escaped: bool,
}

/// Names, roles and the like end within so many bytes.
const SHORT: usize = 16;

/// From how many plain bytes on a string is long.
const LONG: usize = 512;

/// How much is gone over before it is gone over again, as UTF-8: what the cache nearest to the
/// processor holds.
const BLOCK: usize = 8 * 1024;

impl Scanner<'_> {
    /// Reads the string whose opening quote comes next.
    ///
    /// The fault is that of the first byte in input order with which no well formed string goes on;
    /// of bytes that are not UTF-8, the first of the character that they do not make.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<Str, Fault> {
        let start = self.at + 1;
        let mut at = start;
        let rest = self.text.get(at..).unwrap_or_default();
        if let Some(words) = rest.first_chunk::<SHORT>() {
            let seen = plain_words(words);
            if !seen.is_high {
                at += seen.plain;
                if words.get(seen.plain) == Some(&b'"') {
                    self.at = at + 1;
                    return Ok(Str { start, end: at, is_escaped: false });
                }
            }
        }
        self.rest_of_string(start, at)
    }

    /// The same, for one that is likely to be long.
    pub(crate) fn text_string(&mut self) -> Result<Str, Fault> {
        let start = self.at + 1;
        self.rest_of_string(start, start)
    }

    /// Reads on at `at`; what is before is ASCII and plain.
    #[inline(never)]
    fn rest_of_string(&mut self, start: usize, mut at: usize) -> Result<Str, Fault> {
        let text = self.text;
        let mut is_escaped = false;
        // What is before is UTF-8, and whether a byte from there on is not ASCII.
        let mut proven = at;
        let mut is_high = false;
        let mut is_long = false;
        let fault = loop {
            let rest = text.get(at..).unwrap_or_default();
            let seen = match is_long {
                false => plain_bytes(rest.get(..LONG).unwrap_or(rest)),
                true => plain_block(rest.get(..BLOCK).unwrap_or(rest)),
            };
            at += seen.plain;
            is_high |= seen.is_high;
            match text.get(at) {
                Some(b'"') => {
                    if is_high {
                        prove(text, proven, at)?;
                    }
                    self.at = at + 1;
                    return Ok(Str { start, end: at, is_escaped });
                }
                Some(b'\\') => {
                    is_escaped = true;
                    is_long = false;
                    if is_high && at - proven > BLOCK {
                        prove(text, proven, at)?;
                        (proven, is_high) = (at, false);
                    }
                    match escapes(text, at) {
                        Ok(end) => at = end,
                        Err(fault) => break fault,
                    }
                }
                // So much was plain that there may well be more.
                Some(0x20..) => {
                    is_long = true;
                    if is_high {
                        let end = whole(text, proven, at);
                        prove(text, proven, end)?;
                        (proven, is_high) = (end, end < at);
                    } else {
                        proven = at;
                    }
                }
                _ => break Fault { at, rule: Rule::Syntax },
            }
        };
        prove(text, proven, at)?;
        Err(fault)
    }
}

/// Makes sure that a part of the text is UTF-8.
fn prove(text: &[u8], start: usize, end: usize) -> Result<(), Fault> {
    let part = text.get(start..end).unwrap_or_default();
    if simdutf8::basic::from_utf8(part).is_ok() {
        return Ok(());
    }
    let valid = std::str::from_utf8(part).map_or_else(|error| error.valid_up_to(), str::len);
    Err(Fault { at: start + valid, rule: Rule::Utf8 })
}

/// Returns `end`, or where the character begins that may go on after it.
fn whole(text: &[u8], start: usize, end: usize) -> usize {
    for (index, byte) in text.iter().enumerate().take(end).skip(start).rev().take(3) {
        let length = match byte {
            0x80..0xC0 => continue,
            0..0x80 => 1,
            0xC0..0xE0 => 2,
            0xE0..0xF0 => 3,
            0xF0.. => 4,
        };
        return if index + length > end { index } else { end };
    }
    end
}
