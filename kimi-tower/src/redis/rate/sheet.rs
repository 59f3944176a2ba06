//! The arguments of the scripts.

use std::time::Duration;

use super::{
    said::Said,
    wire::{Wire, micros},
};
use crate::rate_limit::{Costs, Level, Levels, Plan, Unit, store::Told};

/// The rules of a plan in the server's units.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    rules: Box<[(Wire, Unit)]>,
    /// The shortest period.
    shortest: Duration,
}

/// `full`, `born` and `back` of what is no lease.
const NO_LEASE: [&str; 3] = ["-1", "0", "0"];

/// What is corrected.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Charge<'a> {
    /// When it was charged.
    pub(super) at: u64,
    /// Its place in the queue.
    pub(super) place: Option<u64>,
    /// The states that were told when it was leased.
    pub(super) lease: Option<&'a [u64]>,
}

/// How one asks, beside what it costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// How long one waits, and how many do at most.
    pub(super) patience: Option<(Duration, usize)>,
    /// As many times the cost are taken as there are, at most so many.
    pub(super) batch: u32,
    /// How long what is taken may be used.
    pub(super) lease: Duration,
}

impl Sheet {
    pub(super) fn new(plan: &Plan) -> Self {
        let rules = plan.rules().iter().map(|rule| (Wire::new(rule), rule.unit())).collect();
        let periods = plan.rules().iter().map(|rule| rule.limit().quota().period());
        Self { rules, shortest: periods.min().unwrap_or(Duration::MAX) }
    }

    pub(super) const fn shortest(&self) -> Duration {
        self.shortest
    }

    /// Returns how many rules there are that have a window of their own in Redis.
    pub(super) fn rules(&self) -> usize {
        self.rules.len()
    }

    /// Returns in which time so many times the costs come back by each rule, as far as that is known.
    pub(super) fn filling(&self, costs: Costs, times: u32) -> Duration {
        let rules = self.rules.iter().enumerate();
        let units = |index| costs.of(index).saturating_mul(times);
        rules
            .filter_map(|(index, (wire, _))| wire.filling(units(index)))
            .min()
            .unwrap_or(Duration::MAX)
    }

    /// Returns the arguments of `ask.lua`.
    pub(super) fn ask(
        &self,
        manner: &Manner,
        place: u64,
        costs: Costs,
        debts: Costs,
    ) -> Vec<String> {
        let (wait, queue) = match manner.patience {
            Some((wait, queue)) => (micros(wait).to_string(), (queue as u64).min(1 << 52)),
            None => ("-1".to_owned(), 0),
        };
        let mut args = vec![self.rules.len().to_string(), wait, queue.to_string()];
        args.extend([manner.batch.to_string(), micros(manner.lease).to_string()]);
        args.push(format!("{place:x}"));
        for (index, (wire, _)) in self.rules.iter().enumerate() {
            wire.write(&mut args, [wire.amount(costs.of(index)), wire.amount(debts.of(index))]);
        }
        args
    }

    /// Returns the arguments of `settle.lua`.
    pub(super) fn settle(&self, charge: &Charge<'_>, less: Costs, more: Costs) -> Vec<String> {
        let Charge { at, place, lease } = *charge;
        let place = place.map_or(String::new(), |place| format!("{place:x}"));
        let mut args = vec![self.rules.len().to_string(), at.to_string(), place, "0".to_owned()];
        for (index, (wire, _)) in self.rules.iter().enumerate() {
            wire.write(&mut args, [wire.amount(less.of(index)), wire.amount(more.of(index))]);
            args.extend(["-1".to_owned(), "0".to_owned()]);
            match lease {
                None => args.extend(NO_LEASE.map(str::to_owned)),
                Some(states) => {
                    let state = |at: usize| states.get(at).copied().unwrap_or(0).to_string();
                    let (full, born) = (2 * index, 2 * (self.rules.len() + index));
                    args.extend([state(full), state(born), state(born + 1)]);
                }
            }
        }
        args
    }

    /// Returns the arguments of `settle.lua` for what an upstream says.
    pub(super) fn observe(&self, plan: &Plan, told: &Told) -> Vec<String> {
        let pause = micros(told.pause.unwrap_or_default()).to_string();
        let mut args = vec![self.rules.len().to_string(), "0".to_owned(), String::new(), pause];
        for ((wire, unit), rule) in self.rules.iter().zip(plan.rules()) {
            // It is not said of which period; the shortest is the first to be used up.
            let same = plan.rules().iter().filter(|other| other.unit() == *unit);
            let shortest = same.map(|other| other.limit().quota().period()).min();
            let left = match unit {
                Unit::Requests => told.requests,
                Unit::Tokens => told.tokens,
            };
            let left = left.filter(|_| Some(rule.limit().quota().period()) == shortest);
            wire.write(&mut args, [(0, 0), (0, 0)]);
            let (left, rest) = match left.map(|left| wire.most_left(left)) {
                Some((left, rest)) => (left.to_string(), rest),
                None => ("-1".to_owned(), 0),
            };
            args.extend([left, rest.to_string()]);
            args.extend(NO_LEASE.map(str::to_owned));
        }
        args
    }

    /// Returns how much of each rule is left by an answer.
    pub(super) fn levels(&self, said: &Said) -> Levels {
        let level = |((wire, _), state): (&(Wire, Unit), &[u64])| match *state {
            [first, second] => wire.level(said.now, first, second),
            _ => Level::new(0, Duration::MAX),
        };
        self.rules.iter().zip(said.states.chunks(2)).map(level).collect()
    }
}
