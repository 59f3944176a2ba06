//! The object that `usage` is.

use memchr::memchr2;

use super::count::{Count, Counts, LONGEST};

/// Reads the chunks of an object, of which the opening brace has been read, to its end.
#[derive(Debug, Default)]
pub(super) struct Object {
    /// How many arrays and objects are open in it. A number costs no stack.
    depth: u64,
    place: Place,
    name: Name,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    /// Where no other begins.
    #[default]
    Between,
    InString,
    AfterBackslash,
    /// Behind a string, which is a name if a colon follows.
    AfterString,
    /// Before the value of a member that is asked for.
    Before(Count),
    /// In a number, of which so much has been read.
    Number(Count, u64),
}

/// The beginning of a string, long enough to know those asked for.
#[derive(Debug, Default)]
struct Name {
    bytes: [u8; LONGEST],
    /// Of the string; more than the bytes if it is longer.
    length: usize,
}

impl Object {
    /// Reads on to the object's end, and returns what it says and what stands behind it; reads all
    /// of `text` if it does not end there.
    pub(super) fn read<'a>(&mut self, mut text: &'a [u8]) -> Option<(Counts, &'a [u8])> {
        while let Some((byte, rest)) = text.split_first() {
            text = match self.place {
                // Between => (Between | InString), or the end
                Place::Between => {
                    match byte {
                        b'}' if self.depth == 0 => return Some((self.counts, rest)),
                        b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                        b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                        b'"' => {
                            if self.depth == 0
                                && let Some((count, value, behind)) = plain_member(text)
                            {
                                self.counts.set(count, value);
                                text = behind;
                                continue;
                            }
                            self.name.length = 0;
                            self.place = Place::InString;
                        }
                        _ => {}
                    }
                    rest
                }
                // InString => (InString | AfterBackslash | AfterString)
                Place::InString => self.read_string(text),
                // AfterBackslash => InString
                Place::AfterBackslash => {
                    self.place = Place::InString;
                    rest
                }
                // AfterString => (AfterString | Before | Between)
                Place::AfterString if *byte == b':' => {
                    self.place = self.member();
                    rest
                }
                // Before => (Before | Number | Between)
                Place::Before(count) if byte.is_ascii_digit() => {
                    self.place = Place::Number(count, 0);
                    text
                }
                Place::AfterString | Place::Before(_) if byte.is_ascii_whitespace() => rest,
                // Number => (Number | Between)
                Place::Number(count, value) if byte.is_ascii_digit() => {
                    let digit = u64::from(byte - b'0');
                    self.place =
                        Place::Number(count, value.saturating_mul(10).saturating_add(digit));
                    rest
                }
                Place::Number(count, value) => {
                    // A number with a fraction or an exponent is no count.
                    if byte.is_ascii_whitespace() || matches!(byte, b',' | b'}') {
                        self.counts.set(count, value);
                    }
                    self.place = Place::Between;
                    text
                }
                Place::AfterString | Place::Before(_) => {
                    self.place = Place::Between;
                    text
                }
            };
        }
        None
    }

    fn read_string<'a>(&mut self, text: &'a [u8]) -> &'a [u8] {
        let end = memchr2(b'"', b'\\', text).unwrap_or(text.len());
        self.name.push(&text[..end]);
        match text.get(end) {
            Some(b'"') => self.place = Place::AfterString,
            Some(_) => {
                // No name that is asked for has one.
                self.name.push(b"\\");
                self.place = Place::AfterBackslash;
            }
            None => {}
        }
        text.get(end + 1..).unwrap_or_default()
    }

    /// Returns the place behind a name and its colon. Counts of details are not those of the
    /// object, as those in `prompt_tokens_details`.
    fn member(&self) -> Place {
        match self.name.count() {
            Some(count) if self.depth == 0 => Place::Before(count),
            _ => Place::Between,
        }
    }
}

/// Reads a member as nearly all that are asked for are written, whole and without a blank, up to the
/// comma or the brace behind it. What is written otherwise is left to the walk.
fn plain_member(text: &[u8]) -> Option<(Count, u64, &[u8])> {
    let (count, mut rest) = Count::begun(text)?;
    let mut value = 0_u64;
    let mut digits = 0;
    while let Some((digit, behind)) = rest.split_first().filter(|(byte, _)| byte.is_ascii_digit()) {
        value = value.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
        digits += 1;
        rest = behind;
    }
    let is_whole = digits > 0 && matches!(rest.first(), Some(b',' | b'}'));
    is_whole.then_some((count, value, rest))
}

impl Name {
    fn push(&mut self, part: &[u8]) {
        let end = self.length.saturating_add(part.len());
        if let Some(place) = self.bytes.get_mut(self.length..end) {
            place.copy_from_slice(part);
        }
        self.length = end;
    }

    fn count(&self) -> Option<Count> {
        self.bytes.get(..self.length).and_then(Count::named)
    }
}
