//! What an error after the head is, and whether it is one of the session's.

use kimi_errors::{Error, ErrorKind};

use super::Outcome;
#[cfg(feature = "session")]
use crate::{
    facts::{Facts, SessionDecision},
    session::{Lost, Refused},
};

/// Returns how a request ended if the body fails with an error, or one of its events is one.
pub(super) fn after_the_head(error: &Error) -> Outcome {
    match error.kind() {
        ErrorKind::Timeout => Outcome::Timeout,
        ErrorKind::StreamTruncated => Outcome::Truncated,
        ErrorKind::Cancelled => Outcome::ClientGone,
        // What nobody knows.
        ErrorKind::System => Outcome::BodyError,
        _ => Outcome::StreamError,
    }
}

/// Returns whether a newer request of the session has taken its turn, or its place in the line.
#[cfg(feature = "session")]
pub(super) fn is_superseded(facts: &Facts) -> bool {
    let is_refused = matches!(
        facts.session_decision(),
        Some(SessionDecision::Refused { reason: Refused::Superseded, .. })
    );
    is_refused || facts.session_lost() == Some(Lost::Superseded)
}
