//! One value, held to its check.

use std::borrow::Cow;

use super::{
    found::{Found, Kept, Slots, short},
    pass::Pass,
    path::Step,
    table::{Check, Field, Items, Note, Range, Slot, Text},
};
use crate::{
    json::{Chars, Fault, JsonType, Str, unescape},
    violation::{Expected, Rule},
};

impl<'p> Pass<'_, 'p> {
    /// Reads the value that comes next and holds it to its field.
    pub(super) fn check(&mut self, field: &'p Field) -> Result<Kept, Fault> {
        let kind = self.scanner.value()?;
        let at = self.scanner.at();
        let found = if kind == JsonType::Null && field.is_nullable {
            self.scanner.null()?;
            Found::Null
        } else {
            self.value(kind, &field.check)?
        };
        Ok(Kept { at, found })
    }

    fn value(&mut self, kind: JsonType, check: &'p Check) -> Result<Found, Fault> {
        // Most values are texts where texts may be, which is known without the table's answer.
        let is_text = kind == JsonType::String
            && matches!(check, Check::Text(_) | Check::Role | Check::Content);
        if !is_text && !check.takes(kind, !self.profile.parts.is_empty()) {
            self.wrong_type(kind, check);
            self.scanner.skip()?;
            return Ok(Found::Nothing);
        }
        match check {
            Check::Boolean => self.scanner.boolean().map(Found::Boolean),
            Check::Number(range) => self.number(range),
            Check::Text(text) => self.text(text),
            Check::OneOf(names) => self.one_of(names, |name| name),
            Check::Object(fields) => {
                let mut kept = Slots::default();
                self.object(fields, &[], &mut kept)?;
                let choice = match kept.found(Slot::Type) {
                    Some(Found::Choice(choice)) => u8::try_from(choice).ok(),
                    _ => None,
                };
                let has_schema = kept.get(Slot::Schema).is_some_and(|it| it.found != Found::Null);
                Ok(Found::Object { choice, has_schema })
            }
            Check::Array(items) => self.array(items),
            Check::Either(first, second) => {
                let has_parts = !self.profile.parts.is_empty();
                self.value(kind, if first.takes(kind, has_parts) { first } else { second })
            }
            Check::Messages => self.messages(),
            Check::Role => self.one_of(&self.profile.roles, |role| role.name()),
            Check::PartType => self.one_of(&self.profile.parts, |part| part.name()),
            Check::Content => self.content(kind),
        }
    }

    fn number(&mut self, range: &Range) -> Result<Found, Fault> {
        let number = self.scanner.number()?;
        let value = number.value(self.scanner.text());
        let (rule, expected) = if range.is_integer && value.fract() != 0.0 {
            (Rule::Integer, Expected::Nothing)
        } else if value < range.min || value > range.max {
            (Rule::Range, Expected::Between(range.min, range.max))
        } else {
            return Ok(Found::Number);
        };
        self.report(number.start, rule, Some(JsonType::Number), || expected);
        Ok(Found::Nothing)
    }

    fn text(&mut self, rules: &Text) -> Result<Found, Fault> {
        let at = self.scanner.at();
        let text = self.scanner.string()?;
        let raw = self.raw(text);
        let (rule, expected) = if !rules.may_be_blank && is_blank(raw) {
            (Rule::Blank, Expected::Nothing)
        } else if let Some(max) = rules.max_bytes.filter(|max| is_longer(raw, text, *max)) {
            (Rule::MaxBytes, Expected::Count(max))
        } else if let Some(form) = rules.pattern.filter(|form| !(form.matches)(Chars::new(raw))) {
            (Rule::Pattern, Expected::Words { zh: form.zh, en: form.en })
        } else {
            return self.note(at, text, rules.is_noted);
        };
        self.report(at, rule, Some(JsonType::String), || expected);
        Ok(Found::Nothing)
    }

    fn note(&mut self, at: usize, text: Str, note: Option<Note>) -> Result<Found, Fault> {
        match note {
            None => {}
            Some(Note::CallId) => self.calls.made(self.path.index(), at, unescape(self.raw(text))),
            Some(Note::FunctionName) => {
                let is_new = self.calls.is_new_function(unescape(self.raw(text)));
                if !is_new {
                    self.report(at, Rule::Unique, Some(JsonType::String), || Expected::Nothing);
                }
            }
        }
        Ok(Found::Text(text.into()))
    }

    /// Reads a text that must be one of these names.
    fn one_of<T>(
        &mut self,
        known: &[T],
        name: impl Fn(&T) -> &'static str,
    ) -> Result<Found, Fault> {
        let at = self.scanner.at();
        let text = self.scanner.string()?;
        let raw = self.raw(text);
        let index = match text.is_escaped {
            false => known.iter().position(|it| name(it).as_bytes() == raw),
            // Not copied, however long it is.
            true => known.iter().position(|it| Chars::new(raw).eq(name(it).chars())),
        };
        let Some(index) = index else {
            let names = || known.iter().map(|it| Cow::Borrowed(name(it))).collect();
            self.report(at, Rule::OneOf, Some(JsonType::String), || Expected::Names(names()));
            return Ok(Found::Nothing);
        };
        Ok(Found::Choice(index))
    }

    fn array(&mut self, items: &'p Items) -> Result<Found, Fault> {
        self.items(items.min, items.max, |pass, _| {
            let kind = pass.scanner.value()?;
            pass.value(kind, items.check).map(drop)
        })
    }

    /// Reads the array that begins here. Items past the most are skipped, not judged.
    pub(super) fn items(
        &mut self,
        min: usize,
        max: usize,
        mut judge: impl FnMut(&mut Self, usize) -> Result<(), Fault>,
    ) -> Result<Found, Fault> {
        let start = self.scanner.at();
        let mut items = 0;
        self.scanner.enter()?;
        while self.scanner.next_item(items == 0)? {
            if items < max {
                self.path.push(Step::Index(items));
                judge(self, items)?;
                self.path.pop();
            } else {
                self.scanner.value()?;
                self.scanner.skip()?;
            }
            items += 1;
        }
        if items < min {
            self.report(start, Rule::MinItems, Some(JsonType::Array), || Expected::Count(min));
        }
        if items > max {
            self.report(start, Rule::MaxItems, Some(JsonType::Array), || Expected::Count(max));
        }
        let end = self.scanner.at();
        Ok(Found::Array { start: short(start), end: short(end), items: short(items) })
    }
}

/// Returns whether a text has no character but white space: Unicode's, which has the full-width
/// space U+3000, and the byte order mark, which `trim` of ECMAScript takes off as well.
pub(super) fn is_blank(raw: &[u8]) -> bool {
    Chars::new(raw).all(|it| it.is_whitespace() || it == '\u{feff}')
}

/// Returns whether a text has more than `max` bytes when its escapes are resolved.
fn is_longer(raw: &[u8], text: Str, max: usize) -> bool {
    raw.len() > max
        && (!text.is_escaped || {
            let mut room = max;
            Chars::new(raw).any(|it| match room.checked_sub(it.len_utf8()) {
                Some(rest) => {
                    room = rest;
                    false
                }
                None => true,
            })
        })
}
