//! Which call is answered by which message.

use kimi_validate::Profile;

use crate::validate::{judge, request_of};

/// Conversations: `C(ids)` is an assistant's message that calls by these ids, `T(id)` an answer, `U` a
/// user's message, `X` one of an unknown role, `7` none at all.
const CALLS: &[(&str, &str)] = &[
    ("U,C(a),T(a)", ""),
    ("U,C(a),T(a),U", ""),
    ("C(a;b),T(b),T(a)", ""),
    // The same ids again, as kimi-k3 makes them.
    ("C(a),T(a),C(a),T(a)", ""),
    // Whether it may be answered twice is the platform's to say.
    ("C(a),T(a),T(a)", ""),
    ("C(a)", "/messages/0/tool_calls/0/id unanswered string"),
    (
        "C(a),U,T(a)",
        "/messages/0/tool_calls/0/id unanswered string; /messages/2/tool_call_id tool_call_id string",
    ),
    ("C(a;b),T(a)", "/messages/0/tool_calls/1/id unanswered string"),
    (
        "C(a;b),T(a),U,T(b)",
        "/messages/0/tool_calls/1/id unanswered string; /messages/3/tool_call_id tool_call_id string",
    ),
    ("C(a),C(b),T(b)", "/messages/0/tool_calls/0/id unanswered string"),
    (
        "C(a),T(b)",
        "/messages/0/tool_calls/0/id unanswered string; /messages/1/tool_call_id tool_call_id string",
    ),
    ("U,T(a)", "/messages/1/tool_call_id tool_call_id string"),
    ("C(a),T(a),U,T(a)", "/messages/3/tool_call_id tool_call_id string"),
    ("C(a;a),T(a)", "/messages/0/tool_calls/1/id unique string"),
    ("C(a;b;a),T(b),T(a)", "/messages/0/tool_calls/2/id unique string"),
    (
        "C(a;a)",
        "/messages/0/tool_calls/0/id unanswered string; /messages/0/tool_calls/1/id unique string",
    ),
    // What nobody knows may have answered or made calls, until the next that is known.
    ("C(a;b),X,T(b)", "/messages/1/role one_of string"),
    ("C(a),X", "/messages/1/role one_of string"),
    ("X,T(a)", "/messages/0/role one_of string"),
    ("C(a;b),7,T(b)", "/messages/1 type number"),
    ("X,U,T(a)", "/messages/0/role one_of string; /messages/2/tool_call_id tool_call_id string"),
    (
        "X,C(a),T(b)",
        "/messages/0/role one_of string; /messages/1/tool_calls/0/id unanswered string; \
         /messages/2/tool_call_id tool_call_id string",
    ),
];

#[test]
fn an_answer_that_is_not_judged_is_not_missed() {
    let messages = ["U", "C(a)", "T(a)"].map(message).join(",");
    let profile = Profile::platform().with_max_messages(2);
    let found = judge(request_of(&messages).as_bytes(), &profile);
    assert_eq!(found, ["/messages max_items array 27"]);
}

#[test]
fn every_call_has_its_answer_and_every_answer_its_call() {
    for (conversation, expected) in CALLS {
        let messages: Vec<_> = conversation.split(',').map(message).collect();
        let found = judge(request_of(&messages.join(",")).as_bytes(), &Profile::platform());
        let found: Vec<_> =
            found.iter().map(|row| row.rsplit_once(' ').unwrap().0.to_owned()).collect();
        let expected: Vec<_> = expected.split("; ").filter(|it| !it.is_empty()).collect();
        assert_eq!(found, expected, "{conversation}");
    }
}

fn message(short: &str) -> String {
    let ids = short.get(2..short.len() - 1);
    match (short.as_bytes()[0], ids) {
        (b'C', Some(ids)) => {
            let calls: Vec<_> = ids
                .split(';')
                .map(|id| format!(r#"{{"id":"{id}","type":"function","function":{{"name":"f","arguments":"{{}}"}}}}"#))
                .collect();
            format!(r#"{{"role":"assistant","content":null,"tool_calls":[{}]}}"#, calls.join(","))
        }
        (b'T', Some(id)) => format!(r#"{{"role":"tool","tool_call_id":"{id}","content":"x"}}"#),
        (b'X', _) => r#"{"role":"bot","content":"x"}"#.to_owned(),
        (b'7', _) => "7".to_owned(),
        _ => r#"{"role":"user","content":"x"}"#.to_owned(),
    }
}
