//! What is asked of messages beyond their tables. Each is judged when it ends, so that the order
//! of its members does not matter.

use super::{
    Role,
    found::{Found, Kept, Slots},
    pass::Pass,
    path::Step,
    request::Span,
    table::{Check, Slot},
    value::is_blank,
};
use crate::{
    json::{Fault, JsonType},
    violation::{Expected, Rule},
};

impl Pass<'_, '_> {
    pub(super) fn messages(&mut self) -> Result<Found, Fault> {
        let found = self.items(1, self.profile.max_messages, Self::message)?;
        if matches!(found, Found::Array { items, .. } if items as usize > self.profile.max_messages)
        {
            // Those that are skipped may have the answers.
            self.calls.doubt();
        }
        self.end_calls();
        Ok(found)
    }

    fn message(&mut self, index: usize) -> Result<(), Fault> {
        // The one before is not the last.
        self.end_partial();
        let kind = self.scanner.value()?;
        let start = self.scanner.at();
        if kind != JsonType::Object {
            self.wrong_type(kind, &Check::Object(&[]));
            self.calls.doubt();
            return self.scanner.skip();
        }
        let mut kept = Slots::default();
        self.object(self.profile.message, &[], &mut kept)?;
        let role = match kept.found(Slot::Role) {
            Some(Found::Choice(index)) => self.profile.roles.get(index).copied(),
            _ => None,
        };
        self.judge_partial(index, role, &kept);
        self.judge_content(start, role, &kept);
        self.judge_calls(index, start, role, &kept);
        match role {
            Some(role) if self.draft.is_empty() => {
                let content = kept.found(Slot::Content).unwrap_or(Found::Null);
                let end = self.scanner.at();
                let rest = self.scanner.text().len() - end;
                self.outline.push(Span::new(role, start, end, content), rest);
            }
            // What is refused is not kept.
            _ => self.outline.messages = Vec::new(),
        }
        Ok(())
    }

    /// Only an assistant's message can be continued.
    fn judge_partial(&mut self, index: usize, role: Option<Role>, kept: &Slots) {
        let Some(Kept { at, found: Found::Boolean(true) }) = kept.get(Slot::Partial) else {
            return;
        };
        self.partial = Some((index, at));
        if role.is_some_and(|role| role != Role::Assistant) {
            self.end_partial();
        }
    }

    /// Reports the `partial` that is pending, which cannot stand where it does.
    pub(super) fn end_partial(&mut self) {
        if let Some((index, at)) = self.partial.take() {
            let place = [Step::Name("messages"), Step::Index(index), Step::Name("partial")];
            self.report_at(&place, at, Rule::Partial, Some(JsonType::Boolean));
        }
    }

    /// A message says something, unless it is an assistant's that calls tools or is to be continued,
    /// or a system's that brings tools.
    fn judge_content(&mut self, start: usize, role: Option<Role>, kept: &Slots) {
        let has_items = |slot| matches!(kept.found(slot), Some(Found::Array { items: 1.., .. }));
        let may_be_silent = match role {
            Some(Role::Assistant) => {
                has_items(Slot::ToolCalls)
                    || kept.found(Slot::Partial) == Some(Found::Boolean(true))
            }
            Some(Role::System) => has_items(Slot::Tools),
            _ => false,
        };
        if may_be_silent {
            return;
        }
        let (at, rule, kind, expected) = match kept.get(Slot::Content) {
            None => (start, Rule::Required, None, Expected::Nothing),
            Some(Kept { at, found: Found::Null }) => {
                let types = Check::Content.expected_types(self.profile);
                (at, Rule::Type, Some(JsonType::Null), types)
            }
            Some(Kept { at, found: Found::Blank(_) }) => {
                (at, Rule::Blank, Some(JsonType::String), Expected::Nothing)
            }
            Some(Kept { at, found: Found::Array { items: 0, .. } }) => {
                (at, Rule::MinItems, Some(JsonType::Array), Expected::Count(1))
            }
            Some(_) => return,
        };
        self.report_below("content", at, rule, kind, expected);
    }

    /// Reads a message's content. Whether it may be empty is judged when the message ends.
    pub(super) fn content(&mut self, kind: JsonType) -> Result<Found, Fault> {
        match kind {
            JsonType::String => {
                let text = self.scanner.text_string()?;
                let is_blank = is_blank(self.raw(text));
                let text = text.into();
                Ok(if is_blank { Found::Blank(text) } else { Found::Text(text) })
            }
            JsonType::Array => self.items(0, self.profile.max_parts, |pass, _| pass.part()),
            _ => self.scanner.null().map(|()| Found::Null),
        }
    }

    fn part(&mut self) -> Result<(), Fault> {
        let kind = self.scanner.value()?;
        let start = self.scanner.at();
        if kind != JsonType::Object {
            self.wrong_type(kind, &Check::Object(&[]));
            return self.scanner.skip();
        }
        let fields = self.profile.part;
        let mut kept = Slots::default();
        let seen = self.object(fields, &[], &mut kept)?;
        let Some(Found::Choice(index)) = kept.found(Slot::Type) else {
            return Ok(());
        };
        let Some(needed) = self.profile.parts.get(index).map(|part| part.member()) else {
            return Ok(());
        };
        let is_there = fields
            .iter()
            .enumerate()
            .any(|(place, field)| field.name == needed && seen & 1 << place != 0);
        if !is_there {
            self.report_below(needed, start, Rule::Required, None, Expected::Nothing);
        }
        Ok(())
    }
}
