use http::{HeaderMap, HeaderValue, header};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{
    Usage, UsageTap,
    count::{Count, Counts},
};

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

fn tap(content_type: &'static str) -> UsageTap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    UsageTap::of(&headers).unwrap()
}

fn read<'a>(
    content_type: &'static str,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Option<Usage> {
    let mut tap = tap(content_type);
    chunks.into_iter().for_each(|chunk| tap.read(chunk));
    tap.usage()
}

/// Reads a text whole, and makes sure that it does not matter where it is cut.
fn usage(content_type: &'static str, text: &str) -> Option<Usage> {
    let whole = read(content_type, [text.as_bytes()]);
    for size in 1..text.len() {
        assert_eq!(read(content_type, text.as_bytes().chunks(size)), whole, "{text} by {size}");
    }
    whole
}

/// Prompt, completion and total.
fn counts(usage: Option<Usage>) -> Option<(Option<u64>, Option<u64>, Option<u64>)> {
    usage.map(|usage| (usage.prompt, usage.completion, usage.total()))
}

const EIGHT_AND_TWO: Option<(Option<u64>, Option<u64>, Option<u64>)> =
    Some((Some(8), Some(2), Some(10)));

#[test]
fn an_answer_in_json_tells_its_usage() {
    let of = |text: &str| counts(usage(JSON, text));
    // The platform.
    let text = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1710000000,
        "model":"kimi-k3","choices":[{"index":0,"message":{"role":"assistant","content":"你好"},
        "finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":2,
        "total_tokens":10,"cached_tokens":4,"prompt_tokens_details":{"cached_tokens":4}}}"#;
    assert_eq!(of(text), EIGHT_AND_TWO);
    // kimi-free-api, which counts nothing.
    let text = r#"{"id":"cnndivilnl96vah411dg","model":"kimi","object":"chat.completion",
        "choices":[{"index":0,"message":{"role":"assistant","content":"你好"},
        "finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,
        "total_tokens":2},"segment_id":"1","created":1710000000}"#;
    assert_eq!(of(text), Some((Some(1), Some(1), Some(2))));
    // The platform's Anthropic face: what came from a cache is asked, too.
    let text = r#"{"type":"message","content":[{"type":"text","text":"你好"}],"usage":
        {"input_tokens":3,"cache_creation_input_tokens":1,"cache_read_input_tokens":4,
        "cache_creation":{"ephemeral_5m_input_tokens":1},"output_tokens":2}}"#;
    assert_eq!(of(text), EIGHT_AND_TWO);
    // Kimi Code's usage of an account is none of tokens.
    let text = r#"{"usage":{"used":"10","limit":"100","remaining":"90","resetTime":"2026"},
        "limits":[]}"#;
    assert_eq!(of(text), None);
}

#[test]
fn a_stream_tells_its_usage_in_any_of_its_places() {
    let of = |text: &str| counts(usage(EVENTS, text));
    let chunk = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"你\"}}],\
        \"usage\":null}\n\n";
    let tokens = r#""usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10}"#;
    for last in [
        format!("{{\"choices\":[{{\"delta\":{{}},\"finish_reason\":\"stop\",{tokens}}}]}}"),
        format!("{{\"choices\":[],{tokens}}}"),
        format!("{{\"choices\":[{{\"delta\":{{}}}}],{tokens},\"segment_id\":\"1\"}}"),
    ] {
        for (name, end) in [("data: ", "\n\n"), ("data:", "\r\n\r\n"), ("data: ", "\r\r")] {
            let text = format!(": hb\n\n{chunk}event: x{end}{name}{last}{end}data: [DONE]{end}");
            assert_eq!(of(&text), EIGHT_AND_TWO, "{text}");
        }
    }
    let text = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":\
        {\"input_tokens\":7,\"cache_read_input_tokens\":1,\"output_tokens\":1}}}\n\n\
        event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{},\"usage\":\
        {\"output_tokens\":2}}\n\n";
    assert_eq!(of(text), EIGHT_AND_TWO);
    assert_eq!(of(chunk), None);
}

