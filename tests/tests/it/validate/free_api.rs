//! kimi-free-api: every rule just inside of its bound and just outside.

use kimi_validate::{ChatRequest, Part, Profile, Role, limits};

use super::{accept, expect, request_of, request_with};

/// Whole requests that are taken.
const TAKEN: &[&str] = &[
    r#"{"messages":[{"role":"user","content":"x"}]}"#,
    r#"{"model":"","messages":[{"role":"user","content":"x"}]}"#,
    r#"{"model":"kimi","messages":[{"role":"user","content":"x"}],"stream":null}"#,
    r#"{"messages":[{"role":"user","content":"x"}],"use_search":true}"#,
    r#"{"messages":[{"role":"user","content":"x"}],"use_search":null}"#,
    r#"{"messages":[{"role":"user","content":"x"}],"conversation_id":"cnndivilnl96vah411dg"}"#,
    r#"{"messages":[{"role":"user","content":"x"}],"conversation_id":""}"#,
    r#"{"messages":[{"role":"system","content":"x"},{"role":"tool","content":"x"}]}"#,
    // What it does not know is not looked at, though the platform would.
    r#"{"messages":[{"role":"user","content":"x","partial":7}],"temperature":"hot","tools":7}"#,
];

const REFUSED: &[(&str, &str)] = &[
    (r#"^{"model":"kimi"}"#, "/messages required -"),
    (r#"{"messages":^null}"#, "/messages type null"),
    (r#"{"messages":^"hi"}"#, "/messages type string"),
    (r#"{"messages":^[]}"#, "/messages min_items array"),
    (r#"{"model":^null,"messages":[{"role":"user","content":"x"}]}"#, "/model type null"),
    (r#"{"model":^7,"messages":[{"role":"user","content":"x"}]}"#, "/model type number"),
];

/// Members of the request that are refused.
const MEMBERS: &[(&str, &str)] = &[
    (r#""stream":^"true""#, "/stream type string"),
    (r#""stream":^1"#, "/stream type number"),
    (r#""conversation_id":^null"#, "/conversation_id type null"),
    (r#""conversation_id":^7"#, "/conversation_id type number"),
    (r#""conversation_id":^{}"#, "/conversation_id type object"),
    (r#""use_search":^"true""#, "/use_search type string"),
];

/// Contents of a message of the user that are taken, and that are refused.
const CONTENT: (&[&str], &[(&str, &str)]) = (
    &[
        r#""x""#,
        r#"[{"type":"text","text":"x"}]"#,
        r#"[{"type":"text","text":""},{"type":"file","file_url":{"url":"https://a.b/c.pdf"}}]"#,
        r#"[{"type":"image_url","image_url":{"url":"https://a.b/c.png"}}]"#,
        r#"[{"image_url":{"url":"data:image/png;base64,AA","detail":"low"},"type":"image_url"}]"#,
    ],
    &[
        (r#"^"""#, "/messages/0/content blank string"),
        (r#"^"\u3000 \n""#, "/messages/0/content blank string"),
        (r#"^null"#, "/messages/0/content type null"),
        (r#"^7"#, "/messages/0/content type number"),
        (r#"^[]"#, "/messages/0/content min_items array"),
        (r#"[^null]"#, "/messages/0/content/0 type null"),
        (r#"[^{"text":"x"}]"#, "/messages/0/content/0/type required -"),
        (r#"[{"type":^"audio"}]"#, "/messages/0/content/0/type one_of string"),
        (r#"[{"type":^"video_url"}]"#, "/messages/0/content/0/type one_of string"),
        (r#"[^{"type":"text"}]"#, "/messages/0/content/0/text required -"),
        (r#"[{"type":"text","text":^7}]"#, "/messages/0/content/0/text type number"),
        (r#"[^{"type":"file"}]"#, "/messages/0/content/0/file_url required -"),
        (r#"[{"type":"file","file_url":^"u"}]"#, "/messages/0/content/0/file_url type string"),
        (r#"[{"type":"file","file_url":^{}}]"#, "/messages/0/content/0/file_url/url required -"),
        (
            r#"[{"type":"file","file_url":{"url":^""}}]"#,
            "/messages/0/content/0/file_url/url blank string",
        ),
        (
            r#"[{"type":"image_url","image_url":^"https://a.b/c.png"}]"#,
            "/messages/0/content/0/image_url type string",
        ),
        // A member is judged wherever it stands.
        (
            r#"[{"type":"text","text":"x","image_url":^7}]"#,
            "/messages/0/content/0/image_url type number",
        ),
        (
            r#"[{"type":"file","file_url":{"url":"u"}},{"type":^"x"}]"#,
            "/messages/0/content/1/type one_of string",
        ),
    ],
);

fn free_api() -> Profile {
    Profile::free_api()
}

#[test]
fn a_request_needs_its_messages_alone() {
    for body in TAKEN {
        accept(body, &free_api());
    }
    for (body, expected) in REFUSED {
        expect(body.as_bytes(), expected, &free_api());
    }
    for (members, expected) in MEMBERS {
        expect(request_with(members).as_bytes(), expected, &free_api());
    }
}

#[test]
fn a_content_is_a_text_or_parts() {
    let message = |content: &str| request_of(&format!(r#"{{"role":"user","content":{content}}}"#));
    for content in CONTENT.0 {
        accept(&message(content), &free_api());
    }
    for (content, expected) in CONTENT.1 {
        expect(message(content).as_bytes(), expected, &free_api());
    }
}

#[test]
fn every_role_is_taken_but_no_other_name() {
    for role in Role::ALL {
        accept(&request_of(&format!(r#"{{"role":"{role}","content":"x"}}"#)), &free_api());
    }
    let body = request_of(r#"{"role":^"developer","content":"x"}"#);
    expect(body.as_bytes(), "/messages/0/role one_of string", &free_api());
    // Nothing may be left unsaid, not even by an assistant.
    let body = request_of(r#"{"role":"assistant","content":^""}"#);
    expect(body.as_bytes(), "/messages/0/content blank string", &free_api());
}

#[test]
fn a_conversation_id_has_the_bound_that_is_stated() {
    let id = |length| request_with(&format!(r#""conversation_id":^"{}""#, "c".repeat(length)));
    accept(&id(limits::MAX_NAME_BYTES).replace('^', ""), &free_api());
    let longer = id(limits::MAX_NAME_BYTES + 1);
    expect(longer.as_bytes(), "/conversation_id max_bytes string", &free_api());
}

#[test]
fn what_later_layers_need_is_kept() {
    let body = r#"{"conversation_id":"c1","messages":[{"role":"user","content":[
        {"type":"file","file_url":{"url":"https://a.b/c.pdf"}},{"text":"sum up","type":"text"}]}]}"#;
    let request = ChatRequest::parse(body, &free_api()).unwrap();
    assert_eq!(request.model(), None);
    assert_eq!(request.conversation_id().as_deref(), Some("c1"));
    let message = request.messages().next().unwrap();
    assert_eq!(message.preview(3), "sum...");
    let kinds: Vec<_> = message.content().parts().map(|part| part.kind()).collect();
    assert_eq!(kinds, [Part::File, Part::Text]);
}
