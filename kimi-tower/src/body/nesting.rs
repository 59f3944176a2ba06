//! Whether a text of JSON is whole, by its brackets and quotes alone.

use memchr::memchr2;

/// How deep in objects, arrays and strings a text stands. It is fed the chunks of the text.
#[derive(Debug, Default)]
pub(crate) struct Nesting {
    depth: usize,
    /// Whether anything has come.
    has_begun: bool,
    in_string: bool,
    after_backslash: bool,
}

impl Nesting {
    pub(crate) fn read(&mut self, mut chunk: &[u8]) {
        self.has_begun |= !chunk.is_empty();
        while let Some((byte, rest)) = chunk.split_first() {
            chunk = rest;
            if std::mem::take(&mut self.after_backslash) {
                continue;
            }
            match byte {
                b'\\' if self.in_string => self.after_backslash = true,
                b'"' => self.in_string = !self.in_string,
                b'{' | b'[' if !self.in_string => self.depth += 1,
                b'}' | b']' if !self.in_string => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            if self.in_string && !self.after_backslash {
                let end = memchr2(b'"', b'\\', chunk).unwrap_or(chunk.len());
                chunk = &chunk[end..];
            }
        }
    }

    /// Returns whether the text may end here: it has begun, and nothing is open.
    pub(crate) const fn may_end(&self) -> bool {
        self.has_begun && self.depth == 0 && !self.in_string
    }
}

/// Returns whether a text ends with the end of an object or array.
pub(crate) fn is_whole(text: &[u8]) -> bool {
    let mut nesting = Nesting::default();
    nesting.read(text);
    nesting.may_end() && matches!(text.trim_ascii_end().last(), Some(b'}' | b']'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_whole_at_its_last_byte_only() {
        let text = r#"{"a":[1,{"b":"]}\"\\"}],"c":"月{"}"#;
        for end in 0..text.len() {
            assert!(!is_whole(&text.as_bytes()[..end]), "{end}");
        }
        assert!(is_whole(text.as_bytes()));
        assert!(!is_whole(b"") && !is_whole(b"pong"));
    }

    #[test]
    fn chunks_do_not_matter() {
        let text = br#"{"a\\":"\"}",
            "b":[]}"#;
        for size in 1..text.len() {
            let mut nesting = Nesting::default();
            for chunk in text.chunks(size) {
                assert!(!nesting.may_end());
                nesting.read(chunk);
            }
            assert!(nesting.may_end(), "{size}");
        }
    }
}
