//! The states of a shard's keys, as many as there is room for, and the one that the others share.

use super::{decide, slab::Slab};
use crate::{
    key::Key,
    rate_limit::{Costs, Levels, Moment, Rule},
};

/// Half of what there can be, in the parts in which [`decide::least_left`] counts.
const HALF: u64 = 128;

/// With every fourth decision, and twice with each new key, a state is looked at whether it can be
/// given up. Ours: so no more come than can go, and a decision costs little more.
const DECISIONS_A_LOOK: u32 = 4;
const LOOKS_A_KEY: u32 = 2;

/// The states of a shard's keys.
///
/// Those for which somebody waits, or has to, are told by `is_held`, and stay.
#[derive(Debug)]
pub(super) struct States {
    slab: Slab,
    /// What the keys share for which there is no room.
    crowd: Option<Box<[u64]>>,
    decisions: u32,
}

impl States {
    pub(super) fn new(rules: &[Rule], max_keys: usize) -> Self {
        Self { slab: Slab::new(decide::words(rules), max_keys), crowd: None, decisions: 0 }
    }

    /// Returns how many keys have a state of their own.
    pub(super) const fn len(&self) -> usize {
        self.slab.len()
    }

    /// Returns the state of a key, made if need be; that of the crowd if there is no room.
    #[inline]
    pub(super) fn of(
        &mut self,
        rules: &[Rule],
        now: Moment,
        key: Key,
        is_held: impl Fn(Key) -> bool + Copy,
    ) -> &mut [u64] {
        match self.slab.find(key) {
            Some(slot) => self.slab.state(slot),
            None => self.make(rules, now, key, is_held),
        }
    }

    /// Returns how much a key has left, or would have.
    pub(super) fn levels(&mut self, rules: &[Rule], now: Moment, key: Key) -> Levels {
        let state: &[u64] = match (self.slab.find(key), &self.crowd) {
            (Some(slot), _) => self.slab.state(slot),
            (None, Some(crowd)) if self.slab.is_full() => crowd,
            (None, _) => return decide::whole(rules),
        };
        decide::levels(rules, state, now)
    }

    /// Gives back what a key was charged at `at`, if it has a state of its own: one that has none
    /// any more has got back everything, and of the crowd's nobody knows whose it is.
    pub(super) fn refund(
        &mut self,
        rules: &[Rule],
        now: Moment,
        key: Key,
        at: Moment,
        costs: &Costs,
    ) {
        let Some(slot) = self.slab.find(key) else { return };
        decide::each(rules, self.slab.state(slot), |index, rule, words| {
            rule.limit().refund(words, now, at, costs.of(index));
        });
    }

    /// Forgets what a key has spent, and returns it; nothing if it has no state of its own.
    #[cfg(feature = "redis")]
    pub(super) fn take_spent(&mut self, rules: &[Rule], now: Moment, key: Key) -> Costs {
        let mut spent = Costs::default();
        let Some(slot) = self.slab.find(key) else { return spent };
        decide::each(rules, self.slab.state(slot), |index, rule, words| {
            let left = rule.limit().level(words, now).remaining();
            spent.0[index] = rule.limit().capacity().saturating_sub(left);
            words.fill(0);
        });
        spent
    }

    /// Gives up the next state if nothing of it is spent, every few times that it is called.
    #[inline]
    pub(super) fn sweep(&mut self, rules: &[Rule], now: Moment, is_held: impl Fn(Key) -> bool) {
        self.decisions = self.decisions.wrapping_add(1);
        if self.decisions.is_multiple_of(DECISIONS_A_LOOK) {
            self.look(rules, now, is_held);
        }
    }

    /// Makes a state for a key that has none.
    #[inline(never)]
    fn make(
        &mut self,
        rules: &[Rule],
        now: Moment,
        key: Key,
        is_held: impl Fn(Key) -> bool + Copy,
    ) -> &mut [u64] {
        for _ in 0..LOOKS_A_KEY {
            self.look(rules, now, is_held);
        }
        if self.slab.is_full() && !self.evict(rules, now, is_held) {
            let words = decide::words(rules);
            return self.crowd.get_or_insert_with(|| vec![0; words].into());
        }
        let slot = self.slab.insert(key);
        self.slab.state(slot)
    }

    fn look(&mut self, rules: &[Rule], now: Moment, is_held: impl Fn(Key) -> bool) {
        self.slab.sweep(|key, state| decide::is_whole(rules, state, now) && !is_held(key));
    }

    /// Gives up one of a few states, that of which least is spent, if that is less than half.
    #[cold]
    fn evict(&mut self, rules: &[Rule], now: Moment, is_held: impl Fn(Key) -> bool) -> bool {
        self.slab.evict(|key, state| {
            // S5: one of which half or more is spent stays, and one for whom somebody waits.
            let left = decide::least_left(rules, state, now);
            (left > HALF && !is_held(key)).then_some(left)
        })
    }
}
