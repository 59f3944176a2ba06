//! What upstreams say of the limits that keys have there.

use super::{
    Told, decide,
    queue::Queue,
    shard::{Shard, is_held},
};
use crate::{
    key::Key,
    rate_limit::{Moment, Rule, Unit},
};

/// The most keys of a shard that are paused while nobody waits: 64, ours, so that strangers' answers
/// take no memory without bound. A pause past it is not taken notice of.
const MAX_PAUSED: usize = 64;

impl Shard {
    /// Takes notice of what an upstream says of a key's limits there.
    pub(super) fn observe(&mut self, rules: &[Rule], now: Moment, key: Key, told: &Told) {
        let now = self.not_before(now);
        let left = |rule: &Rule| match rule.unit() {
            Unit::Requests => told.requests,
            Unit::Tokens => told.tokens,
        };
        if rules.iter().any(|rule| left(rule).is_some()) {
            self.forget_forecast(key);
            let state = self.states.of(rules, now, key, is_held(&self.queues, now));
            decide::each(rules, state, |_, rule, words| {
                // It is not said of which period; the shortest is the first to be used up.
                let same = rules.iter().filter(|other| other.unit() == rule.unit());
                let shortest = same.map(|other| other.limit().quota().period()).min();
                let left = left(rule).filter(|_| Some(rule.limit().quota().period()) == shortest);
                let level = rule.limit().level(words, now);
                let over = left.map_or(0, |left| level.remaining().saturating_sub(left));
                rule.limit().debit(words, now, over);
            });
        }
        let Some(pause) = told.pause else { return };
        let is_idle = |queue: &&Queue| queue.len() == 0;
        if self.queues.values().filter(is_idle).count() >= MAX_PAUSED {
            self.queues.retain(|_, queue| !queue.is_over(now));
        }
        let has_room = self.queues.values().filter(is_idle).count() < MAX_PAUSED;
        if has_room || self.queues.contains_key(&key) {
            let until = now + pause;
            self.queues.entry(key).or_default().pause(until);
            self.paused_until = self.paused_until.max(Some(until));
        }
    }

    /// Forgets the pauses of keys that nobody asks for any more, when the last is over: while there
    /// is one, all who ask are decided at length.
    pub(super) fn end_pauses(&mut self, now: Moment) {
        if self.paused_until.is_some_and(|until| until <= now) {
            self.paused_until = None;
            self.queues.retain(|_, queue| !queue.is_over(now));
        }
    }
}
