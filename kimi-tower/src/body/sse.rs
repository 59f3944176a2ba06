//! Where one server-sent event ends and the next may begin.

use memchr::memchr2;

/// Follows an event stream and knows whether it stands between two events.
///
/// An event ends with a blank line, and a line with `\n`, `\r` or `\r\n` (WHATWG HTML §9.2.5),
/// any of which may be cut by the end of a chunk. A comment between two events is complete with
/// its line, so that a keep-alive is never waited for.
#[derive(Debug, Default)]
pub(crate) struct EventScanner {
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
    pub(crate) fn is_between_events(&self) -> bool {
        self.line == Line::Start && !self.in_event
    }

    /// Reads on. Returns the last place in `chunk` where another event may begin; `None` if there
    /// is none but perhaps its start.
    #[cfg(any(feature = "catch-error", test))]
    pub(crate) fn read(&mut self, chunk: &[u8]) -> Option<usize> {
        // The last of two line ends in a row ends a blank line, whatever came before.
        if chunk.ends_with(b"\n\n") || chunk.ends_with(b"\r\n\r\n") {
            *self = Self::default();
            return Some(chunk.len());
        }
        let mut at = self.read_line_feed(chunk);
        let mut boundary = (at == 1 && self.is_between_events()).then_some(1);
        while at < chunk.len() {
            at = self.read_line(chunk, at);
            if self.is_between_events() {
                boundary = Some(at);
            }
        }
        boundary
    }

    /// Reads on up to the first place in `chunk` where another event may begin, and returns it;
    /// reads all of `chunk` if there is none but perhaps its start.
    #[cfg(any(
        feature = "raise-error",
        feature = "request-log",
        feature = "retry",
        feature = "token"
    ))]
    pub(crate) fn read_one(&mut self, chunk: &[u8]) -> Option<usize> {
        let mut at = self.read_line_feed(chunk);
        if at == 1 && self.is_between_events() {
            return Some(1);
        }
        while at < chunk.len() {
            at = self.read_line(chunk, at);
            if self.is_between_events() {
                return Some(at);
            }
        }
        None
    }

    /// Reads the `\n` that belongs to the `\r` before the chunk, if it is there.
    fn read_line_feed(&mut self, chunk: &[u8]) -> usize {
        if chunk.is_empty() {
            return 0;
        }
        usize::from(std::mem::take(&mut self.after_cr) && chunk[0] == b'\n')
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

    #[cfg(any(
        feature = "raise-error",
        feature = "request-log",
        feature = "retry",
        feature = "token"
    ))]
    #[test]
    fn one_event_is_read_at_a_time() {
        let text = b": a\n\ndata: 1\n:b\n\n\r\ndata: 2\r\rda";
        let mut scanner = EventScanner::default();
        let (mut at, mut units) = (0, Vec::new());
        while let Some(length) = scanner.read_one(&text[at..]) {
            units.push(str::from_utf8(&text[at..at + length]).unwrap());
            at += length;
        }
        assert_eq!(units, [": a\n", "\n", "data: 1\n:b\n\n", "\r\n", "data: 2\r\r"]);
        assert_eq!(scanner.read_one(b"ta\r"), None);
        assert_eq!(scanner.read_one(b"\n\r\n"), Some(3));
    }

    proptest! {
        #[cfg(any(feature = "raise-error", feature = "request-log", feature = "retry", feature = "token"))]
        #[test]
        fn prop_one_by_one_the_last_boundary_is_the_same(
            text in "[a:\r\n]{0,40}",
            size in 1_usize..8,
        ) {
            let mut scanner = EventScanner::default();
            let (mut read, mut last) = (0, 0);
            for chunk in text.as_bytes().chunks(size) {
                let mut at = 0;
                while let Some(length) = scanner.read_one(&chunk[at..]) {
                    at += length;
                    last = read + at;
                }
                read += chunk.len();
            }
            prop_assert_eq!(last, last_boundary([text.as_bytes()]));
        }

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
