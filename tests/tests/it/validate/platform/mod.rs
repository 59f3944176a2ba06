//! Kimi's platform: every rule just inside of its bound and just outside.

mod calls;
mod message;
mod request;

use kimi_validate::{ChatRequest, Profile, limits};

use self::{message::MESSAGE, request::REQUEST};
use super::{accept, expect, judge, request_of, request_with};

/// What is taken, and what is refused, with what is found.
type Bounds = (&'static [&'static str], &'static [(&'static str, &'static str)]);

fn platform() -> Profile {
    Profile::platform()
}

#[test]
fn every_member_of_the_request_is_judged_at_its_bounds() {
    for (taken, refused) in REQUEST {
        for members in *taken {
            accept(&request_with(members), &platform());
        }
        for (members, expected) in *refused {
            expect(request_with(members).as_bytes(), expected, &platform());
        }
    }
}

#[test]
fn every_member_of_a_message_is_judged_at_its_bounds() {
    for (taken, refused) in MESSAGE {
        for message in *taken {
            accept(&request_of(message), &platform());
        }
        for (message, expected) in *refused {
            expect(request_of(message).as_bytes(), expected, &platform());
        }
    }
}

#[test]
fn only_the_last_message_of_an_assistant_is_continued() {
    let partial = r#"{"role":"assistant","content":"x","partial":true}"#;
    let user = r#"{"role":"user","content":"x"}"#;
    accept(&request_of(&format!("{user},{partial}")), &platform());
    accept(&request_of(partial), &platform());

    let marked = r#"{"role":"assistant","content":"x","partial":^true}"#;
    let expected = "/messages/0/partial partial boolean";
    expect(request_of(&format!("{marked},{user}")).as_bytes(), expected, &platform());
    expect(request_of(&format!("{marked},{partial}")).as_bytes(), expected, &platform());
    let by_user = r#"{"partial":^true,"role":"user","content":"x"}"#;
    expect(request_of(by_user).as_bytes(), expected, &platform());
}

#[test]
fn no_answer_is_continued_as_a_json_object() {
    let with_format = |messages: &str, first: bool| {
        let format = r#""response_format":{"type":"json_object"}"#;
        match first {
            true => format!(r#"{{{format},"model":"k","messages":[{messages}]}}"#),
            false => format!(r#"{{"model":"k","messages":[{messages}],{format}}}"#),
        }
    };
    for first in [true, false] {
        let marked = with_format(r#"{"role":"assistant","content":"{","partial":^true}"#, first);
        expect(marked.as_bytes(), "/messages/0/partial partial boolean", &platform());
        accept(&with_format(r#"{"role":"assistant","content":"{"}"#, first), &platform());
    }
    let schema = r#"{"messages":[{"role":"assistant","content":"{","partial":true}],"model":"k",
        "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}}}"#;
    accept(schema, &platform());
}

#[test]
fn a_model_is_required() {
    expect(br#"^{"messages":[{"role":"user","content":"x"}]}"#, "/model required -", &platform());
    let body = br#"{"model":^null,"messages":[{"role":"user","content":"x"}]}"#;
    expect(body, "/model type null", &platform());
}

#[test]
fn lists_and_names_have_the_bounds_that_are_stated() {
    let tool = |name: &str| format!(r#"{{"type":"function","function":{{"name":"{name}"}}}}"#);
    let tools = |count| {
        let tools: Vec<_> = (0..count).map(|index| tool(&format!("f{index}"))).collect();
        request_with(&format!(r#""tools":^[{}]"#, tools.join(",")))
    };
    accept(&tools(limits::MAX_TOOLS).replace('^', ""), &platform());
    expect(tools(limits::MAX_TOOLS + 1).as_bytes(), "/tools max_items array", &platform());

    let name = |length| request_with(&format!(r#""tools":[{}]"#, tool(&"f".repeat(length))));
    accept(&name(128), &platform());
    assert_eq!(judge(name(129).as_bytes(), &platform()).len(), 1);

    let parts = |count| {
        let parts = vec![r#"{"type":"text","text":"x"}"#; count].join(",");
        request_of(&format!(r#"{{"role":"user","content":^[{parts}]}}"#))
    };
    accept(&parts(limits::MAX_PARTS).replace('^', ""), &platform());
    let expected = "/messages/0/content max_items array";
    expect(parts(limits::MAX_PARTS + 1).as_bytes(), expected, &platform());

    let model = |length| {
        let model = "m".repeat(length);
        format!(r#"{{"model":^"{model}","messages":[{{"role":"user","content":"x"}}]}}"#)
    };
    accept(&model(limits::MAX_NAME_BYTES).replace('^', ""), &platform());
    let longer = model(limits::MAX_NAME_BYTES + 1);
    expect(longer.as_bytes(), "/model max_bytes string", &platform());
}

#[test]
fn names_of_functions_have_the_form_that_is_stated() {
    let request = |name: &str| {
        request_with(&format!(r#""tools":[{{"type":"function","function":{{"name":"{name}"}}}}]"#))
    };
    for name in ["f", "F", "_", "_0", "a-b", "a_b-9", "$web_search", "$_"] {
        accept(&request(name), &platform());
    }
    for name in ["0", "-a", "$", "$0", "$$a", "a b", "a.b", "a$", "\u{e9}", "a\u{4e2d}", " a"] {
        assert_eq!(judge(request(name).as_bytes(), &platform()).len(), 1, "{name}");
    }
}

#[test]
fn what_later_layers_need_is_kept() {
    let body = br#"{"messages":[{"content":"x","role":"user"}],"conversation_id":"c\u0031",
        "stream":true,"model":"kimi-k3"}"#;
    let request = ChatRequest::parse(&body[..], &platform()).unwrap();
    assert_eq!(request.model().as_deref(), Some("kimi-k3"));
    assert_eq!(request.conversation_id().as_deref(), Some("c1"));
    assert!(request.is_stream());
    let message = request.messages().next().unwrap();
    assert_eq!(&body[message.range()], br#"{"content":"x","role":"user"}"#);
    assert_eq!(message.content().as_text().as_deref(), Some("x"));
}
