//! The sessions of one process: who has the turn in each, and who waits for it.

mod answer;
mod holder;
mod line;
#[cfg(all(test, loom))]
mod loom_tests;
mod place;
mod sessions;
#[cfg(all(test, not(loom)))]
mod tests;
mod turn;

use std::{fmt, task::Waker};

use tokio::time::Instant;

use self::{
    answer::{Answer, Asking, Freed},
    holder::Patience,
    sessions::Sessions,
};
pub(super) use self::{
    place::{Place, Waited},
    turn::Turn,
};
use super::{
    gauges::{Gauges, Times},
    notice::Notice,
    store::{Ask, Refused},
};
use crate::{
    key::Key,
    sync::{
        Arc, Lock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

/// 16, ours: as many threads that ask at the same time seldom meet.
const SHARDS: usize = if cfg!(all(test, loom)) { 2 } else { 16 };

/// The sessions of all shards.
pub(super) struct Registry {
    /// Each lock protects the sessions of a shard. Inside it [`EndTurn::idle_since`] is called,
    /// which takes a body's own lock, which takes none. No waker is cloned, woken or dropped inside
    /// it, and no body dropped, since that runs the code of others.
    ///
    /// [`EndTurn::idle_since`]: super::EndTurn::idle_since
    shards: [Lock<Shard>; SHARDS],
    /// How many sessions there are. Only changed while a shard is locked in which one comes or goes.
    active: AtomicUsize,
}

#[derive(Default)]
struct Shard {
    sessions: Sessions,
    times: Times,
}

/// What becomes of one that asks.
#[derive(Debug)]
pub(super) enum Asked {
    Granted(Turn),
    Waits { place: Place, ahead: usize },
    Refused(Refused),
}

impl Registry {
    pub(super) fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| Lock::new(Shard::default())),
            active: AtomicUsize::new(0),
        }
    }

    #[inline]
    pub(super) fn ask(this: &Arc<Self>, ask: &Ask, now: Instant) -> Asked {
        let key = ask.key;
        let asking = Asking { max_waiting: ask.max_waiting, supersedes: ask.supersedes, now };
        let counts = || this.counts_one_more(ask.max_sessions);
        let answer = this.shard(key).lock().sessions.ask(key, asking, counts);
        match answer {
            Answer::Granted(turn) => Asked::Granted(Turn::new(Arc::clone(this), key, turn)),
            Answer::Waits { place, ahead, superseded, notice } => {
                let patience = Patience::new(ask.max_hold, ask.max_idle);
                let place = Place::new(Arc::clone(this), key, place, patience, now);
                notice.into_iter().for_each(Notice::tell);
                superseded.into_iter().for_each(Waker::wake);
                Asked::Waits { place, ahead }
            }
            Answer::Full => Asked::Refused(Refused::Busy),
            Answer::TooMany => Asked::Refused(Refused::TooManySessions),
        }
    }

    pub(super) fn gauges(&self) -> Gauges {
        let mut gauges = Gauges::default();
        for shard in &self.shards {
            let shard = shard.lock();
            gauges.add(shard.sessions.len(), shard.sessions.waiting(), &shard.times);
        }
        gauges
    }

    /// Nothing depends on what else other threads see of it, so that no order is asked for.
    #[inline]
    fn counts_one_more(&self, max: usize) -> bool {
        let one_more = |active| (active < max).then_some(active + 1);
        self.active.fetch_update(Relaxed, Relaxed, one_more).is_ok()
    }

    #[inline]
    fn release(&self, key: Key, turn: u64, now: Instant) {
        let mut shard = self.shard(key).lock();
        let freed = shard.sessions.release(key, turn, now);
        self.settle(&mut shard.times, &freed);
        drop(shard);
        freed.wake();
    }

    #[inline]
    fn settle(&self, times: &mut Times, freed: &Freed) {
        if let Some(held) = freed.held {
            times.held.record(held);
        }
        if freed.is_over {
            self.active.fetch_sub(1, Relaxed);
        }
    }

    #[inline]
    fn shard(&self, key: Key) -> &Lock<Shard> {
        // The bits that count are there in a word of any size.
        #[expect(clippy::cast_possible_truncation, reason = "only the lowest bits count")]
        let bits = key.0[1] as usize;
        &self.shards[bits % SHARDS]
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.gauges().fmt(f)
    }
}
