//! Which requests a step is for.

use serde::{Deserialize, Serialize};

use super::{Asked, plain};

/// The requests that a step answers: those that fit every field it has.
///
/// ```toml
/// when = { path = "/v1/chat/completions", method = "POST", model = "kimi-k3", conversation = "c1", stream = true }
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default, remote = "Self")]
pub struct When {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
}

plain::object!(When, "`when`: an object such as {\"stream\": true}", both);

impl When {
    /// Creates the condition that every request meets.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// Only requests of exactly this path, without its query.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Only requests of this method, in capitals.
    #[must_use]
    pub fn with_method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Only requests whose body has this `model`.
    #[must_use]
    pub fn with_model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Only requests of this conversation: `conversation_id` of the body, or the head field
    /// `x-conversation-id`.
    #[must_use]
    pub fn with_conversation(mut self, conversation: impl Into<String>) -> Self {
        self.conversation = Some(conversation.into());
        self
    }

    /// Only requests whose body has this `stream`; one without it asks for no stream.
    #[must_use]
    pub fn with_stream(mut self, stream: bool) -> Self {
        self.stream = Some(stream);
        self
    }

    pub(super) fn stream(&self) -> Option<bool> {
        self.stream
    }

    pub(super) fn is_any(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn matches(&self, asked: &Asked<'_>) -> bool {
        fn fits(wanted: Option<&String>, given: Option<&str>) -> bool {
            wanted.is_none_or(|wanted| given == Some(wanted))
        }
        fits(self.path.as_ref(), Some(asked.path))
            && fits(self.method.as_ref(), Some(asked.method))
            && fits(self.model.as_ref(), asked.model)
            && fits(self.conversation.as_ref(), asked.conversation)
            && self.stream.is_none_or(|stream| stream == asked.stream)
    }
}
