//! What the layers inside have told, as words and numbers.

use super::Record;
#[cfg(any(
    feature = "rate-limit",
    feature = "retry",
    feature = "session",
    feature = "validate"
))]
use crate::facts::Facts;
#[cfg(feature = "validate")]
use crate::facts::Preview;

/// The facts of a request, whichever layers there are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Plain<'a> {
    pub(super) model: Option<&'a str>,
    pub(super) is_stream: Option<bool>,
    pub(super) messages: Option<usize>,
    pub(super) attempts: Option<u32>,
    pub(super) retry_stop: Option<&'static str>,
    pub(super) rate_decision: Option<&'static str>,
    pub(super) rate_rule: Option<&'static str>,
    pub(super) session_hash: Option<u64>,
    pub(super) session_decision: Option<&'static str>,
    pub(super) session_lost: Option<&'static str>,
    pub(super) previews: Previews<'a>,
}

/// The beginnings of the messages.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Previews<'a> {
    all: &'a [Preview],
}

/// There is none without `validate`.
#[cfg(not(feature = "validate"))]
type Preview = std::convert::Infallible;

impl<'a> Plain<'a> {
    pub(super) fn of(record: &Record<'a>) -> Self {
        let facts = record.facts;
        // Without any of the layers nobody tells anything.
        let _ = (facts, record.shows_previews);
        let plain = Self::default();
        #[cfg(feature = "validate")]
        let plain = plain.with_chat(facts, record.shows_previews);
        #[cfg(feature = "retry")]
        let plain = plain.with_attempts(facts);
        #[cfg(feature = "rate-limit")]
        let plain = plain.with_rate(facts);
        #[cfg(feature = "session")]
        let plain = plain.with_session(facts);
        plain
    }

    #[cfg(feature = "validate")]
    fn with_chat(mut self, facts: &'a Facts, shows_previews: bool) -> Self {
        self.model = facts.model();
        self.is_stream = facts.is_stream();
        self.messages = facts.messages();
        // Another log of the same request may ask for what this one does not.
        if shows_previews {
            self.previews = Previews { all: facts.previews() };
        }
        self
    }

    #[cfg(feature = "retry")]
    fn with_attempts(mut self, facts: &Facts) -> Self {
        self.attempts = facts.attempts();
        self.retry_stop = facts.retry_stop().map(crate::retry::Stop::name);
        self
    }

    #[cfg(feature = "rate-limit")]
    fn with_rate(mut self, facts: &Facts) -> Self {
        use crate::facts::RateDecision;
        (self.rate_decision, self.rate_rule) = match facts.rate_decision() {
            None => (None, None),
            Some(RateDecision::Waited(_)) => (Some("waited"), None),
            Some(RateDecision::Refused { rule, .. }) => (Some("refused"), Some(rule)),
            Some(RateDecision::WouldBeRefused { rule, .. }) => {
                (Some("would_be_refused"), Some(rule))
            }
        };
        self
    }

    #[cfg(feature = "session")]
    fn with_session(mut self, facts: &Facts) -> Self {
        use crate::facts::{SessionDecision, SessionHash};
        self.session_hash = facts.session_hash().map(SessionHash::to_u64);
        self.session_decision = facts.session_decision().map(|decision| match decision {
            SessionDecision::Granted => "granted",
            SessionDecision::Waited { .. } => "waited",
            SessionDecision::Refused { reason, .. } => reason.as_str(),
        });
        self.session_lost = facts.session_lost().map(crate::session::Lost::as_str);
        self
    }
}

impl<'a> Previews<'a> {
    /// Returns who speaks each message, and how it begins.
    pub(super) fn iter(self) -> impl ExactSizeIterator<Item = (&'static str, &'a str)> {
        self.all.iter().map(parts)
    }
}

#[cfg(feature = "validate")]
fn parts(preview: &Preview) -> (&'static str, &str) {
    (preview.role().name(), preview.text())
}

#[cfg(not(feature = "validate"))]
fn parts(preview: &Preview) -> (&'static str, &str) {
    match *preview {}
}
