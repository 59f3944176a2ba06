//! What is refused is told why: in order, in few words, and truly.

use kimi_errors::{Dialect, Lang};
use kimi_validate::{JsonType, Rule, Violation, Violations};
use serde_json::Value;

const MAX_REFUSAL_BYTES: usize = 16 << 10;
const MAX_REPORTED: usize = 32;

pub(crate) fn is_fit(violations: &Violations, body: &[u8], tree: Option<&Value>) {
    let list = violations.as_slice();
    assert!((1..=MAX_REPORTED).contains(&list.len()), "{} are listed", list.len());
    assert!(list.len() == MAX_REPORTED || violations.truncated() == 0, "there was room for more");
    assert!(list.is_sorted_by_key(Violation::offset), "not in input order: {list:?}");
    assert!(list.iter().all(|it| it.offset() <= body.len()), "outside of the body: {list:?}");
    for lang in [Lang::Zh, Lang::En] {
        let refusal = Dialect::Errcode.body(&violations.clone().into_error(lang));
        assert!(refusal.len() <= MAX_REFUSAL_BYTES, "{} bytes", refusal.len());
        let refusal: Value = serde_json::from_slice(&refusal).expect("a refusal is JSON");
        let listed = refusal["data"]["violations"].as_array().map(Vec::len);
        assert_eq!(listed, Some(list.len()));
    }
    match tree {
        None => assert!(list.len() == 1 && violations.truncated() == 0, "one fault ends it"),
        Some(tree) => list.iter().for_each(|it| is_true(it, body, tree, violations)),
    }
}

/// Whether a name stands twice somewhere, or might, among those that are not listed.
pub(crate) fn has_duplicates(violations: &Violations) -> bool {
    violations.truncated() > 0 || violations.iter().any(|it| it.rule() == Rule::DuplicateKey)
}

/// A violation says where and of which type the value is; so does the text, and so does the tree.
fn is_true(violation: &Violation, body: &[u8], tree: &Value, all: &Violations) {
    let first = body.get(violation.offset());
    let Some(found) = violation.found() else {
        // What asks for another member is said of that one.
        let is_place = first == Some(&b'{') || violation.rule() == Rule::Requires;
        assert!(is_place, "what lacks a member is an object: {violation:?}");
        return;
    };
    let begins = first.map(|byte| match byte {
        b'{' => JsonType::Object,
        b'[' => JsonType::Array,
        b'"' => JsonType::String,
        b't' | b'f' => JsonType::Boolean,
        b'n' => JsonType::Null,
        _ => JsonType::Number,
    });
    assert_eq!(begins, Some(found), "{violation:?}");
    if !has_duplicates(all) {
        let kind = tree.pointer(violation.pointer()).map(kind_of);
        assert_eq!(kind, Some(found), "{violation:?}");
    }
}

fn kind_of(value: &Value) -> JsonType {
    match value {
        Value::Null => JsonType::Null,
        Value::Bool(_) => JsonType::Boolean,
        Value::Number(_) => JsonType::Number,
        Value::String(_) => JsonType::String,
        Value::Array(_) => JsonType::Array,
        Value::Object(_) => JsonType::Object,
    }
}
