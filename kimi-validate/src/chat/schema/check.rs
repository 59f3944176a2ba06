//! What one row of a table says, as a schema.

use serde_json::{Value, json};

use super::judges;
use crate::{
    chat::{
        Profile,
        table::{Check, Field, Items, Range, Text},
    },
    json::JsonType,
};

/// Matches what `is_blank` is false of: one character that is neither Unicode's `White_Space` nor
/// U+FEFF. Written so that ECMA-262, with its flag `u` or without, and the `regex` crate read the
/// same; their `\s` differ, in U+0085 and U+FEFF among others.
const NOT_BLANK: &str =
    "[^\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]";

const TYPES: [JsonType; 6] = [
    JsonType::Object,
    JsonType::Array,
    JsonType::String,
    JsonType::Number,
    JsonType::Boolean,
    JsonType::Null,
];

/// Returns the definition that `#/$defs/not_blank` refers to. It asks nothing of what is no text.
pub(super) fn not_blank() -> Value {
    json!({
        "description": "Has a character that is not white space: neither Unicode's White_Space nor \
                        U+FEFF.",
        "pattern": NOT_BLANK,
    })
}

/// Returns the schema of an object with these fields. Others are ignored, as the pass does.
pub(super) fn object(profile: &Profile, fields: &[Field]) -> Value {
    let mut schema = json!({ "type": "object" });
    for field in fields {
        schema["properties"][field.name] = property(profile, field);
        if field.is_required {
            require(&mut schema, field.name);
        }
    }
    schema
}

/// Requires a member of an object that does not require it yet.
pub(super) fn require(schema: &mut Value, name: &str) {
    match &mut schema["required"] {
        Value::Array(names) => names.push(name.into()),
        none => *none = json!([name]),
    }
}

/// Adds rules that must hold as well.
pub(super) fn add_rules(schema: &mut Value, rules: Vec<Value>) {
    if !rules.is_empty() {
        schema["allOf"] = rules.into();
    }
}

/// Returns the schema of what passes a check.
pub(super) fn of(profile: &Profile, check: &Check) -> Value {
    match check {
        Check::Boolean => json!({ "type": "boolean" }),
        Check::Number(range) => number(range),
        Check::Text(rules) => text(rules),
        Check::OneOf(names) => one_of(names.iter().copied()),
        Check::Role => one_of(profile.roles.iter().map(|role| role.name())),
        Check::PartType => one_of(profile.parts.iter().map(|part| part.name())),
        Check::Object(fields) => object(profile, fields),
        Check::Array(Items { check, min, max }) => {
            let mut schema = json!({ "type": "array", "items": of(profile, check) });
            if *min > 0 {
                schema["minItems"] = (*min).into();
            }
            schema["maxItems"] = (*max).into();
            schema
        }
        Check::Either(first, second) => either(profile, first, second),
        Check::Messages => json!({
            "type": "array",
            "items": { "$ref": "#/$defs/message" },
            "minItems": 1,
            "maxItems": profile.max_messages,
        }),
        Check::Content => judges::content(profile),
    }
}

fn property(profile: &Profile, field: &Field) -> Value {
    let mut schema = of(profile, &field.check);
    if field.is_nullable {
        // The other keywords look at values of one type only, which is none of `null`.
        schema["type"] = match schema["type"].take() {
            Value::Array(mut types) => {
                types.push("null".into());
                types.into()
            }
            one => json!([one, "null"]),
        };
        if let Some(Value::Array(values)) = schema.get_mut("enum") {
            values.push(Value::Null);
        }
    }
    schema
}

fn number(range: &Range) -> Value {
    // Written without a fraction where they have none.
    let bound = |value: f64| value.to_string().parse().map_or(Value::Null, Value::Number);
    json!({
        "type": if range.is_integer { "integer" } else { "number" },
        "minimum": bound(range.min),
        "maximum": bound(range.max),
    })
}

fn text(rules: &Text) -> Value {
    let mut schema = json!({ "type": "string" });
    let mut words = Vec::new();
    if !rules.may_be_blank {
        schema["$ref"] = "#/$defs/not_blank".into();
    }
    if let Some(max_bytes) = rules.max_bytes {
        // No text has more characters than bytes.
        schema["maxLength"] = max_bytes.into();
        words.push(format!("At most {max_bytes} bytes in UTF-8."));
    }
    if let Some(form) = rules.pattern {
        schema["pattern"] = form.regex.into();
        words.push(format!("Form: {}.", form.en));
    }
    if !words.is_empty() {
        schema["description"] = words.join(" ").into();
    }
    schema
}

fn one_of(names: impl Iterator<Item = &'static str>) -> Value {
    json!({ "type": "string", "enum": names.collect::<Vec<_>>() })
}

/// Asks each of both only for the types that the pass gives to it, rather than `anyOf`, whose errors
/// have the place of the whole.
fn either(profile: &Profile, first: &Check, second: &Check) -> Value {
    let has_parts = !profile.parts.is_empty();
    let mut all = Vec::new();
    let mut rule = |check: &Check, before: Option<&Check>| {
        let is_its = |kind: JsonType| {
            check.takes(kind, has_parts) && !before.is_some_and(|it| it.takes(kind, has_parts))
        };
        let types: Vec<_> =
            TYPES.into_iter().filter(|kind| is_its(*kind)).map(JsonType::name).collect();
        all.extend_from_slice(&types);
        let types = match types[..] {
            [only] => json!(only),
            _ => json!(types),
        };
        let mut then = of(profile, check);
        // Which the condition asks for.
        then.as_object_mut().map(|keywords| keywords.remove("type"));
        json!({ "if": { "type": types }, "then": then })
    };
    let rules = [rule(first, None), rule(second, Some(first))];
    json!({ "type": all, "allOf": rules })
}
