//! Requests to begin with, and what may become of one.

use kimi_validate::{Part, Profile, Role};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{select, subsequence},
};
use serde_json::{Map, Value, json};

/// Requests that the article's profile takes.
pub(super) fn article() -> Vec<Value> {
    let messages = json!([
        { "role": "system", "content": "You are Kimi." },
        { "role": "user", "content": "hello" },
        { "role": "assistant", "content": "hi" },
        { "role": "user", "content": "\u{3000}讲个笑话" },
    ]);
    vec![
        json!({ "model": "kimi", "messages": messages, "stream": true }),
        json!({ "model": "m", "messages": [{ "role": "user", "content": "x" }], "n": [{ "x": 0 }] }),
    ]
}

/// Requests that kimi-free-api's profile takes.
pub(super) fn free_api() -> Vec<Value> {
    let parts = json!([
        { "type": "text", "text": "what is it?" },
        { "type": "image_url", "image_url": { "url": "https://example.org/a.png" } },
        { "type": "file", "file_url": { "url": "data:text/plain,x" } },
        { "type": "text", "text": "x", "video_url": { "url": "x" } },
    ]);
    vec![json!({
        "model": "kimi",
        "messages": [{ "role": "user", "content": parts }, { "role": "tool", "content": "x" }],
        "stream": null,
        "conversation_id": "c",
        "use_search": false,
    })]
}

/// Requests that the platform's profile takes.
pub(super) fn platform() -> Vec<Value> {
    let parts = json!([
        { "type": "text", "text": "what is it?" },
        { "type": "image_url", "image_url": { "url": "data:image/png;base64,AA==" } },
        { "type": "image_url", "image_url": "ms://1" },
        { "type": "video_url", "video_url": { "url": "ms://1" } },
        { "type": "video_url", "video_url": "data:video/mp4;base64,AA==" },
        { "type": "text", "text": "x", "file_url": { "url": "x" } },
    ]);
    let call = json!({
        "id": "call_1", "type": "function", "function": { "name": "f", "arguments": "{}" },
    });
    let second = json!({ "id": "call_2", "function": { "name": "$web_search" } });
    let later = json!({ "type": "function", "function": { "name": "g", "strict": true } });
    let messages = json!([
        { "role": "system", "content": "You are Kimi.", "name": "k" },
        { "role": "system", "tools": [later] },
        { "role": "user", "content": parts },
        { "role": "assistant", "content": null, "tool_calls": [call, second] },
        { "role": "tool", "tool_call_id": "call_1", "content": "1" },
        { "role": "tool", "tool_call_id": "call_2", "content": "2" },
        { "role": "assistant", "content": "", "reasoning_content": "hm", "partial": true },
    ]);
    let tools = json!([
        { "type": "function", "function": { "name": "f", "description": "f", "parameters": {} } },
        { "type": "builtin_function", "function": { "name": "$web_search", "strict": null } },
    ]);
    let chosen = json!({ "type": "function", "function": { "name": "f" } });
    let schema = json!({
        "type": "json_schema", "json_schema": { "name": "s", "schema": {}, "strict": true },
    });
    let predicted = json!({ "type": "content", "content": [{ "text": "x" }] });
    vec![
        json!({
            "model": "kimi-k2", "messages": messages, "stream": true, "temperature": 0.6,
            "max_tokens": 100, "max_completion_tokens": 100, "top_p": 1, "n": 5,
            "presence_penalty": -2, "frequency_penalty": 2.0, "logprobs": true, "top_logprobs": 20,
            "stop": ["a", "b"], "response_format": schema, "tools": tools, "tool_choice": chosen,
            "stream_options": { "include_usage": true },
            "thinking": { "type": "enabled", "keep": "all" },
            "reasoning_effort": "low", "conversation_id": "c",
            "prediction": predicted, "prompt_cache_key": "k", "safety_identifier": "s",
        }),
        json!({
            "model": "k", "messages": [{ "role": "user", "content": "JSON, please" }],
            "response_format": { "type": "json_object" }, "stop": "x", "tool_choice": "auto",
            "prediction": { "content": "x" },
        }),
    ]
}

/// A profile to begin with.
pub(super) struct Base {
    pub(super) name: &'static str,
    pub(super) profile: fn() -> Profile,
    /// Requests that it takes.
    pub(super) requests: fn() -> Vec<Value>,
}

pub(super) const BASES: [Base; 3] = [
    Base { name: "article", profile: Profile::article, requests: article },
    Base { name: "free-api", profile: Profile::free_api, requests: free_api },
    Base { name: "platform", profile: Profile::platform, requests: platform },
];

