//! Answers that are to be compared with what comes of them.

use bytes::Bytes;
use http::{Response, header};
use proptest::{prelude::*, sample::select};

use super::{
    paced::Paced,
    script::{End, Script, shape},
};

/// An answer that is to be compared.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    status: u16,
    content_type: &'static str,
    is_encoded: bool,
    asks_for: Option<u16>,
    pub(super) body: Script,
    /// Whether it is a success of which the layer must not take anything back.
    is_success: bool,
}

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";
const ROLE: &str =
    "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
const CONTENT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
const ERROR: &str =
    "data: {\"error\":{\"message\":\"x\",\"type\":\"engine_overloaded_error\"}}\n\n";

/// Status, type and text of an answer, and whether it is a success whatever its end is.
type Text = (u16, &'static str, Bytes, bool);

fn texts() -> Vec<Text> {
    let answers = [
        (503, JSON, r#"{"error":{"message":"x","type":"server_unavailable"}}"#, false),
        (500, JSON, r#"{"errcode":-1000,"errmsg":"系统异常","data":null}"#, false),
        (500, JSON, r#"{"errcode":-1000,"errmsg":"#, false),
        (429, JSON, r#"{"error":{"message":"x","type":"rate_limit_reached_error"}}"#, false),
        (400, JSON, r#"{"error":{"message":"x","type":"invalid_request_error"}}"#, false),
        (502, "text/html", "<html><h1>502 Bad Gateway</h1></html>", false),
        (503, "application/octet-stream", "\0\u{1}", false),
        (503, JSON, "", false),
        (200, JSON, r#"{"code":-2001,"message":"x","data":null}"#, false),
        (200, JSON, r#"{"id":"1","choices":[{"message":{"content":"a"}}]}"#, false),
        (200, EVENTS, "", false),
        (200, "application/octet-stream", r#"{"code":-2001,"message":"x"}"#, true),
        (200, "text/plain", "data: ", true),
        (301, JSON, r#"{"code":-2001,"message":"x"}"#, true),
    ];
    let answers = answers.map(|(status, kind, text, is)| (status, kind, Bytes::from(text), is));
    let streams = [
        (format!("{ROLE}{ERROR}"), false),
        (format!(": keep-alive\n\n{ROLE}"), false),
        (format!("{ROLE}{CONTENT}data: [DONE]\n\n"), true),
        (format!("{CONTENT}{ERROR}"), true),
        (ROLE.replace(r#""""#, r#""a""#), true),
    ];
    let streams = streams.map(|(text, is)| (200, EVENTS, Bytes::from(text), is));
    answers.into_iter().chain(streams).collect()
}

/// Those that are longer than what is looked at.
fn long_texts() -> Vec<Text> {
    let padding = "x".repeat(66_000);
    let answers = [
        (200, JSON, format!(r#"{{"id":"{padding}"}}"#), true),
        (200, EVENTS, format!("data: {padding}\n\n"), true),
        (503, JSON, format!(r#"{{"error":{{"message":"{padding}"}}}}"#), false),
    ];
    answers.map(|(status, kind, text, is)| (status, kind, Bytes::from(text), is)).into()
}

impl Answer {
    pub(super) fn response(&self) -> Response<Paced> {
        let mut answer = Response::builder()
            .status(self.status)
            .header(header::CONTENT_TYPE, self.content_type)
            .header("x-seen", "1")
            .header("x-seen", "2")
            .extension(Mark);
        if self.is_encoded {
            answer = answer.header(header::CONTENT_ENCODING, "gzip");
        }
        if let Some(seconds) = self.asks_for {
            answer = answer.header(header::RETRY_AFTER, seconds);
        }
        answer.body(self.body.body()).unwrap()
    }

    /// Whether no attempt may follow it.
    pub(super) fn is_success(&self) -> bool {
        let is_json = self.status == 200 && self.content_type == JSON;
        let is_chat = is_json && self.body.data().starts_with(br#"{"id""#);
        self.is_success || (is_chat && self.body.end() == End::Clean)
    }
}

/// An extension that is handed on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark;

pub(super) fn answer() -> impl Strategy<Value = Answer> {
    let asks_for = prop_oneof![4 => Just(None), 1 => (0..90u16).prop_map(Some)];
    let is_encoded = prop::bool::weighted(0.1);
    let text = prop_oneof![40 => select(texts()), 1 => select(long_texts())];
    (text, is_encoded, asks_for, shape(4)).prop_map(
        |((status, content_type, text, is_success), is_encoded, asks_for, shape)| Answer {
            status,
            content_type,
            is_encoded,
            asks_for,
            body: shape.of(text),
            is_success: is_success || (is_encoded && status < 400),
        },
    )
}
