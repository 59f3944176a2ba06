//! Every entry of `facts/errors.json`, in the shape of its dialect, as an event, quoted, and in
//! Anthropic's envelope: its category and its advice.

use std::collections::HashSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kimi_errors::{Error, ErrorKind, decode_body, decode_event};
use serde::Deserialize;
use serde_json::{Value, json};

const FACTS: &str = include_str!("../../../facts/errors.json");

/// Entries whose category or advice is not what we say, and why.
const OVERRULED: &[(&str, &str, &str, &str)] = &[
    // The text calls it temporary; the official clients treat its 402 as final.
    ("kc.membership", "quota", "never", "the official clients give up on 402"),
    // Nothing in the body tells it from any other 400; only who asked knows that it was a refresh.
    ("web.refresh_banned", "bad_request", "never", "its body is not known, and 400 is all it has"),
];

/// Entries that only their HTTP status tells: neither a code, nor a type, nor a text that is known.
const STATUS_ONLY: &[&str] =
    &["web.refresh_banned", "connect.unsupported_media", "plat.gateway_timeout"];

/// The kinds of entries whose category is coarser than ours, where they are not the usual one of
/// their category and advice, which [`Entry::exact`] has.
const EXACT: &[(&str, ErrorKind)] = &[
    ("plat.rl_concurrency", ErrorKind::ConcurrencyLimited),
    ("kc.concurrency", ErrorKind::ConcurrencyLimited),
    ("free.research_limit", ErrorKind::ResearchLimit),
    ("free.test", ErrorKind::Test),
];

#[derive(Debug, Deserialize)]
struct Entry {
    id: String,
    dialect: String,
    surface: Option<String>,
    http_status: Option<u16>,
    code: Option<Value>,
    r#type: Option<String>,
    category: String,
    message_zh: String,
    message_en: String,
    example_message: Option<String>,
    retry: String,
}

impl Entry {
    fn message(&self) -> &str {
        let is_chinese = matches!(self.dialect.as_str(), "errcode" | "free-api" | "web");
        let is_described = self.message_zh.starts_with('(');
        match &self.example_message {
            Some(example) => example,
            None if is_chinese && !is_described => &self.message_zh,
            None => &self.message_en,
        }
    }

