//! Violations for tests: every rule with what it may expect, at the longest places there are.

use super::{Expected, Place, Rule, Violation};
use crate::{chat::Part, json::JsonType};

pub(super) fn violation(pointer: &str, rule: Rule, expected: Expected) -> Violation {
    Violation { pointer: pointer.to_owned(), offset: 0, rule, found: None, expected }
}

/// Returns what the rule comes with. No `_`, so that a new rule gets its sample too.
pub(super) fn expected(rule: Rule) -> Vec<Expected> {
    let place = Place { line: 104_857_600, column: 104_857_600 };
    match rule {
        Rule::BodyBytes => vec![Expected::Count(104_857_601)],
        Rule::Syntax => vec![Expected::Place(place), Expected::More(place)],
        Rule::Utf8 | Rule::LoneSurrogate | Rule::TrailingData | Rule::NumberOverflow => {
            vec![Expected::Place(place)]
        }
        Rule::Depth => vec![Expected::Levels(127, place)],
        Rule::Required => vec![Expected::Nothing, parts()],
        Rule::Type => {
            vec![Expected::Types(vec!["boolean", "integer", "string", "array"]), parts()]
        }
        Rule::MinItems | Rule::MaxItems | Rule::MaxBytes => vec![Expected::Count(1 << 32)],
        Rule::OneOf => vec![parts()],
        Rule::Range => vec![Expected::Between(-2.0, 1_048_576.0)],
        Rule::Pattern => vec![Expected::Words {
            zh: "以字母或下划线开头，由字母、数字、下划线和连字符组成，至多128个字符",
            en: "a letter or underscore, then letters, digits, underscores and hyphens, 128 at most",
        }],
        Rule::Requires => {
            vec![Expected::Words { zh: "logprobs 为 true", en: "logprobs to be true" }]
        }
        Rule::EmptyBody
        | Rule::Bom
        | Rule::DuplicateKey
        | Rule::Blank
        | Rule::Integer
        | Rule::Unique
        | Rule::ToolCallId
        | Rule::Unanswered
        | Rule::Partial => vec![Expected::Nothing],
    }
}

fn parts() -> Expected {
    Expected::Names(Part::ALL.iter().map(|part| part.name().into()).collect())
}

/// Every rule with all that it may expect, at each of `pointers`, with the longest of types found.
pub(super) fn all(pointers: &[String]) -> Vec<Violation> {
    let mut all = Vec::new();
    for (pointer, rule) in pointers.iter().flat_map(|it| Rule::ALL.iter().map(move |r| (it, *r))) {
        for expected in expected(rule) {
            let found = Some(JsonType::Boolean);
            all.push(Violation { found, ..violation(pointer, rule, expected) });
        }
    }
    all
}

/// The names that the tables of the built-in profiles know, read from their source.
pub(super) fn known_names() -> Vec<&'static str> {
    let tables = [
        include_str!("../chat/rules/mod.rs"),
        include_str!("../chat/rules/article.rs"),
        include_str!("../chat/rules/free_api.rs"),
        include_str!("../chat/rules/platform.rs"),
    ];
    let fields = tables.into_iter().flat_map(|table| table.split("Field::new(").skip(1));
    let names: Vec<_> = fields.filter_map(|field| field.split('"').nth(1)).collect();
    assert!(names.len() > 40, "{names:?}");
    names
}

/// Each known name, and the longest places of all.
pub(super) fn pointers() -> Vec<String> {
    let index = u32::MAX;
    let names = known_names().into_iter();
    let mut pointers: Vec<_> = names
        .flat_map(|name| [format!("/{name}"), format!("/messages/{index}/content/{index}/{name}")])
        .collect();
    pointers.extend([
        String::new(),
        format!("/messages/{index}"),
        format!("/messages/{index}/role"),
        format!("/messages/{index}/content/{index}/image_url/url"),
        format!("/messages/{index}/tool_calls/{index}/function/arguments"),
        format!("/tools/{index}/function/parameters"),
        format!("/stop/{index}"),
    ]);
    pointers
}
