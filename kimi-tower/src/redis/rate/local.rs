//! A replica's share of the limits, while Redis does not answer.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{
    key::Key,
    rate_limit::{
        Costs, Gcra, Levels, Limit, Moment, Plan, Plans, Quota, Rule, SlidingWindow, Unit,
        store::{Ask, Grant, MemoryStore, RateStore as _},
    },
    sync::{Lock, atomic::AtomicBool},
};

/// How many keys are remembered that were decided on here, at most: 65 536, ours, 2 MiB. What others
/// have spent here is not told to Redis when it is back.
const MAX_TOUCHED: usize = 1 << 16;

/// The in-memory engine with a replica's share. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Local {
    memory: MemoryStore,
    touched: Arc<Touched>,
}

/// Which keys have spent here what Redis does not know of.
#[derive(Debug, Default)]
struct Touched {
    /// Whether there are any; written under the lock.
    any: AtomicBool,
    /// Nothing is locked inside it.
    keys: Lock<HashMap<(Key, usize), Debt>>,
}

#[derive(Debug, Default)]
struct Debt {
    /// Whoever has it tells Redis. Whoever asks for the key waits for it, so that nobody is admitted
    /// what Redis holds to be there before it is told.
    teller: Arc<Mutex<()>>,
    /// Something has been spent since it was last taken.
    is_more: bool,
}

/// What a key has spent here, about to be told. Dropped before it is, it is spent here as before.
#[derive(Debug)]
pub(super) struct Telling {
    local: Local,
    pub(super) key: Key,
    pub(super) plan: usize,
    pub(super) spent: Costs,
    _teller: OwnedMutexGuard<()>,
}

impl Telling {
    /// Redis knows.
    pub(super) fn told(mut self) {
        self.spent = Costs::default();
        self.local.forget(self.key, self.plan);
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        // Whoever tells them when Redis is up goes on until there is no debt.
        let _ = self.local.spend(self.key, self.plan, self.spent);
    }
}

impl Local {
    pub(super) fn new(plans: &Plans, replicas: NonZeroU32) -> Self {
        let shares = plans.iter().map(|plan| share_of_plan(plan, replicas.get()));
        // There is a plan, since there is one of which it is a share.
        let shares = Plans::new(shares).unwrap_or_else(|| plans.clone());
        Self { memory: MemoryStore::new(shares), touched: Arc::default() }
    }

    pub(super) const fn memory(&self) -> &MemoryStore {
        &self.memory
    }

    /// Returns what is asked for here: what costs more than a share takes all of it.
    pub(super) fn share_of(&self, ask: &Ask) -> Ask {
        let rules = self.memory.plans().get(ask.plan).rules();
        let most = |index: usize| rules.get(index).map_or(0, |rule| rule.limit().capacity());
        let costs = Costs::each(|index| ask.costs.of(index).min(most(index)));
        Ask { costs, ..*ask }
    }

    /// Remembers that a key has spent here. Returns whether there was none.
    pub(super) fn touch(&self, key: Key, plan: usize) -> bool {
        let mut keys = self.touched.keys.lock();
        if keys.len() < MAX_TOUCHED || keys.contains_key(&(key, plan)) {
            keys.entry((key, plan)).or_default().is_more = true;
        }
        !self.touched.any.swap(true, Relaxed)
    }

    /// Returns what a key has spent here that Redis does not know of, when nobody else is about to tell
    /// it; `None` if that is nothing.
    pub(super) async fn tell(&self, key: Key, plan: usize) -> Option<Telling> {
        if !self.touched.any.load(Relaxed) {
            return None;
        }
        loop {
            let teller = Arc::clone(&self.touched.keys.lock().get(&(key, plan))?.teller);
            let _teller = Arc::clone(&teller).lock_owned().await;
            match self.touched.keys.lock().get_mut(&(key, plan))? {
                debt if Arc::ptr_eq(&debt.teller, &teller) => debt.is_more = false,
                // It was told, and there is another since.
                _ => continue,
            }
            let spent = self.memory.take_spent(key, plan);
            if spent != Costs::default() {
                return Some(Telling { local: self.clone(), key, plan, spent, _teller });
            }
            self.forget(key, plan);
            return None;
        }
    }

