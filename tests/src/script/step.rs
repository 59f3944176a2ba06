//! One step: what to answer, to which requests, and what goes wrong with it.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use kimi_errors::ErrorKind;
use serde::{Deserialize, Serialize};

use super::{Garbage, Raw, Repeat, SseError, Success, Usage, When, plain};

/// One entry of a [`Script`](super::Script). The [module page](super) lists its fields.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default, remote = "Self")]
pub struct Step {
    #[serde(skip_serializing_if = "When::is_any")]
    pub(crate) when: When,
    #[serde(skip_serializing_if = "Repeat::is_once")]
    pub(crate) repeat: Repeat,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ok: Option<Success>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) raw: Option<Raw>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(deserialize_with = "plain::optional_number", skip_serializing_if = "Option::is_none")]
    pub(crate) delay_head_ms: Option<u64>,
    #[serde(deserialize_with = "plain::optional_number", skip_serializing_if = "Option::is_none")]
    pub(crate) delay_chunk_ms: Option<u64>,
    #[serde(deserialize_with = "plain::optional_number", skip_serializing_if = "Option::is_none")]
    pub(crate) split: Option<usize>,
    #[serde(deserialize_with = "plain::optional_number", skip_serializing_if = "Option::is_none")]
    pub(crate) cut_at: Option<u64>,
    #[serde(deserialize_with = "plain::optional_number", skip_serializing_if = "Option::is_none")]
    pub(crate) reset_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) garbage: Option<Garbage>,
    #[serde(deserialize_with = "plain::optional_number", skip_serializing_if = "Option::is_none")]
    pub(crate) content_length: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) endless: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sse_error: Option<SseError>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) no_done: bool,
}

plain::object!(Step, "a step: an object such as {\"fault\": \"plat.overloaded\"}", both);

impl Step {
    /// Creates the step that answers as if there were no script.
    #[must_use]
    pub fn ok() -> Self {
        Self::default()
    }

    /// Creates the step that answers a known error, such as `plat.overloaded` or
    /// `errcode.token`. [`Fault::all`](super::Fault::all) lists them.
    #[must_use]
    pub fn fault(id: impl Into<String>) -> Self {
        Self { fault: Some(id.into()), ..Self::default() }
    }

    /// Creates the step that answers an error of this kind, as a server of our own does: in the
    /// mock's dialect, with the kind's own message.
    #[must_use]
    pub fn of_kind(kind: ErrorKind) -> Self {
        Self { kind: Some(kind.name().to_owned()), ..Self::default() }
    }

    /// Creates the step that answers a status, a `content-type` and a body.
    #[must_use]
    pub fn raw(status: u16, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        let headers = BTreeMap::from([("content-type".to_owned(), content_type.to_owned())]);
        let (body, body_base64) = match std::str::from_utf8(body.as_ref()) {
            Ok(text) => (Some(text.to_owned()), None),
            Err(_) => (None, Some(BASE64_STANDARD.encode(body))),
        };
        Self { raw: Some(Raw { status, headers, body, body_base64 }), ..Self::default() }
    }

    /// Creates the step that answers a proxy's HTML page of 502.
    #[must_use]
    pub fn bad_gateway_html() -> Self {
        Self::html(502, "502 Bad Gateway")
    }

    /// Creates the step that answers a proxy's HTML page of 504.
    #[must_use]
    pub fn gateway_timeout_html() -> Self {
        Self::html(504, "504 Gateway Time-out")
    }

