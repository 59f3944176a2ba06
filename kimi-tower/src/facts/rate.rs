//! What `rate_limit` and its `concurrency` tell.

use std::time::Duration;

use http::Extensions;

use super::Facts;

/// What a limit has said to a request that it did not let pass at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RateDecision {
    /// It has waited, and was then admitted.
    Waited(Duration),
    /// It was refused.
    Refused {
        /// The name of the rule that says so.
        rule: &'static str,
        /// How long it was told to wait; `None` if nobody knows, or it is in vain.
        wait: Option<Duration>,
    },
    /// It was admitted, and would have been refused if the limit were not only tried.
    WouldBeRefused {
        /// The name of the rule that says so.
        rule: &'static str,
        /// How long it would have been told to wait; `None` as above.
        wait: Option<Duration>,
    },
}

impl Facts {
    /// Returns what a limit has said, of several the first; `None` if all have let it pass at once,
    /// or there is none.
    #[must_use]
    pub fn rate_decision(&self) -> Option<RateDecision> {
        self.0.rate.get().copied()
    }

    /// Tells the facts of a request, if somebody wants to know them.
    #[cold]
    pub(crate) fn tell_rate(extensions: &Extensions, decision: RateDecision) {
        if let Some(facts) = extensions.get::<Self>() {
            facts.0.rate.get_or_init(|| decision);
        }
    }
}
