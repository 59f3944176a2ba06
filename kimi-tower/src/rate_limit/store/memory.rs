use std::{fmt, sync::Arc};

use tokio::time::Instant;

use super::{Ask, Asked, Grant, RateStore, Told, later::Later, shard::Answer, table::Table};
use crate::{
    key::Key,
    rate_limit::{Costs, Levels, Moment, Plans},
};

/// The memory that the states of one plan take at most, by default: 64 MiB, ours.
const MAX_BYTES: usize = 64 << 20;

/// The most keys of a plan, by default: 1 048 576, ours.
const MAX_KEYS: usize = 1 << 20;

/// Keeps the states of all keys in this process. Clones share them.
///
/// A key of which nothing is spent takes no memory: with every fourth decision, and twice with each
/// new key, one state is looked at and given up if it tells no more than a new one. There is no task
/// and no thread beside.
///
/// # Bounds
///
/// There is room for [`with_max_keys`](Self::with_max_keys) keys of each plan, in shards over which
/// keys are spread by chance, so that some are full a little before all. If a new key comes
/// when all of it is taken, the one of the next eight is forgotten of which least is spent, and a
/// key of which half or more is spent, or for which somebody waits, is never forgotten. If there is
/// none among the next 64, the new key is decided on together with all others for which there is no
/// room, as if they were one caller. What these are charged is not given back to them by settlements,
/// since it cannot be told whose it is; and one that finds room later begins anew. A settlement that
/// comes then, or when a key that was forgotten has come again, counts there.
///
/// So a flood of keys that nobody has seen before takes no more memory than that, sets free nobody
/// who is limited, and keeps out nobody else unless as many callers are near their limit as there
/// is room for. What it can win is that a caller who has spent less than half begins anew.
#[derive(Clone)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

struct Shared {
    plans: Plans,
    /// Since when time is counted.
    epoch: Instant,
    /// One for each plan.
    tables: Box<[Table]>,
}

impl MemoryStore {
    /// Creates a store with room for as many keys of each plan as 64 MiB hold, at most 1 048 576.
    #[must_use]
    pub fn new(plans: impl Into<Plans>) -> Self {
        Self::with_keys(plans.into(), None)
    }

    /// Creates a store with room for so many keys of each plan, at least one.
    #[must_use]
    pub fn with_max_keys(plans: impl Into<Plans>, max_keys: usize) -> Self {
        Self::with_keys(plans.into(), Some(max_keys))
    }

    fn with_keys(plans: Plans, max_keys: Option<usize>) -> Self {
        let table = |plan| {
            let fit = || (MAX_BYTES / Table::key_bytes(plan)).min(MAX_KEYS);
            Table::new(plan, max_keys.unwrap_or_else(fit))
        };
        let tables = plans.iter().map(table).collect();
        Self { shared: Arc::new(Shared { plans, epoch: Instant::now(), tables }) }
    }

    /// Returns how many keys have a state, as a gauge would show.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.shared.tables.iter().map(|table| table.len().0).sum()
    }

    /// Returns how many requests wait, as a gauge would show.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.tables.iter().map(|table| table.len().1).sum()
    }

    /// Returns how much a key has left by each rule of a plan.
    #[must_use]
    pub fn levels(&self, key: Key, plan: usize) -> Levels {
        self.table(plan).levels(self.now(), key)
    }

    /// Forgets what a key has spent, and returns it: what is told to another store then.
    #[cfg(feature = "redis")]
    pub(crate) fn take_spent(&self, key: Key, plan: usize) -> Costs {
        self.table(plan).take_spent(self.now(), key)
    }

    #[inline]
    pub(super) fn now(&self) -> Moment {
        Moment::after(self.shared.epoch.elapsed())
    }

    /// Returns when a moment is by tokio's clock.
    pub(super) fn instant(&self, moment: Moment) -> Instant {
        self.shared.epoch + moment.since(Moment::EPOCH)
    }

    #[inline]
    pub(super) fn table(&self, plan: usize) -> &Table {
        &self.shared.tables[self.shared.plans.clamp(plan)]
    }
}

impl RateStore for MemoryStore {
    type Later = Later;

    fn plans(&self) -> &Plans {
        &self.shared.plans
    }

    #[inline]
    fn ask(&self, ask: &Ask) -> Asked<Later> {
        let now = self.now();
        match self.table(ask.plan).ask(now, ask) {
            Answer::Verdict(verdict) => Asked::Now(Ok(verdict)),
            Answer::Wait(waiting) => Asked::Later(Later::new(self.clone(), *ask, now, waiting)),
        }
    }

    fn settle(&self, grant: &Grant, costs: Costs) {
        self.table(grant.plan).settle(self.now(), grant, &costs);
    }

    fn observe(&self, key: Key, plan: usize, told: &Told) {
        self.table(plan).observe(self.now(), key, told);
    }
}

/// Shows no key.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("plans", &self.shared.plans).finish_non_exhaustive()
    }
}