    fn html(status: u16, title: &str) -> Self {
        let page = format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n\
             <center><h1>{title}</h1></center>\r\n<hr><center>nginx</center>\r\n\
             </body>\r\n</html>\r\n"
        );
        Self::raw(status, "text/html", page)
    }

    /// Sets which requests the step is for; without it, any.
    #[must_use]
    pub fn with_when(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    /// Sets how many requests it answers: a number or [`Repeat::Forever`]; without it, one.
    #[must_use]
    pub fn with_repeat(mut self, repeat: impl Into<Repeat>) -> Self {
        self.repeat = repeat.into();
        self
    }

    /// Sets `ok.content`: what the chat answers.
    #[must_use]
    pub fn with_content(mut self, content: impl Into<String>) -> Self {
        self.ok.get_or_insert_default().content = Some(content.into());
        self
    }

    /// Sets `ok.chunks`: in how many chunks the answer is streamed.
    #[must_use]
    pub fn with_chunks(mut self, chunks: usize) -> Self {
        self.ok.get_or_insert_default().chunks = Some(chunks);
        self
    }

    /// Sets `ok.usage`.
    #[must_use]
    pub fn with_usage(mut self, usage: Usage) -> Self {
        self.ok.get_or_insert_default().usage = Some(usage);
        self
    }

    /// Sets `ok.finish_reason`.
    #[must_use]
    pub fn with_finish_reason(mut self, reason: impl Into<String>) -> Self {
        self.ok.get_or_insert_default().finish_reason = Some(reason.into());
        self
    }

    /// Adds a field to the head, in place of any of that name.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Sets the wait before the head, in whole milliseconds.
    #[must_use]
    pub fn with_head_delay(mut self, delay: Duration) -> Self {
        self.delay_head_ms = Some(millis(delay));
        self
    }

    /// Sets the wait before each chunk of the body but the first, in whole milliseconds.
    #[must_use]
    pub fn with_chunk_delay(mut self, delay: Duration) -> Self {
        self.delay_chunk_ms = Some(millis(delay));
        self
    }

    /// Sets the size of the body's chunks in bytes.
    #[must_use]
    pub fn with_split(mut self, bytes: usize) -> Self {
        self.split = Some(bytes);
        self
    }

    /// Ends the connection cleanly after so many bytes of the body, without its proper end.
    #[must_use]
    pub fn with_cut_at(mut self, bytes: u64) -> Self {
        self.cut_at = Some(bytes);
        self
    }

    /// Ends the connection abortively after so many bytes of the body.
    #[must_use]
    pub fn with_reset_at(mut self, bytes: u64) -> Self {
        self.reset_at = Some(bytes);
        self
    }

    /// Sends pseudo-random bytes in place of the body.
    #[must_use]
    pub fn with_garbage(mut self, garbage: Garbage) -> Self {
        self.garbage = Some(garbage);
        self
    }

    /// Sets the length that the head claims, whatever the body's length is.
    #[must_use]
    pub fn with_content_length(mut self, bytes: u64) -> Self {
        self.content_length = Some(bytes);
        self
    }

    /// Makes the body never end: a stream goes on with its content, another body starts anew.
    #[must_use]
    pub fn with_endless(mut self) -> Self {
        self.endless = true;
        self
    }

    /// Ends the stream with a known error as its event number `after_chunks`, from 0.
    #[must_use]
    pub fn with_sse_error(mut self, after_chunks: usize, fault: impl Into<String>) -> Self {
        let fault = Some(fault.into());
        self.sse_error = Some(SseError { after_chunks, fault, ..SseError::default() });
        self
    }

    /// Ends the stream with an error of this kind, in the mock's dialect, as its event number
    /// `after_chunks`.
    #[must_use]
    pub fn with_sse_error_of_kind(mut self, after_chunks: usize, kind: ErrorKind) -> Self {
        let kind = Some(kind.name().to_owned());
        self.sse_error = Some(SseError { after_chunks, kind, ..SseError::default() });
        self
    }

    /// Ends the stream with this event, given to the letter, as its event number `after_chunks`.
    #[must_use]
    pub fn with_raw_sse_error(mut self, after_chunks: usize, event: impl Into<String>) -> Self {
        let raw = Some(event.into());
        self.sse_error = Some(SseError { after_chunks, raw, ..SseError::default() });
        self
    }

    /// Leaves out `data: [DONE]`.
    #[must_use]
    pub fn without_done(mut self) -> Self {
        self.no_done = true;
        self
    }
}

fn millis(delay: Duration) -> u64 {
    u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)
}
