//! Nothing panics, whatever comes; and what we write we read back.

use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use kimi_errors::{Dialect, Error, ErrorKind, RetryAdvice, decode, decode_body, decode_event};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::Value;

/// The keys that decoding looks for, so that random JSON is not always a success.
const KEYS: &[&str] = &[
    "errcode",
    "errmsg",
    "code",
    "message",
    "msg",
    "error",
    "error_type",
    "error_description",
    "type",
    "event",
    "scode",
    "status",
    "detail",
    "details",
    "data",
    "choices",
    "object",
    "param",
    "request_id",
    "err",
    "error_msg",
    "success",
    "value",
    "debug",
    "reason",
    "localizedMessage",
    "session_error",
    "x",
];

/// Words that tables know, and some that tempt.
const WORDS: &[&str] = &[
    "error",
    "length",
    "engine_overloaded_error",
    "invalid_request_error",
    "unauthenticated",
    "resource_exhausted",
    "slow_down",
    "chat.not_found",
    "-2001",
    "40901",
    "0x0",
    "token_expired",
    "请求失败",
    "[请求kimi失败]: x",
    "please try again after 99999999999999999999 seconds",
    "request reached max RPM: 1, please try again in 1h",
    "{\"error\":{\"message\":\"{}\"}}",
    "<html>",
    "\u{feff}{",
    "秒后",
    "1秒",
    "\"",
    "\\ud800",
    "",
    "CAESBAoAEgA=",
];

const STATUSES: &[u16] =
    &[100, 200, 204, 302, 400, 401, 402, 404, 409, 429, 500, 502, 503, 529, 599];

const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "-1000",
    "-2001",
    "-2002",
    "-2006",
    "-2009",
    "5",
    "429",
    "40901",
    "70001",
    "1e99",
    "-99999999999999999999",
    "0.5",
];

/// Random JSON, spelled out of random bytes: a hundred times cheaper than a tree of strategies.
fn json() -> impl Strategy<Value = String> {
    vec(any::<u8>(), 0..96).prop_map(|bytes| {
        let mut text = String::new();
        spell(&mut bytes.into_iter(), 0, &mut text);
        text
    })
}