/// The index of a base, and a request that it takes.
pub(super) fn cases() -> impl Strategy<Value = (usize, Value)> {
    let of = |index: usize| (Just(index), select((BASES[index].requests)()));
    prop_oneof![1 => of(0), 1 => of(1), 3 => of(2)]
}

/// The names that any table knows, and some that none does.
pub(super) const NAMES: &[&str] = &[
    "model",
    "messages",
    "stream",
    "conversation_id",
    "use_search",
    "temperature",
    "max_tokens",
    "max_completion_tokens",
    "top_p",
    "n",
    "presence_penalty",
    "frequency_penalty",
    "logprobs",
    "top_logprobs",
    "stop",
    "response_format",
    "tools",
    "tool_choice",
    "stream_options",
    "thinking",
    "reasoning_effort",
    "role",
    "content",
    "name",
    "partial",
    "reasoning_content",
    "tool_calls",
    "tool_call_id",
    "type",
    "text",
    "image_url",
    "video_url",
    "file_url",
    "url",
    "json_schema",
    "function",
    "description",
    "parameters",
    "include_usage",
    "keep",
    "id",
    "arguments",
    "strict",
    "schema",
    "prediction",
    "prompt_cache_key",
    "safety_identifier",
    "user",
    "a/b~c",
    "",
];

/// How a profile is built from another.
#[derive(Clone, Debug)]
pub(super) struct Build {
    roles: Vec<Role>,
    parts: Vec<Part>,
    required: Vec<&'static str>,
    max_messages: usize,
    max_parts: usize,
    max_depth: u32,
}

/// Any roles, parts and limits, with members required. Those that nothing passes are rare.
pub(super) fn builds() -> impl Strategy<Value = Build> {
    let roles = prop_oneof![
        6 => Just(Role::ALL.to_vec()),
        1 => subsequence(Role::ALL.to_vec(), 1..=4).prop_shuffle(),
    ];
    let parts = prop_oneof![
        4 => Just(Part::ALL.to_vec()),
        1 => subsequence(Part::ALL.to_vec(), 0..=4).prop_shuffle(),
    ];
    let required = prop_oneof![5 => Just(vec![]), 1 => vec(select(NAMES), 1..3)];
    let limit = || prop_oneof![5 => 7..10_usize, 1 => 0..7_usize];
    let limits = (limit(), limit(), prop_oneof![20 => 8..9_u32, 1 => 0..8_u32]);
    (roles, parts, required, limits).prop_map(|(roles, parts, required, limits)| {
        let (max_messages, max_parts, max_depth) = limits;
        Build { roles, parts, required, max_messages, max_parts, max_depth }
    })
}

impl Build {
    pub(super) fn from(&self, profile: Profile) -> Profile {
        let profile = profile
            .try_with_roles(self.roles.iter().copied())
            .unwrap()
            .with_parts(self.parts.iter().copied())
            .with_max_messages(self.max_messages)
            .with_max_parts(self.max_parts)
            .with_max_depth(self.max_depth);
        self.required.iter().fold(profile, |profile, name| profile.with_required(*name))
    }
}

/// One thing that is done to a document.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Put(Value),
    Remove,
    /// Adds a member to an object.
    Add(&'static str, Value),
    /// Makes an array this long, of the items that it has.
    Resize(usize),
    /// Turns an array around.
    Reverse,
}

pub(super) fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => select(pool()).prop_map(Change::Put),
        2 => Just(Change::Remove),
        3 => (select(NAMES), select(pool())).prop_map(|(name, value)| Change::Add(name, value)),
        2 => select(LENGTHS).prop_map(Change::Resize),
        1 => Just(Change::Reverse),
    ]
}

/// About every limit of arrays.
pub(super) const LENGTHS: &[usize] = &[0, 1, 2, 4, 5, 6, 7, 8, 128, 129, 1_024, 1_025];

