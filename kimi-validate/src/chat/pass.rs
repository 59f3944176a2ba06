//! The one pass over a body: what the tables say is asked of the scanner, value by value.
//!
//! It goes as deep as the tables do, which is seven levels, so that its own recursion is bounded;
//! what no table names is skipped by the scanner, which has none.

use std::borrow::Cow;

use super::{
    Profile,
    calls::Calls,
    found::{Found, Kept, Slots},
    path::{Path, Step},
    request::Outline,
    table::{Check, Slot},
};
use crate::{
    json::{Fault, JsonType, Scanner, Str, unescape},
    violation::{Draft, Expected, Rule},
};

pub(super) struct Pass<'a, 'p> {
    pub(super) scanner: Scanner<'a>,
    pub(super) profile: &'p Profile,
    pub(super) path: Path<'p>,
    pub(super) draft: Draft,
    pub(super) outline: Outline,
    pub(super) calls: Calls<'a>,
    /// The latest message with `partial`, until it is known to be the last: index and offset.
    pub(super) partial: Option<(usize, usize)>,
}

impl<'a, 'p> Pass<'a, 'p> {
    pub(super) fn new(text: &'a [u8], profile: &'p Profile) -> Self {
        Self {
            scanner: Scanner::new(text, profile.max_depth),
            profile,
            path: Path::new(),
            draft: Draft::new(profile.max_reported),
            outline: Outline::default(),
            calls: Calls::default(),
            partial: None,
        }
    }

    /// Judges the body.
    pub(super) fn request(&mut self) -> Result<(), Fault> {
        let kind = self.scanner.value()?;
        if kind == JsonType::Object {
            self.members_of_request()?;
        } else {
            self.wrong_type(kind, &Check::Object(&[]));
            self.scanner.skip()?;
        }
        self.scanner.end()
    }

    fn members_of_request(&mut self) -> Result<(), Fault> {
        let mut kept = Slots::default();
        self.object(self.profile.request, &self.profile.required, &mut kept)?;
        self.outline.is_stream = kept.found(Slot::Stream) == Some(Found::Boolean(true));
        self.outline.model = kept.text(Slot::Model);
        self.outline.conversation_id = kept.text(Slot::ConversationId);
        if let Some(top) = kept.get(Slot::TopLogprobs).filter(|it| it.found == Found::Number) {
            // Facts, `plat.logprobs`.
            if kept.found(Slot::Logprobs) != Some(Found::Boolean(true)) {
                let expected =
                    Expected::Words { zh: "logprobs 为 true", en: "logprobs to be true" };
                let kind = Some(JsonType::Number);
                self.report_below("top_logprobs", top.at, Rule::Requires, kind, expected);
            }
        }
        if let Some(format) = kept.get(Slot::Format) {
            self.judge_format(format);
        }
        Ok(())
    }

    fn judge_format(&mut self, format: Kept) {
        match format.found {
            // `json_object`; facts, limits of the platform.
            Found::Object { choice: Some(1), .. } => self.end_partial(),
            Found::Object { choice: Some(2), has_schema: false } => {
                self.path.push(Step::Name("response_format"));
                self.report_below(
                    "json_schema",
                    format.at,
                    Rule::Required,
                    None,
                    Expected::Nothing,
                );
                self.path.pop();
            }
            _ => {}
        }
    }

    /// Returns what stands between the quotes.
    pub(super) fn raw(&self, text: impl Into<Str>) -> &'a [u8] {
        let Str { start, end, .. } = text.into();
        self.scanner.text().get(start..end).unwrap_or_default()
    }

    pub(super) fn unescaped(&self, text: impl Into<Str>) -> Cow<'a, str> {
        unescape(self.raw(text))
    }
}