#[test]
fn what_a_model_says_is_not_believed() {
    let said = json!({"usage": {"prompt_tokens": 1, "completion_tokens": 1}}).to_string();
    let twice = json!({ "a": said }).to_string();
    for text in [
        json!({ "content": said }),
        json!({ "content": twice }),
        json!({"arguments": said, "role": "usage"}),
        json!({"content": format!("{said}\n\ndata: {said}")}),
        json!(["usage", {"prompt_tokens": 1}]),
        json!({"usages": {"prompt_tokens": 1}, "Usage": {"prompt_tokens": 1}}),
    ] {
        assert_eq!(usage(JSON, &text.to_string()), None, "{text}");
        assert_eq!(usage(EVENTS, &format!("data: {text}\n\n")), None, "{text}");
    }
}

#[test]
fn only_data_is_read_of_a_stream() {
    let text = r#"{"usage":{"total_tokens":1}}"#;
    for line in [format!(": {text}\n\n"), format!("event: {text}\n\n"), format!("{text}\n\n")] {
        assert_eq!(usage(EVENTS, &line), None, "{line}");
    }
}

#[test]
fn an_event_that_is_broken_spoils_no_other() {
    for broken in [
        r#"{"a":"never ends"#,
        r#"{"a":"\"#,
        r#"{"usage"#,
        r#"{"usage""#,
        r#"{"usage":"#,
        r#"{"usage":{"prompt_tokens":[{"a":1"#,
        r#"{"usage":{"prompt_tokens":99"#,
    ] {
        let next = r#"{"usage":{"prompt_tokens":8,"completion_tokens":2}}"#;
        let text = format!("data: {broken}\n\ndata: {next}\n\n");
        assert_eq!(counts(usage(EVENTS, &text)), EIGHT_AND_TWO, "{text}");
    }
}

#[test]
fn an_event_of_several_lines_is_one_text() {
    let text = "data: {\"usage\"\ndata: :\ndata: {\"prompt_tokens\":8\ndata: ,\
        \"completion_tokens\":2\ndata: }}\n\n";
    assert_eq!(counts(usage(EVENTS, text)), EIGHT_AND_TWO);
    // Two numbers do not become one, which is no JSON, either.
    let text = "data: {\"usage\":{\"prompt_tokens\":8\ndata:8}}\n\n";
    assert_eq!(usage(EVENTS, text).and_then(|it| it.prompt), Some(8));
}

#[test]
fn a_usage_that_is_cut_is_not_believed() {
    let text = r#"{"usage":{"prompt_tokens":8,"completion_tokens":2}"#;
    for end in 0..text.len() {
        assert_eq!(read(JSON, [&text.as_bytes()[..end]]), None, "{end}");
    }
    assert_eq!(counts(read(JSON, [text.as_bytes()])), EIGHT_AND_TWO);
}

