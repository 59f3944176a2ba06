//! The data of an event stream, without what stands around it.

use memchr::memchr2;

/// Takes the data out of the chunks of an event stream, WHATWG HTML §9.2.6.
#[derive(Debug, Default)]
pub(super) struct DataLines {
    line: Line,
    /// Whether the last line ended with `\r`, to which a `\n` may still belong.
    after_cr: bool,
}

/// What is known of the line that is not complete.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Line {
    /// It is so much of `data:`.
    Name(usize),
    Data,
    /// A comment, or another field.
    Other,
}

impl Default for Line {
    fn default() -> Self {
        Self::Name(0)
    }
}

/// What comes next in an event stream.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Piece<'a> {
    /// Data, or a part of it. One blank may stand before it that does not belong to it.
    Data(&'a [u8]),
    /// The end of a line of data.
    LineEnd,
    /// A blank line, which ends an event.
    EventEnd,
}

const NAME: &[u8] = b"data:";

impl DataLines {
    /// Reads on to the end of the next piece; `None` at the end of the chunk.
    pub(super) fn next<'a>(&mut self, chunk: &mut &'a [u8]) -> Option<Piece<'a>> {
        loop {
            let first = *chunk.first()?;
            if std::mem::take(&mut self.after_cr) && first == b'\n' {
                *chunk = &chunk[1..];
                continue;
            }
            if let Line::Name(read) = self.line {
                // As nearly every line begins.
                if let (0, Some(rest)) = (read, chunk.strip_prefix(NAME)) {
                    *chunk = rest;
                    self.line = Line::Data;
                    continue;
                }
                let same = same_bytes(chunk, &NAME[read..]);
                *chunk = &chunk[same..];
                self.line = match (read + same, chunk.first()) {
                    (length, _) if length == NAME.len() => Line::Data,
                    (0, Some(b'\n' | b'\r')) => {
                        self.read_line_end(chunk);
                        return Some(Piece::EventEnd);
                    }
                    (length, None) => Line::Name(length),
                    _ => Line::Other,
                };
                continue;
            }
            let is_data = self.line == Line::Data;
            let end = memchr2(b'\n', b'\r', chunk).unwrap_or(chunk.len());
            let (text, rest) = chunk.split_at(end);
            *chunk = rest;
            if is_data && !text.is_empty() {
                return Some(Piece::Data(text));
            }
            if !rest.is_empty() {
                self.read_line_end(chunk);
                if is_data {
                    return Some(Piece::LineEnd);
                }
            }
        }
    }

    fn read_line_end(&mut self, chunk: &mut &[u8]) {
        self.after_cr = chunk[0] == b'\r';
        self.line = Line::Name(0);
        *chunk = &chunk[1..];
    }
}

/// Returns how many bytes both begin with.
fn same_bytes(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the data, each line in brackets, each event with a semicolon.
    fn data<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> String {
        let mut lines = DataLines::default();
        let mut all = Vec::new();
        for mut chunk in chunks {
            while let Some(piece) = lines.next(&mut chunk) {
                match piece {
                    Piece::Data(text) => all.extend_from_slice(text),
                    Piece::LineEnd => all.push(b'|'),
                    Piece::EventEnd => all.push(b';'),
                }
            }
            assert!(chunk.is_empty());
        }
        String::from_utf8(all).unwrap()
    }

    #[test]
    fn only_data_is_taken_whatever_the_line_ends_and_chunks() {
        for (text, expected) in [
            ("data: 1\n\ndata:2\n\n", " 1|;2|;"),
            ("data: 1\r\n\r\ndata: 2\r\r", " 1|; 2|;"),
            (": data: x\nevent: data:\nid:data: 7\ndata: 1\ndata: 2\n\n", " 1| 2|;"),
            ("datax: 3\ndata\ndat\ndata:\n data: 4\n\n\n", "|;;"),
            ("data: 1\rdata: 2\n\rdata: 3\n\n", " 1| 2|; 3|;"),
            ("data: [DONE]", " [DONE]"),
            ("\n\n\r\r\n", ";;;;"),
        ] {
            assert_eq!(data([text.as_bytes()]), expected, "{text:?}");
            for size in 1..text.len() {
                assert_eq!(data(text.as_bytes().chunks(size)), expected, "{text:?} by {size}");
            }
        }
    }
}