/// What a value may be replaced with: every type, every limit from both sides, blanks of all sorts,
/// the words of the tables and words that tempt.
pub(super) fn pool() -> Vec<Value> {
    let texts = [
        "",
        " ",
        "\t\r\n",
        "\u{b}\u{c}",
        "\u{85}",
        "\u{a0}",
        "\u{1680}",
        "\u{2000}\u{200a}",
        "\u{2028}",
        "\u{2029}",
        "\u{202f}",
        "\u{205f}",
        "\u{3000}",
        "\u{feff}",
        "\u{3000}x",
        // White space to the eye, or to some regular expressions, but not by Unicode's property.
        "\u{200b}",
        "\u{180e}",
        "\u{2060}",
        "\u{1c}",
        "\u{0}",
        "\u{1f600}",
        "x",
        "true",
        "1",
        "null",
        "system",
        "user",
        "assistant",
        "tool",
        "User",
        "function",
        "text",
        "image_url",
        "video_url",
        "file",
        "file_url",
        "json_object",
        "json_schema",
        "builtin_function",
        "auto",
        "none",
        "required",
        "enabled",
        "disabled",
        "all",
        "low",
        "high",
        "max",
        "medium",
        "http://x",
        "https://x",
        "ms://",
        "ms:/",
        " ms://x",
        "data:image/",
        "data:video/",
        "data:text/",
        "DATA:image/",
        "call_1",
        "call_2",
        "call_3",
        "f",
        "$f",
        "$$f",
        "$",
        "1f",
        "f\n",
        "_-9",
        "-f",
        "f f",
        "函数",
    ];
    let texts = texts.into_iter().map(String::from);
    let long = [("x", 31), ("x", 32), ("x", 33), ("字", 10), ("字", 11), ("x", 127), ("x", 128)];
    let longer = [("x", 129), ("x", 256), ("x", 257), ("字", 85), ("字", 86), ("\u{1f600}", 257)];
    let long = long.into_iter().chain(longer).map(|(text, times)| text.repeat(times));
    let numbers = [
        -3.0,
        -2.5,
        -2.0,
        -1.0,
        -0.5,
        -0.0,
        0.5,
        1.5,
        2.5,
        1e300,
        5e-324,
        1_048_576.5,
        2.000_000_1,
    ];
    let integers = [-2, -1, 0, 1, 2, 3, 5, 6, 20, 21, 1_048_576, 1_048_577, i64::MAX, i64::MIN];
    let format = |kind: &str| json!({ "type": kind, "json_schema": null });
    let call = json!({ "id": "call_1", "function": { "name": "f" } });
    let rest = vec![
        Value::Null,
        json!(true),
        json!(false),
        json!(u64::MAX),
        json!([]),
        json!({}),
        json!([[]]),
        json!([null]),
        json!(["a"]),
        json!([call]),
        json!({ "type": "text", "text": "x" }),
        json!([{ "type": "text", "text": "x" }]),
        json!({ "url": "ms://x" }),
        json!({ "role": "user", "content": "x" }),
        json!({ "role": "assistant", "partial": true }),
        json!({ "type": "json_schema", "json_schema": {} }),
        format("json_schema"),
        format("json_object"),
        format("text"),
    ];
    let texts = texts.chain(long).map(Value::String);
    let numbers = numbers.map(|number| json!(number)).into_iter();
    texts.chain(numbers).chain(integers.map(|number| json!(number))).chain(rest).collect()
}

/// Returns the places of all values in a document, the whole one first.
pub(super) fn places(document: &Value) -> Vec<String> {
    let mut places = vec![String::new()];
    let below: Vec<_> = match document {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
        }
        _ => Vec::new(),
    };
    for (step, value) in below {
        places.extend(self::places(value).into_iter().map(|place| format!("/{step}{place}")));
    }
    places
}

impl Change {
    /// Changes the value in this place, if there is one that can be changed so.
    pub(super) fn apply(&self, document: &mut Value, place: &str) {
        if matches!(self, Self::Remove) {
            remove(document, place);
            return;
        }
        let Some(target) = document.pointer_mut(place) else { return };
        match (self, target) {
            (Self::Put(value), target) => *target = value.clone(),
            (Self::Add(name, value), Value::Object(members)) => {
                members.insert((*name).to_owned(), value.clone());
            }
            (Self::Resize(length), Value::Array(items)) if !items.is_empty() => {
                let all = items.clone();
                *items = all.into_iter().cycle().take(*length).collect();
            }
            (Self::Reverse, Value::Array(items)) => items.reverse(),
            _ => {}
        }
    }
}

fn remove(document: &mut Value, place: &str) {
    let Some((parent, step)) = place.rsplit_once('/') else {
        *document = Value::Object(Map::new());
        return;
    };
    match document.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            members.remove(&step.replace("~1", "/").replace("~0", "~"));
        }
        Some(Value::Array(items)) => {
            step.parse()
                .ok()
                .filter(|index| *index < items.len())
                .map(|at: usize| items.remove(at));
        }
        _ => {}
    }
}
