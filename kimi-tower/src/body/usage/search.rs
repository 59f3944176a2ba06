//! Where in a text of JSON the name of a member stands.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// A name that is looked for.
#[derive(Debug)]
pub(super) struct Name {
    /// As it stands in the text. No byte of it but its first begins it anew.
    text: &'static [u8],
    finder: LazyLock<Finder<'static>>,
}

macro_rules! name {
    ($name:ident = $text:literal) => {
        pub(super) static $name: Name =
            Name { text: $text, finder: LazyLock::new(|| Finder::new($text)) };
    };
}

name!(USAGE = b"\"usage\"");
#[cfg(feature = "request-log")]
name!(FINISH_REASON = b"\"finish_reason\"");
// That of Anthropic's API.
#[cfg(feature = "request-log")]
name!(STOP_REASON = b"\"stop_reason\"");

/// Looks for a name, as the string `"usage"`, in the chunks of a text.
///
/// It does not need to know which quotes begin strings: one within a string has a backslash before
/// it. The second quote of the name has an `e` there, so that a string begins or ends with it. If
/// one began, `usage` would stand between strings, which is no JSON; so one ends. It did not begin
/// before the first quote, unless that has a backslash before it. What a model says of `"usage"` is
/// `\"usage\"` in its answer, and not found.
///
/// So nothing that is broken spoils what comes after it, and long texts cost next to nothing.
#[derive(Debug)]
pub(super) struct Search {
    name: &'static Name,
    /// How many bytes of the name the last chunk ended with.
    matched: usize,
    /// Whether it ended with a backslash.
    after_backslash: bool,
}

impl Search {
    pub(super) const fn new(name: &'static Name) -> Self {
        Self { name, matched: 0, after_backslash: false }
    }

    /// Reads on to the end of the next name, and returns what stands behind it; reads all of `text`
    /// if there is none.
    pub(super) fn read<'a>(&mut self, mut text: &'a [u8]) -> Option<&'a [u8]> {
        let name = self.name.text;
        while self.matched > 0 {
            let (byte, rest) = text.split_first()?;
            if *byte != name[self.matched] {
                // No part of the name but its first byte begins it anew, and that is read below.
                self.matched = 0;
            } else {
                text = rest;
                self.matched = (self.matched + 1) % name.len();
                if self.matched == 0 {
                    return Some(text);
                }
            }
        }
        let mut from = 0;
        while let Some(found) = self.name.finder.find(&text[from..]) {
            let start = from + found;
            from = start + name.len();
            if !self.is_escaped(text, start) {
                self.after_backslash = false;
                return Some(&text[from..]);
            }
        }
        self.end(text, from);
        None
    }

    /// Remembers what the next chunk may go on with.
    fn end(&mut self, text: &[u8], from: usize) {
        let name = self.name.text;
        let tail = from.max(text.len().saturating_sub(name.len() - 1));
        let quote = text[tail..].iter().rposition(|byte| *byte == b'"').map(|at| tail + at);
        let begun = quote.filter(|at| name.starts_with(&text[*at..]));
        self.matched = match begun {
            Some(at) if !self.is_escaped(text, at) => text.len() - at,
            _ => 0,
        };
        if let Some(last) = text.last() {
            self.after_backslash = *last == b'\\';
        }
    }

    fn is_escaped(&self, text: &[u8], at: usize) -> bool {
        at.checked_sub(1).map_or(self.after_backslash, |before| text[before] == b'\\')
    }
}

/// Returns where the next `"usage"` ends in a text that is there as a whole.
#[cfg(feature = "request-log")]
pub(super) fn find_whole(text: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let start = from + USAGE.finder.find(&text[from..])?;
        from = start + USAGE.text.len();
        if start.checked_sub(1).is_none_or(|before| text[before] != b'\\') {
            return Some(from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what stands behind each name.
    fn behind(chunks: &[&str]) -> Vec<String> {
        let mut search = Search::new(&USAGE);
        let mut all = Vec::new();
        for chunk in chunks {
            let mut rest = chunk.as_bytes();
            while let Some(behind) = search.read(rest) {
                all.push(String::from_utf8(behind.to_vec()).unwrap());
                rest = behind;
            }
        }
        all
    }

    #[test]
    fn the_name_is_found_where_it_is_a_whole_string() {
        for (text, expected) in [
            (r#"{"usage":1"#, &[":1"][..]),
            (r#""usage""usage","#, &["\"usage\",", ","]),
            (r#"{"a\\":"\\","usage":1"#, &[":1"]),
            (r#"{"":"usage"}"#, &["}"]),
            (r#"{"usages":1,"xusage":2,"usage :3"#, &[]),
            (r#"{"a":"\"usage\":1"}"#, &[]),
            (r#"{"a":"\"usage":1}"#, &[]),
            (r#"{"a":"\"usage","usage":1}"#, &[":1}"]),
            (r#"{"a":"\\\"usage","b":"usage\""}"#, &[]),
        ] {
            assert_eq!(behind(&[text]), expected, "{text}");
        }
    }

    #[test]
    fn a_name_may_be_cut_anywhere() {
        for (text, is_found) in [
            (r#"{"usage":1"#, true),
            (r#""""usage":1"#, true),
            (r#""us"usage":1"#, true),
            (r#""\"usage":1"#, false),
            (r#""\"usage\":1"#, false),
        ] {
            for cut in 0..=text.len() {
                for end in cut..=text.len() {
                    let found = behind(&[&text[..cut], &text[cut..end], "", &text[end..]]);
                    assert_eq!(!found.is_empty(), is_found, "{text} {cut} {end}");
                }
            }
        }
    }
}
