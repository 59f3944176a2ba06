//! The wire forms of a success, key for key in the order in which each upstream writes them.

use serde::Serialize;

use crate::script::Usage;

/// When every answer was made: 2024-03-09, as in the examples of the wire forms.
const CREATED: u64 = 1_710_000_000;

/// What a chat answers, whatever form it takes.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) id: String,
    /// Only kimi-free-api has one, and it is what makes the form kimi-free-api's.
    pub(super) segment_id: Option<String>,
    pub(super) model: String,
    pub(super) content: String,
    pub(super) finish_reason: String,
    pub(super) usage: Usage,
}

/// `{"id":…,"object":…,"created":…,"model":…,"choices":[…],"usage":{…}}` of the platform, or
/// `{"id":…,"model":…,"object":…,"choices":[…],"usage":{…},"segment_id":…,"created":…}`.
#[derive(Serialize)]
#[serde(untagged)]
enum Completion<'a> {
    Platform {
        id: &'a str,
        object: &'static str,
        created: u64,
        model: &'a str,
        choices: Vec<Choice<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        usage: Option<Total>,
    },
    FreeApi {
        id: &'a str,
        model: &'a str,
        object: &'static str,
        choices: Vec<Choice<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        usage: Option<Total>,
        segment_id: &'a str,
        created: u64,
    },
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u8,
    #[serde(flatten)]
    said: Said<'a>,
    finish_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Total>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Said<'a> {
    Message(Part<'a>),
    Delta(Part<'a>),
}

#[derive(Default, Serialize)]
struct Part<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
}

#[derive(Clone, Copy, Serialize)]
struct Total {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
}

impl Reply {
    /// Returns the JSON of an answer in one piece.
    pub(super) fn unary(&self) -> String {
        let said = Said::Message(Part { role: Some("assistant"), content: Some(&self.content) });
        let choice =
            Choice { index: 0, said, finish_reason: Some(&self.finish_reason), usage: None };
        json(&self.completion("chat.completion", vec![choice], Some(self.total())))
    }

    /// Returns the events of a stream without its `[DONE]`: the role, the content in about
    /// `chunks` pieces, the finish, and with `include_usage` an event with nothing but the usage.
    pub(super) fn events(&self, chunks: usize, include_usage: bool) -> Vec<String> {
        let role = Part { role: Some("assistant"), content: Some("") };
        let mut events = vec![self.delta(role, false)];
        for content in pieces(&self.content, chunks) {
            events.push(self.delta(Part { role: None, content: Some(content) }, false));
        }
        events.push(self.delta(Part::default(), true));
        if include_usage {
            events.push(self.event(vec![], Some(self.total())));
        }
        events
    }

    fn delta(&self, part: Part<'_>, is_last: bool) -> String {
        let usage = is_last.then(|| self.total());
        // The platform's usage of a stream stands in its last choice.
        let (inner, outer) = if self.segment_id.is_none() { (usage, None) } else { (None, usage) };
        let finish_reason = is_last.then_some(self.finish_reason.as_str());
        let choice = Choice { index: 0, said: Said::Delta(part), finish_reason, usage: inner };
        self.event(vec![choice], outer)
    }

    fn event(&self, choices: Vec<Choice<'_>>, usage: Option<Total>) -> String {
        format!("data: {}\n\n", json(&self.completion("chat.completion.chunk", choices, usage)))
    }

    fn completion<'a>(
        &'a self,
        object: &'static str,
        choices: Vec<Choice<'a>>,
        usage: Option<Total>,
    ) -> Completion<'a> {
        let (id, model, created) = (&self.id, &self.model, CREATED);
        match &self.segment_id {
            None => Completion::Platform { id, object, created, model, choices, usage },
            Some(segment_id) => {
                Completion::FreeApi { id, model, object, choices, usage, segment_id, created }
            }
        }
    }

    fn total(&self) -> Total {
        let Usage { prompt_tokens, completion_tokens } = self.usage;
        let total_tokens = prompt_tokens.saturating_add(completion_tokens);
        Total { prompt_tokens, completion_tokens, total_tokens }
    }
}

/// Only strings as keys and whole numbers: it is always JSON.
fn json(completion: &Completion<'_>) -> String {
    serde_json::to_string(completion).unwrap_or_default()
}

/// Cuts a text into at most `count` pieces of about equal numbers of characters, none of them
/// empty.
fn pieces(text: &str, count: usize) -> Vec<&str> {
    let size = text.chars().count().div_ceil(count.max(1)).max(1);
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.char_indices().nth(size).map_or(rest.len(), |(end, _)| end);
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::any, prop_assert, prop_assert_eq, proptest};

    use super::pieces;

    #[test]
    fn pieces_are_of_about_equal_numbers_of_characters() {
        assert_eq!(pieces("你好，世界", 2), ["你好，", "世界"]);
        assert_eq!(pieces("ab", 9), ["a", "b"]);
        assert!(pieces("", 3).is_empty());
    }

    proptest! {
        #[test]
        fn prop_pieces_join_to_the_text(text in any::<String>(), count in 1_usize..20) {
            let pieces = pieces(&text, count);
            prop_assert!(pieces.len() <= count);
            prop_assert!(pieces.iter().all(|piece| !piece.is_empty()));
            prop_assert_eq!(pieces.concat(), text);
        }
    }
}
