//! How each dialect and surface writes an error: status, head and body.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{Fault, proto};

/// What is known of a request when its answer is chosen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    /// Without the query.
    pub(crate) path: &'a str,
    pub(crate) model: Option<&'a str>,
    pub(crate) conversation: Option<&'a str>,
    pub(crate) stream: bool,
}

/// The answer of a [`Fault`], ready to be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct FaultAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The fields of the head, in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body, which may be empty.
    pub body: Vec<u8>,
}

const JSON: &str = "application/json";
const SSE: &str = "text/event-stream";

/// An id like those of `msh-request-id`. The same each time, so that answers can be compared.
const REQUEST_ID: &str = "01JZX4A6E7M8V0R3Q0N2K2M5Q9";

impl Fault {
    /// Returns the answer to a chat request that asks for a stream or not.
    ///
    /// It does not matter but for `free.silent_content_stop`, which is a success by its form.
    /// Errors that exist only inside a stream are answered as one, whatever was asked.
    #[must_use]
    pub fn answer(&self, stream: bool) -> FaultAnswer {
        let path = "/v1/chat/completions";
        self.answer_to(&Asked { method: "POST", path, model: None, conversation: None, stream })
    }

    pub(crate) fn answer_to(&self, asked: &Asked<'_>) -> FaultAnswer {
        if let Some((content_type, body)) = self.odd_one(asked) {
            return self.with(content_type, body);
        }
        let message = self.message();
        let body = match (self.dialect(), self.surface()) {
            ("errcode", _) => json!({"errcode": self.code, "errmsg": message, "data": null}),
            ("free-api", _) => json!({"code": self.code, "message": message, "data": null}),
            ("web", Some(_connect)) => self.connect(),
            ("web", None) => self.object("error_type", json!({"message": message})),
            ("platform", Some("anthropic")) => self.anthropic(),
            ("platform", Some(_agents)) => self.agents(),
            ("kimi-code", Some("oauth")) => {
                json!({"error": self.error_type, "error_description": message})
            }
            ("kimi-code", Some(_server)) => self.kimi_server(),
            _ => json!({"error": self.object("type", json!({"message": message}))}),
        };
        self.with(JSON, body.to_string())
    }

    /// Returns the data of an error event with this error.
    pub(crate) fn event_data(&self) -> String {
        let answer = self.answer(true);
        // What is already a stream, a page or nothing says it in the platform's own form.
        match serde_json::from_slice::<Value>(&answer.body) {
            Ok(body) => body.to_string(),
            Err(_) => {
                let error = self.object("type", json!({"message": self.message()}));
                json!({ "error": error }).to_string()
            }
        }
    }

    fn with(&self, content_type: &str, body: impl Into<Vec<u8>>) -> FaultAnswer {
        let mut headers = vec![("content-type", content_type.to_owned())];
        if self.dialect() == "platform" {
            headers.push(("msh-request-id", REQUEST_ID.to_owned()));
            headers.push(("x-msh-trace-id", "0af7651916cd43dd8448eb211c80319c".to_owned()));
            if self.status() == 429 && self.retry() == "backoff" {
                headers.push(("retry-after", "1".to_owned()));
            }
        }
        FaultAnswer { status: self.status(), headers, body: body.into() }
    }

    /// Adds the type under `name` and the code to `object`, where they are known.
    fn object(&self, name: &str, mut object: Value) -> Value {
        if let Some(error_type) = &self.error_type {
            object[name] = json!(error_type);
        }
        if let Some(code) = &self.code {
            object["code"] = code.clone();
        }
        object
    }

    /// 400 and 500 have the Anthropic envelope, 401 and 429 the OpenAI one.
    fn anthropic(&self) -> Value {
        let error = json!({"type": self.error_type, "message": self.message()});
        match self.status() {
            401 | 429 => json!({ "error": error }),
            _ => json!({"type": "error", "error": error}),
        }
    }

    fn agents(&self) -> Value {
        let mut error = json!({
            "type": self.error_type, "message": self.message(), "request_id": REQUEST_ID,
        });
        if self.error_type() == Some("invalid_parameter_error") {
            error["param"] = json!("name");
        }
        json!({ "error": error })
    }

    fn kimi_server(&self) -> Value {
        let first = self.code_range.map(|(first, _)| json!(first));
        // 40902 tells how the approval was resolved.
        let data = if self.id() == "local.40902" { json!({"resolved": true}) } else { Value::Null };
        json!({
            "code": self.code.clone().or(first), "msg": self.message(), "data": data,
            "request_id": REQUEST_ID,
        })
    }

