//! Contradictions, each named with its step and field.

use super::EXCLUSIVE;
use crate::script::{Repeat, Script, Step};

/// Returns the error of a script whose second step is this one.
fn refusal(step: &str) -> String {
    let script = format!("{{\"steps\": [{{}}, {step}]}}");
    Script::from_json(&script).unwrap_err().to_string()
}

#[test]
fn wrong_values_are_refused_by_name() {
    let cases = [
        (r#"{"repeat": 0}"#, "steps[1].repeat: at least 1, or \"forever\""),
        (r#"{"ok": {"chunks": 0}}"#, "steps[1].ok.chunks: at least 1"),
        (r#"{"split": 0}"#, "steps[1].split: at least 1 byte"),
        (r#"{"raw": {"status": 101}}"#, "steps[1].raw.status: 101 is not within 200 to 999"),
        (r#"{"raw": {"status": 204, "body": "x"}}"#, "steps[1].raw.body: status 204 has no body"),
        (
            r#"{"raw": {"status": 200, "body": "x", "body_base64": ""}}"#,
            "steps[1].raw.body_base64: excludes `body`",
        ),
        (
            r#"{"raw": {"status": 200, "body_base64": "?"}}"#,
            "steps[1].raw.body_base64: not base64 with padding",
        ),
        (
            r#"{"raw": {"status": 200, "headers": {"a b": "c"}}}"#,
            "steps[1].raw.headers: `a b` is no field name",
        ),
        (r#"{"headers": {"a": "\n"}}"#, "steps[1].headers: the value of `a` is no field value"),
        (
            r#"{"headers": {"Content-Length": "1"}}"#,
            "steps[1].headers: `Content-Length` follows from the body or `content_length`",
        ),
        (r#"{"garbage": {"bytes": 16777217}}"#, "steps[1].garbage.bytes: at most 16777216"),
        (r#"{"sse_error": {}}"#, "steps[1].sse_error: needs `fault`, `kind` or `raw`"),
        (
            r#"{"sse_error": {"fault": "plat.overloaded", "kind": "overloaded"}}"#,
            "steps[1].sse_error.kind: excludes `fault`",
        ),
        (
            r#"{"sse_error": {"kind": "overloaded", "raw": ""}}"#,
            "steps[1].sse_error.raw: excludes `kind`",
        ),
        (
            r#"{"sse_error": {"fault": "plat.overloaded", "raw": ""}}"#,
            "steps[1].sse_error.raw: excludes `fault`",
        ),
        (
            r#"{"fault": "plat.no_such"}"#,
            "steps[1].fault: no fault has the id `plat.no_such`; `mock_kimi --faults` lists all",
        ),
        (
            r#"{"sse_error": {"fault": "no"}}"#,
            "steps[1].sse_error.fault: no fault has the id `no`; `mock_kimi --faults` lists all",
        ),
        (r#"{"kind": "busy"}"#, "steps[1].kind: no kind has the name `busy`"),
        (
            r#"{"sse_error": {"kind": "Overloaded"}}"#,
            "steps[1].sse_error.kind: no kind has the name `Overloaded`",
        ),
    ];
    for (step, reason) in cases {
        assert_eq!(refusal(step), reason, "{step}");
    }
}

#[test]
fn every_pair_that_excludes_itself_is_refused_and_each_alone_is_not() {
    let field = |name: &str| match name {
        "ok" => r#""ok": {}"#,
        "fault" => r#""fault": "plat.overloaded""#,
        "kind" => r#""kind": "overloaded""#,
        "raw" => r#""raw": {"status": 200}"#,
        "cut_at" => r#""cut_at": 1"#,
        "reset_at" => r#""reset_at": 1"#,
        "garbage" => r#""garbage": {"bytes": 1}"#,
        "content_length" => r#""content_length": 1"#,
        "endless" => r#""endless": true"#,
        "sse_error" => r#""sse_error": {"raw": ""}"#,
        "no_done" => r#""no_done": true"#,
        "when.stream = false" => r#""when": {"stream": false}"#,
        other => panic!("{other} is not a field"),
    };
    for (first, second) in EXCLUSIVE {
        let alone = [first, second].map(|name| format!("{{{}}}", field(name)));
        assert!(alone.iter().all(|step| Step::from_json(step).is_ok()), "{alone:?}");
        let both = format!("{{{}, {}}}", field(first), field(second));
        assert_eq!(refusal(&both), format!("steps[1].{second}: excludes `{first}`"));
    }
}

#[test]
fn a_step_behind_one_that_never_ends_is_refused() {
    let forever = || Step::ok().with_repeat(Repeat::Forever);
    let error = Script::try_new([Step::ok(), forever(), Step::ok()]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "steps[2].when: not reached, steps[1] answers every request forever"
    );
    assert_eq!((error.step_index(), error.field()), (Some(2), Some("when")));
    assert!(Script::try_new([forever().without_done(), Step::ok()]).is_ok());
}

#[test]
fn what_is_no_object_is_none_and_rust_is_not_spoken() {
    let cases = [
        ("[]", "a step: an object such as {\"fault\": \"plat.overloaded\"}"),
        ("7", "a step: an object such as {\"fault\": \"plat.overloaded\"}"),
        (r#"{"when": []}"#, "`when`: an object such as {\"stream\": true}"),
        (r#"{"ok": ["x"]}"#, "`ok`: an object such as {\"content\": \"Hello\"}"),
        (r#"{"ok": {"usage": [8, 2]}}"#, "`usage`: an object of two numbers of tokens"),
        (r#"{"raw": [502]}"#, "`raw`: an object such as {\"status\": 502}"),
        (r#"{"garbage": [9]}"#, "`garbage`: an object such as {\"bytes\": 512}"),
        (r#"{"sse_error": []}"#, "`sse_error`: an object such as {\"after_chunks\": 2}"),
        (r#"{"split": "9"}"#, "a whole number from 0 to 18446744073709551615"),
        (r#"{"cut_at": -1}"#, "a whole number from 0 to 18446744073709551615"),
        (r#"{"raw": {"status": 70000}}"#, "a whole number from 0 to 65535"),
    ];
    for (step, expected) in cases {
        let refusal = refusal(step);
        assert!(refusal.starts_with("JSON: invalid "), "{refusal}");
        assert!(refusal.contains(&format!(", expected {expected} at line 1 column ")), "{refusal}");
    }
    let script = Script::from_json("[]").unwrap_err().to_string();
    assert!(script.contains("expected a script: an object whose `steps` are a list"), "{script}");
    assert!(serde_json::from_str::<Script>("[[]]").is_err());
    let toml = Script::from_toml("[[steps]]\ncut_at = -1").unwrap_err().to_string();
    assert!(toml.contains("line 2") && toml.contains("a whole number from 0"), "{toml}");
}

#[test]
fn unknown_fields_and_wrong_types_are_refused_with_their_place() {
    let json =
        Script::from_json("{\"steps\": [\n  {\"fautl\": \"plat.overloaded\"}]}").unwrap_err();
    let json_text = json.to_string();
    assert!(json_text.starts_with("JSON: unknown field `fautl`, expected one of"), "{json_text}");
    assert!(json_text.ends_with("at line 2 column 10"), "{json_text}");
    assert_eq!((json.step_index(), json.field()), (None, None));

    let toml = Script::from_toml("[[steps]]\ncut_at = 1\nrepeat = \"always\"").unwrap_err();
    let toml = toml.to_string();
    assert!(toml.starts_with("TOML: ") && toml.contains("line 3"), "{toml}");
    assert!(toml.contains("a number of requests or \"forever\""), "{toml}");

    for step in [r#"{"repeat": -1}"#, r#"{"when": {"modle": ""}}"#, r#"{"ok": {"text": ""}}"#] {
        assert!(Step::from_json(step).is_err(), "{step}");
    }
}
