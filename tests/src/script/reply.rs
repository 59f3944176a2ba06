//! What a step answers with, before anything disturbs it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::plain;

/// The success of a chat route. Other routes have one success only and ignore this.
///
/// ```json
/// {"content": "你好", "chunks": 2, "usage": {"prompt_tokens": 8, "completion_tokens": 2}, "finish_reason": "stop"}
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default, remote = "Self")]
#[non_exhaustive]
pub struct Success {
    /// The answer. Default: 「你说：…」 with the last user message, at most 1 000 characters of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// In how many chunks of about equal numbers of characters it is streamed, at least 1; no
    /// chunk is empty. Default: 4.
    #[serde(deserialize_with = "plain::optional_number", skip_serializing_if = "Option::is_none")]
    pub chunks: Option<usize>,
    /// What the answer is said to have cost. Default: a token for each character.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Why the answer ends. Default: `stop`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
}

plain::object!(Success, "`ok`: an object such as {\"content\": \"Hello\"}", both);

/// Tokens used; the wire form adds their sum as `total_tokens`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, remote = "Self")]
#[non_exhaustive]
pub struct Usage {
    /// Tokens of the request.
    #[serde(deserialize_with = "plain::number")]
    pub prompt_tokens: u64,
    /// Tokens of the answer.
    #[serde(deserialize_with = "plain::number")]
    pub completion_tokens: u64,
}

plain::object!(Usage, "`usage`: an object of two numbers of tokens", both);

impl Usage {
    /// Creates the usage of a request and its answer.
    #[must_use]
    pub const fn new(prompt_tokens: u64, completion_tokens: u64) -> Self {
        Self { prompt_tokens, completion_tokens }
    }
}

/// Any answer at all.
///
/// ```json
/// {"status": 502, "headers": {"content-type": "text/html"}, "body": "<html>"}
/// {"status": 200, "body_base64": "AAECAw=="}
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, remote = "Self")]
#[non_exhaustive]
pub struct Raw {
    /// The HTTP status, 200 to 999.
    #[serde(deserialize_with = "plain::number")]
    pub status: u16,
    /// The fields of the head, each once. `content-length` and `transfer-encoding` are not among
    /// them: the body decides, or the step's `content_length`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body as text. Default: empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body in base64 with padding, RFC 4648 §4; instead of `body`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
}

plain::object!(Raw, "`raw`: an object such as {\"status\": 502}", both);

/// Pseudo-random bytes, the same for the same seed.
///
/// ```json
/// {"bytes": 512, "seed": 7}
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, remote = "Self")]
#[non_exhaustive]
pub struct Garbage {
    /// How many, at most 16 MiB, since they are made in memory.
    #[serde(deserialize_with = "plain::number")]
    pub bytes: usize,
    /// Where the generator starts. Default: 0.
    #[serde(default, deserialize_with = "plain::number", skip_serializing_if = "is_zero")]
    pub seed: u64,
}

plain::object!(Garbage, "`garbage`: an object such as {\"bytes\": 512}", both);

fn is_zero(seed: &u64) -> bool {
    *seed == 0
}

impl Garbage {
    pub(super) const MAX_BYTES: usize = 16 << 20;

    /// Creates so many bytes of seed 0.
    #[must_use]
    pub const fn new(bytes: usize) -> Self {
        Self { bytes, seed: 0 }
    }

    /// Starts the generator elsewhere.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Returns the bytes: SplitMix64, eight at a time.
    pub(crate) fn generate(self) -> Vec<u8> {
        let mut state = self.seed;
        let words = std::iter::repeat_with(|| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        });
        words.flat_map(u64::to_le_bytes).take(self.bytes).collect()
    }
}

/// An error as an event of a stream whose head said 200. Nothing follows it, no `[DONE]` either.
///
/// ```json
/// {"after_chunks": 2, "fault": "plat.server_error"}
/// {"after_chunks": 1, "kind": "overloaded"}
/// {"raw": "event: error\ndata: {\"error\":{\"message\":\"…\"}}\n\n"}
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default, remote = "Self")]
#[non_exhaustive]
pub struct SseError {
    /// How many events come before it; the first has the role and no content. Default: 0, and
    /// never more than the stream has before its last chunk.
    #[serde(deserialize_with = "plain::number", skip_serializing_if = "is_zero_chunks")]
    pub after_chunks: usize,
    /// A known error by its id; its body is the event's data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// An [`ErrorKind`](kimi_errors::ErrorKind) by its name; its event is that of the mock's own
    /// dialect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The event to the letter, blank line included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
}

plain::object!(SseError, "`sse_error`: an object such as {\"after_chunks\": 2}", both);

fn is_zero_chunks(chunks: &usize) -> bool {
    *chunks == 0
}
