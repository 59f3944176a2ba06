//! The hops that a request has taken, as proxies write them down: from the nearest on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// In which field the proxies write down whom they heard.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Field {
    /// `x-forwarded-for: 192.0.2.43, 2001:db8::17`
    XForwardedFor,
    /// `forwarded: for=192.0.2.43, for="[2001:db8::17]:4711";proto=https`, RFC 7239.
    Forwarded,
}

/// Reads an entry; `None` if it has no valid address.
type Read = fn(&[u8]) -> Option<IpAddr>;

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

impl Field {
    /// Returns the addresses from right to left, that is from the nearest on: all lines are one list
    /// (RFC 9110 §5.3). `None` for an entry without a valid address.
    ///
    /// They are read from the right so that nothing further left, which anybody can have written,
    /// changes how an entry is read: no open quote, for one.
    pub(super) fn hops(self, headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
        let (name, read): (_, Read) = match self {
            Self::XForwardedFor => (&X_FORWARDED_FOR, node),
            Self::Forwarded => (&header::FORWARDED, forwarded_for),
        };
        let lines = headers.get_all(name).iter().rev().map(HeaderValue::as_bytes);
        lines.flat_map(|line| FromRight::new(line, b',')).map(read)
    }
}

/// The pieces of a text, from the right, cut where a separator stands outside of quotes.
struct FromRight<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

impl<'a> FromRight<'a> {
    const fn new(text: &'a [u8], separator: u8) -> Self {
        Self { rest: Some(text), separator }
    }
}

impl<'a> Iterator for FromRight<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.rest.take()?;
        let mut is_quoted = false;
        for (at, byte) in text.iter().enumerate().rev() {
            if *byte == b'"' && !is_escaped(&text[..at]) {
                is_quoted = !is_quoted;
            } else if *byte == self.separator && !is_quoted {
                self.rest = Some(&text[..at]);
                return Some(text[at + 1..].trim_ascii());
            }
        }
        Some(text.trim_ascii())
    }
}

/// Returns whether a backslash escapes what follows `before` (RFC 9110 §5.6.4).
fn is_escaped(before: &[u8]) -> bool {
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// Reads the `for` of one element of `forwarded`, RFC 7239 §4: no parameter may be there twice.
fn forwarded_for(element: &[u8]) -> Option<IpAddr> {
    let mut values = FromRight::new(element, b';').filter_map(|pair| {
        let (name, value) = pair.split_at(pair.iter().position(|byte| *byte == b'=')?);
        name.eq_ignore_ascii_case(b"for").then_some(&value[1..])
    });
    let value = values.next().filter(|_| values.next().is_none())?;
    match value {
        // An address has nothing to escape.
        [b'"', value @ .., b'"'] => node(value),
        // A colon or bracket is only allowed in quotes (RFC 7239 §4), yet not everybody quotes.
        value => node(value),
    }
}

/// Reads an address: bare, or with a port; IPv6 with one only in brackets (RFC 7239 §6).
fn node(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        return is_port(rest).then(|| address.parse::<Ipv6Addr>().ok().map(IpAddr::V6)).flatten();
    }
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let (address, rest) = text.split_at(text.find(':')?);
    is_port(rest).then(|| address.parse::<Ipv4Addr>().ok().map(IpAddr::V4)).flatten()
}

