//! Permits that a replica has taken, and decides on by itself.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::Instant};

use crate::{
    key::Key,
    rate_limit::{Costs, Levels, store::Refused},
    sync::Lock,
};

/// How long a lease lives: this part of the shortest period, and 1 s at most. Ours: permits come
/// back later by that, which is what a lease costs.
const PART_OF_PERIOD: u32 = 100;
const LONGEST: Duration = Duration::from_secs(1);

/// How long what is taken of a limit may be used.
pub(super) fn lease_of(shortest_period: Duration) -> Duration {
    (shortest_period / PART_OF_PERIOD).min(LONGEST)
}

/// The leases of a replica.
#[derive(Debug, Default)]
pub(super) struct Leases {
    /// Inside it the lease of a slot is locked.
    slots: Lock<HashMap<(Key, usize), Arc<Slot>>>,
}

/// The lease of one key.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// Who has it asks Redis; the others wait for what he gets.
    pub(super) refill: Mutex<()>,
    /// Inside it nothing is locked.
    lease: Lock<Lease>,
}

#[derive(Clone, Debug, Default)]
struct Lease {
    rest: Rest,
    /// By when it is to be used.
    until: Option<Instant>,
    levels: Levels,
    refused: Option<Refusal>,
}

/// What was refused last: who asks for as much is refused, too.
#[derive(Clone, Debug)]
struct Refusal {
    costs: Costs,
    said: Refused,
    /// The first instant that admits, if there is one.
    first: Option<Instant>,
    /// When Redis is to be asked again: something may have been given back.
    again: Instant,
}

/// What a lease says.
#[derive(Debug)]
pub(super) enum Found {
    /// It was enough. When it was charged.
    Taken(u64, Levels),
    Refused(Refused),
    Nothing,
}

/// What is left of a lease.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rest {
    pub(super) left: Costs,
    /// When it was charged, in the server's microseconds.
    pub(super) at: u64,
    /// What else was told of the states when it was.
    pub(super) states: Vec<u64>,
}

impl Leases {
    pub(super) fn slot(&self, key: Key, plan: usize) -> Arc<Slot> {
        Arc::clone(self.slots.lock().entry((key, plan)).or_default())
    }

    /// Spends from the lease of a key, if there is one.
    pub(super) fn take(&self, key: Key, plan: usize, costs: Costs, now: Instant) -> Found {
        self.slots.lock().get(&(key, plan)).map_or(Found::Nothing, |slot| slot.take(costs, now))
    }

    /// Ends what is over of a key. Returns what nobody has used. Whoever has had a slot calls this
    /// when he has let go of it, and the end of each lease does.
    pub(super) fn end(&self, key: Key, plan: usize, now: Instant) -> Option<Rest> {
        let mut slots = self.slots.lock();
        let slot = slots.get(&(key, plan))?;
        let rest = slot.lease.lock().end(now);
        // Whoever has it asks Redis, and would put his lease where nobody looks.
        if Arc::strong_count(slot) == 1 && slot.lease.lock().is_over(now) {
            slots.remove(&(key, plan));
        }
        rest
    }
}

impl Slot {
    pub(super) fn take(&self, costs: Costs, now: Instant) -> Found {
        let mut lease = self.lease.lock();
        if lease.until.is_some_and(|until| now < until) {
            let (left, mut fits) = (lease.rest.left, true);
            let rest = Costs::each(|index| {
                let rest = left.of(index).checked_sub(costs.of(index));
                fits &= rest.is_some();
                rest.unwrap_or(0)
            });
            if fits {
                lease.rest.left = rest;
                return Found::Taken(lease.rest.at, lease.levels.clone());
            }
        }
        match &lease.refused {
            Some(refusal) if now < refusal.again && is_as_much(costs, refusal.costs) => {
                let mut refused = refusal.said.clone();
                // It was said a while ago how long it takes.
                refused.wait = refusal.first.map(|first| first.saturating_duration_since(now));
                Found::Refused(refused)
            }
            _ => Found::Nothing,
        }
    }

    /// Takes over a new lease. Returns what was left of the old.
    pub(super) fn renew(&self, rest: Rest, until: Instant, levels: Levels) -> Option<Rest> {
        let new = Lease { rest, until: Some(until), levels, refused: None };
        let old = std::mem::replace(&mut *self.lease.lock(), new).rest;
        (old.left != Costs::default()).then_some(old)
    }

    /// Remembers a refusal until then: so long Redis is not asked, and who comes again is refused.
    pub(super) fn refuse(&self, costs: Costs, said: &Refused, now: Instant, again: Instant) {
        let first = said.wait.map(|wait| now + wait);
        self.lease.lock().refused = Some(Refusal { costs, said: said.clone(), first, again });
    }
}

impl Lease {
    fn is_over(&self, now: Instant) -> bool {
        let is_told = self.refused.as_ref().is_some_and(|refusal| now < refusal.again);
        !is_told && self.until.is_none_or(|until| until <= now)
    }

    fn end(&mut self, now: Instant) -> Option<Rest> {
        if self.until.is_none_or(|until| now < until) {
            return None;
        }
        self.until = None;
        let rest = std::mem::take(&mut self.rest);
        (rest.left != Costs::default()).then_some(rest)
    }
}

/// Returns whether it costs as much by each rule.
fn is_as_much(costs: Costs, least: Costs) -> bool {
    (0..crate::rate_limit::MAX_RULES).all(|index| costs.of(index) >= least.of(index))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::key::KeyHasher;

    #[test]
    fn a_slot_that_is_over_is_gone_once_nobody_has_it() {
        let (leases, key) = (Leases::default(), KeyHasher::with_secret(&[7; 16]).key(&[b"caller"]));
        let (now, costs) = (Instant::now(), Costs::each(|_| 1));
        let slot = leases.slot(key, 0);
        let rest = Rest { left: costs, at: 5, states: vec![7] };
        slot.renew(rest.clone(), now + Duration::from_secs(1), Levels::default());
        let end = now + Duration::from_secs(1);
        assert!(matches!(leases.take(key, 0, Costs::default(), now), Found::Taken(5, _)));
        // What is left is told once, also if somebody has the slot.
        assert_eq!(leases.end(key, 0, now), None);
        assert_eq!(leases.end(key, 0, end), Some(rest));
        assert_eq!(leases.end(key, 0, end), None);
        assert_eq!(leases.slots.lock().len(), 1);
        drop(slot);
        assert_eq!(leases.end(key, 0, end), None);
        assert!(leases.slots.lock().is_empty());
        // One that never had a lease, too.
        drop(leases.slot(key, 1));
        assert_eq!(leases.end(key, 1, now), None);
        assert!(leases.slots.lock().is_empty());
    }
}
