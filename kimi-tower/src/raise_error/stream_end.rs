//! How an event stream says that it is complete.

use crate::body::event::Event;

/// Whether an event stream must say that it is complete.
///
/// These say it: `data: [DONE]` of the platform and of kimi-free-api, `event: message_stop` of the
/// platform's Anthropic face, and `data: {"event":"all_done"}` of kimi.com.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum StreamEnd {
    /// A stream that ends without one of them was cut.
    #[default]
    Required,
    /// It may also end after any event, for upstreams known to send no mark. One that ends within
    /// an event was cut nevertheless.
    Optional,
}

/// Returns whether an event says that its stream is complete.
pub(super) fn is_mark(event: &Event<'_>) -> bool {
    let data = event.data.trim_ascii();
    match data.first() {
        Some(b'[') => data == b"[DONE]",
        Some(b'{') => event.name == b"message_stop" || begins_with_mark(&data[1..]),
        _ => false,
    }
}

/// Returns whether the first of an object's members says so. Only the first: what stands deeper may
/// be somebody's text.
fn begins_with_mark(members: &[u8]) -> bool {
    let members = members.trim_ascii_start();
    let (value, mark) = if let Some(value) = members.strip_prefix(b"\"type\"") {
        (value, &b"\"message_stop\""[..])
    } else if let Some(value) = members.strip_prefix(b"\"event\"") {
        (value, &b"\"all_done\""[..])
    } else {
        return false;
    };
    let value = value.trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii_start);
    let rest = value.and_then(|value| value.strip_prefix(mark)).map(<[u8]>::trim_ascii_start);
    rest.is_some_and(|rest| matches!(rest.first(), Some(b',' | b'}')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(lines: &str) -> bool {
        Event::parse(lines.as_bytes()).is_some_and(|event| is_mark(&event))
    }

    #[test]
    fn the_three_ends_are_known() {
        for lines in [
            "data: [DONE]\n\n",
            "data:[DONE]",
            "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
            "event: message_stop\ndata: {}\n\n",
            "data: { \"type\" : \"message_stop\" , \"x\":1}\n\n",
            "data: {\"event\":\"all_done\"}\n\n",
        ] {
            assert!(ends(lines), "{lines:?}");
        }
    }

    #[test]
    fn nothing_else_is_an_end() {
        for lines in [
            "",
            "data: [DON",
            "data: [DONE] x",
            "event: message_stop",
            "data: {\"event\":\"done\"}",
            "data: {\"event\":\"all_done\"",
            "data: {\"text\":\"[DONE]\"}",
            "data: {\"a\":{\"event\":\"all_done\"}}",
            ": [DONE]\n",
        ] {
            assert!(!ends(lines), "{lines:?}");
        }
    }
}
