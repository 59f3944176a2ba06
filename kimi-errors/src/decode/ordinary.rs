//! A quick way to know the answers and chunks that nearly all are.
//!
//! It knows less than the walk of `form`, and never says more: what it does not know by its first
//! bytes, as the platform and those that speak like it write them, is left to the walk.

use memchr::memchr2;

/// Returns whether an object, by its first members, is an answer or a chunk that has choices, which
/// no error has.
///
/// Each value is stepped over as the walk would, which then is done at `choices`, too. At a blank,
/// an escape, or any other member it is `false`.
pub(super) fn has_choices(object: &[u8]) -> bool {
    let Some(mut rest) = object.strip_prefix(b"{") else { return false };
    while let Some(value) = harmless(rest) {
        match behind(value) {
            Some(next) => rest = next,
            None => return false,
        }
    }
    rest.starts_with(b"\"choices\":[")
}

/// Returns what stands behind the key of a member that says nothing of errors.
#[inline]
fn harmless(member: &[u8]) -> Option<&[u8]> {
    // By the second byte, which tells most members that are none of these.
    match member.get(1)? {
        b'i' => member.strip_prefix(b"\"id\":"),
        b'o' => member.strip_prefix(b"\"object\":"),
        b'c' => member.strip_prefix(b"\"created\":"),
        b'm' => member.strip_prefix(b"\"model\":"),
        b's' => {
            let fingerprint = member.strip_prefix(b"\"system_fingerprint\":");
            fingerprint.or_else(|| member.strip_prefix(b"\"service_tier\":"))
        }
        _ => None,
    }
}

/// Returns what stands behind a value and its comma, if that is a string without escapes, a whole
/// number, or `null`.
#[inline]
fn behind(value: &[u8]) -> Option<&[u8]> {
    let rest = match value.first()? {
        b'"' => {
            let end = 1 + memchr2(b'"', b'\\', &value[1..])?;
            value[end..].strip_prefix(b"\"")
        }
        b'n' => value.strip_prefix(b"null"),
        _ => value.iter().position(|byte| !byte.is_ascii_digit()).map(|end| &value[end..]),
    };
    rest?.strip_prefix(b",")
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::{
        super::{Context, form::visited},
        *,
    };

    #[test]
    fn answers_and_chunks_are_known() {
        for text in [
            r#"{"id":"1","object":"chat.completion","created":1,"model":"k","choices":["#,
            r#"{"id":"a","model":"k","object":"chat.completion.chunk","choices":[{"#,
            r#"{"choices":[],"error":{"message":"of a part"}}"#,
            r#"{"system_fingerprint":null,"service_tier":"x","choices":[]}"#,
        ] {
            assert!(has_choices(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn all_else_is_left_to_the_walk() {
        for text in [
            "",
            "{}",
            r#"{"id":"1"}"#,
            r#"{"id":"1","choices":null,"error":{"message":"x"}}"#,
            r#"{"error":{"message":"x"},"choices":[]}"#,
            r#"{"id":"1","error":{"message":"x"},"choices":[]}"#,
            r#"{"\u0065rror":{"message":"x"},"choices":[]}"#,
            r#"{"id":"1","\u0063hoices":[]}"#,
            r#"{"id":"1" ,"choices":[]}"#,
            r#"{"id":"a\"b","choices":[]}"#,
            r#"{"id":nope,"choices":[]}"#,
            r#"{"id":"choices":[]}"#,
            r#"{"id":"1,\"choices\":["#,
        ] {
            assert!(!has_choices(text.as_bytes()), "{text}");
        }
    }

    const HARMLESS: &[&str] =
        &["id", "object", "created", "model", "system_fingerprint", "service_tier"];

    /// Keys, values and marks of which objects are made, good and bad.
    const TOKENS: &[&str] = &[
        "\"id\":",
        "\"object\":",
        "\"created\":",
        "\"model\":",
        "\"choices\":",
        "\"choices\":[",
        "\"system_fingerprint\":",
        "\"error\":",
        "\"errcode\":",
        "\"code\":",
        "\"\\u0065rror\":",
        "\"error_type\":",
        "\"success\":",
        "\"event\":",
        "\"x\":",
        "\"error\"",
        "\"a\\\"b\"",
        "\"\"",
        "\"x",
        "null",
        "1",
        "-2001",
        "false",
        "true",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "\\",
        ",",
        ",",
        ",",
        ",",
        ":",
        " ",
        "\u{85}",
        "n",
        "{\"message\":\"x\"}",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn prop_the_walk_ends_at_the_choices_too(
            before in vec((select(HARMLESS), select(TOKENS)), 0..4),
            tokens in vec(select(TOKENS), 0..8),
            at in any::<prop::sample::Index>(),
            byte in proptest::option::of(any::<u8>()),
        ) {
            let mut text = b"{".to_vec();
            for (key, value) in before {
                text.extend_from_slice(format!("\"{key}\":{value},").as_bytes());
            }
            tokens.iter().for_each(|token| text.extend_from_slice(token.as_bytes()));
            text.extend_from_slice(b"\"choices\":[");
            if let Some(byte) = byte {
                let at = at.index(text.len());
                text[at] = byte;
            }
            if has_choices(&text) {
                for status in [None, Some(200)] {
                    // What is visited is said of a success only.
                    prop_assert!(visited(&text, Context::of_status(status)).is_some());
                }
            }
        }
    }
}
