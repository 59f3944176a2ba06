use super::*;
use crate::{ErrorKind, scan::STEPS};

/// Bodies that hold `n` times the same, and that a reader which begins anew at every level, or at
/// every member, would read `n` times.
fn hostile(n: usize) -> Vec<(&'static str, String)> {
    let times = |unit: &str| unit.repeat(n);
    let quoted = serde_json::Value::from(times("{\"error\":")).to_string();
    vec![
        ("objects in objects", times("{\"a\":")),
        ("errors in errors", times("{\"error\":")),
        ("messages in messages", times("{\"error\":{\"message\":")),
        ("errors beside errors", format!("{{{}", times("\"error\":{\"message\":1},"))),
        ("details in details", format!("{{\"code\":\"unknown\",{}", times("\"details\":[{"))),
        (
            "texts in texts",
            format!(
                "{{\"code\":\"unknown\",\"details\":[{{\"debug\":{}",
                times("{\"localizedMessage\":")
            ),
        ),
        ("arrays in arrays", times("[")),
        ("objects that are peeked at", format!("{{{}", times("\"type\":{\"type\":1},"))),
        ("quoted JSON", quoted.clone()),
        ("JSON quoted in a message", format!("{{\"error\":{{\"message\":{quoted}}}}}")),
        ("lines of data", times("data: {\n")),
        ("escapes", format!("{{\"message\":\"{}", times("\\u00e9"))),
        ("quotes", times("\"")),
        ("frames", times("\0\0\0\0\0")),
    ]
}

fn steps(body: &str, status: Option<u16>) -> usize {
    STEPS.set(0);
    let _ = decode_body(status, body.as_bytes());
    STEPS.get()
}

#[test]
fn ten_times_the_body_takes_ten_times_the_steps() {
    for ((name, short), (_, long)) in hostile(400).iter().zip(&hostile(4_000)) {
        let long = &long[..long.len().min(DECODE_LIMIT)];
        for status in [Some(200), Some(500), None] {
            let (few, many) = (steps(short, status), steps(long, status));
            assert!(many <= 11 * few.max(short.len()), "{name}: {few}, {many}");
            assert!(many <= 10 * long.len(), "{name}: {many} steps for {} bytes", long.len());
        }
    }
}

#[test]
fn a_text_within_texts_is_read_to_one_level() {
    let body = format!(
        "{{\"code\":\"unknown\",\"details\":[{{\"debug\":{}",
        "{\"localizedMessage\":".repeat(DECODE_LIMIT / 20),
    );
    assert!(decode_body(Some(500), body.as_bytes()).is_some());
    let one = r#"{"code":"unknown","details":[{"debug":{"reason":"REASON_INVALID_AUTH_TOKEN",
        "localizedMessage":{"locale":"zh-CN","message":"登录已过期"}}}]}"#;
    let error = decode_body(Some(500), one.as_bytes()).unwrap();
    assert_eq!((error.kind(), error.message()), (ErrorKind::TokenExpired, "登录已过期"));
}

#[test]
fn a_success_is_recognized_within_its_first_bytes() {
    let chat = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"choices":["#;
    let heads: &[(&str, &str)] = &[
        (chat, r#"{"id":"chatcmpl-1","object":"chat.completion""#),
        (r#"{"id":"cnn","model":"kimi","choices":["#, r#"{"id":"cnn","model":"kimi","choices":"#),
        (r#"{"object":"list","data":["#, r#"{"object":"list""#),
        (r#"{"errcode":0,"data":{"token":""#, r#"{"errcode":0"#),
        (r#"{"code":0,"data":{"#, r#"{"code":0"#),
    ];
    for (head, read) in heads {
        let body = format!("{head}{}", "{\"error\":".repeat(1 << 17));
        let seen = form::visited(prefix(body.as_bytes()), Context::of_status(Some(200)));
        assert_eq!(seen, Some(read.len()), "{head}");
    }
}

#[test]
fn a_large_text_under_a_bad_status_is_looked_at_only_up_to_the_limit() {
    assert_eq!(prefix(&[b' '; DECODE_LIMIT + 1]).len(), DECODE_LIMIT);
}

#[test]
fn only_whole_words_are_received() {
    let answer = |code: &'static str| Answer { code: Some(code.into()), ..Answer::default() };
    let received = |code| {
        let error = answer(code).into_error(Verdict::of(ErrorKind::System), Some(500));
        error.received().and_then(|received| received.code.clone())
    };
    assert_eq!(received("chat.not_found").as_deref(), Some("chat.not_found"));
    assert_eq!(received("a b"), None);
    assert_eq!(received("x\r\ny"), None);
}
