//! What a store is, without any thought of what it costs: for each key a list of units and a row.

use crate::rate_limit::{Limit, MAX_RULES, Rule};

/// In nanoseconds since the epoch.
pub(super) type Instant = u64;

/// A rule's units, or parts of them.
#[derive(Clone, Debug)]
pub(super) enum Units {
    /// When each unit was spent, in order.
    Log { units: usize, period: u64, spent: Vec<Instant> },
    /// A unit is `period` parts, and every nanosecond adds `units`; less than none are owed.
    Bucket { units: i128, period: i128, burst: i128, parts: i128, at: Instant },
}

#[derive(Clone, Debug)]
pub(super) struct Model {
    rules: Vec<Units>,
    /// Who waits, and what it costs.
    pub(super) row: Vec<(usize, [u32; MAX_RULES])>,
    pub(super) paused_until: Instant,
}

impl Units {
    fn new(limit: &Limit) -> Self {
        let (units, period) = (limit.quota().units(), limit.quota().period().as_nanos());
        match limit {
            Limit::SlidingWindow(_) => Self::Log {
                units: units as usize,
                period: u64::try_from(period).unwrap(),
                spent: Vec::new(),
            },
            Limit::Gcra(gcra) => {
                let (period, burst) = (i128::try_from(period).unwrap(), i128::from(gcra.burst()));
                Self::Bucket { units: units.into(), period, burst, parts: burst * period, at: 0 }
            }
        }
    }

    fn pass(&mut self, now: Instant) {
        match self {
            Self::Log { period, spent, .. } => spent.retain(|at| at + *period > now),
            Self::Bucket { units, period, burst, parts, at } => {
                *parts = (*parts + i128::from(now - *at) * *units).min(*burst * *period);
                *at = now;
            }
        }
    }

    /// The first nanosecond from `now` on that admits.
    fn ready(&self, now: Instant, cost: u32) -> Option<Instant> {
        match self {
            _ if cost == 0 => Some(now),
            Self::Log { units, period, spent } => {
                let live = |at: Instant| spent.iter().filter(|it| **it + period > at).count();
                let fits = |at: &Instant| live(*at) + cost as usize <= *units;
                let mut instants: Vec<_> = spent.iter().map(|at| at + period).collect();
                instants.push(now);
                instants.sort_unstable();
                instants.into_iter().filter(|at| *at >= now).find(fits)
            }
            Self::Bucket { burst, .. } if i128::from(cost) > *burst => None,
            Self::Bucket { units, period, parts, .. } => {
                let missing = (i128::from(cost) * period - parts).max(0);
                Some(now + u64::try_from((missing + units - 1) / units).unwrap())
            }
        }
    }

    /// How many can be spent now.
    pub(super) fn left(&self) -> u32 {
        match self {
            Self::Log { units, spent, .. } => u32::try_from(units - spent.len()).unwrap(),
            Self::Bucket { period, parts, .. } => u32::try_from((parts / period).max(0)).unwrap(),
        }
    }

    fn spend(&mut self, now: Instant, cost: u32) {
        match self {
            Self::Log { spent, .. } => {
                let at = spent.last().map_or(now, |last| now.max(*last));
                spent.extend((0..cost).map(|_| at));
            }
            Self::Bucket { period, parts, .. } => *parts -= i128::from(cost) * *period,
        }
    }

    /// Each unit that is not there takes the place of the next that would come back.
    fn debit(&mut self, now: Instant, cost: u32) {
        let there = cost.min(self.left());
        match self {
            Self::Log { period, spent, .. } => {
                let at = spent.last().map_or(now, |last| now.max(*last));
                spent.extend((0..there).map(|_| at));
                for _ in there..cost {
                    match spent.first() {
                        Some(first) if *first <= now => {
                            let again = (*first + *period).max(*spent.last().unwrap());
                            spent.remove(0);
                            spent.push(again);
                        }
                        _ => break,
                    }
                }
            }
            Self::Bucket { period, burst, parts, .. } => {
                *parts = (*parts - i128::from(cost) * *period).max(-*burst * *period);
            }
        }
    }

    fn refund(&mut self, now: Instant, at: Instant, cost: u32) {
        match self {
            Self::Log { period, .. } if at + *period <= now => {}
            Self::Log { spent, .. } => {
                let Some(index) = spent.iter().position(|it| *it >= at) else { return };
                let same = spent[index];
                for _ in 0..cost {
                    if spent.get(index) == Some(&same) {
                        spent.remove(index);
                    }
                }
            }
            Self::Bucket { period, burst, parts, .. } => {
                *parts = (*parts + i128::from(cost) * *period).min(*burst * *period);
            }
        }
    }
}

impl Model {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let rules = rules.iter().map(|rule| Units::new(rule.limit())).collect();
        Self { rules, row: Vec::new(), paused_until: 0 }
    }

    pub(super) fn pass(&mut self, now: Instant) {
        self.rules.iter_mut().for_each(|units| units.pass(now));
    }

    pub(super) fn left(&self, index: usize) -> u32 {
        self.rules[index].left()
    }

    /// When one goes for whom all wait, from `now` on; `None` if never.
    fn ready(&self, now: Instant, costs: &[u32; MAX_RULES]) -> Option<Instant> {
        let mut at = now.max(self.paused_until);
        for (units, cost) in self.rules.iter().zip(costs) {
            at = at.max(units.ready(now, *cost)?);
        }
        Some(at)
    }

    /// When the first goes.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        let (_, costs) = self.row.first()?;
        Some(self.ready(now, costs).unwrap())
    }

    pub(super) fn spend(&mut self, now: Instant, costs: &[u32; MAX_RULES]) {
        for (units, cost) in self.rules.iter_mut().zip(costs) {
            units.spend(now, *cost);
        }
    }

    /// Lets go who may, and returns them.
    pub(super) fn advance(&mut self, now: Instant) -> Vec<usize> {
        self.pass(now);
        let mut gone = Vec::new();
        while self.next(now) == Some(now) {
            let (who, costs) = self.row.remove(0);
            self.spend(now, &costs);
            gone.push(who);
        }
        gone
    }

    /// When one goes who comes now, if nobody comes after; `None` if never.
    pub(super) fn forecast(&self, now: Instant, costs: &[u32; MAX_RULES]) -> Option<Instant> {
        let (mut then, mut at) = (self.clone(), now);
        then.ready(now, costs)?;
        while let Some(next) = then.next(at) {
            at = next;
            then.pass(at);
            let (_, costs) = then.row.remove(0);
            then.spend(at, &costs);
        }
        then.ready(at, costs)
    }

    pub(super) fn debit(&mut self, now: Instant, index: usize, cost: u32) {
        self.rules[index].debit(now, cost);
    }

    pub(super) fn refund(&mut self, now: Instant, at: Instant, index: usize, cost: u32) {
        self.rules[index].refund(now, at, cost);
    }
}
