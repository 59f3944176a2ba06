//! What an answer says of itself that is there as a whole, read at once.
//!
//! It is what an [`AnswerTap`](super::AnswerTap) says of the same text, and takes a third of the time:
//! nothing has to be remembered for the next chunk, and both reasons are found in one search.

use std::sync::LazyLock;

use memchr::{memchr2, memmem::Finder};

use super::{FinishReason, Usage, count::Counts, object::Object, search::find_whole};

/// How the names of both reasons end.
const REASON: &[u8] = b"_reason\"";

/// How they begin. The first that has a string is the one that counts.
const BEGINNINGS: [&[u8]; 2] = [b"\"finish", b"\"stop"];

static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(REASON));

/// Returns what one text of JSON says.
pub(crate) fn said_by(text: &[u8]) -> (Option<Usage>, Option<FinishReason>) {
    (usage(text), finish_reason(text))
}

fn usage(text: &[u8]) -> Option<Usage> {
    let mut counts = Counts::default();
    let mut from = 0;
    while let Some(end) = find_whole(text, from) {
        from = end;
        let object = value(&text[end..]).and_then(|value| value.strip_prefix(b"{"));
        if let Some(object) = object {
            let Some((said, behind)) = Object::default().read(object) else { break };
            counts.update(said);
            from = text.len() - behind.len();
        }
    }
    counts.usage()
}

fn finish_reason(text: &[u8]) -> Option<FinishReason> {
    let mut reasons = [None; 2];
    // Where the value of each name has ended: no other begins before.
    let mut after = [0; 2];
    let mut from = 0;
    while let Some(found) = FINDER.find(&text[from..]) {
        let end = from + found + REASON.len();
        for (which, beginning) in BEGINNINGS.iter().enumerate() {
            let Some(before) = text[..from + found].strip_suffix(*beginning) else { continue };
            if before.len() < after[which] {
                continue;
            }
            after[which] = end;
            // Within a string it is no name.
            if before.last() == Some(&b'\\') {
                continue;
            }
            let Some(string) = value(&text[end..]).and_then(|value| value.strip_prefix(b"\""))
            else {
                continue;
            };
            // A string that does not end is none.
            let Some(length) = memchr2(b'"', b'\\', string) else {
                after[which] = text.len();
                continue;
            };
            // No name that is known has an escape.
            let known = string.get(length) == Some(&b'"');
            reasons[which] = Some(match known {
                true => FinishReason::named(&string[..length]),
                false => FinishReason::Other,
            });
            after[which] = text.len() - string.len() + length + usize::from(known);
        }
        from = end;
    }
    let [finish, stop] = reasons;
    finish.or(stop)
}

/// Returns what stands behind a name and its colon.
fn value(text: &[u8]) -> Option<&[u8]> {
    Some(text.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::{super::AnswerTap, *};
    use crate::body::described::{Content, Described};

    /// What the names and values of answers are made of, good and bad.
    const TOKENS: &[&str] = &[
        "\"usage\"",
        "\"usage\":{",
        "\"finish_reason\"",
        "\"finish_reason\":\"stop\"",
        "\"stop_reason\"",
        "\"stop_reason\":\"",
        "\"stop_reason\":null",
        "\"prompt_tokens\":8",
        "\"total_tokens\":10,",
        "\"completion_tokens\": 2 ",
        "\"input_tokens\":1.5,",
        "\"output_tokens\":18446744073709551616,",
        "\"prompt_tokens\":,",
        "\"cache_read_input_tokens\":0}",
        "\"prompt_tokens_details\":{\"prompt_tokens\":3}",
        "\"end_turn\"",
        "\"tool_calls\"",
        "usage\"",
        "_reason\"",
        "finish_reason\":\"stop\"",
        "\"finish",
        "\\",
        "\"",
        "\"x\"",
        "{",
        "}",
        "[",
        ":",
        ",",
        " ",
        "\u{b}",
        "7",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn prop_it_is_what_a_tap_says(tokens in vec(select(TOKENS), 0..12)) {
            let text = tokens.concat();
            let json = Described { content: Content::Json, ..Described::default() };
            let mut tap = AnswerTap::described(json).unwrap();
            tap.read(text.as_bytes());
            prop_assert_eq!(said_by(text.as_bytes()), tap.said(), "{}", text);
        }
    }
}
