//! Profiles of one's own: what differs is judged, the rest stays, and nothing sensible is refused
//! when it is built or surprising when it is used.

use kimi_validate::{Part, Profile, Role, limits};

use super::{accept, expect, judge, request_of, request_with};

#[test]
fn the_roles_are_those_that_are_named() {
    let profile = Profile::article().with_roles([Role::User, Role::Tool, Role::User]);
    accept(&request_of(r#"{"role":"tool","content":"x"}"#), &profile);
    let body = request_of(r#"{"role":^"system","content":"x"}"#);
    expect(body.as_bytes(), "/messages/0/role one_of string", &profile);
}

#[test]
fn a_profile_without_roles_is_not_built() {
    let error = Profile::article().try_with_roles([]).unwrap_err();
    assert_eq!(error.to_string(), "a profile needs at least one role");
    let profile = Profile::article().try_with_roles(vec![Role::Tool; 2]).unwrap();
    accept(&request_of(r#"{"role":"tool","content":"x"}"#), &profile);
    let body = request_of(r#"{"role":^"user","content":"x"}"#);
    expect(body.as_bytes(), "/messages/0/role one_of string", &profile);
}

#[test]
fn the_parts_are_those_that_are_named() {
    let text = r#"{"role":"user","content":[{"type":"text","text":"x"}]}"#;
    let video = r#"{"role":"user","content":[{"type":^"video_url","video_url":{"url":"u"}}]}"#;
    let profile = Profile::article().with_parts([Part::Text, Part::Text]);
    accept(&request_of(text), &profile);
    expect(request_of(video).as_bytes(), "/messages/0/content/0/type one_of string", &profile);

    // The table of every profile knows every part.
    for profile in [Profile::article(), Profile::free_api(), Profile::platform()] {
        let profile = profile.with_parts(Part::ALL.iter().copied());
        let url = r#"{"url":"ms://f"}"#;
        for part in Part::ALL.iter().copied() {
            let member = if part == Part::File { "file_url" } else { part.name() };
            let value = if part == Part::Text { r#""x""# } else { url };
            let content = format!(r#"[{{"type":"{part}","{member}":{value}}}]"#);
            accept(&request_of(&format!(r#"{{"role":"user","content":{content}}}"#)), &profile);
            let missing = format!(r#"{{"role":"user","content":[^{{"type":"{part}"}}]}}"#);
            let expected = format!("/messages/0/content/0/{member} required -");
            expect(request_of(&missing).as_bytes(), &expected, &profile);
        }
    }
}

#[test]
fn without_parts_a_content_is_a_text() {
    let profile = Profile::platform().with_parts([]);
    accept(&request_of(r#"{"role":"user","content":"x"}"#), &profile);
    let body = request_of(r#"{"role":"user","content":^[{"type":"text","text":"x"}]}"#);
    expect(body.as_bytes(), "/messages/0/content type array", &profile);
}

#[test]
fn a_member_that_no_table_knows_may_be_required_whatever_its_value() {
    let profile = Profile::article().with_required("user").with_required("a/b~c");
    for value in ["null", "7", r#""""#, "[{}]"] {
        accept(&request_with(&format!(r#""user":{value},"a\/b~c":{value}"#)), &profile);
    }
    let body = r#"^^{"model":"k","messages":[{"role":"user","content":"x"}]}"#;
    expect(body.as_bytes(), "/user required -; /a~1b~0c required -", &profile);
    // Its name may be written in escapes, and stand twice.
    let body =
        r#"^{"model":"k","messages":[{"role":"user","content":"x"}],"us\u0065r":1,"user":2}"#;
    expect(body.as_bytes(), "/a~1b~0c required -", &profile);
}

#[test]
fn a_member_that_the_table_knows_keeps_its_rules_when_it_is_required() {
    let profile = Profile::platform().with_required("temperature");
    accept(&request_with(r#""temperature":1"#), &profile);
    accept(&request_with(r#""temperature":null"#), &profile);
    let expected = "/temperature range number";
    expect(request_with(r#""temperature":^2"#).as_bytes(), expected, &profile);
    let body = format!("^{}", request_with(r#""top_p":1"#));
    expect(body.as_bytes(), "/temperature required -", &profile);

    let profile = Profile::free_api().with_required("model");
    let body = r#"^{"messages":[{"role":"user","content":"x"}]}"#;
    expect(body.as_bytes(), "/model required -", &profile);
}

#[test]
fn to_require_a_member_twice_reports_it_once() {
    let profile = Profile::article()
        .with_required("model")
        .with_required("user")
        .with_required("messages")
        .with_required("user");
    let expected = "/model required -; /messages required -; /user required -";
    expect(b"^^^{}", expected, &profile);
}

#[test]
fn no_limit_is_so_low_that_nothing_passes() {
    let body = r#"{"model":"k","messages":[{"role":"user","content":"x"}]}"#;
    let profile = Profile::article()
        .with_max_depth(0)
        .with_max_messages(0)
        .with_max_parts(0)
        .with_max_reported(0);
    accept(body, &profile);
    accept(&request_of(r#"{"role":"user","content":"x"}"#), &profile);
    let two = r#"{"model":"k","messages":^[{"role":"user","content":"x"},{"role":"user","content":"x"}]}"#;
    expect(two.as_bytes(), "/messages max_items array", &profile);
    // One is reported, the other counted.
    expect(br#"^{"messages":7}"#, "/model required -; +1", &profile);

    let profile = profile.with_parts([Part::Text]).with_max_depth(5);
    accept(&request_of(r#"{"role":"user","content":[{"type":"text","text":"x"}]}"#), &profile);
    let two =
        r#"{"role":"user","content":^[{"type":"text","text":"x"},{"type":"text","text":"x"}]}"#;
    expect(request_of(two).as_bytes(), "/messages/0/content max_items array", &profile);
}

#[test]
fn every_limit_is_held_to_the_last() {
    let message = r#"{"role":"user","content":"x"}"#;
    let profile = Profile::article().with_max_messages(3);
    accept(&request_of(&[message; 3].join(",")), &profile);
    assert_eq!(
        judge(request_of(&[message; 4].join(",")).as_bytes(), &profile),
        ["/messages max_items array 27"],
    );

    let body = request_of(message);
    accept(&body, &Profile::article().with_max_body_bytes(body.len()));
    let profile = Profile::article().with_max_body_bytes(body.len() - 1);
    assert_eq!(judge(body.as_bytes(), &profile), [". body_bytes - 0"]);
    assert_eq!(profile.max_body_bytes(), body.len() - 1);
    assert_eq!(Profile::article().with_max_body_bytes(0).max_body_bytes(), 1);
    let most = Profile::article().with_max_body_bytes(usize::MAX);
    assert_eq!(most.max_body_bytes(), u32::MAX as usize);

    let profile = Profile::article().with_max_depth(4);
    accept(&request_with(r#""x":[[[]]]"#), &profile);
    assert_eq!(judge(request_with(r#""x":[[[[]]]]"#).as_bytes(), &profile).len(), 1);
}

#[test]
fn the_depth_cannot_be_more_than_serde_json_reads() {
    let profile = Profile::article().with_max_depth(u32::MAX);
    let deep =
        |levels| request_with(&format!(r#""x":{}{}"#, "[".repeat(levels), "]".repeat(levels)));
    accept(&deep(limits::MAX_DEPTH as usize - 1), &profile);
    assert_eq!(judge(deep(limits::MAX_DEPTH as usize).as_bytes(), &profile).len(), 1);
}

#[test]
fn the_deepest_that_is_judged_has_seven_levels() {
    let tool = r#"{"type":"function","function":{"name":"f","parameters":{}}}"#;
    let body = request_of(&format!(r#"{{"role":"system","tools":[{tool}]}}"#));
    accept(&body, &Profile::platform().with_max_depth(7));
    let found = judge(body.as_bytes(), &Profile::platform().with_max_depth(6));
    assert!(found[0].starts_with("/messages/0/tools/0/function/parameters depth"), "{found:?}");
}

#[test]
fn a_profile_is_shown_in_a_few_words() {
    let profile = Profile::platform().with_required("user").with_max_parts(7);
    let shown = format!("{profile:?}");
    assert!(shown.len() < 400, "{shown}");
    for expected in ["platform", "Tool", "VideoUrl", "user", "max_parts: 7"] {
        assert!(shown.contains(expected), "{expected} in {shown}");
    }
}

#[test]
fn the_most_messages_are_those_that_are_stated() {
    let message = r#"{"role":"user","content":"x"}"#;
    let body = request_of(&vec![message; limits::MAX_MESSAGES].join(","));
    accept(&body, &Profile::article());
    let body = request_of(&vec![message; limits::MAX_MESSAGES + 1].join(","));
    assert_eq!(judge(body.as_bytes(), &Profile::article()), ["/messages max_items array 27"]);
}
