//! The states of one plan: shards, each under its own lock.

use std::{task::Waker, time::Duration};

use super::{
    Ask, Grant, Told, Verdict,
    decide::words,
    shard::{Answer, Shard},
    waiting::{Look, Waiting, Woken},
};
use crate::{
    key::Key,
    rate_limit::{Costs, Levels, Moment, Plan, Rule},
    sync::Lock,
};

/// How many keys a shard has at most, if there are several: 8 192, or as many as 512 KiB hold if
/// those are fewer. Ours, so that whoever makes one grow moves no more than these at a time.
const SHARD_KEYS: usize = 8192;
const SHARD_BYTES: usize = 512 << 10;

/// How many keys a shard has at least, however long their states: 64, ours, so that chance spreads
/// keys over shards evenly enough.
const MIN_SHARD_KEYS: usize = 64;

/// How many shards there are at least, if there are keys enough for so many: 16, ours, so that threads
/// seldom meet.
const MIN_SHARDS: usize = 16;

/// The states of one plan.
///
/// All functions take the time, lock one shard, and wake whoever is to be woken when it is open.
#[derive(Debug)]
pub(super) struct Table {
    rules: Vec<Rule>,
    /// A power of two of them. A lock protects its shard alone; the locks of places are locked
    /// inside it, and nothing else.
    shards: Box<[Lock<Shard>]>,
}

impl Table {
    pub(super) fn new(plan: &Plan, max_keys: usize) -> Self {
        let fit = (SHARD_BYTES / slot_bytes(plan)).clamp(MIN_SHARD_KEYS, SHARD_KEYS);
        let most = (max_keys / MIN_SHARD_KEYS).max(1);
        let wanted = max_keys.div_ceil(fit).max(MIN_SHARDS).next_power_of_two();
        // The greatest power of two that leaves each enough.
        let count = wanted.min(1 << most.ilog2());
        let shard = |_| Lock::new(Shard::new(plan.rules(), (max_keys / count).max(1)));
        Self { rules: plan.rules().to_vec(), shards: (0..count).map(shard).collect() }
    }

    /// Returns how many bytes a key takes, about: its slot and a share of its index.
    pub(super) fn key_bytes(plan: &Plan) -> usize {
        // Up to a quarter of the slots is idle; a number of 4 bytes and a control byte are in an
        // index that is filled to 7/16 at least.
        slot_bytes(plan) * 5 / 4 + 12
    }

    pub(super) fn len(&self) -> (usize, usize) {
        let lens = self.shards.iter().map(|shard| shard.lock().len());
        lens.fold((0, 0), |sum, len| (sum.0 + len.0, sum.1 + len.1))
    }

    #[inline]
    pub(super) fn ask(&self, now: Moment, ask: &Ask) -> Answer {
        // What is said to most is said in few words, of which the verdict is made once.
        let mut levels = Levels::NONE;
        let admitted = self.shard(ask.key).lock().admit(&self.rules, now, ask, &mut levels);
        match admitted {
            Some(at) => {
                let grant = Grant::new(ask, at, Duration::ZERO, levels);
                Answer::Verdict(Verdict::Admitted(grant))
            }
            None => self.ask_at_length(now, ask),
        }
    }

    #[cold]
    fn ask_at_length(&self, now: Moment, ask: &Ask) -> Answer {
        self.with(ask.key, |shard, woken| shard.ask(&self.rules, now, ask, woken))
    }

    pub(super) fn poll(&self, now: Moment, ask: &Ask, waiting: &Waiting, waker: Waker) -> Look {
        self.with(ask.key, |shard, woken| shard.poll(&self.rules, now, ask, waiting, waker, woken))
    }

    pub(super) fn leave(&self, now: Moment, ask: &Ask, waiting: &Waiting) {
        self.with(ask.key, |shard, woken| shard.leave(&self.rules, now, ask, waiting, woken));
    }

    pub(super) fn settle(&self, now: Moment, grant: &Grant, costs: &Costs) {
        self.with(grant.key, |shard, woken| shard.settle(&self.rules, now, grant, costs, woken));
    }

    pub(super) fn observe(&self, now: Moment, key: Key, told: &Told) {
        self.shard(key).lock().observe(&self.rules, now, key, told);
    }

    #[cfg(feature = "redis")]
    pub(super) fn take_spent(&self, now: Moment, key: Key) -> Costs {
        self.shard(key).lock().take_spent(&self.rules, now, key)
    }

    pub(super) fn levels(&self, now: Moment, key: Key) -> Levels {
        self.shard(key).lock().levels(&self.rules, now, key)
    }

    #[inline]
    fn with<T>(&self, key: Key, work: impl FnOnce(&mut Shard, &mut Woken) -> T) -> T {
        let mut woken = Woken::default();
        let done = work(&mut self.shard(key).lock(), &mut woken);
        // The lock is open again.
        woken.wake();
        done
    }

    #[inline]
    fn shard(&self, key: Key) -> &Lock<Shard> {
        // One half of a key tells its shard, the other its slot there.
        #[expect(clippy::cast_possible_truncation, reason = "the low bits are all that count")]
        let shard = key.0[1] as usize & (self.shards.len() - 1);
        &self.shards[shard]
    }
}

/// A key and its words.
fn slot_bytes(plan: &Plan) -> usize {
    16 + 8 * words(plan.rules())
}
