//! What `session` tells.

use std::time::Duration;

use http::Extensions;

use super::Facts;
use crate::session::{Lost, Refused};

/// What a session has said to a request that belongs to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SessionDecision {
    /// It had its turn at once.
    Granted,
    /// It has waited, and then had its turn.
    Waited {
        /// How many were before it when it came, the one that had the turn included.
        ahead: usize,
        /// How long it has waited.
        waited: Duration,
    },
    /// It had no turn.
    Refused {
        /// Why.
        reason: Refused,
        /// How long it had waited.
        waited: Duration,
    },
}

impl Facts {
    /// Returns what a session has said; `None` if the request is of none, or there is no such layer.
    #[must_use]
    pub fn session_decision(&self) -> Option<SessionDecision> {
        self.0.session.get().copied()
    }

    /// Returns why the turn was lost before the answer had ended; `None` if it was not.
    #[must_use]
    pub fn session_lost(&self) -> Option<Lost> {
        self.0.session_lost.get().copied()
    }

    pub(crate) fn tell_session(extensions: &Extensions, decision: SessionDecision) {
        if let Some(facts) = extensions.get::<Self>() {
            facts.0.session.get_or_init(|| decision);
        }
    }

    pub(crate) fn tell_session_lost(&self, lost: Lost) {
        self.0.session_lost.get_or_init(|| lost);
    }
}
