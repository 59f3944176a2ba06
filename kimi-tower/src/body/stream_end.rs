//! How an event stream says that it is complete:
//! `data: [DONE]` of the platform and of kimi-free-api, `event: message_stop` of the platform's
//! Anthropic face, and `data: {"event":"all_done"}` of kimi.com.

use kimi_errors::Error;

use super::{event::Event, nesting};

impl Event<'_> {
    /// Returns whether it says that its stream is complete.
    pub(crate) fn is_end_mark(&self) -> bool {
        let data = self.data.trim_ascii();
        match data.first() {
            Some(b'[') => data == b"[DONE]",
            Some(b'{') => self.name == b"message_stop" || begins_with_mark(&data[1..]),
            _ => false,
        }
    }
}

/// What the last words of a stream say that stand behind its last whole event.
#[derive(Debug)]
pub(crate) enum LastWord {
    /// That it is complete.
    End,
    Error(Error),
}

/// Returns what a stream that is over says with what stands behind its last whole event: an event
/// that lacks its line ends, and is whole but for them.
pub(crate) fn last_word(rest: &[u8]) -> Option<LastWord> {
    // Half of a number is another number, so that only JSON with its end is believed, as which
    // `[DONE]` passes.
    let event = Event::parse(rest).filter(|event| nesting::is_whole(&event.data))?;
    if event.is_end_mark() {
        return Some(LastWord::End);
    }
    event.error().map(LastWord::Error)
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
        Event::parse(lines.as_bytes()).is_some_and(|event| event.is_end_mark())
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
