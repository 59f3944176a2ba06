//! What the schema cannot say, one by one, as `Profile::json_schema` lists it; and where each
//! exception ends.

use kimi_validate::{Profile, Rule};
use serde_json::{Value, json};

use super::agreement::{Judges, Verdict};

/// Both sides of one exception. `text` breaks the rules and nothing else, and the schema takes it.
fn assert_excepted(profile: Profile, text: &str, rules: &[Rule]) {
    let judges = Judges::of(profile);
    assert_eq!(judges.rules(text), rules, "{text}");
    let value = serde_json::from_str(text).unwrap();
    assert!(judges.schema_takes(&value), "{text}");
}

/// Both refuse it, for this rule.
fn assert_said(document: &Value, rule: Rule) {
    let judges = Judges::of(Profile::platform());
    assert!(judges.rules(&document.to_string()).contains(&rule), "{document}");
    assert!(!judges.schema_takes(document), "{document}");
}

/// A request to the platform with these members too.
fn with(members: &Value) -> Value {
    let mut document = json!({ "model": "k", "messages": [{ "role": "user", "content": "x" }] });
    for (name, value) in members.as_object().unwrap() {
        document[name] = value.clone();
    }
    document
}

const HELLO: &str = r#"{"model":"k","messages":[{"role":"user","content":"x"}]}"#;

#[test]
fn exception_1_the_body_is_too_large() {
    let profile = |max_bytes| Profile::article().with_max_body_bytes(max_bytes);
    assert_excepted(profile(HELLO.len() - 1), HELLO, &[Rule::BodyBytes]);
    assert_excepted(profile(HELLO.len()), HELLO, &[]);
}

#[test]
fn exception_1_the_body_begins_with_a_byte_order_mark() {
    let judges = Judges::of(Profile::article());
    // RFC 8259 §8.1 lets a parser ignore it; `serde_json` does not.
    assert_eq!(judges.rules(&format!("\u{feff}{HELLO}")), [Rule::Bom]);
    assert!(judges.schema_takes(&serde_json::from_str(HELLO).unwrap()));
}

#[test]
fn exception_2_arrays_and_objects_are_nested_too_deep() {
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!(r#"{{"x":{open}{close},{}"#, &HELLO[1..])
    };
    let profile = || Profile::article().with_max_depth(5);
    assert_excepted(profile(), &nested(4), &[]);
    assert_excepted(profile(), &nested(5), &[Rule::Depth]);
}

