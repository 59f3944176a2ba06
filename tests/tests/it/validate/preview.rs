//! A preview is the beginning of what `serde_json` reads, whatever stands around it.

use kimi_validate::{ChatRequest, Profile};
use proptest::prelude::*;
use serde_json::{Value, json};

fn previews(body: &[u8], max_chars: usize) -> Vec<String> {
    let request = ChatRequest::parse(body, &Profile::platform()).unwrap();
    request.messages().map(|message| message.preview(max_chars)).collect()
}

/// What is said in a message, as a program without us would find it.
fn text_of(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

#[test]
fn dots_follow_only_what_was_cut() {
    let body = json!({ "model": "k", "messages": [{ "role": "user", "content": "中文ab" }] });
    let body = body.to_string();
    assert_eq!(previews(body.as_bytes(), 3), ["中文a..."]);
    assert_eq!(previews(body.as_bytes(), 4), ["中文ab"]);
    assert_eq!(previews(body.as_bytes(), 0), ["..."]);
}

#[test]
fn an_escape_counts_as_the_character_it_stands_for() {
    let body = br#"{"model":"k","messages":[{"role":"user","content":"\u4e2d\ud83d\ude00\n\"x"}]}"#;
    assert_eq!(previews(body, 3), ["中😀\n..."]);
    assert_eq!(previews(body, 5), ["中😀\n\"x"]);
}

#[test]
fn an_assistant_that_only_calls_tools_says_nothing() {
    let body = br#"{"model":"k","messages":[
        {"role":"assistant","content":null,"tool_calls":[{"id":"a","function":{"name":"f"}}]},
        {"role":"tool","tool_call_id":"a","content":"x"}]}"#;
    assert_eq!(previews(body, 9), ["", "x"]);
}

fn message() -> impl Strategy<Value = Value> {
    let text = any::<String>().prop_map(|text| json!(format!("x{text}")));
    let part = prop_oneof![
        any::<String>().prop_map(|text| json!({ "type": "text", "text": format!("{text}x") })),
        Just(json!({ "type": "image_url", "image_url": { "url": "ms://1" } })),
    ];
    let parts = prop::collection::vec(part, 1..5).prop_map(Value::Array);
    (prop_oneof![text, parts], any::<bool>()).prop_map(|(content, is_first)| match is_first {
        true => json!({ "a": 1, "content": content, "role": "user" }),
        false => json!({ "role": "user", "z": [{}], "content": content }),
    })
}

proptest! {
    #[test]
    fn prop_a_preview_is_the_beginning_of_what_serde_json_reads(
        messages in prop::collection::vec(message(), 1..5),
        max_chars in 0..40_usize,
        is_pretty in any::<bool>(),
    ) {
        let body = json!({ "messages": messages, "model": "k" });
        let body = if is_pretty { format!("{body:#}") } else { body.to_string() };
        let expected: Vec<_> = messages
            .iter()
            .map(|message| {
                let text = text_of(message);
                let cut: String = text.chars().take(max_chars).collect();
                if cut == text { cut } else { cut + "..." }
            })
            .collect();
        prop_assert_eq!(previews(body.as_bytes(), max_chars), expected);
    }
}
