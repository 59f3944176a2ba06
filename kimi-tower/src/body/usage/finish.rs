//! Why an answer ended.

use super::search::{Name, Search};

/// Why an answer ended, as its last `finish_reason` or `stop_reason` says.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum FinishReason {
    /// It was complete: `stop`, and `end_turn`, `stop_sequence` of Anthropic's API.
    Stop,
    /// It was as long as it may be: `length`, `max_tokens`.
    Length,
    /// The model calls tools: `tool_calls`, `tool_use`, and the `function_call` of old.
    ToolCalls,
    /// What it would have said may not be said: `content_filter`, `refusal`.
    ContentFilter,
    /// Something else. A stranger's word is not kept.
    Other,
}

impl FinishReason {
    /// Returns the platform's name for it, or `other`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
            Self::Other => "other",
        }
    }

    pub(super) fn named(name: &[u8]) -> Self {
        match name {
            b"stop" | b"end_turn" | b"stop_sequence" => Self::Stop,
            b"length" | b"max_tokens" => Self::Length,
            b"tool_calls" | b"tool_use" | b"function_call" => Self::ToolCalls,
            b"content_filter" | b"refusal" => Self::ContentFilter,
            _ => Self::Other,
        }
    }
}

/// The longest name that is known, in bytes.
const LONGEST: usize = "content_filter".len();

/// Finds the last string that is the value of a member with this name.
#[derive(Debug)]
pub(super) struct Finish {
    place: Place,
    name: &'static Name,
    reason: Option<FinishReason>,
}

#[derive(Debug)]
enum Place {
    Elsewhere(Search),
    /// Behind the name, if it is one and not a text.
    AfterName,
    /// Behind the name's colon.
    BeforeValue,
    /// In a string, of which this stands before, and how long it is; more than the bytes if it is
    /// longer.
    Inside([u8; LONGEST], usize),
}

impl Finish {
    pub(super) const fn new(name: &'static Name) -> Self {
        Self { place: Place::Elsewhere(Search::new(name)), name, reason: None }
    }

    /// Takes notice that another text begins.
    pub(super) fn start_again(&mut self) {
        self.place = Place::Elsewhere(Search::new(self.name));
    }

    pub(super) fn read(&mut self, mut text: &[u8]) {
        while !text.is_empty() {
            text = match &mut self.place {
                // Elsewhere => (Elsewhere | AfterName)
                Place::Elsewhere(search) => {
                    let Some(rest) = search.read(text) else { return };
                    self.place = Place::AfterName;
                    rest
                }
                // AfterName => (BeforeValue | Elsewhere)
                Place::AfterName => self.expect(b':', text, Place::BeforeValue),
                // BeforeValue => (Inside | Elsewhere); `null`, for one, is passed over.
                Place::BeforeValue => self.expect(b'"', text, Place::Inside([0; LONGEST], 0)),
                // Inside => (Inside | Elsewhere)
                Place::Inside(word, length) => {
                    let end = memchr::memchr2(b'"', b'\\', text);
                    let part = &text[..end.unwrap_or(text.len())];
                    let after = length.saturating_add(part.len());
                    if let Some(place) = word.get_mut(*length..after) {
                        place.copy_from_slice(part);
                    }
                    *length = after;
                    let Some(end) = end else { return };
                    // No name that is known has an escape.
                    let known = word.get(..after).filter(|_| text[end] == b'"');
                    self.reason = Some(known.map_or(FinishReason::Other, FinishReason::named));
                    self.start_again();
                    &text[end + usize::from(text[end] == b'"')..]
                }
            }
        }
    }

    pub(super) const fn reason(&self) -> Option<FinishReason> {
        self.reason
    }

    /// Goes over white space and to `next` if `byte` comes then, else back to where it began.
    fn expect<'a>(&mut self, byte: u8, text: &'a [u8], next: Place) -> &'a [u8] {
        let text = text.trim_ascii_start();
        match text.split_first() {
            Some((first, rest)) if *first == byte => {
                self.place = next;
                return rest;
            }
            Some(_) => self.start_again(),
            None => {}
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{super::search::FINISH_REASON, *};

    fn read<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Option<FinishReason> {
        let mut finish = Finish::new(&FINISH_REASON);
        chunks.into_iter().for_each(|chunk| finish.read(chunk));
        finish.reason()
    }

    #[test]
    fn the_last_string_counts_wherever_it_is_cut() {
        let long = format!(r#"{{"finish_reason":"{}"}}"#, "stop".repeat(9));
        for (text, reason) in [
            (r#"{"finish_reason":"stop"}"#, Some(FinishReason::Stop)),
            (r#"{"a":[{"finish_reason" : "length"}]}"#, Some(FinishReason::Length)),
            (
                r#"{"finish_reason":"stop","b":{"finish_reason":"tool_calls"}}"#,
                Some(FinishReason::ToolCalls),
            ),
            (
                r#"{"finish_reason":"content_filter","finish_reason":null}"#,
                Some(FinishReason::ContentFilter),
            ),
            (r#"{"finish_reason":"CaNaRy"}"#, Some(FinishReason::Other)),
            (r#"{"finish_reason":"st\u006fp"}"#, Some(FinishReason::Other)),
            (r#"{"finish_reason":""}"#, Some(FinishReason::Other)),
            (&long, Some(FinishReason::Other)),
            (r#"{"finish_reason":null}"#, None),
            (r#"{"finish_reason":["stop"]}"#, None),
            (r#"{"text":"\"finish_reason\":\"stop\""}"#, None),
            (r#"{"finish_reason":"sto"#, None),
        ] {
            assert_eq!(read([text.as_bytes()]), reason, "{text}");
            for size in 1..text.len() {
                assert_eq!(read(text.as_bytes().chunks(size)), reason, "{text} by {size}");
            }
        }
    }
}