#[test]
fn only_whole_numbers_of_the_object_itself_are_counts() {
    for (object, expected) in [
        (r#"{"prompt_tokens":8.5}"#, None),
        (r#"{"prompt_tokens":8e1}"#, None),
        (r#"{"prompt_tokens":-8}"#, None),
        (r#"{"prompt_tokens":"8"}"#, None),
        (r#"{"prompt_tokens":null}"#, None),
        (r#"{"prompt_tokens":{"prompt_tokens":8}}"#, None),
        (r#"{"details":[{"prompt_tokens":8}]}"#, None),
        (r#"{"a":"prompt_tokens","b":8}"#, None),
        (r#"{"\"prompt_tokens":8,"prompt_tokens\\":8}"#, None),
        (r#"{"prompt_token":8,"prompt_tokens_":8}"#, None),
        (r#"{"a":"\"}","prompt_tokens":8}"#, Some(8)),
        (r#"{"a":[{"b":[]}],"prompt_tokens" : 8 }"#, Some(8)),
        (r#"{"prompt_tokens":7,"prompt_tokens":8}"#, Some(8)),
        (r#"{"prompt_tokens":99999999999999999999}"#, Some(u64::MAX)),
    ] {
        let found = usage(JSON, &format!(r#"{{"usage" : {object}}}"#));
        assert_eq!(found.and_then(|it| it.prompt), expected, "{object}");
    }
}

#[test]
fn a_sum_needs_both_or_a_total_and_none_is_older_than_its_parts() {
    let of = |text: &str| usage(JSON, text).and_then(|usage| usage.total());
    assert_eq!(of(r#"{"usage":{"prompt_tokens":8}}"#), None);
    assert_eq!(of(r#"{"usage":{"completion_tokens":2}}"#), None);
    assert_eq!(of(r#"{"usage":{"total_tokens":10}}"#), Some(10));
    let earlier = r#"{"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":11}}"#;
    assert_eq!(of(&format!(r#"[{earlier},{{"usage":{{"completion_tokens":2}}}}]"#)), Some(10));
    assert_eq!(of(&format!(r#"[{earlier},{{"usage":{{"cost":2}}}},{{"usage":{{}}}}]"#)), Some(11));
    let most = u64::MAX;
    let text = format!(r#"{{"usage":{{"prompt_tokens":{most},"completion_tokens":{most}}}}}"#);
    assert_eq!(of(&text), Some(most));
}

#[test]
fn of_each_count_the_latest_holds() {
    for (earlier, later, expected) in [
        ("prompt_tokens", "prompt_tokens", (Some(2), None)),
        ("completion_tokens", "completion_tokens", (None, Some(2))),
        ("input_tokens", "input_tokens", (Some(2), None)),
        ("output_tokens", "output_tokens", (None, Some(2))),
        ("prompt_tokens", "completion_tokens", (Some(1), Some(2))),
        ("completion_tokens", "prompt_tokens", (Some(2), Some(1))),
        ("output_tokens", "input_tokens", (Some(2), Some(1))),
        ("input_tokens", "cache_read_input_tokens", (Some(3), None)),
        ("cache_creation_input_tokens", "input_tokens", (Some(3), None)),
        ("cache_read_input_tokens", "input_tokens", (Some(3), None)),
    ] {
        let text = format!(r#"[{{"usage":{{"{earlier}":1}}}},{{"usage":{{"{later}":2}}}}]"#);
        let found = usage(JSON, &text).map(|it| (it.prompt, it.completion));
        assert_eq!(found, Some(expected), "{text}");
    }
}

#[test]
fn only_json_and_event_streams_are_read_and_only_as_they_are() {
    for (content_type, coding, is_read) in [
        (JSON, "identity", true),
        ("application/json; charset=utf-8", "identity", true),
        ("text/event-stream;charset=utf-8", "identity", true),
        (JSON, "gzip", false),
        (EVENTS, "br", false),
        ("text/html", "identity", false),
        ("application/connect+json", "identity", false),
        ("application/grpc", "identity", false),
        ("text/plain", "identity", false),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        assert_eq!(UsageTap::of(&headers).is_some(), is_read, "{content_type} {coding}");
    }
    assert!(UsageTap::of(&HeaderMap::new()).is_none());
}

#[test]
fn hostile_bodies_do_no_harm() {
    let many = |text: &str| text.repeat((1 << 16) / text.len());
    for text in [
        many("["),
        many("]}"),
        many("\\"),
        many("\\\""),
        many("\"usage"),
        many("\"usage\""),
        many("\"usage\":{"),
        many("\"usage\":\n"),
        format!("{{\"usage\":{}", many("{\"prompt_tokens\":[")),
        format!("{{\"usage\":{{\"{}", many("prompt_tokens")),
        format!("{{\"usage\":{{\"prompt_tokens\":{}", many("9")),
        format!("{{\"usage\":{{\"prompt_tokens\"{}", many(" ")),
        many("\r"),
        many("data:"),
        many("data:\n\n"),
    ] {
        for content_type in [JSON, EVENTS] {
            assert_eq!(read(content_type, [text.as_bytes()]), None);
            assert_eq!(read(content_type, text.as_bytes().chunks(7)), None);
        }
        let deep = format!("data: {text}\n\ndata: {{\"usage\":{{\"total_tokens\":1}}}}\n\n");
        let found = read(EVENTS, deep.as_bytes().chunks(4096));
        assert_eq!(found.and_then(|usage| usage.total()), Some(1));
    }
    assert!(size_of::<UsageTap>() <= 320, "{}", size_of::<UsageTap>());
}

const NAMES: [&str; 7] = [
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "input_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "output_tokens",
];

/// Collects what the objects named `usage` say, in the order of the document.
fn reference(value: &Value, counts: &mut Counts) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| reference(item, counts)),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::Object(said) if name == "usage" => counts.update(said_by(said)),
                    _ => reference(value, counts),
                }
            }
        }
        _ => {}
    }
}

fn said_by(members: &Map<String, Value>) -> Counts {
    let mut counts = Counts::default();
    for (name, value) in members {
        if let (Some(count), Some(value)) = (Count::named(name.as_bytes()), value.as_u64()) {
            counts.set(count, value);
        }
    }
    counts
}

/// Texts that look like what is looked for.
fn text() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("usage"),
        Just("\""),
        Just("\\"),
        Just(":"),
        Just("{"),
        Just("}"),
        Just("\n"),
        Just("\"usage\":{\"total_tokens\":7}"),
        Just("月"),
        Just(" "),
    ];
    prop_oneof![
        3 => Just("usage".to_owned()),
        2 => prop::sample::select(&NAMES[..]).prop_map(str::to_owned),
        3 => prop::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat()),
    ]
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<u64>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        text().prop_map(Value::String),
    ];
    let count = (prop::sample::select(&NAMES[..]), 0_u64..100);
    let counts = prop::collection::vec(count, 0..4).prop_map(|counts| {
        counts.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
    });
    let leaf = prop_oneof![4 => leaf, 1 => counts.prop_map(Value::Object)];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec((text(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A text in chunks of these sizes, over and over.
fn chunks<'a>(mut text: &'a [u8], sizes: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    sizes.iter().cycle().map_while(move |size| {
        let (chunk, rest) = text.split_at((*size).min(text.len()));
        text = rest;
        (!chunk.is_empty()).then_some(chunk)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn prop_what_is_found_is_what_a_tree_has(
        value in document(),
        is_pretty in any::<bool>(),
        sizes in prop::collection::vec(1_usize..40, 1..6),
    ) {
        let text = if is_pretty { format!("{value:#}") } else { value.to_string() };
        let mut expected = Counts::default();
        reference(&value, &mut expected);
        let expected = expected.usage();
        prop_assert_eq!(read(JSON, [text.as_bytes()]), expected);
        prop_assert_eq!(read(JSON, chunks(text.as_bytes(), &sizes)), expected);
        let events = format!("data: {}\n\n", text.replace('\n', "\r\ndata:"));
        prop_assert_eq!(read(EVENTS, [events.as_bytes()]), expected);
        prop_assert_eq!(read(EVENTS, chunks(events.as_bytes(), &sizes)), expected);
    }

    #[test]
    fn prop_chunks_do_not_matter(
        text in r#"(["\\{}:, \r\n1]|us|age|"usage":\{|data:|"total_tokens":|\}\n\n){0,40}"#,
        sizes in prop::collection::vec(1_usize..9, 1..6),
    ) {
        for content_type in [JSON, EVENTS] {
            let whole = read(content_type, [text.as_bytes()]);
            prop_assert_eq!(read(content_type, chunks(text.as_bytes(), &sizes)), whole);
        }
    }
}
