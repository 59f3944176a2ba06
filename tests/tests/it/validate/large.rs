//! What is found in large bodies is bounded, exact and says nothing of their values.

use kimi_errors::Lang;
use kimi_validate::{ChatRequest, Profile};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{accept, judge, request_of};

#[test]
fn of_four_thousand_bad_messages_thirty_two_are_listed_and_the_others_counted() {
    let body = request_of(&vec![r#"{"role":"x","content":"y"}"#; 4_000].join(","));
    let found = judge(body.as_bytes(), &Profile::article());
    assert_eq!(found.len(), 33);
    for (index, row) in found.iter().take(32).enumerate() {
        let offset = 28 + index * 27 + 8;
        assert_eq!(*row, format!("/messages/{index}/role one_of string {offset}"));
    }
    assert_eq!(found[32], "+3968");
}

#[test]
fn two_faults_in_each_of_four_thousand_messages_are_all_counted() {
    let body = request_of(&vec!["{}"; 4_000].join(","));
    let found = judge(body.as_bytes(), &Profile::platform());
    assert_eq!(found.len(), 33);
    assert_eq!(found[0], "/messages/0/role required - 28");
    assert_eq!(found[1], "/messages/0/content required - 28");
    assert_eq!(found[31], "/messages/15/content required - 73");
    assert_eq!(found[32], "+7968");
}

#[test]
fn the_first_in_the_input_are_listed_though_they_are_found_last() {
    // That the model is missing is known at the end, and stands at the beginning.
    let messages = vec![r#"{"role":"x","content":"y"}"#; 100].join(",");
    let body = format!(r#"{{"messages":[{messages}]}}"#);
    let found = judge(body.as_bytes(), &Profile::article());
    assert_eq!(found[0], "/model required - 0");
    assert_eq!(found[31], "/messages/30/role one_of string 831");
    assert_eq!(found[32], "+69");
}

#[test]
fn an_answer_is_small_and_tells_no_value_however_large_the_body() {
    let secret = "S3CR3T".repeat(1_000);
    let message = format!(r#"{{"role":"{secret}","content":["{secret}"],"{secret}":1}}"#);
    let body = request_of(&vec![message; 500].join(","));
    for profile in [Profile::article(), Profile::free_api(), Profile::platform()] {
        let violations = ChatRequest::parse(&body, &profile).unwrap_err();
        for lang in [Lang::Zh, Lang::En] {
            let data = violations.to_data(lang).to_string();
            assert!(data.len() <= 16 * 1024, "{} bytes", data.len());
            assert!(!data.contains("S3CR3T"));
        }
        assert!(!format!("{violations:?} {violations}").contains("S3CR3T"));
    }
}

#[test]
fn two_faults_in_eight_mebibytes_are_found_at_their_places() {
    let image = format!("data:image/png;base64,{}", "A".repeat(8 << 20));
    let body = format!(
        r#"{{"model":7,"messages":[{{"role":"user","content":[{{"type":"image_url","image_url":"{image}"}}]}}],"n":6}}"#
    );
    let found = judge(body.as_bytes(), &Profile::platform());
    assert_eq!(
        found,
        ["/model type number 9".to_owned(), format!("/n range number {}", body.len() - 2)]
    );
}

/// A JSON value of any shape.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::hash_map("[a-z_]{0,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn prop_members_that_no_table_knows_never_matter(
        extras in prop::collection::vec(any_json(), 4),
        is_right in any::<bool>(),
    ) {
        let role = if is_right { "user" } else { "no" };
        let plain = json!({ "model": "k", "messages": [
            { "role": role, "content": [{ "type": "text", "text": "x" }] },
        ] });
        let mut more = plain.clone();
        more["x-1"] = extras[0].clone();
        more["metadata"] = extras[1].clone();
        more["messages"][0]["x-2"] = extras[2].clone();
        more["messages"][0]["content"][0]["x-3"] = extras[3].clone();
        for profile in [Profile::free_api(), Profile::platform()] {
            let rows = |body: &Value| -> Vec<_> {
                let rows = judge(body.to_string().as_bytes(), &profile);
                rows.iter().map(|row| row.rsplit_once(' ').unwrap().0.to_owned()).collect()
            };
            prop_assert_eq!(rows(&plain), rows(&more));
        }
    }
}

#[test]
fn a_long_conversation_is_taken() {
    let calls = r#"{"role":"assistant","tool_calls":[
        {"id":"f:0","function":{"name":"f"}},{"id":"f:1","function":{"name":"f"}}]}"#;
    let mut messages = Vec::new();
    for index in 0..10_000 {
        messages.push(format!(r#"{{"role":"user","content":"{index}"}}"#));
        messages.push(calls.to_owned());
        messages.push(r#"{"role":"tool","tool_call_id":"f:1","content":"x"}"#.to_owned());
        messages.push(r#"{"role":"tool","tool_call_id":"f:0","content":"x"}"#.to_owned());
    }
    accept(&request_of(&messages.join(",")), &Profile::platform());
}
