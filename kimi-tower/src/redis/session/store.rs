use std::{fmt, sync::Arc, time::Duration};

use super::{OnError, RedisPlace, RedisTurn, shared::Shared, turn::Counted, wire::Wire};
use crate::{
    random::Random,
    redis::RedisLink,
    session::store::{Ask, Asked, Refused, SessionStore, StoreId},
};

/// Turns of sessions for all processes that use the same Redis. See the [module](super).
///
/// A clone is the same store.
#[derive(Clone)]
pub struct RedisSessionStore {
    shared: Arc<Shared>,
}

impl RedisSessionStore {
    /// For how long a turn is leased if nobody says: 10 s, ours. So long a session is blocked by a
    /// process that has died, and so long Redis may be away before answers end for it.
    pub const DEFAULT_LEASE: Duration = Duration::from_secs(10);

    /// As short as a lease can be: 100 ms, ours.
    pub const LEAST_LEASE: Duration = Duration::from_millis(100);

    const DAY: Duration = Duration::from_secs(86_400);

    /// Creates a store with the default lease, and [`OnError::Closed`]. It asks Redis nothing before
    /// it is asked.
    #[must_use]
    pub fn new(link: RedisLink) -> Self {
        Self::with(link, Self::DEFAULT_LEASE, OnError::default())
    }

    /// Sets for how long a turn is leased, [`LEAST_LEASE`](Self::LEAST_LEASE) at least and a day at most.
    /// It has to be the same for all processes. Default: [`DEFAULT_LEASE`](Self::DEFAULT_LEASE).
    ///
    /// To be set before there are clones, which keep what they have.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        let lease = lease.clamp(Self::LEAST_LEASE, Self::DAY);
        Self::with(self.shared.wire.link().clone(), lease, self.shared.on_error)
    }

    /// Sets what becomes of a request when Redis does not answer. Default: it is refused.
    ///
    /// To be set before there are clones, which keep what they have.
    #[must_use]
    pub fn with_on_error(self, on_error: OnError) -> Self {
        Self::with(self.shared.wire.link().clone(), self.shared.wire.lease(), on_error)
    }

    /// Returns how many turns this process has in Redis.
    #[must_use]
    pub fn active(&self) -> usize {
        self.shared.table.lock().counts().0
    }

    /// Returns how many wait in Redis for a turn of this process.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.table.lock().counts().1
    }

    fn with(link: RedisLink, lease: Duration, on_error: OnError) -> Self {
        // Whoever has the same number as another process has its turns too: 64 bits of the system's.
        let process = Random::from_system().next();
        Self { shared: Arc::new(Shared::new(Wire::new(link, process, lease), on_error)) }
    }
}

impl SessionStore for RedisSessionStore {
    type Turn = RedisTurn;
    type Place = RedisPlace;

    /// Gives a place, which asks Redis when it is polled first.
    fn ask(&self, ask: &Ask) -> Asked<RedisTurn, RedisPlace> {
        if !self.shared.table.lock().enter(ask.key, ask.max_sessions) {
            return Asked::Refused(Refused::TooManySessions);
        }
        let counted = Counted { shared: Arc::clone(&self.shared), key: ask.key };
        Asked::Waits { place: RedisPlace::new(counted, *ask), ahead: 0 }
    }

    fn id(&self) -> StoreId {
        self.shared.id
    }
}

/// Shows counts alone.
impl fmt::Debug for RedisSessionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (active, waiting) = self.shared.table.lock().counts();
        let mut shown = f.debug_struct("RedisSessionStore");
        shown.field("lease", &self.shared.wire.lease()).field("on_error", &self.shared.on_error);
        shown.field("active", &active).field("waiting", &waiting).finish()
    }
}
