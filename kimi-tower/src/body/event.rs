//! What one server-sent event says.

use std::borrow::Cow;

use memchr::memchr2;

/// The two fields of an event that anybody here asks for: WHATWG HTML §9.2.6.
#[derive(Debug)]
pub(crate) struct Event<'a> {
    /// The type; empty if it has none.
    pub(crate) name: &'a [u8],
    /// The data, lines joined by `\n`.
    pub(crate) data: Cow<'a, [u8]>,
}

impl<'a> Event<'a> {
    /// Reads the lines of an event, complete or not; `None` if it has no data, for which clients
    /// see no event at all.
    pub(crate) fn parse(lines: &'a [u8]) -> Option<Self> {
        let mut rest = lines.strip_prefix(b"\xef\xbb\xbf").unwrap_or(lines);
        let mut name = &b""[..];
        let mut data: Option<Cow<'a, [u8]>> = None;
        while !rest.is_empty() {
            let end = memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
            let line = &rest[..end];
            // Of a `\r\n` the second half is one more empty line, in which no field stands.
            rest = rest.get(end + 1..).unwrap_or_default();
            if let Some(value) = field(line, b"data") {
                match &mut data {
                    None => data = Some(Cow::Borrowed(value)),
                    Some(data) => {
                        let data = data.to_mut();
                        data.push(b'\n');
                        data.extend_from_slice(value);
                    }
                }
            } else if let Some(value) = field(line, b"event") {
                name = value;
            }
        }
        Some(Self { name, data: data? })
    }
}

/// Returns the value of a line's field, if that is its name. One blank after the colon is not part
/// of it, and some servers write none.
fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    match line.strip_prefix(name)? {
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        [] => Some(b""),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(lines: &str) -> Option<(&str, String)> {
        let event = Event::parse(lines.as_bytes())?;
        let data = String::from_utf8(event.data.into_owned()).unwrap();
        Some((str::from_utf8(event.name).unwrap(), data))
    }

    #[test]
    fn data_is_read_with_any_line_end_and_with_or_without_a_blank() {
        for (lines, name, data) in [
            ("data: 1\n\n", "", "1"),
            ("data:1\r\n\r\n", "", "1"),
            ("event: error\rdata:  1\rid: 7\r\r", "error", " 1"),
            ("data: 1\n: comment\ndata\ndata: 2\n\n", "", "1\n\n2"),
            ("\u{feff}data: 1\n\n", "", "1"),
            ("x: y\nevent:a\nevent:b\ndatax: 3\ndata: 1", "b", "1"),
        ] {
            assert_eq!(parse(lines), Some((name, data.to_owned())), "{lines:?}");
        }
    }

    #[test]
    fn without_data_there_is_no_event() {
        for lines in ["", "\n", ": ping\n", "event: error\n\n", "retry: 1\n\n", "dat"] {
            assert_eq!(parse(lines), None, "{lines:?}");
        }
    }
}
