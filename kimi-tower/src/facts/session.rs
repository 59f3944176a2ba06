//! What `session` tells.

use std::{fmt, time::Duration};

use http::Extensions;

use super::Facts;
use crate::{
    key::Key,
    session::{Lost, Refused},
};

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

/// What stands for a session in a log: half of its [`Key`], as 16 hexadecimal digits.
///
/// It is the same for all requests of the session, as long as the [`KeyHasher`] has the same secret,
/// and tells nothing of what was hashed. It belongs in no label of a metric.
///
/// [`KeyHasher`]: crate::key::KeyHasher
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SessionHash(u64);

impl fmt::Display for SessionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl SessionHash {
    #[cfg(feature = "request-log")]
    pub(crate) const fn to_u64(self) -> u64 {
        self.0
    }
}

impl Facts {
    /// Returns what stands for the session of the request; `None` if it is of none, or there is no
    /// such layer.
    #[must_use]
    pub fn session_hash(&self) -> Option<SessionHash> {
        self.0.session_hash.get().copied()
    }

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

    pub(crate) fn tell_session_hash(extensions: &Extensions, key: Key) {
        if let Some(facts) = extensions.get::<Self>() {
            facts.0.session_hash.get_or_init(|| SessionHash(key.0[1]));
        }
    }

    pub(crate) fn tell_session_lost(&self, lost: Lost) {
        self.0.session_lost.get_or_init(|| lost);
    }
}