    /// As [`tell`](Self::tell), of any key; `None` if Redis knows all.
    pub(super) async fn tell_any(&self) -> Option<Telling> {
        loop {
            let (key, plan) = {
                let keys = self.touched.keys.lock();
                let Some(first) = keys.keys().next() else {
                    self.touched.any.store(false, Relaxed);
                    return None;
                };
                *first
            };
            if let Some(telling) = self.tell(key, plan).await {
                return Some(telling);
            }
        }
    }

    fn forget(&self, key: Key, plan: usize) {
        let mut keys = self.touched.keys.lock();
        if keys.get(&(key, plan)).is_some_and(|debt| !debt.is_more) {
            keys.remove(&(key, plan));
        }
    }

    /// Spends what Redis was not told after all. Returns as [`touch`](Self::touch).
    pub(super) fn spend(&self, key: Key, plan: usize, costs: Costs) -> bool {
        if costs == Costs::default() {
            return false;
        }
        let nothing = Ask::new(key, plan, Costs::default());
        let grant =
            Grant::new(&nothing, Moment::EPOCH, std::time::Duration::ZERO, Levels::default());
        self.memory.settle(&grant, costs);
        self.touch(key, plan)
    }
}

fn share_of_plan(plan: &Plan, replicas: u32) -> Plan {
    plan.rules().iter().fold(Plan::unlimited(), |share, rule| {
        let limit = share_of_limit(*rule.limit(), replicas);
        let named = match rule.unit() {
            Unit::Requests => Rule::requests(limit),
            Unit::Tokens => Rule::tokens(limit),
        };
        let named = named.try_named(rule.name()).unwrap_or(*rule);
        // As many rules, of the same names.
        share.clone().try_with(named).unwrap_or(share)
    })
}

fn share_of_limit(limit: Limit, replicas: u32) -> Limit {
    let part = |units: u32| (units / replicas).max(1);
    let quota = limit.quota();
    // Fewer units in the same time are a quota, too.
    let fewer = Quota::try_new(part(quota.units()), quota.period()).unwrap_or(quota);
    match limit {
        Limit::Gcra(gcra) => {
            let share = Gcra::new(fewer);
            // A burst of 1 of few units may take long to come back: then it is that of the quota.
            share.try_with_burst(part(gcra.burst())).unwrap_or(share).into()
        }
        Limit::SlidingWindow(window) => {
            let period = u64::try_from(quota.period().as_nanos()).unwrap_or(u64::MAX);
            let count = u32::try_from(period.div_ceil(window.slot_nanos())).unwrap_or(u32::MAX);
            let share = if window.slot_nanos() == 1 {
                SlidingWindow::try_new(fewer)
            } else {
                SlidingWindow::try_with_sub_windows(fewer, count)
            };
            share.unwrap_or(window).into()
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_part_and_at_least_one() {
        let window = SlidingWindow::try_new(Quota::try_per_minute(10).unwrap()).unwrap();
        let gcra = Gcra::new(Quota::try_per_minute(9).unwrap()).try_with_burst(2).unwrap();
        let plan = Plan::new(Rule::requests(window)).try_with(Rule::tokens(gcra)).unwrap();
        let share = share_of_plan(&plan, 4);
        let [requests, tokens] = share.rules() else { panic!("{share:?}") };
        assert_eq!((requests.limit().quota().units(), tokens.limit().quota().units()), (2, 2));
        assert_eq!((requests.limit().capacity(), tokens.limit().capacity()), (2, 1));
        assert_eq!(share.rules()[0].name(), plan.rules()[0].name());
        assert_eq!(share_of_plan(&plan, 99).rules()[0].limit().capacity(), 1);
        let coarse = SlidingWindow::try_with_sub_windows(Quota::article(), 12).unwrap();
        assert_eq!(share_of_limit(coarse.into(), 1), coarse.into());
    }
}
