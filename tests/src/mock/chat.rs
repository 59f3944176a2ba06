//! The chat: what is read of a request, and what is answered.

use kimi_errors::{Dialect, Error, ErrorKind};
use serde_json::Value;

use super::{answer::Answer, reply::Reply, style::Style};
use crate::script::{Fault, SseError, Step, Success, Usage};

/// How much of the last user message is quoted, in characters: more than a test writes, and less
/// than makes an answer of 100 MiB.
const MAX_QUOTED: usize = 1000;
/// In how many chunks an answer is streamed: enough that something can happen between them.
const CHUNKS: usize = 4;

/// A chat request, as far as its answer depends on it.
#[derive(Debug)]
pub(super) struct Chat<'a> {
    model: Option<&'a str>,
    conversation: Option<&'a str>,
    stream: bool,
    include_usage: bool,
    question: String,
    prompt_chars: u64,
}

impl<'a> Chat<'a> {
    /// Reads a body; `None` is one that is not JSON.
    pub(super) fn read(
        body: Option<&'a Value>,
        conversation: Option<&'a str>,
    ) -> Result<Self, Error> {
        let wrong = |message| Err(Error::new(ErrorKind::Validation).with_message(message));
        let Some(body) = body.filter(|body| body.is_object()) else {
            return wrong("请求体必须是JSON对象");
        };
        let messages = body["messages"].as_array().filter(|messages| !messages.is_empty());
        let Some(messages) = messages else {
            return wrong("消息列表(messages)必须是非空数组");
        };
        if !body["stream"].is_null() && !body["stream"].is_boolean() {
            return wrong("流式输出(stream)必须是布尔值");
        }
        let asked = messages.iter().rfind(|message| message["role"] == "user");
        Ok(Self {
            model: body["model"].as_str(),
            conversation,
            stream: body["stream"] == true,
            include_usage: body["stream_options"]["include_usage"] == true,
            question: asked.map(text).unwrap_or_default(),
            prompt_chars: messages.iter().map(|message| chars(&text(message))).sum(),
        })
    }

    /// Returns the success, as JSON or as events, and with a step's in-band error.
    pub(super) fn answer(
        &self,
        style: Style,
        dialect: Dialect,
        step: &Step,
        number: u64,
    ) -> Answer {
        let success = step.ok.clone().unwrap_or_default();
        let reply = self.reply(style, &success, number);
        if !self.stream {
            return Answer::json(reply.unary());
        }
        let count = success.chunks.unwrap_or(CHUNKS);
        let mut events = reply.events(count, self.include_usage && style == Style::Platform);
        let refrain = 1..events.len() - 1;
        if !step.no_done {
            events.push("data: [DONE]\n\n".to_owned());
        }
        if let Some(error) = &step.sse_error {
            events.truncate(error.after_chunks.min(refrain.end));
            events.push(error.event(dialect));
        }
        Answer::events(events, refrain)
    }

    fn reply(&self, style: Style, success: &Success, number: u64) -> Reply {
        let default_content = || {
            let quoted: String = self.question.chars().take(MAX_QUOTED).collect();
            format!("你说：{quoted}")
        };
        let content = success.content.clone().unwrap_or_else(default_content);
        let usage = success.usage.unwrap_or_else(|| Usage::new(self.prompt_chars, chars(&content)));
        let (id, segment_id, model) = match style {
            Style::Platform => (format!("chatcmpl-mock-{number}"), None, "kimi-k3"),
            Style::FreeApi => {
                // Twenty characters, as kimi-free-api checks the ids of conversations.
                let new = || format!("mockconversation{number:04}");
                let id = self.conversation.map_or_else(new, str::to_owned);
                (id, Some(format!("mocksegment{number:09}")), "kimi")
            }
        };
        Reply {
            id,
            segment_id,
            model: self.model.unwrap_or(model).to_owned(),
            content,
            finish_reason: success.finish_reason.clone().unwrap_or_else(|| "stop".to_owned()),
            usage,
        }
    }
}

impl SseError {
    fn event(&self, dialect: Dialect) -> String {
        if let Some(event) = &self.raw {
            return event.clone();
        }
        if let Some(fault) = self.fault.as_deref().and_then(Fault::find) {
            return format!("data: {}\n\n", fault.event_data());
        }
        let kind = self.kind.as_deref().and_then(ErrorKind::from_name);
        let frame = kind.map(|kind| dialect.sse_frame(&Error::new(kind)));
        // A checked step has one of the three, and a frame is text.
        String::from_utf8(frame.unwrap_or_default()).unwrap_or_default()
    }
}

/// Returns the text of a message: its content, or the text parts of it.
fn text(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

fn chars(text: &str) -> u64 {
    text.chars().count() as u64
}
