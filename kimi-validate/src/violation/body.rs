//! The faults of a body as a whole: what ends the pass before all is judged.

use super::{Expected, Rule, Violation, Violations};
use crate::json::Fault;

/// A place in the text, for people: both are counted from 1, lines by their line feeds, the column
/// in characters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Place {
    /// Returns where the byte at `offset` stands, in a text that is UTF-8 up to there.
    fn of(text: &[u8], offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        Self { line, column: 1 + characters(before.get(line_start..).unwrap_or_default()) }
    }
}

/// Counts the bytes that begin a character. A sum of a few in one byte is done on many at once, and
/// a line may have 100 MiB.
fn characters(line: &[u8]) -> usize {
    let begins = |byte: &u8| u8::from(byte & 0b1100_0000 != 0b1000_0000);
    line.chunks(255).map(|chunk| usize::from(chunk.iter().map(begins).sum::<u8>())).sum()
}

impl Violation {
    /// A fault of the body as a whole.
    pub(crate) fn of_body(rule: Rule, expected: Expected) -> Self {
        Self { pointer: String::new(), offset: 0, rule, found: None, expected }
    }

    /// The fault that ends the pass, inside the value that `pointer` leads to.
    pub(crate) fn of_fault(body: &[u8], fault: Fault, pointer: String, max_depth: u32) -> Self {
        let place = Place::of(body, fault.at);
        let expected = match fault.rule {
            Rule::Depth => Expected::Levels(max_depth, place),
            Rule::Syntax if fault.at >= body.len() => Expected::More(place),
            _ => Expected::Place(place),
        };
        Self { pointer, offset: fault.at, rule: fault.rule, found: None, expected }
    }
}

impl Violations {
    /// Returns the refusal of a body of more than `max_bytes`, for whoever counts while it arrives.
    #[must_use]
    pub fn too_large(max_bytes: usize) -> Self {
        Violation::of_body(Rule::BodyBytes, Expected::Count(max_bytes)).into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert_eq, proptest};

    use super::*;
    use crate::{ChatRequest, Profile};

    #[test]
    fn columns_count_characters_from_1() {
        for (before, line, column) in [
            ("", 1, 1),
            ("{", 1, 2),
            ("{\n", 2, 1),
            ("{\r\n ", 2, 2),
            ("\n\n\"你好\u{1f600}\"", 3, 6),
        ] {
            let text = [before, "?"].concat();
            let place = Place::of(text.as_bytes(), before.len());
            assert_eq!(place, Place { line, column }, "{before:?}");
        }
    }

    #[test]
    fn a_fault_of_syntax_gives_the_offset_of_the_first_byte_that_is_wrong() {
        let depth = "[".repeat(128);
        for (body, rule, offset) in [
            ("{\"你\" 1}", Rule::Syntax, 7),
            ("{\"a\":", Rule::Syntax, 5),
            ("{} x", Rule::TrailingData, 3),
            (&depth, Rule::Depth, 127),
            ("", Rule::EmptyBody, 0),
        ] {
            let refused = ChatRequest::parse(body, &Profile::article()).unwrap_err();
            assert_eq!(
                (refused.first().rule(), refused.first().offset()),
                (rule, offset),
                "{body}"
            );
        }
    }

    #[test]
    fn a_place_past_the_end_is_the_end() {
        assert_eq!(Place::of(b"12", 9), Place { line: 1, column: 3 });
    }

    proptest! {
        #[test]
        fn prop_a_column_is_what_chars_count(before: String, repeat in 0_usize..300) {
            let before = before.repeat(repeat);
            let place = Place::of(before.as_bytes(), before.len());
            let line = before.rsplit('\n').next().unwrap_or_default();
            prop_assert_eq!(place.column, 1 + line.chars().count());
            prop_assert_eq!(place.line, before.split('\n').count());
        }
    }
}
