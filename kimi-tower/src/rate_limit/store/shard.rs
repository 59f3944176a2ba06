//! A part of the keys, and those who wait for them: pure logic, for who has the lock.

use std::{task::Waker, time::Duration};

use super::{
    Ask, Grant, Refused, Verdict,
    decide::{self, Said},
    queue::Queue,
    states::States,
    waiting::{Look, Turn, Waiting, Woken},
};
use crate::{
    key::{Key, KeyMap},
    rate_limit::{Costs, Levels, Moment, Rule},
};

/// The keys of a shard. See the [module](super) and [`MemoryStore`](super::MemoryStore).
///
/// All functions are told the rules, which are always the same, and the time. Who is to be woken
/// when the lock is open they add to `woken`.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) states: States,
    /// Of keys for which somebody waits or has to.
    pub(super) queues: KeyMap<Queue>,
    /// The latest time that was told: threads read the clock before they have the lock.
    latest: Moment,
    /// When the last pause is over, if there is one.
    pub(super) paused_until: Option<Moment>,
}

/// What is said to one who asks.
#[derive(Debug)]
pub(super) enum Answer {
    Verdict(Verdict),
    /// He has to wait.
    Wait(Waiting),
}

impl Shard {
    pub(super) fn new(rules: &[Rule], max_keys: usize) -> Self {
        Self {
            states: States::new(rules, max_keys),
            queues: KeyMap::default(),
            latest: Moment::EPOCH,
            paused_until: None,
        }
    }

    /// Admits one who asks if nobody waits for any key, and returns when; his levels go to `levels`.
    /// Whatever else is to be said to him [`ask`](Self::ask) says.
    #[inline]
    pub(super) fn admit(
        &mut self,
        rules: &[Rule],
        now: Moment,
        ask: &Ask,
        levels: &mut Levels,
    ) -> Option<Moment> {
        let now = self.not_before(now);
        self.states.sweep(rules, now, is_held(&self.queues, now));
        if !self.queues.is_empty() {
            return None;
        }
        let state = self.states.of(rules, now, ask.key, |_| false);
        if decide::decide(rules, state, now, &ask.costs) != Said::Admitted {
            return None;
        }
        if ask.wants_levels {
            *levels = decide::levels(rules, state, now);
        }
        Some(now)
    }

    /// Decides on one who asks, and may have to wait.
    #[cold]
    pub(super) fn ask(
        &mut self,
        rules: &[Rule],
        now: Moment,
        ask: &Ask,
        woken: &mut Woken,
    ) -> Answer {
        let now = self.not_before(now);
        self.end_pauses(now);
        // S2: whoever asks goes behind those who wait, though it would fit.
        if !self.has_ahead(rules, now, ask.key, woken)
            && let Some(verdict) = self.decide(rules, now, ask)
        {
            return Answer::Verdict(verdict);
        }
        self.ask_behind(rules, now, ask)
    }

    /// Looks whether one who waits has his turn, and if so takes it; else has the waker woken when
    /// he has, or is to look again.
    pub(super) fn poll(
        &mut self,
        rules: &[Rule],
        now: Moment,
        ask: &Ask,
        waiting: &Waiting,
        waker: Waker,
        woken: &mut Woken,
    ) -> Look {
        let now = self.not_before(now);
        // Whoever is here need not be woken.
        waiting.forget_waker(woken);
        self.advance(rules, now, ask.key, woken);
        if waiting.is_due(now) {
            // S3: it is not the first, or would know better. Those ahead go later than was thought.
            self.put_off(rules, now, ask.key);
        }
        waiting.look(waker, woken)
    }

    /// Lets one go who does not wait any longer. What he was granted and has not taken is given
    /// back.
    pub(super) fn leave(
        &mut self,
        rules: &[Rule],
        now: Moment,
        ask: &Ask,
        waiting: &Waiting,
        woken: &mut Woken,
    ) {
        let now = self.not_before(now);
        match waiting.leave(woken) {
            Turn::Granted(at) => {
                self.forget_forecast(ask.key);
                self.states.refund(rules, now, ask.key, at, &ask.costs);
                self.advance(rules, now, ask.key, woken);
            }
            Turn::Waits(..) => {
                let queue = self.queues.get_mut(&ask.key);
                if queue.is_some_and(|queue| queue.leave(waiting.number())) {
                    self.advance(rules, now, ask.key, woken);
                }
            }
            Turn::Over => {}
        }
    }

    /// Corrects what was charged.
    pub(super) fn settle(
        &mut self,
        rules: &[Rule],
        now: Moment,
        grant: &Grant,
        costs: &Costs,
        woken: &mut Woken,
    ) {
        let now = self.not_before(now);
        let (mut less, mut more) = (Costs::default(), Costs::default());
        for index in 0..rules.len() {
            less.0[index] = grant.costs.of(index).saturating_sub(costs.of(index));
            more.0[index] = costs.of(index).saturating_sub(grant.costs.of(index));
        }
        self.forget_forecast(grant.key);
        if more != Costs::default() {
            let state = self.states.of(rules, now, grant.key, is_held(&self.queues, now));
            decide::each(rules, state, |index, rule, words| {
                rule.limit().debit(words, now, more.of(index));
            });
        }
        if less != Costs::default() {
            self.states.refund(rules, now, grant.key, grant.at, &less);
            self.advance(rules, now, grant.key, woken);
        }
    }

    /// Returns how many keys have a state of their own, and how many requests wait.
    pub(super) fn len(&self) -> (usize, usize) {
        (self.states.len(), self.queues.values().map(Queue::len).sum())
    }

    /// Returns how much a key has left.
    pub(super) fn levels(&mut self, rules: &[Rule], now: Moment, key: Key) -> Levels {
        let now = self.not_before(now);
        self.states.levels(rules, now, key)
    }

    /// Forgets what a key has spent, and returns it.
    #[cfg(feature = "redis")]
    pub(super) fn take_spent(&mut self, rules: &[Rule], now: Moment, key: Key) -> Costs {
        let now = self.not_before(now);
        self.forget_forecast(key);
        self.states.take_spent(rules, now, key)
    }

    /// Decides on one for whose key nobody waits, unless he has to wait.
    #[inline]
    fn decide(&mut self, rules: &[Rule], now: Moment, ask: &Ask) -> Option<Verdict> {
        let state = self.states.of(rules, now, ask.key, is_held(&self.queues, now));
        match decide::decide(rules, state, now, &ask.costs) {
            Said::Refused(_, Some(_)) if ask.patience.is_some() => None,
            Said::Admitted => {
                let levels = levels(rules, state, now, ask);
                Some(Verdict::Admitted(Grant::new(ask, now, Duration::ZERO, levels)))
            }
            Said::Refused(rule, wait) => {
                let levels = levels(rules, state, now, ask);
                Some(Verdict::Refused(Refused::new(rule, wait, levels)))
            }
        }
    }

    #[inline]
    pub(super) fn not_before(&mut self, now: Moment) -> Moment {
        self.latest = self.latest.max(now);
        self.latest
    }
}

/// Tells whether somebody waits for a key, or has to.
#[inline]
pub(super) fn is_held(queues: &KeyMap<Queue>, now: Moment) -> impl Fn(Key) -> bool + Copy {
    move |key| !queues.is_empty() && queues.get(&key).is_some_and(|queue| !queue.is_over(now))
}

#[inline]
pub(super) fn levels(rules: &[Rule], state: &[u64], now: Moment, ask: &Ask) -> Levels {
    if ask.wants_levels { decide::levels(rules, state, now) } else { Levels::NONE }
}
