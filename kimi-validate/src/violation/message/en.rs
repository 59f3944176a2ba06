use super::{
    Article, Expected, Rule, Violation, article, choice, names, place_of, size, takes_parts,
};

pub(super) fn sentence(violation: &Violation) -> String {
    let place = names::en(&violation.pointer);
    let wanted = wanted(&violation.expected);
    let at = at(&violation.expected);
    let not = not(violation);
    match article(violation) {
        Some(Article::Model) => return format!("{place} must not be empty"),
        Some(Article::Messages) => return format!("{place} must be a non-empty array{not}"),
        Some(Article::Role) => return format!("{place} must be {wanted}{not}"),
        Some(Article::Content) if takes_parts(violation) => {
            return format!("{place} must be a non-empty string or a non-empty array{not}");
        }
        Some(Article::Content) => return format!("{place} must be a non-empty string{not}"),
        Some(Article::Stream) => return format!("{place} must be a boolean{not}"),
        None => {}
    }
    match violation.rule {
        Rule::BodyBytes => match violation.expected {
            Expected::Count(max) => {
                format!("the body must not be larger than {}; send less", size(max, " bytes"))
            }
            _ => "the body is larger than the limit; send less".to_owned(),
        },
        Rule::EmptyBody => "the body is empty; send a JSON object".to_owned(),
        Rule::Bom => "the body begins with a byte order mark; leave it out".to_owned(),
        Rule::Utf8 => format!("the body is not UTF-8{at}; encode it as UTF-8"),
        Rule::Syntax if matches!(violation.expected, Expected::More(_)) => {
            format!("the JSON of the body is cut off{at}; send all of it")
        }
        Rule::Syntax => format!("the body is not JSON{at}; check quotes, commas and brackets"),
        Rule::LoneSurrogate => format!(
            "the body has half a surrogate pair{at}; escape both halves or write the character"
        ),
        Rule::TrailingData => {
            format!("the body goes on after its JSON{at}; send one JSON object and nothing else")
        }
        Rule::NumberOverflow => {
            format!("the body has a number that no double holds{at}; send a smaller one")
        }
        Rule::Depth => match violation.expected {
            Expected::Levels(max, _) => {
                format!("the body is nested deeper than {max} levels{at}; use fewer")
            }
            _ => format!("the body is nested too deep{at}; use fewer levels"),
        },
        Rule::DuplicateKey => format!("{place} stands twice; send it once"),
        Rule::Required => match violation.expected {
            Expected::Names(_) => format!("{place} is missing; set it to {wanted}"),
            _ => format!("{place} is missing; add it"),
        },
        Rule::Type => format!("{place} must be {wanted}{not}"),
        Rule::Blank => format!("{place} must not be empty or blank"),
        Rule::MinItems => match violation.expected {
            Expected::Count(1) => format!("{place} must not be empty"),
            _ => format!("{place} must have at least {wanted} items"),
        },
        Rule::MaxItems => format!("{place} must have at most {wanted} items; send fewer"),
        Rule::OneOf => format!("{place} must be {wanted}"),
        Rule::Range => format!("{place} must be {wanted}"),
        Rule::Integer => format!("{place} must be a whole number"),
        Rule::MaxBytes => match violation.expected {
            Expected::Count(max) => {
                format!("{place} must have at most {max} bytes of UTF-8; shorten it")
            }
            _ => format!("{place} is too long; shorten it"),
        },
        Rule::Pattern => format!("{place} has the wrong form, expected {wanted}"),
        Rule::Unique => format!("{place} repeats an earlier one; use another"),
        Rule::Requires => format!("{place} asks for {wanted}"),
        Rule::ToolCallId => format!(
            "{place} is that of no tool call in the assistant message before; use the id of one"
        ),
        Rule::Unanswered => format!(
            "{place} is answered by no tool message; send one for each tool call right behind"
        ),
        Rule::Partial => format!(
            "{place} may only stand in the last message, which must be the assistant's, and not \
             with response_format json_object"
        ),
    }
}

fn wanted(expected: &Expected) -> String {
    match expected {
        Expected::Count(count) => count.to_string(),
        Expected::Between(min, max) => format!("from {min} to {max}"),
        Expected::Names(names) => choice(names.iter().map(|it| &**it), ", ", " or "),
        Expected::Types(types) => choice(types.iter().copied().map(type_name), ", ", " or "),
        Expected::Words { en, .. } => (*en).to_owned(),
        Expected::Nothing | Expected::Place(_) | Expected::More(_) | Expected::Levels(..) => {
            "what the rule asks for".to_owned()
        }
    }
}

fn at(expected: &Expected) -> String {
    let place = place_of(expected);
    place.map_or_else(String::new, |it| format!(" at line {}, column {}", it.line, it.column))
}

/// Of a wrong type, what there is instead.
fn not(violation: &Violation) -> String {
    let found = violation.found.filter(|_| violation.rule == Rule::Type);
    found.map_or_else(String::new, |found| format!(", not {}", type_name(found.name())))
}

/// The names of [`JsonType`](crate::JsonType), and `integer`.
fn type_name(name: &str) -> &str {
    match name {
        "object" => "an object",
        "array" => "an array",
        "string" => "a string",
        "number" => "a number",
        "integer" => "a whole number",
        "boolean" => "a boolean",
        other => other,
    }
}
