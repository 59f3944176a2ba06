//! What is asked beyond the tables, as schemas: what the pass judges when an object ends.
//!
//! Each depends on the judge that it is named with: one that changes there changes here.

use serde_json::{Value, json};

use super::check;
use crate::chat::{
    Profile, Role,
    table::{Check, Field, Slot},
};

/// `Pass::members_of_request`.
pub(super) fn of_request(profile: &Profile) -> Vec<Value> {
    let mut rules = Vec::new();
    let logprobs = in_slot(profile.request, Slot::Logprobs);
    if let (Some(logprobs), Some(top)) = (logprobs, in_slot(profile.request, Slot::TopLogprobs)) {
        rules.push(json!({
            "description": format!("{} asks for {} to be true.", top.name, logprobs.name),
            "if": has(logprobs.name, json!({ "const": true })),
            "else": { "properties": { top.name: { "type": "null" } } },
        }));
    }
    if let Some(format) = in_slot(profile.request, Slot::Format) {
        rules.extend(of_format(profile, format));
    }
    rules
}

/// `Pass::judge_format`, which counts the types as this does.
fn of_format(profile: &Profile, format: &Field) -> Vec<Value> {
    let mut rules = Vec::new();
    let Check::Object(fields) = format.check else { return rules };
    let Some(kind) = in_slot(fields, Slot::Type) else { return rules };
    let Check::OneOf([_, json_object, json_schema]) = kind.check else { return rules };
    if let Some(schema) = in_slot(fields, Slot::Schema) {
        rules.push(json!({
            "description": format!(
                "In {}, the type {json_schema} asks for the member {}.", format.name, schema.name
            ),
            "properties": {
                format.name: {
                    "if": has(kind.name, json!({ "const": json_schema })),
                    "then": has(schema.name, not_null(profile, schema)),
                },
            },
        }));
    }
    if let Some(partial) = in_slot(profile.message, Slot::Partial) {
        let mut is_json_object = has(kind.name, json!({ "const": json_object }));
        // Keywords about members find nothing wrong with what has none, such as `null`.
        is_json_object["type"] = "object".into();
        rules.push(json!({
            "description": format!(
                "With {} of the type {json_object}, no message is {}.", format.name, partial.name
            ),
            "if": has(format.name, is_json_object),
            "then": { "properties": { "messages": { "items": without(partial) } } },
        }));
    }
    rules
}

/// A message, with what `Pass::message` asks of it as a whole.
pub(super) fn message(profile: &Profile) -> Value {
    let fields = profile.message;
    let mut schema = check::object(profile, fields);
    let mut rules = Vec::new();
    let content = in_slot(fields, Slot::Content);
    let excuses = excuses(profile);
    if let Some(content) = content.filter(|_| excuses.is_empty()) {
        check::require(&mut schema, content.name);
    } else if let Some(content) = content {
        rules.push(json!({
            "description": "A message says something, unless it is an assistant's that calls tools \
                            or is to be continued, or a system's that brings tools.",
            "if": { "anyOf": excuses },
            "else": has(content.name, said(profile)),
        }));
    }
    if let Some(partial) = in_slot(fields, Slot::Partial) {
        rules.push(json!({
            "description": "Only an assistant's message can be continued, and only the last.",
            "if": is_of(Role::Assistant),
            "else": without(partial),
        }));
    }
    let id = in_slot(fields, Slot::ToolCallId);
    if let Some(id) = id.filter(|_| profile.roles.contains(&Role::Tool)) {
        rules.push(json!({
            "description": "A tool message answers a call of the assistant's message before.",
            "if": is_of(Role::Tool),
            "then": has(id.name, not_null(profile, id)),
        }));
    }
    check::add_rules(&mut schema, rules);
    schema
}

/// `Pass::judge_content`: the messages whose content may be empty.
fn excuses(profile: &Profile) -> Vec<Value> {
    let items = || json!({ "type": "array", "minItems": 1 });
    let excuses = [
        (Role::Assistant, Slot::ToolCalls, items()),
        (Role::Assistant, Slot::Partial, json!({ "const": true })),
        (Role::System, Slot::Tools, items()),
    ];
    let excuses = excuses.into_iter().filter(|(role, ..)| profile.roles.contains(role));
    excuses
        .filter_map(|(role, slot, value)| {
            let name = in_slot(profile.message, slot)?.name;
            let mut excuse = is_of(role);
            check::require(&mut excuse, name);
            excuse["properties"][name] = value;
            Some(excuse)
        })
        .collect()
}

/// `Pass::content`: the content of a message, whether or not it may be empty.
pub(super) fn content(profile: &Profile) -> Value {
    let may_be_empty = !excuses(profile).is_empty();
    let mut schema = if may_be_empty { json!({ "type": ["string"] }) } else { said(profile) };
    let mut words = "A text".to_owned();
    if !profile.parts.is_empty() {
        schema["type"] = json!(["string", "array"]);
        schema["items"] = json!({ "$ref": "#/$defs/part" });
        schema["maxItems"] = profile.max_parts.into();
        words.push_str(" or parts");
    }
    if let (true, Value::Array(types)) = (may_be_empty, &mut schema["type"]) {
        types.push("null".into());
    }
    words.push_str(if may_be_empty { "." } else { ", not blank." });
    schema["description"] = words.into();
    schema
}

/// A content that is not empty.
fn said(profile: &Profile) -> Value {
    match profile.parts.is_empty() {
        true => json!({ "type": "string", "$ref": "#/$defs/not_blank" }),
        false => {
            json!({ "type": ["string", "array"], "$ref": "#/$defs/not_blank", "minItems": 1 })
        }
    }
}

/// `Pass::part`.
pub(super) fn part(profile: &Profile) -> Value {
    let mut schema = check::object(profile, profile.part);
    let kind = in_slot(profile.part, Slot::Type);
    let rules = kind.into_iter().flat_map(|kind| {
        profile.parts.iter().map(|part| {
            json!({
                "if": has(kind.name, json!({ "const": part.name() })),
                "then": { "required": [part.member()] },
            })
        })
    });
    check::add_rules(&mut schema, rules.collect());
    schema
}

/// A message of this role.
fn is_of(role: Role) -> Value {
    has("role", json!({ "const": role.name() }))
}

/// An object that has a member, and that member of this schema.
fn has(name: &str, schema: Value) -> Value {
    let mut object = json!({ "required": [name] });
    object["properties"][name] = schema;
    object
}

/// What the field asks for, but for `null`, where its table has asked for the rest.
fn not_null(profile: &Profile, field: &Field) -> Value {
    json!({ "type": check::of(profile, &field.check)["type"] })
}

/// An object in which a member is not true.
fn without(field: &Field) -> Value {
    json!({ "properties": { field.name: { "not": { "const": true } } } })
}

fn in_slot(fields: &[Field], slot: Slot) -> Option<&Field> {
    fields.iter().find(|field| field.slot == Some(slot))
}
