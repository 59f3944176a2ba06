//! Who goes when: those of a shard who wait for a key, or come when somebody does.

use super::{
    Ask, Patience, Refused, Verdict,
    decide::{self, Said},
    queue::Queue,
    shard::{Answer, Shard, is_held, levels},
    waiting::Woken,
};
use crate::{
    key::Key,
    rate_limit::{Moment, Rule},
};

impl Shard {
    /// Returns whether somebody waits for a key, or has to, after those have gone who may.
    pub(super) fn has_ahead(
        &mut self,
        rules: &[Rule],
        now: Moment,
        key: Key,
        woken: &mut Woken,
    ) -> bool {
        if self.queues.contains_key(&key) {
            self.advance(rules, now, key, woken);
        }
        self.queues.contains_key(&key)
    }

    /// Decides on one who has to wait, if he may.
    pub(super) fn ask_behind(&mut self, rules: &[Rule], now: Moment, ask: &Ask) -> Answer {
        let state = self.states.of(rules, now, ask.key, is_held(&self.queues, now));
        let queue = self.queues.get_mut(&ask.key);
        let waiting = queue.as_ref().map_or(0, |queue| queue.len());
        let (then, at) = queue.map_or((&*state, now), |queue| queue.forecast(rules, state, now));
        let (rule, due) = match decide::peek(rules, then, at, &ask.costs) {
            // Only those ahead, or a pause, stand in the way.
            Said::Admitted => (0, Some(at)),
            Said::Refused(rule, wait) => (rule, wait.map(|wait| at + wait)),
        };
        let may_wait = |patience: Patience, due: Moment| {
            due.since(now) <= patience.max_wait && waiting < patience.max_queue
        };
        match (ask.patience, due) {
            (Some(patience), Some(due)) if may_wait(patience, due) => {
                let queue = self.queues.entry(ask.key).or_default();
                Answer::Wait(queue.push(rules, ask.costs, due))
            }
            _ => {
                let (levels, wait) =
                    (levels(rules, state, now, ask), due.map(|due| due.since(now)));
                Answer::Verdict(Verdict::Refused(Refused::new(rule, wait, levels)))
            }
        }
    }

    /// Tells all who wait for a key and go later than they were told.
    #[cold]
    pub(super) fn put_off(&mut self, rules: &[Rule], now: Moment, key: Key) {
        let state = self.states.of(rules, now, key, is_held(&self.queues, now));
        if let Some(queue) = self.queues.get_mut(&key) {
            queue.forget_forecast();
            queue.forecast(rules, state, now);
        }
    }

    /// Takes notice that the state of a key is not what was forecast.
    pub(super) fn forget_forecast(&mut self, key: Key) {
        if let Some(queue) = self.queues.get_mut(&key) {
            queue.forget_forecast();
        }
    }

    /// Lets everybody go whose turn has come, in order, and tells the next when his will.
    pub(super) fn advance(&mut self, rules: &[Rule], now: Moment, key: Key, woken: &mut Woken) {
        if self.queues.is_empty() {
            return;
        }
        while let Some((costs, paused_until)) = self.queues.get_mut(&key).and_then(Queue::first) {
            let state = self.states.of(rules, now, key, is_held(&self.queues, now));
            let said = if paused_until > now {
                decide::peek(rules, state, now, &costs).after(paused_until.since(now))
            } else {
                decide::decide(rules, state, now, &costs)
            };
            let Some(queue) = self.queues.get_mut(&key) else { return };
            match said {
                Said::Admitted => queue.grant_first(now, woken),
                Said::Refused(_, wait) => {
                    // It costs no more than there can be, or it would not wait.
                    let due = wait.map_or(Moment::LAST, |wait| now + wait);
                    return queue.tell_first(due, woken);
                }
            }
        }
        if self.queues.get(&key).is_some_and(|queue| queue.is_over(now)) {
            self.queues.remove(&key);
        }
    }
}