/// Writes one value; when the bytes are used up, `null`s close what is open.
fn spell(bytes: &mut impl Iterator<Item = u8>, depth: u8, out: &mut String) {
    let pick = |byte: u8, from: &[&'static str]| from[usize::from(byte) % from.len()];
    let mut next = || bytes.next().unwrap_or(0);
    let (choice, detail) = (next(), next());
    match choice % 8 {
        1 => out.push_str(pick(detail, &["true", "false", "{}", "[]"])),
        2 => out.push_str(pick(detail, NUMBERS)),
        3 => out.push_str(&Value::from(pick(detail, WORDS)).to_string()),
        4 if depth < 5 => {
            out.push('[');
            for at in 0..detail % 3 {
                out.push_str(if at > 0 { "," } else { "" });
                spell(bytes, depth + 1, out);
            }
            out.push(']');
        }
        5..=7 if depth < 5 => {
            out.push('{');
            for at in 0..1 + detail % 5 {
                out.push_str(if at > 0 { ",\"" } else { "\"" });
                out.push_str(pick(bytes.next().unwrap_or(0), KEYS));
                out.push_str("\":");
                spell(bytes, depth + 1, out);
            }
            out.push('}');
        }
        _ => out.push_str("null"),
    }
}

/// Reads `body` in every way there is; what it is read as must be an error that can be written.
fn read(status: u16, body: &[u8]) {
    let errors = [
        decode(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body),
        decode_body(None, body),
        decode_event(body),
    ];
    assert!(status < 400 || errors[0].is_some());
    for error in errors.into_iter().flatten() {
        assert_ne!(error.errcode(), 0, "an error that is written as a success");
        let quota = [ErrorKind::UsageLimited, ErrorKind::QuotaExhausted, ErrorKind::ResearchLimit];
        let retries = matches!(error.advice(), RetryAdvice::Backoff { .. });
        assert!(!(quota.contains(&error.kind()) && retries), "a quota says retry: {error:?}");
        for dialect in Dialect::ALL {
            assert!(serde_json::from_slice::<Value>(&dialect.body(&error)).is_ok());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn prop_random_bytes_never_panic(status in select(STATUSES), body in vec(any::<u8>(), 0..96)) {
        read(status, &body);
    }

    #[test]
    fn prop_random_json_never_panics(status in select(STATUSES), body in json(), cut in any::<u16>()) {
        prop_assert!(serde_json::from_str::<Value>(&body).is_ok());
        read(status, body.as_bytes());
        read(status, &body.as_bytes()[..usize::from(cut) % (body.len() + 1)]);
    }
}

/// Every body of `facts/bodies.json`, what the platform sends when all is well, and what tempts.
fn known() -> Vec<String> {
    let bodies: Vec<Value> =
        serde_json::from_str(include_str!("../../../facts/bodies.json")).unwrap();
    let bodies = bodies.iter().map(|real| real["body"].as_str().unwrap().to_owned());
    let good = [
        r#"{"id":"1","object":"chat.completion.chunk","created":1,"model":"k","choices":[{"delta":{"content":"error"}}]}"#,
        r#"{"id":"1","model":"k","choices":[],"error":{"message":"of a part"}}"#,
        r#"{"id":"1","choices":null,"error":{"message":"x"}}"#,
        r#"{"id":"1","error":"slow_down","choices":[]}"#,
        r#"{"errcode":2001,"choices":[]}"#,
        r#"{"error_type":"chat.forbidden","choices":[]}"#,
        r#"{"\u0065rror":{"message":"x"},"choices":[]}"#,
    ];
    bodies.chain(good.map(str::to_owned)).collect()
}

/// What an ordinary chunk begins with, behind which an error may hide.
const HEADS: &[&str] = &[
    "",
    "",
    r#""id":"1","#,
    r#""id":"1","object":"chat.completion.chunk","created":1,"model":"k","#,
    r#""object":"error","#,
    r#""id":"\"","choices":["#,
    r#""system_fingerprint":null,"service_tier":"x","choices":[],"#,
    r#""choices":null,"#,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 50_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Ordinary chunks are known in a quick way, which stops at a blank.
    #[test]
    fn prop_a_blank_changes_no_verdict(
        body in prop_oneof![select(known()), json()],
        head in select(HEADS),
        change in proptest::option::of((any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let Some(rest) = body.strip_prefix('{') else { return Ok(()) };
        let mut rest = [head, rest].concat().into_bytes();
        if let Some((at, byte)) = change {
            let at = at.index(rest.len());
            rest[at] = byte;
        }
        let (dense, spaced) = ([b"{", &rest[..]].concat(), [b"{ ", &rest[..]].concat());
        for status in [None, Some(200)] {
            let read = |body: &[u8]| decode_body(status, body).map(|error| format!("{error:?}"));
            prop_assert_eq!(read(&dense), read(&spaced));
        }
    }
}

/// Characters that JSON escapes, that have two, three and four bytes, and that heads cannot carry.
fn message() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{1,40}",
        "[a-z\"\\\\/\u{e9}失败😀]{1,20}",
        select(WORDS).prop_map(str::to_owned),
        Just("please try again after 3 seconds".to_owned()),
    ]
}

fn advice() -> impl Strategy<Value = Option<RetryAdvice>> {
    prop_oneof![
        Just(None),
        Just(Some(RetryAdvice::NEVER)),
        Just(Some(RetryAdvice::BACKOFF)),
        Just(Some(RetryAdvice::AFTER_REFRESH)),
        Just(Some(RetryAdvice::AFTER_STREAM)),
        Just(Some(RetryAdvice::AFTER_RESET)),
        (1_u64..100_000_000).prop_map(|ms| {
            Some(RetryAdvice::Backoff { after: Some(Duration::from_millis(ms)) })
        }),
        (1_u64..4_000_000_000).prop_map(|secs| {
            Some(RetryAdvice::AfterReset { at: Some(UNIX_EPOCH + Duration::from_secs(secs)) })
        }),
    ]
}

fn error() -> impl Strategy<Value = Error> {
    let request_id = proptest::option::of("[A-Za-z0-9_-]{1,40}");
    let errcode = proptest::option::of(prop_oneof![-10_000..0, 1..10_000_i32]);
    let status = proptest::option::of(400..600_u16);
    let codes = (select(ErrorKind::ALL), errcode, status);
    (codes, proptest::option::of(message()), advice(), request_id)
        .prop_map(|((kind, errcode, status), message, advice, request_id)| {
            let mut error = Error::new(kind);
            if let Some(status) = status {
                error = error.with_status(status);
            }
            if let Some(errcode) = errcode {
                error = error.with_errcode(errcode);
            }
            if let Some(message) = message {
                error = error.with_message(message);
            }
            if let Some(advice) = advice {
                error = error.with_advice(advice);
            }
            if let Some(id) = request_id {
                error = error.with_request_id(&id);
            }
            error
        })
        // A text that is a page or a document is not shown to people. Asked of the message, since
        // what is taken out of a text can leave such a one.
        .prop_filter("a sentence", |error| {
            let message = error.message().trim_start();
            !message.is_empty() && !message.starts_with(['<', '{'])
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn prop_what_we_answer_is_read_back_exactly(error in error(), from in select(Dialect::ALL), to in select(Dialect::ALL)) {
        let mut read = error.clone();
        // There, and on in another dialect.
        for dialect in [from, to] {
            let response = dialect.response(&read);
            read = decode(response.status(), response.headers(), response.body()).unwrap();
        }
        prop_assert_eq!(read.kind(), error.kind());
        prop_assert_eq!(read.errcode(), error.errcode());
        prop_assert_eq!(read.status(), error.status());
        prop_assert_eq!(read.message(), error.message());
        prop_assert_eq!(read.advice(), error.advice());
        prop_assert_eq!(read.retry_after(), error.retry_after());
        prop_assert_eq!(read.request_id(), error.request_id());
    }

    #[test]
    fn prop_what_we_say_in_a_stream_is_read_back(error in error(), dialect in select(Dialect::ALL)) {
        let frame = String::from_utf8(dialect.sse_frame(&error)).unwrap();
        let data = frame.strip_prefix("data: ").unwrap().trim_end();
        for read in [decode_event(data.as_bytes()), decode_body(Some(200), frame.as_bytes())] {
            let read = read.unwrap();
            prop_assert_eq!(read.kind(), error.kind());
            prop_assert_eq!(read.errcode(), error.errcode());
            prop_assert_eq!(read.message(), error.message());
            prop_assert_eq!(read.request_id(), error.request_id());
        }
    }

    #[test]
    fn prop_random_heads_never_panic(
        status in select(STATUSES),
        name in select(vec![
            "retry-after", "retry-after-ms", "x-retry-after", "x-ratelimit-reset", "ratelimit",
            "x-ratelimit-reset-tokens", "ratelimit-reset", "grpc-retry-pushback-ms",
            "x-should-retry", "x-request-id", "x-kimi-error", "allow", "www-authenticate",
        ]),
        value in prop_oneof![
            vec(any::<u8>(), 0..24),
            "[-+0-9.eEmshdN:;=rt\" ,]{0,24}".prop_map(String::into_bytes),
            any::<u128>().prop_map(|number| number.to_string().into_bytes()),
        ],
    ) {
        let Ok(value) = HeaderValue::from_bytes(&value) else { return Ok(()) };
        let headers = HeaderMap::from_iter([(HeaderName::from_static(name), value)]);
        let body = br#"{"error":{"type":"rate_limit_reached_error","message":"TPD rate limit"}}"#;
        for body in [&b""[..], body] {
            if let Some(error) = decode(StatusCode::from_u16(status).unwrap(), &headers, body) {
                let _ = Dialect::Errcode.response(&error);
            }
        }
    }
}