#[test]
fn exception_3_a_name_stands_twice() {
    let twice = format!(r#"{{"model":"k",{}"#, &HELLO[1..]);
    assert_excepted(Profile::article(), &twice, &[Rule::DuplicateKey]);
    // A validator sees the second, we the first.
    let twice = format!(r#"{{"model":1,{}"#, &HELLO[1..]);
    assert_excepted(Profile::article(), &twice, &[Rule::Type, Rule::DuplicateKey]);
}

/// Holds a place of a request to its limit, from both sides.
fn assert_counted_in_bytes(max_bytes: usize, rules: &[Rule], place: impl Fn(&str) -> Value) {
    let of = |text: &str, times: usize| with(&place(&text.repeat(times)));
    let excepted = |document: &Value, rules: &[Rule]| {
        assert_excepted(Profile::platform(), &document.to_string(), rules);
    };
    excepted(&of("é", max_bytes / 2), &[]);
    excepted(&of("é", max_bytes / 2 + 1), rules);
    excepted(&of("字", max_bytes), rules);
    assert_said(&of("字", max_bytes + 1), Rule::MaxBytes);
}

#[test]
fn exception_4_a_text_is_too_long_in_bytes_alone() {
    let pair = |id: &str| {
        json!([
            { "role": "assistant", "tool_calls": [{ "id": id, "function": { "name": "f" } }] },
            { "role": "tool", "content": "x", "tool_call_id": id },
        ])
    };
    let once = [Rule::MaxBytes];
    assert_counted_in_bytes(256, &once, |text| json!({ "model": text }));
    assert_counted_in_bytes(256, &once, |text| json!({ "conversation_id": text }));
    assert_counted_in_bytes(256, &[Rule::MaxBytes; 2], |id| json!({ "messages": pair(id) }));
    assert_counted_in_bytes(32, &once, |text| json!({ "stop": text }));
    assert_counted_in_bytes(32, &once, |text| json!({ "stop": [text, "x"] }));
}

#[test]
fn exception_5_two_functions_have_the_same_name() {
    let tool = |name: &str, description: &str| json!({ "type": "function", "function": { "name": name, "description": description } });
    let same = with(&json!({ "tools": [tool("f", "x"), tool("g", "x"), tool("f", "y")] }));
    assert_excepted(Profile::platform(), &same.to_string(), &[Rule::Unique]);
    let equal = with(&json!({ "tools": [tool("f", "x"), tool("f", "x")] }));
    assert_excepted(Profile::platform(), &equal.to_string(), &[Rule::Unique]);
}

#[test]
fn exception_5_two_calls_have_the_same_id() {
    let call = |name: &str| json!({ "id": "a", "function": { "name": name } });
    let messages = json!([
        { "role": "assistant", "tool_calls": [call("f"), call("g")] },
        { "role": "tool", "content": "x", "tool_call_id": "a" },
    ]);
    let document = with(&json!({ "messages": messages }));
    assert_excepted(Profile::platform(), &document.to_string(), &[Rule::Unique]);
}

#[test]
fn exception_6_calls_and_answers_do_not_pair() {
    let assistant = |id: &str| {
        let call = json!({ "id": id, "function": { "name": "f" } });
        json!({ "role": "assistant", "tool_calls": [call] })
    };
    let tool = |id: &str| json!({ "role": "tool", "content": "x", "tool_call_id": id });
    let user = json!({ "role": "user", "content": "x" });
    let cases = [
        (json!([tool("a")]), vec![Rule::ToolCallId]),
        (json!([assistant("a")]), vec![Rule::Unanswered]),
        (json!([assistant("a"), tool("b")]), vec![Rule::Unanswered, Rule::ToolCallId]),
        (json!([assistant("a"), user, tool("a")]), vec![Rule::Unanswered, Rule::ToolCallId]),
        (json!([assistant("a"), tool("a"), user, assistant("b"), tool("b")]), vec![]),
    ];
    for (messages, rules) in cases {
        let document = with(&json!({ "messages": messages }));
        assert_excepted(Profile::platform(), &document.to_string(), &rules);
    }
    for no_id in [json!({}), json!({ "tool_call_id": null })] {
        let mut answer = json!({ "role": "tool", "content": "x" });
        answer.as_object_mut().unwrap().extend(no_id.as_object().unwrap().clone());
        assert_said(&with(&json!({ "messages": [answer] })), Rule::Required);
    }
}

#[test]
fn exception_7_partial_stands_before_the_last_message() {
    let partial = |role: &str| json!({ "role": role, "content": "x", "partial": true });
    let user = json!({ "role": "user", "content": "x" });
    let document = with(&json!({ "messages": [partial("assistant"), user] }));
    assert_excepted(Profile::platform(), &document.to_string(), &[Rule::Partial]);
    let last = json!({ "messages": [user, partial("assistant")] });
    assert_excepted(Profile::platform(), &with(&last).to_string(), &[]);

    assert_said(&with(&json!({ "messages": [partial("user")] })), Rule::Partial);
    let mut last = with(&last);
    last["response_format"] = json!({ "type": "json_object" });
    assert_said(&last, Rule::Partial);
}

/// No difference to this validator, which reads doubles as well.
#[test]
fn a_number_is_the_double_that_is_nearest_to_it() {
    let judges = Judges::of(Profile::platform());
    for number in ["1.00000000000000000001", "1.0", "1e0", "0.1e1", "10e-1", "1e-999", "-0.0"] {
        let text = format!(r#"{{"temperature":{number},{}"#, &HELLO[1..]);
        assert_eq!(judges.compare(&text), Ok(Verdict::Taken), "{number}");
    }
    for number in ["1", "1.0", "1e0", "1.00000000000000000001", "5.00000000000000000001"] {
        let text = format!(r#"{{"n":{number},{}"#, &HELLO[1..]);
        assert_eq!(judges.compare(&text), Ok(Verdict::Taken), "{number}");
    }
    for number in ["1.0000000000000003", "-1e-300"] {
        let text = format!(r#"{{"temperature":{number},{}"#, &HELLO[1..]);
        assert_eq!(judges.compare(&text), Ok(Verdict::Refused), "{number}");
    }
}
