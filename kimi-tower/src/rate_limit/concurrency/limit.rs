//! Whether a request may go.

use std::{fmt, num::NonZeroU32, sync::Arc as StdArc};

use http::{Extensions, request::Parts};
use kimi_errors::{Error, ErrorKind};
use tokio::time::Instant;

use super::permits::{Asked, Permit, Permits, Place};
use crate::{
    deadline::Deadline,
    facts::{Facts, RateDecision},
    key::{ExtractKey, Key, KeyHasher},
    rate_limit::Admission,
    sync::Arc,
};

/// What facts call this limit.
const RULE: &str = "concurrency";

/// All that a service needs to decide by.
#[derive(Clone)]
pub(super) struct Limit<K> {
    pub(super) permits: Arc<Permits>,
    pub(super) max: NonZeroU32,
    pub(super) max_for: Option<MaxFor>,
    pub(super) admission: Admission,
    pub(super) hasher: KeyHasher,
    pub(super) key: K,
}

/// An `Arc` of std, since loom's does not become one of `dyn`.
pub(super) type MaxFor = StdArc<dyn Fn(&Parts) -> NonZeroU32 + Send + Sync>;

/// A request that is not refused.
pub(super) enum Admitted {
    /// It goes on, with a permit if it counts.
    Now(Option<Permit>),
    /// It goes on if its turn comes in time.
    Later(Later),
}

/// A place in the line.
pub(super) struct Later {
    pub(super) place: Place,
    pub(super) since: Instant,
    /// How long it is waited for; `None` if without end.
    pub(super) until: Option<Instant>,
}

impl<K: ExtractKey> Limit<K> {
    pub(super) fn admit(&self, head: &Parts) -> Result<Admitted, Error> {
        let Some(key) = self.key.extract(head, &self.hasher)? else {
            return Ok(Admitted::Now(None));
        };
        let max = self.max_for.as_ref().map_or(self.max, |max_for| max_for(head));
        if let Asked::Granted(permit) = Permits::ask(&self.permits, key, max, 0) {
            return Ok(Admitted::Now(Some(permit)));
        }
        self.turn_away(head, key, max)
    }

    /// Says what becomes of one that has to wait.
    #[cold]
    fn turn_away(&self, head: &Parts, key: Key, max: NonZeroU32) -> Result<Admitted, Error> {
        match self.admission {
            Admission::Reject => Err(refusal(&head.extensions, "all permits are taken")),
            Admission::Wait { max_wait, max_queue } => {
                let now = Instant::now();
                let deadline = Deadline::of(head).map(Deadline::instant);
                // A wait past the end of the clock has no end.
                let until = deadline.into_iter().chain(now.checked_add(max_wait)).min();
                if until.is_some_and(|until| until <= now) {
                    return Err(refusal(&head.extensions, "there is no time to wait"));
                }
                match Permits::ask(&self.permits, key, max, max_queue) {
                    Asked::Granted(permit) => Ok(Admitted::Now(Some(permit))),
                    Asked::Waits(place) => Ok(Admitted::Later(Later { place, since: now, until })),
                    Asked::Full => Err(refusal(&head.extensions, "too many wait")),
                }
            }
            Admission::Shadow => {
                tracing::debug!(max, "too many at the same time, and let through");
                Facts::tell_rate(
                    &head.extensions,
                    RateDecision::WouldBeRefused { rule: RULE, wait: None },
                );
                Ok(Admitted::Now(None))
            }
        }
    }
}

/// The error of a request that is not let through.
///
/// It names no time to wait: nobody knows when an answer will be over.
#[cold]
pub(super) fn refusal(extensions: &Extensions, reason: &'static str) -> Error {
    tracing::debug!(reason, "too many at the same time");
    Facts::tell_rate(extensions, RateDecision::Refused { rule: RULE, wait: None });
    Error::new(ErrorKind::ConcurrencyLimited)
}

/// Shows neither extractor nor keys.
impl<K> fmt::Debug for Limit<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Limit");
        shown.field("max", &self.max).field("has_max_for", &self.max_for.is_some());
        shown.field("admission", &self.admission).field("permits", &self.permits);
        shown.finish_non_exhaustive()
    }
}
