use std::{fmt, sync::Arc};

use http::{
    HeaderValue,
    header::{HeaderName, InvalidHeaderValue},
    request::Parts,
};
use tokio::time::Instant;

use super::{RetryPolicy, cool_down::CoolDowns};
use crate::random::Random;

/// Names the operation, so that a server does it once: draft-ietf-httpapi-idempotency-key-header,
/// as the platform's hosted agents take it, without quotes.
pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The state of one layer, which all its services share.
pub(super) struct Shared {
    pub(super) policy: RetryPolicy,
    pub(super) cool_downs: Option<Arc<CoolDowns>>,
    pub(super) random: Random,
    /// The half of every idempotency key that no other layer's keys have.
    key_half: u64,
}

impl Shared {
    pub(super) fn new(policy: RetryPolicy) -> Self {
        let cool_downs = policy.has_cool_down.then(|| Arc::new(CoolDowns::new()));
        let random = policy.seed.map_or_else(Random::from_system, Random::new);
        // Never seeded: a key must not come again.
        let key_half = Random::from_system().next();
        Self { policy, cool_downs, random, key_half }
    }

    /// Gives a request its key, if it has none and is to have one.
    pub(super) fn add_key(&self, head: &mut Parts) {
        if self.policy.has_idempotency_key && !head.headers.contains_key(IDEMPOTENCY_KEY) {
            let key = format!("{:016x}{:016x}", self.key_half, self.random.next());
            let key: Result<_, InvalidHeaderValue> = HeaderValue::try_from(key);
            head.headers.extend(key.ok().map(|key| (IDEMPOTENCY_KEY, key)));
        }
    }

    /// Returns when a request with this head may be sent, if not now.
    #[inline]
    pub(super) fn cool_down_end(&self, head: &Parts) -> Option<Instant> {
        let cool_downs = self.cool_downs.as_ref().filter(|it| !it.are_over())?;
        cool_downs.end(cool_downs.caller(head))
    }

    /// Returns when to come after the end of a cool-down: not all at once, but over a time a
    /// quarter as long as what is left of it.
    pub(super) fn after_cool_down(&self, end: Instant) -> Instant {
        let left = end.saturating_duration_since(Instant::now());
        end.checked_add(self.random.up_to(left / 4)).unwrap_or(end)
    }
}

impl fmt::Debug for Shared {
    /// Shows no part of a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("policy", &self.policy)
            .field("cool_downs", &self.cool_downs)
            .finish_non_exhaustive()
    }
}
