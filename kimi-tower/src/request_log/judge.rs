//! What an error after the head is, and whether it is one of the session's.

use kimi_errors::{Error, ErrorKind};

use super::Outcome;
#[cfg(feature = "session")]
use crate::{
    facts::{Facts, SessionDecision},
    session::{Lost, Refused},
};

/// Returns how a request ended one of whose events is an error: what it says is known.
pub(super) fn of_event(error: &Error) -> Outcome {
    match error.kind() {
        ErrorKind::Timeout => Outcome::Timeout,
        ErrorKind::StreamTruncated => Outcome::Truncated,
        ErrorKind::Cancelled => Outcome::ClientGone,
        _ => Outcome::StreamError,
    }
}

/// Returns how a request ended whose body fails with an error.
pub(super) fn of_body(error: &Error) -> Outcome {
    match error.kind() {
        // What nobody knows.
        ErrorKind::System => Outcome::BodyError,
        _ => of_event(error),
    }
}

/// Returns how a request ended that the session has ended: a newer one has taken its turn, or its
/// place in the line, or it has held the turn for too long.
#[cfg(feature = "session")]
pub(super) fn of_session(facts: &Facts) -> Option<Outcome> {
    match facts.session_lost() {
        Some(Lost::Superseded) => return Some(Outcome::Superseded),
        Some(Lost::MaxHold | Lost::Idle) => return Some(Outcome::Timeout),
        // It is what of_body makes of its error, which nobody reads where the reader is gone.
        Some(Lost::Lease) => return Some(Outcome::StreamError),
        None => {}
    }
    let is_refused = matches!(
        facts.session_decision(),
        Some(SessionDecision::Refused { reason: Refused::Superseded, .. })
    );
    is_refused.then_some(Outcome::Superseded)
}
