//! Whether an event only opens an answer.

use memchr::memmem;

use super::event::Event;

impl Event<'_> {
    /// Returns whether it is a chunk that names the role and has no content, with which the
    /// platform and kimi-free-api begin: `"delta":{"role":"assistant","content":""}`.
    ///
    /// It says that a model is about to speak, and nothing of the answer is lost with it.
    pub(crate) fn is_opening(&self) -> bool {
        // Within a string the quotes would be escaped, so that this is a name.
        let Some(at) = memmem::find(&self.data, b"\"delta\"") else { return false };
        let delta =
            after(&self.data[at + b"\"delta\"".len()..], b':').and_then(|it| after(it, b'{'));
        delta.is_some_and(names_only_a_role)
    }
}

/// Reads the members of an object behind its brace: a role, and others that are empty or null.
fn names_only_a_role(mut members: &[u8]) -> bool {
    let mut has_role = false;
    loop {
        let Some((name, rest)) = string(members) else { return false };
        let Some(value) = after(rest, b':') else { return false };
        let rest = match value.strip_prefix(b"null") {
            Some(rest) => rest,
            None => match string(value) {
                Some((text, rest)) if name == b"role" || text.is_empty() => rest,
                _ => return false,
            },
        };
        has_role |= name == b"role";
        match after(rest, b',') {
            Some(next) => members = next,
            None => return has_role && after(rest, b'}').is_some(),
        }
    }
}

/// Returns what follows `byte` and blanks, if that is what comes next but for blanks.
fn after(text: &[u8], byte: u8) -> Option<&[u8]> {
    text.trim_ascii_start().strip_prefix(&[byte]).map(<[u8]>::trim_ascii_start)
}

/// Reads a string without escapes.
fn string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.strip_prefix(b"\"")?;
    let end = text.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    (text[end] == b'"').then(|| (&text[..end], &text[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_opening(data: &str) -> bool {
        let lines = format!("data: {data}\n\n");
        Event::parse(lines.as_bytes()).is_some_and(|event| event.is_opening())
    }

    #[test]
    fn a_role_without_content_opens() {
        for data in [
            r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
            r#"{"choices":[{"delta":{"role":"assistant"}}]}"#,
            r#"{"choices":[{"delta" : { "content" : null , "role" : "assistant" } }]}"#,
            r#"{"choices":[{"delta":{"role":"assistant","content":"","reasoning_content":""}}]}"#,
        ] {
            assert!(is_opening(data), "{data}");
        }
    }

    #[test]
    fn anything_else_is_content() {
        for data in [
            "",
            "[DONE]",
            r#"{"choices":[{"delta":{}}]}"#,
            r#"{"choices":[{"delta":{"content":""}}]}"#,
            r#"{"choices":[{"delta":{"role":"assistant","content":"x"}}]}"#,
            r#"{"choices":[{"delta":{"role":"assistant","content":"\n"}}]}"#,
            r#"{"choices":[{"delta":{"role":"assistant","tool_calls":[]}}]}"#,
            r#"{"choices":[{"delta":{"role":"assistant","#,
            r#"{"text":"\"delta\":{\"role\":\"assistant\"}"}"#,
            r#"{"choices":[],"usage":{}}"#,
        ] {
            assert!(!is_opening(data), "{data}");
        }
    }
}
