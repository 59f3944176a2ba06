//! What the layers inside have told, as words and numbers.

use crate::facts::Facts;

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
    #[cfg(feature = "validate")]
    all: &'a [crate::facts::Preview],
    #[cfg(not(feature = "validate"))]
    none: std::marker::PhantomData<&'a ()>,
}

impl<'a> Plain<'a> {
    pub(super) fn of(facts: &'a Facts) -> Self {
        let mut plain = Self::default();
        plain.add_chat(facts);
        plain.add_attempts(facts);
        plain.add_rate(facts);
        plain.add_session(facts);
        plain
    }

    #[cfg(feature = "validate")]
    fn add_chat(&mut self, facts: &'a Facts) {
        self.model = facts.model();
        self.is_stream = facts.is_stream();
        self.messages = facts.messages();
        self.previews = Previews { all: facts.previews() };
    }

    #[cfg(feature = "retry")]
    fn add_attempts(&mut self, facts: &Facts) {
        self.attempts = facts.attempts();
        self.retry_stop = facts.retry_stop().map(crate::retry::Stop::name);
    }

    #[cfg(feature = "rate-limit")]
    fn add_rate(&mut self, facts: &Facts) {
        use crate::facts::RateDecision;
        (self.rate_decision, self.rate_rule) = match facts.rate_decision() {
            None => (None, None),
            Some(RateDecision::Waited(_)) => (Some("waited"), None),
            Some(RateDecision::Refused { rule, .. }) => (Some("refused"), Some(rule)),
            Some(RateDecision::WouldBeRefused { rule, .. }) => {
                (Some("would_be_refused"), Some(rule))
            }
        };
    }

    #[cfg(feature = "session")]
    fn add_session(&mut self, facts: &Facts) {
        use crate::facts::{SessionDecision, SessionHash};
        self.session_hash = facts.session_hash().map(SessionHash::to_u64);
        self.session_decision = facts.session_decision().map(|decision| match decision {
            SessionDecision::Granted => "granted",
            SessionDecision::Waited { .. } => "waited",
            SessionDecision::Refused { reason, .. } => reason.as_str(),
        });
        self.session_lost = facts.session_lost().map(crate::session::Lost::as_str);
    }

    #[cfg(not(feature = "validate"))]
    fn add_chat(&mut self, _: &'a Facts) {}

    #[cfg(not(feature = "retry"))]
    fn add_attempts(&mut self, _: &Facts) {}

    #[cfg(not(feature = "rate-limit"))]
    fn add_rate(&mut self, _: &Facts) {}

    #[cfg(not(feature = "session"))]
    fn add_session(&mut self, _: &Facts) {}
}

impl<'a> Previews<'a> {
    /// Returns who speaks each message, and how it begins.
    #[cfg(feature = "validate")]
    pub(super) fn iter(self) -> impl ExactSizeIterator<Item = (&'static str, &'a str)> {
        self.all.iter().map(|preview| (preview.role().name(), preview.text()))
    }

    /// Returns who speaks each message, and how it begins.
    #[cfg(not(feature = "validate"))]
    pub(super) fn iter(self) -> impl ExactSizeIterator<Item = (&'static str, &'a str)> {
        std::iter::empty()
    }
}
