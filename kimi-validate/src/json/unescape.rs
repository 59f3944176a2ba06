use std::{borrow::Cow, iter::FusedIterator, str::from_utf8};

use memchr::memchr;

/// The characters of a string that was read, escapes resolved. Each is looked at when it is asked
/// for. Of bytes that are no such string, those up to the first that is wrong.
#[derive(Clone, Debug)]
pub(crate) struct Chars<'a> {
    rest: &'a [u8],
}

impl<'a> Chars<'a> {
    /// Takes what stands between the quotes of a string that was found well formed.
    pub(crate) fn new(raw: &'a [u8]) -> Self {
        Self { rest: raw }
    }

    /// Takes one character that does not stand for itself in one byte.
    fn long(&mut self) -> Option<char> {
        let lead = *self.rest.first()?;
        if lead == b'\\' {
            let (char, length) = escaped(self.rest)?;
            self.rest = self.rest.get(length..)?;
            return Some(char);
        }
        let length = match lead {
            0..0xC0 => return None,
            0xC0..0xE0 => 2,
            0xE0..0xF0 => 3,
            0xF0.. => 4,
        };
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        from_utf8(bytes).ok()?.chars().next()
    }
}

impl Iterator for Chars<'_> {
    type Item = char;

    #[inline]
    fn next(&mut self) -> Option<char> {
        match self.rest {
            [] => None,
            [byte, rest @ ..] if byte.is_ascii() && *byte != b'\\' => {
                self.rest = rest;
                Some(char::from(*byte))
            }
            _ => {
                let next = self.long();
                if next.is_none() {
                    self.rest = &[];
                }
                next
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // None takes more than the twelve bytes of two escapes.
        (0, Some(self.rest.len()))
    }
}

impl FusedIterator for Chars<'_> {}

/// Returns the text between the quotes of a string that was found well formed; copied only if
/// there is an escape in it.
pub(crate) fn unescape(raw: &[u8]) -> Cow<'_, str> {
    let Some(mut plain) = memchr(b'\\', raw) else {
        return Cow::Borrowed(from_utf8(raw).unwrap_or_default());
    };
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    loop {
        let (before, after) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
        text.push_str(from_utf8(before).unwrap_or_default());
        let Some((char, length)) = escaped(after) else {
            return Cow::Owned(text);
        };
        text.push(char);
        rest = after.get(length..).unwrap_or_default();
        plain = memchr(b'\\', rest).unwrap_or(rest.len());
    }
}

/// Returns the character that the escape at the beginning stands for, and how long that is.
fn escaped(bytes: &[u8]) -> Option<(char, usize)> {
    let char = match bytes.get(1)? {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        plain @ (b'"' | b'\\' | b'/') => char::from(*plain),
        b'u' => {
            let high = unit(bytes)?;
            if !(0xD800..0xDC00).contains(&high) {
                return Some((char::from_u32(high)?, 6));
            }
            let low = unit(bytes.get(6..)?).filter(|low| (0xDC00..0xE000).contains(low))?;
            let char = char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00))?;
            return Some((char, 12));
        }
        _ => return None,
    };
    Some((char, 2))
}

/// Returns the number in an escape such as `\u00e4`.
fn unit(bytes: &[u8]) -> Option<u32> {
    let [b'\\', b'u', digits @ ..] = bytes.first_chunk::<6>()? else {
        return None;
    };
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}
