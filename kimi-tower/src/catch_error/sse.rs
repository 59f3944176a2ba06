//! Where one server-sent event ends and the next may begin.

use memchr::memchr2;

/// Follows an event stream and knows whether it stands between two events.
///
/// An event ends with a blank line, and a line with `\n`, `\r` or `\r\n` (WHATWG HTML §9.2.5),
/// any of which may be cut by the end of a chunk. A comment between two events is complete with
/// its line, so that a keep-alive is never waited for.
#[derive(Debug, Default)]
pub(super) struct EventScanner {
    line: Line,
    /// Whether a field has come since the last blank line.
    in_event: bool,
    /// Whether the last line ended with `\r`, to which a `\n` may still belong.
    after_cr: bool,
}

/// What is known of the line that is not complete.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Line {
    /// Nothing of it has come.
    #[default]
    Start,
    Comment,
    Field,
}

impl EventScanner {
    /// Returns whether another event may begin after the last byte.
    pub(super) fn is_between_events(&self) -> bool {
        self.line == Line::Start && !self.in_event
    }

    /// Reads on. Returns the last place in `chunk` where another event may begin; `None` if there
    /// is none but perhaps its start.
    pub(super) fn read(&mut self, chunk: &[u8]) -> Option<usize> {
        // The last of two line ends in a row ends a blank line, whatever came before.
        if chunk.ends_with(b"\n\n") || chunk.ends_with(b"\r\n\r\n") {
            *self = Self::default();
            return Some(chunk.len());
        }
        let mut boundary = None;
        let mut at = 0;
        if self.after_cr && !chunk.is_empty() {
            self.after_cr = false;
            if chunk[0] == b'\n' {
                at = 1;
                boundary = self.is_between_events().then_some(1);
            }
        }
        while at < chunk.len() {
            at = self.read_line(chunk, at);
            if self.is_between_events() {
                boundary = Some(at);
            }
        }
        boundary
    }

    /// Reads to the end of the line, or of the chunk, and returns where that is.
    fn read_line(&mut self, chunk: &[u8], at: usize) -> usize {
        let end = memchr2(b'\n', b'\r', &chunk[at..]).map(|length| at + length);
        let is_blank = self.line == Line::Start && end == Some(at);
        if is_blank {
            self.in_event = false;
        } else if self.line == Line::Start {
            self.line = if chunk[at] == b':' { Line::Comment } else { Line::Field };
            self.in_event |= self.line == Line::Field;
        }
        let Some(end) = end else { return chunk.len() };
        self.line = Line::Start;
        if chunk[end] == b'\n' {
            return end + 1;
        }
        match chunk.get(end + 1) {
            Some(b'\n') => end + 2,
            Some(_) => end + 1,
            None => {
                self.after_cr = true;
                end + 1
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::*;

    /// Returns the last boundary of the chunks, counted from the first byte, 0 if there is none.
    fn last_boundary<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> usize {
        let mut scanner = EventScanner::default();
        let (mut read, mut last) = (0, 0);
        for chunk in chunks {
            if let Some(end) = scanner.read(chunk) {
                last = read + end;
            }
            read += chunk.len();
            assert_eq!(scanner.is_between_events(), last == read, "{chunk:?}");
        }
        last
    }

    #[test]
    fn an_event_ends_with_a_blank_line_of_any_kind() {
        for end in ["\n\n", "\r\n\r\n", "\r\r", "\n\r\n", "\r\n\n", "\n\r", "\r\n\r"] {
            let text = format!("data: x{end}");
            assert_eq!(last_boundary([text.as_bytes()]), text.len(), "{end:?}");
            assert_eq!(last_boundary(text.as_bytes().chunks(1)), text.len(), "{end:?}");
        }
        for end in ["\n", "\r\n", "\r", "", "\n:comment\n", "\nid: 7\n"] {
            let text = format!("data: x{end}");
            assert_eq!(last_boundary([text.as_bytes()]), 0, "{end:?}");
            assert_eq!(last_boundary(text.as_bytes().chunks(1)), 0, "{end:?}");
        }
    }

    #[test]
    fn a_comment_between_events_is_complete_with_its_line() {
        assert_eq!(last_boundary([b": ping\n".as_slice()]), 7);
        assert_eq!(last_boundary([b": pi".as_slice(), b"ng\r", b"\n"]), 8);
        assert_eq!(last_boundary([b": pi".as_slice()]), 0);
        assert_eq!(last_boundary([b"data: x\n\n:\ndata".as_slice()]), 11);
    }

    #[test]
    fn a_line_end_cut_in_two_is_one() {
        assert_eq!(last_boundary([b"data: x\r".as_slice(), b"\ndata: y"]), 0);
        assert_eq!(last_boundary([b"data: x\r".as_slice(), b"", b"\n", b"\r", b"\n"]), 11);
    }

    proptest! {
        #[test]
        fn prop_chunks_do_not_matter(
            text in "[a:\r\n]{0,40}",
            size in 1_usize..8,
        ) {
            let whole = last_boundary([text.as_bytes()]);
            let single = last_boundary(text.as_bytes().chunks(1));
            prop_assert_eq!(last_boundary(text.as_bytes().chunks(size)), single);
            prop_assert_eq!(whole, single);
        }
    }
}
