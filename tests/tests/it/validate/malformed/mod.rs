//! What is no JSON text, or is one that no profile takes: each with exactly what is found, and where.

mod shape;
mod syntax;

use kimi_validate::{ChatRequest, Profile};
use serde_json::Value;

use self::{shape::SHAPE, syntax::SYNTAX};
use super::{expect, judge, request_of};

#[test]
fn every_text_that_is_not_json_has_one_fault_at_its_place() {
    for (marked, expected) in SYNTAX {
        expect(marked, expected, &Profile::article());
        expect(marked, expected, &Profile::free_api());
        expect(marked, expected, &Profile::platform());
    }
}

#[test]
fn serde_json_reads_none_of_them_either() {
    for (marked, _) in SYNTAX {
        let text: Vec<_> = marked.iter().copied().filter(|byte| *byte != b'^').collect();
        assert!(serde_json::from_slice::<Value>(&text).is_err(), "{text:?}");
    }
}

#[test]
fn every_wrong_shape_has_all_its_faults_at_their_places() {
    assert!(SYNTAX.len() + SHAPE.len() >= 100);
    for (marked, expected) in SHAPE {
        expect(marked, expected, &Profile::article());
    }
}

#[test]
fn a_text_that_is_not_json_hides_all_other_faults() {
    let body = br#"{"model":7,"messages":[{"role":"x"}],"a":tru^}"#;
    expect(body, ". syntax -", &Profile::article());
    let body = b"{\"model\":7,\"messages\":[]}^}";
    expect(body, ". trailing_data -", &Profile::article());
}

/// `depth` arrays or objects, the innermost empty.
fn nested(depth: usize, pattern: &[(&str, &str)]) -> String {
    let steps = || pattern.iter().cycle();
    let open: String = steps().take(depth).map(|(open, _)| *open).collect();
    let mut close: Vec<_> = steps().take(depth).map(|(_, close)| *close).collect();
    close.reverse();
    open.trim_end_matches(r#""a":"#).to_owned() + &close.concat()
}

#[test]
fn a_member_that_is_ignored_may_be_as_deep_as_serde_json_reads() {
    let array = ("[", "]");
    let object = (r#"{"a":"#, "}");
    for pattern in [&[array][..], &[object], &[array, object], &[object, object, array]] {
        // The request itself is one level.
        let body = |depth| {
            let (start, end) =
                (r#"{"model":"k","messages":[{"role":"user","content":"x"}],"x":"#, "}");
            (format!("{start}{}{end}", nested(depth, pattern)), start.len())
        };
        let (deep, _) = body(126);
        assert!(serde_json::from_str::<Value>(&deep).is_ok());
        assert!(judge(deep.as_bytes(), &Profile::article()).is_empty(), "{pattern:?}");

        let (deeper, start) = body(127);
        assert!(serde_json::from_str::<Value>(&deeper).is_err());
        let found = judge(deeper.as_bytes(), &Profile::article());
        let opened: usize = pattern.iter().cycle().take(126).map(|(open, _)| open.len()).sum();
        assert_eq!(found, [format!(". depth - {}", start + opened)], "{pattern:?}");
    }
}

#[test]
fn the_body_itself_may_be_as_deep_whatever_it_is() {
    let found = judge(nested(127, &[("[", "]")]).as_bytes(), &Profile::article());
    assert_eq!(found, [". type array 0"]);
    let found = judge(nested(128, &[("[", "]")]).as_bytes(), &Profile::article());
    assert_eq!(found, [". depth - 127"]);
}

#[test]
fn forty_thousand_brackets_overflow_no_stack() {
    for bracket in ["[", r#"{"a":"#, r#"[{"messages":"#, r#"{"messages":["#] {
        let body = bracket.repeat(40_000 / bracket.len());
        for profile in [Profile::article(), Profile::free_api(), Profile::platform()] {
            let found = judge(body.as_bytes(), &profile);
            assert_eq!(found.len(), 1, "{bracket}");
        }
    }
    let found = judge("[".repeat(40_000).as_bytes(), &Profile::article());
    assert_eq!(found, [". depth - 127"]);
}

#[test]
fn depth_is_counted_through_what_is_judged() {
    // Three levels are the body, its messages and the message.
    let content = format!(r#"{{"role":"user","content":"x","a":{}}}"#, nested(124, &[("[", "]")]));
    assert!(judge(request_of(&content).as_bytes(), &Profile::article()).is_empty());
    let content = format!(r#"{{"role":"user","content":"x","a":{}}}"#, nested(125, &[("[", "]")]));
    let found = judge(request_of(&content).as_bytes(), &Profile::article());
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("/messages/0 depth - "), "{found:?}");
}

#[test]
fn a_body_over_the_limit_is_not_looked_at() {
    let profile = Profile::article().with_max_body_bytes(10);
    assert_eq!(judge(b"{\"model\":1}", &profile), [". body_bytes - 0"]);
    assert_eq!(
        judge(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", &profile),
        [". body_bytes - 0"]
    );
    assert_eq!(judge(b"{\"model\":}", &profile), ["/model syntax - 9"]);
}

#[test]
fn no_name_that_the_profile_does_not_know_is_told() {
    let body = br#"{"secret":{"hush":[1e999]}}"#;
    let violations = ChatRequest::parse(&body[..], &Profile::platform()).unwrap_err();
    let shown = format!("{violations:?} {violations}");
    assert!(!shown.contains("secret") && !shown.contains("hush"), "{shown}");
}