    fn connect(&self) -> Value {
        let mut body = json!({"code": self.code, "message": self.message()});
        if let Some(reason) = &self.error_type {
            let localized = json!({"locale": "zh-CN", "message": self.message_zh});
            body["details"] = json!([{
                "type": "common.error.v1.ErrorDetail",
                "value": BASE64_STANDARD.encode(proto::error_detail("zh-CN", &self.message_zh)),
                "debug": {"reason": reason, "localizedMessage": localized},
            }]);
        }
        body
    }

    /// Returns content type and body of the errors that do not have the form of their kin.
    fn odd_one(&self, asked: &Asked<'_>) -> Option<(&'static str, Vec<u8>)> {
        let message = self.message();
        let (content_type, body) = match self.id() {
            "free.silent_content_stop" if asked.stream => (SSE, content_stop_events(message)),
            "free.silent_content_stop" => (JSON, content_stop(message).to_string()),
            "plat.url_not_found" => {
                let body = json!({
                    "code": 5, "error": "url.not_found", "message": self.message_zh,
                    "method": asked.method, "scode": "0x5", "status": false, "ua": "",
                    "url": asked.path,
                });
                (JSON, body.to_string())
            }
            "plat.gateway_timeout" => ("text/html", message.to_owned()),
            "plat.truncated_stream" => (SSE, platform_chunk().to_owned()),
            "plat.stream_error_chunk" => {
                let error = json!({"error": {"message": "server error", "type": "server_error"}});
                (SSE, format!("{}data: {error}\n\n", platform_chunk()))
            }
            "web.sse_error" => {
                let event = json!({"event": "error", "error": {"message": message}});
                (SSE, format!("{}data: {event}\n\n", web_events()))
            }
            "web.sse_length" => {
                let end = "data: {\"event\":\"length\"}\n\ndata: {\"event\":\"all_done\"}\n\n";
                (SSE, format!("{}{end}", web_events()))
            }
            "connect.unsupported_media" => (JSON, String::new()),
            "connect.resource_exhausted_stream" => {
                return Some(("application/connect+json", self.connect_frame()));
            }
            id if id.starts_with("agents.session.") => {
                let error = json!({"error_type": self.error_type, "message": message});
                let event = json!({"type": "session_error", "session_error": error});
                (SSE, format!("event: session_error\ndata: {event}\n\n"))
            }
            _ => return None,
        };
        Some((content_type, body.into_bytes()))
    }

    /// A data frame and the end-of-stream frame: flags, length in big endian, JSON.
    fn connect_frame(&self) -> Vec<u8> {
        let detail = json!({
            "type": self.error_type,
            "value": BASE64_STANDARD.encode(proto::error_detail("zh-CN", self.message())),
        });
        let end = json!({"error": {"code": self.code, "details": [detail]}});
        let frame = |flags: u8, json: &Value| {
            let json = json.to_string();
            let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
            [&[flags], &length.to_be_bytes()[..], json.as_bytes()].concat()
        };
        [frame(0, &json!({"done": {}})), frame(2, &end)].concat()
    }
}

fn content_stop(message: &str) -> Value {
    json!({
        "id": "cnndivilnl96vah411dg", "model": "kimi", "object": "chat.completion",
        "choices": [{
            "index": 0, "message": {"role": "assistant", "content": message},
            "finish_reason": "stop",
        }],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        "segment_id": "cnndivilnl96vah41200", "created": 1_710_000_000,
    })
}

fn content_stop_events(message: &str) -> String {
    let mut chunk = content_stop("");
    chunk["object"] = json!("chat.completion.chunk");
    chunk["choices"] =
        json!([{"index": 0, "delta": {"content": message}, "finish_reason": "stop"}]);
    format!("data: {chunk}\n\ndata: [DONE]\n\n")
}

const fn platform_chunk() -> &'static str {
    concat!(
        r#"data: {"id":"chatcmpl-mock","object":"chat.completion.chunk","created":1710000000,"#,
        r#""model":"kimi-k3","choices":[{"index":0,"delta":{"content":"你"},"finish_reason":null}]}"#,
        "\n\n"
    )
}

const fn web_events() -> &'static str {
    concat!(
        r#"data: {"event":"req","id":"cnndivilnl96vah41200"}"#,
        "\n\n",
        r#"data: {"event":"cmpl","idx_s":0,"idx_z":0,"text":"你","view":"cmpl"}"#,
        "\n\n"
    )
}
