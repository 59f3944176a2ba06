//! What is said of a violation: one sentence a rule and language, each in one line and without a
//! full stop, with nothing of the body in it.

mod en;
mod names;
mod zh;

use kimi_errors::Lang;

use super::{Expected, Rule, Violation, body::Place, place};
use crate::json::JsonType;

pub(super) fn of(violation: &Violation, lang: Lang) -> String {
    match lang {
        Lang::Zh => zh::sentence(violation),
        _ => en::sentence(violation),
    }
}

/// The faults that the article's `validateChatParams` has words for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Article {
    Model,
    Messages,
    Role,
    Content,
    Stream,
}

/// Returns which of the article's faults it is. The same value may break a rule that the article
/// does not know; that is told in words of our own.
fn article(violation: &Violation) -> Option<Article> {
    let mut names = violation.pointer.split('/').skip(1);
    let place = [names.next(), names.next(), names.next(), names.next()];
    match (place, violation.rule) {
        ([Some("model"), None, ..], Rule::Required | Rule::Blank) => Some(Article::Model),
        ([Some("model"), None, ..], Rule::Type) if violation.found == Some(JsonType::Null) => {
            Some(Article::Model)
        }
        ([Some("messages"), None, ..], Rule::Required | Rule::Type | Rule::MinItems) => {
            Some(Article::Messages)
        }
        (
            [Some("messages"), Some(_), Some("role"), None],
            Rule::Required | Rule::Type | Rule::OneOf,
        ) if matches!(violation.expected, Expected::Names(_)) => Some(Article::Role),
        (
            [Some("messages"), Some(_), Some("content"), None],
            Rule::Required | Rule::Type | Rule::Blank | Rule::MinItems,
        ) => Some(Article::Content),
        ([Some("stream"), None, ..], Rule::Type) => Some(Article::Stream),
        _ => None,
    }
}

/// Returns whether a content may consist of parts, as far as the violation knows.
fn takes_parts(violation: &Violation) -> bool {
    match &violation.expected {
        Expected::Types(types) => types.contains(&"array"),
        _ => violation.rule == Rule::MinItems,
    }
}

fn place_of(expected: &Expected) -> Option<Place> {
    match expected {
        Expected::Place(place) | Expected::More(place) | Expected::Levels(_, place) => Some(*place),
        Expected::Nothing
        | Expected::Count(_)
        | Expected::Between(..)
        | Expected::Names(_)
        | Expected::Types(_)
        | Expected::Words { .. } => None,
    }
}

/// How many names a sentence lists; the longest list of a built-in profile has four.
const MAX_NAMES: usize = 8;

/// Joins what may be chosen from, each once, as `a, b or c`. `user`, `assistant` and `system` stand
/// in the article's order.
fn choice<'a>(names: impl Iterator<Item = &'a str>, comma: &str, or: &str) -> String {
    let mut known: Vec<&str> = Vec::new();
    for name in names {
        if !known.contains(&name) {
            known.push(name);
        }
    }
    known.sort_by_key(|name| {
        ["user", "assistant", "system"].iter().position(|it| it == name).unwrap_or(3)
    });
    if known.len() > MAX_NAMES {
        known.truncate(MAX_NAMES);
        known.push("…");
    }
    match known.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => [&others.join(comma), or, last].concat(),
        None => String::new(),
    }
}

/// Writes a size in the largest unit that it is a whole number of.
fn size(bytes: usize, unit: &str) -> String {
    match bytes {
        0 => format!("0{unit}"),
        _ if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        _ if bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        _ => format!("{bytes}{unit}"),
    }
}

#[cfg(test)]
mod tests;