    fn body(&self) -> Vec<u8> {
        let (message, error_type) = (self.message(), &self.r#type);
        let json = match (self.dialect.as_str(), self.surface.as_deref(), self.id.as_str()) {
            (_, _, "connect.unsupported_media") => return Vec::new(),
            (_, _, "connect.resource_exhausted_stream") => return connect_frame(message),
            (_, _, "plat.gateway_timeout") => return message.into(),
            (_, _, "web.refresh_banned") => json!({ "message": message }),
            (_, _, "web.internal") => json!({ "error_type": "?", "message": message }),
            (_, _, "web.sse_error") => json!({ "event": "error", "error": { "message": "…" } }),
            (_, _, "web.sse_length") => json!({ "event": "length" }),
            (_, _, "free.silent_content_stop") => json!({ "choices": [{ "message": {
                "role": "assistant", "content": format!("那么，{message}"),
            }}]}),
            (_, _, "plat.url_not_found") => json!({
                "code": 5, "error": error_type, "message": "没找到对象", "method": "POST",
                "scode": "0x5", "status": false, "ua": "curl", "url": "/v1/responses",
            }),
            (_, _, "local.passthrough") => kimi_server(&json!(70001), message),
            ("errcode", ..) => json!({ "errcode": self.code, "errmsg": message, "data": null }),
            ("free-api", ..) => json!({ "code": self.code, "message": message, "data": null }),
            ("web", Some("connect"), _) => json!({ "code": self.code, "message": message,
                "details": [{ "type": "common.error.v1.ErrorDetail", "debug": { "reason": error_type } }],
            }),
            ("web", ..) => {
                json!({ "error_type": error_type, "message": message, "detail": message })
            }
            (_, Some("anthropic"), _) => anthropic(error_type.as_deref(), message),
            (_, Some("hosted-agents"), _) => json!({ "error": {
                "type": error_type, "message": message, "param": "name", "request_id": "req_1",
            }}),
            (_, Some("hosted-agents-session"), _) => {
                json!({ "session_error": { "error_type": error_type, "message": message } })
            }
            (_, Some("oauth"), _) => json!({ "error": error_type, "error_description": message }),
            (_, Some("kimi-server"), _) => kimi_server(self.code.as_ref().unwrap(), message),
            _ => json!({ "error": { "message": message, "type": error_type, "code": self.code } }),
        };
        serde_json::to_vec(&json).unwrap()
    }

    fn expected(&self) -> (&str, &str) {
        let overruled = OVERRULED.iter().find(|(id, ..)| *id == self.id);
        overruled.map_or((&self.category, &self.retry), |(_, category, retry, _)| (category, retry))
    }

    /// Returns the one kind that the entry is, where its category has several.
    fn exact(&self) -> Option<ErrorKind> {
        if let Some((_, kind)) = EXACT.iter().find(|(id, _)| *id == self.id) {
            return Some(*kind);
        }
        match self.expected() {
            ("rate_limit", _) => Some(ErrorKind::RateLimited),
            ("quota", "after_reset") => Some(ErrorKind::UsageLimited),
            ("quota", _) => Some(ErrorKind::QuotaExhausted),
            ("server", _) => Some(ErrorKind::System),
            _ => None,
        }
    }

    fn check(&self, error: Option<Error>, shape: &str) {
        let error =
            error.unwrap_or_else(|| panic!("{} as {shape} is taken for a success", self.id));
        let (category, advice) = self.expected();
        let is = (category_of(error.kind()), error.advice().name());
        let fits = is.0.contains(&category)
            && is.1 == advice
            && self.exact().is_none_or(|kind| kind == error.kind());
        assert!(
            fits,
            "{} as {shape}: {error:?}, not {:?}, {:?}",
            self.id,
            self.expected(),
            self.exact()
        );
    }
}

fn anthropic(error_type: Option<&str>, message: &str) -> Value {
    json!({ "type": "error", "error": { "type": error_type, "message": message } })
}

fn kimi_server(code: &Value, message: &str) -> Value {
    json!({ "code": code, "msg": message, "data": null, "request_id": "01JZX4A6E7M8V0R3Q0N2K2M5Q9" })
}

/// A heartbeat, and the last frame of a stream, whose text stands only in a detail.
fn connect_frame(message: &str) -> Vec<u8> {
    let string = |tag: u8, text: &[u8]| [&[tag, u8::try_from(text.len()).unwrap()], text].concat();
    let localized = [string(0x0a, b"zh-CN"), string(0x12, message.as_bytes())].concat();
    let detail = [vec![0x08, 0xac, 0x02], string(0x12, &localized)].concat();
    let details =
        json!([{ "type": "common.error.v1.ErrorDetail", "value": STANDARD.encode(detail) }]);
    let end = json!({ "error": { "code": "resource_exhausted", "details": details } }).to_string();
    let frame = |flags: u8, json: &str| {
        [&[flags], &u32::try_from(json.len()).unwrap().to_be_bytes()[..], json.as_bytes()].concat()
    };
    [frame(0, r#"{"heartbeat":{}}"#), frame(2, &end)].concat()
}

/// Returns the categories of the facts that a kind belongs to.
fn category_of(kind: ErrorKind) -> &'static [&'static str] {
    match kind {
        ErrorKind::TokenExpired | ErrorKind::InvalidCredentials => &["auth"],
        ErrorKind::Validation
        | ErrorKind::ParamsInvalid
        | ErrorKind::Unprocessable
        | ErrorKind::UnsupportedMediaType
        | ErrorKind::FileUrlInvalid
        | ErrorKind::MethodNotAllowed => &["bad_request"],
        ErrorKind::Cancelled => &["cancelled"],
        ErrorKind::Conflict => &["conflict"],
        ErrorKind::ContentFiltered => &["content_filter"],
        ErrorKind::ContextLength => &["context_length"],
        ErrorKind::LengthLimit => &["length"],
        ErrorKind::RouteNotFound | ErrorKind::NotFound | ErrorKind::NotImplemented => {
            &["not_found"]
        }
        ErrorKind::Overloaded => &["overloaded"],
        ErrorKind::PermissionDenied => &["permission"],
        ErrorKind::UsageLimited | ErrorKind::QuotaExhausted | ErrorKind::ResearchLimit => {
            &["quota"]
        }
        ErrorKind::RateLimited | ErrorKind::ConcurrencyLimited => &["rate_limit"],
        ErrorKind::System | ErrorKind::Test => &["server"],
        ErrorKind::RequestFailed => &["upstream"],
        ErrorKind::StreamBusy => &["stream_busy"],
        ErrorKind::Timeout => &["timeout"],
        ErrorKind::PayloadTooLarge | ErrorKind::FileTooLarge => &["too_large"],
        ErrorKind::Unavailable => &["unavailable"],
        ErrorKind::BadGateway | ErrorKind::StreamTruncated => &["upstream"],
        kind => panic!("{kind} belongs to no category"),
    }
}

/// An entry, as those see it who ask what to do about it.
pub(crate) struct Known {
    pub(crate) id: String,
    /// That of the answer; 200 for an error within one.
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) advice: String,
    /// Whether the body alone tells it.
    pub(crate) is_told_by_body: bool,
}

/// Returns all entries.
pub(crate) fn known() -> Vec<Known> {
    let entries: Vec<Entry> = serde_json::from_str(FACTS).unwrap();
    let known = |entry: Entry| Known {
        status: entry.http_status.unwrap_or(200),
        body: entry.body(),
        advice: entry.expected().1.to_owned(),
        is_told_by_body: !STATUS_ONLY.contains(&entry.id.as_str()),
        id: entry.id,
    };
    entries.into_iter().map(known).collect()
}

#[test]
fn every_known_answer_has_its_category_and_its_advice() {
    let entries: Vec<Entry> = serde_json::from_str(FACTS).unwrap();
    assert_eq!(entries.len(), 173);
    let mut bodies = HashSet::new();
    for entry in &entries {
        let body = entry.body();
        let status = entry.http_status.or(Some(200));
        entry.check(decode_body(status, &body), "a body");
        bodies.insert(body.clone());
        let Ok(text) = String::from_utf8(body) else { continue };
        if !text.starts_with('{') {
            continue;
        }

        let quoted = serde_json::to_string(&text).unwrap();
        entry.check(decode_body(status, quoted.as_bytes()), "a quoted body");
        bodies.insert(quoted.into_bytes());
        if !STATUS_ONLY.contains(&entry.id.as_str()) {
            entry.check(decode_event(text.as_bytes()), "an event");
            let stream = format!(": hb\n\ndata:{text}\n\n");
            entry.check(decode_body(Some(200), stream.as_bytes()), "a stream");
            bodies.insert(stream.into_bytes());
        }
        let has_type = entry.r#type.is_some() && entry.surface.is_none();
        if has_type && matches!(entry.dialect.as_str(), "platform" | "kimi-code") {
            let face = anthropic(entry.r#type.as_deref(), entry.message()).to_string();
            entry.check(decode_body(status, face.as_bytes()), "Anthropic's envelope");
            bodies.insert(face.into_bytes());
        }
    }
    assert!(bodies.len() >= 200, "only {} distinct bodies", bodies.len());
}

#[test]
fn every_entry_that_is_overruled_says_otherwise_and_we_say_why() {
    let entries: Vec<Entry> = serde_json::from_str(FACTS).unwrap();
    for (id, kind) in EXACT {
        let entry = entries.iter().find(|entry| entry.id == *id).unwrap();
        assert!(category_of(*kind).contains(&&*entry.category), "{id}");
    }
    for (id, category, advice, why) in OVERRULED {
        let entry = entries.iter().find(|entry| entry.id == *id).unwrap();
        assert_ne!((*category, *advice), (&*entry.category, &*entry.retry), "{id}: {why}");
    }
}
