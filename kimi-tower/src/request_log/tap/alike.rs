//! Events that differ from one already read in nothing but a text.

/// The longest event that others may be like, in bytes. Ours: a chunk with a few words of content
/// has 250, and so many are kept for each stream.
const MAX_BYTES: usize = 1024;

/// The name, or its end, behind which the text of an answer stands, as in `"content":"Hello"` and
/// `"reasoning_content":"Hello"`, with the quote that opens it.
const NAME: &[u8] = b"content\":\"";

/// An event that was read, found to say nothing but a text, and cut out around that text.
///
/// Another is like it if it begins and ends with the same bytes, and what stands between them can
/// stand within a string of JSON. It then says the same but for the text: the two begin one string
/// at the same place, and what ends it is the same. So it has no error and no end either, and
/// no usage but the last that was read, and need not be read.
#[derive(Debug, Default)]
pub(super) struct Alike {
    /// The bytes before the text and those after it. Empty if there is no such event.
    around: Vec<u8>,
    before: usize,
}

impl Alike {
    /// Keeps an event, all of a chunk, that says nothing but perhaps a text.
    pub(super) fn learn(&mut self, event: &[u8]) {
        self.around.clear();
        if event.len() > MAX_BYTES || !event.ends_with(b"\n\n") {
            return;
        }
        let Some(at) = memchr::memmem::rfind(event, NAME) else { return };
        let start = at + NAME.len();
        let mut end = start;
        loop {
            match event.get(end) {
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(_) => end += 1,
                None => return,
            }
        }
        self.around.reserve(event.len());
        self.around.extend_from_slice(&event[..start]);
        self.around.extend_from_slice(&event[end..]);
        self.before = start;
    }

    /// Returns whether a chunk is an event like the one that is kept.
    #[inline]
    pub(super) fn is_like(&self, chunk: &[u8]) -> bool {
        let Some(length) = chunk.len().checked_sub(self.around.len()) else { return false };
        if self.around.is_empty() {
            return false;
        }
        let (before, after) = self.around.split_at(self.before);
        chunk[..self.before] == *before
            && chunk[self.before + length..] == *after
            && is_text(chunk, self.before, self.before + length)
    }
}

/// Returns whether what stands from `start` to `end` can stand within a string: no quote, no control
/// character, and no backslash before what comes next. One that has an escaped quote passes for none.
#[inline]
fn is_text(chunk: &[u8], start: usize, end: usize) -> bool {
    let text = &chunk[start..end];
    if text.last() == Some(&b'\\') {
        return false;
    }
    let (words, rest) = text.as_chunks::<8>();
    let mut found = 0;
    for word in words {
        found |= marks(u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        // The last eight bytes, of which those that were seen, or stand before the text, are made
        // some that mean nothing.
        let Some((_, last)) = chunk[..end].split_last_chunk::<8>() else { return false };
        let unseen = rest.len() * 8;
        found |= marks(u64::from_le_bytes(*last) | u64::MAX >> unseen);
    }
    found == 0
}

/// Returns whether one of eight bytes is a quote or below the blank: then it is not 0. It may also
/// not be 0 if one above such a byte is neither.
#[inline]
const fn marks(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const TOPS: u64 = ONES << 7;
    let quotes = word ^ (ONES * b'"' as u64);
    // To subtract borrows the top bit of a byte that is less, unless it was set before.
    let is_quote = quotes.wrapping_sub(ONES) & !quotes;
    let is_low = word.wrapping_sub(ONES * b' ' as u64) & !word;
    (is_quote | is_low) & TOPS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn event(text: &str) -> Vec<u8> {
        let data = r#"{"id":"x","choices":[{"delta":{"content":""#;
        format!("data: {data}{text}\"}},\"finish_reason\":null}}]}}\n\n").into_bytes()
    }

    fn learnt() -> Alike {
        let mut alike = Alike::default();
        alike.learn(&event("Hello, \\\"world\\\""));
        alike
    }

    #[test]
    fn another_text_is_alike() {
        for text in [
            "",
            "x",
            "Hello",
            " Hello,\\n",
            "月之暗面，你好，世界",
            "\\u0041 and so on",
            "12345678",
        ] {
            assert!(learnt().is_like(&event(text)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_not() {
        let alike = learnt();
        for text in ["\"", "a\",\"usage\":{", "\n", "x\\", "12345678\"", "1234567\r12", "a\\\"b"] {
            assert!(!alike.is_like(&event(text)), "{text:?}");
        }
        let whole = event("x");
        assert!(!alike.is_like(&whole[1..]) && !alike.is_like(&whole[..whole.len() - 1]));
        assert!(!alike.is_like(&[]) && !Alike::default().is_like(&[]));
    }

    #[test]
    fn what_has_no_text_or_no_end_is_not_kept() {
        for event in
            ["data: {\"content\":\"x\"}\n", "data: {\"content\":\"x\n\n", "data: {}\n\n", "\n\n"]
        {
            let mut alike = Alike::default();
            alike.learn(event.as_bytes());
            assert!(alike.around.is_empty(), "{event:?}");
        }
    }

    proptest! {
        #[test]
        fn prop_a_text_is_what_has_no_mark(
            text in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let has_mark = text.iter().any(|byte| *byte < b' ' || *byte == b'"');
            let is_escaped = text.last() == Some(&b'\\');
            let chunk = [b"\"content\":\"", &text[..]].concat();
            prop_assert_eq!(is_text(&chunk, 11, chunk.len()), !has_mark && !is_escaped);
        }

        #[test]
        fn prop_what_is_alike_is_one_event_with_one_text(text in any::<String>()) {
            let text = serde_json::to_string(&text).unwrap();
            let chunk = event(&text[1..text.len() - 1]);
            if learnt().is_like(&chunk) {
                let lines = String::from_utf8(chunk).unwrap();
                let data = lines.strip_prefix("data: ").unwrap().trim_end();
                let value: serde_json::Value = serde_json::from_str(data).unwrap();
                prop_assert!(value["choices"][0]["delta"]["content"].is_string());
            }
        }
    }
}