/// Returns whether `rest` is nothing, or a colon and a port, which may be hidden: `_` and a name.
fn is_port(rest: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    match rest.as_bytes() {
        [] => true,
        [b':', b'_', name @ ..] => !name.is_empty() && name.iter().copied().all(is_name),
        [b':', digits @ ..] => {
            (1..=5).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hops(field: Field, lines: &[&str]) -> Vec<String> {
        let name = match field {
            Field::XForwardedFor => &X_FORWARDED_FOR,
            Field::Forwarded => &header::FORWARDED,
        };
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, line.parse().unwrap());
        }
        let hops = field.hops(&headers);
        hops.map(|hop| hop.map_or_else(|| "?".to_owned(), |hop| hop.to_string())).collect()
    }

    #[test]
    fn reads_x_forwarded_for_from_the_right() {
        let table: &[(&[&str], &[&str])] = &[
            (&[], &[]),
            (&["192.0.2.43"], &["192.0.2.43"]),
            (&["192.0.2.43, 2001:db8::17"], &["2001:db8::17", "192.0.2.43"]),
            (
                &["a ,192.0.2.1", "192.0.2.2\t,192.0.2.3"],
                &["192.0.2.3", "192.0.2.2", "192.0.2.1", "?"],
            ),
            (&["192.0.2.43:80, [2001:db8::17]:443, [::1]"], &["::1", "2001:db8::17", "192.0.2.43"]),
            (&["192.0.2.43,, 192.0.2.1"], &["192.0.2.1", "?", "192.0.2.43"]),
            (&[""], &["?"]),
            (&["unknown, _hidden, 192.0.2.256, 1.2.3"], &["?", "?", "?", "?"]),
            (&["010.0.0.1, 0x7f.0.0.1, 2130706433"], &["?", "?", "?"]),
            (&["192.0.2.1:, 192.0.2.1:x, 192.0.2.1:123456, 192.0.2.1:+1"], &["?", "?", "?", "?"]),
            (&["[192.0.2.1], [::1, ::1], [::1]x, [::1]:"], &["?", "?", "?", "?", "?"]),
            // Quotes are not its form, and an open one further left changes nothing.
            (&["\", \"192.0.2.2\", 192.0.2.1"], &["192.0.2.1", "?", "?"]),
        ];
        for (lines, expected) in table {
            assert_eq!(hops(Field::XForwardedFor, lines), *expected, "{lines:?}");
        }
    }

    #[test]
    fn reads_forwarded_from_the_right() {
        let table: &[(&[&str], &[&str])] = &[
            (&["for=192.0.2.43"], &["192.0.2.43"]),
            (&["FOR=192.0.2.43;proto=http ; by=203.0.113.43"], &["192.0.2.43"]),
            (
                &["for=192.0.2.43, for=\"[2001:db8:cafe::17]:4711\""],
                &["2001:db8:cafe::17", "192.0.2.43"],
            ),
            (&["for=192.0.2.1", "by=x;For=\"192.0.2.2:80\""], &["192.0.2.2", "192.0.2.1"]),
            (&["for=192.0.2.1:_port, for=\"[::1]:_a.b-c\""], &["::1", "192.0.2.1"]),
            (
                &["for=unknown, for=_hidden, for=\"_hidden\", proto=http, "],
                &["?", "?", "?", "?", "?"],
            ),
            (&["for=192.0.2.1:_, for=192.0.2.1:_!"], &["?", "?"]),
            // Twice in one element, bare, empty, half quoted.
            (&["for=192.0.2.1;for=192.0.2.2"], &["?"]),
            (&["192.0.2.1, for, for=, for=\"\""], &["?", "?", "?", "?"]),
            (&["for=192.0.2.1, for=\"192.0.2.2"], &["?"]),
            // What a client has chosen, such as the host, is in quotes and stays there.
            (&["for=192.0.2.1;host=\"x;for=6.6.6.6\""], &["192.0.2.1"]),
            (&["for=192.0.2.1;host=\"x, for=6.6.6.6\""], &["192.0.2.1"]),
            (&[r#"for=192.0.2.1;host="x, \"""#], &["192.0.2.1"]),
            (&[r#"host="\", for=6.6.6.6, \\";for=192.0.2.1"#], &["192.0.2.1"]),
            // An open quote further left takes nothing in.
            (
                &["for=\"x, for=\"[2001:db8::1]\", for=192.0.2.1"],
                &["192.0.2.1", "2001:db8::1", "?"],
            ),
            (&["for=\"x\\", "for=192.0.2.1"], &["192.0.2.1", "?"]),
        ];
        for (lines, expected) in table {
            assert_eq!(hops(Field::Forwarded, lines), *expected, "{lines:?}");
        }
    }

    proptest! {
        #[test]
        fn prop_what_stands_further_left_changes_nothing(
            left in "[ -~]{0,40}",
            last in any::<IpAddr>(),
        ) {
            let node = match last {
                IpAddr::V4(last) => last.to_string(),
                IpAddr::V6(last) => format!("\"[{last}]:80\""),
            };
            let line = format!("{left}, host=\"a;b\\\",\";for={node}");
            prop_assert_eq!(&hops(Field::Forwarded, &[&line])[0], &last.to_string());
            prop_assert_eq!(&hops(Field::Forwarded, &[&left, &line[left.len() + 2..]])[0], &last.to_string());
            let line = format!("{left},{last}");
            prop_assert_eq!(&hops(Field::XForwardedFor, &[&line])[0], &last.to_string());
        }

        #[test]
        fn prop_pieces_are_the_text(text in "[,;a\"\\\\]{0,40}") {
            let mut pieces: Vec<_> = FromRight::new(text.as_bytes(), b',').collect();
            pieces.reverse();
            prop_assert_eq!(pieces.join(&b","[..]), text.as_bytes());
        }
    }
}
