//! What was charged too much or too little is told to Redis, now or when it is back.

use std::time::Duration;

use tokio::time::sleep;

use super::{RedisRateStore, lease::Rest, sheet::Charge};
use crate::{
    key::Key,
    rate_limit::{Costs, store::Grant},
};

/// After which time Redis is told again what it has not taken: 100 ms, ours, as between two probes.
const AGAIN: Duration = Duration::from_millis(100);

impl RedisRateStore {
    /// Gives back what was charged, for a place in the queue or without one.
    pub(super) fn give_back(&self, grant: &Grant, place: Option<u64>) {
        self.correct(grant, grant.costs, Costs::default(), place);
    }

    pub(super) fn correct(&self, grant: &Grant, less: Costs, more: Costs, place: Option<u64>) {
        let at = self.server.micros_of(grant.at);
        let (key, plan) = (grant.key, grant.plan);
        let Some(permit) = self.server.room() else { return self.owe(key, plan, more) };
        let store = self.clone();
        self.spawn(async move {
            let charge = Charge { at, place, lease: None };
            if store.server.settle(key, plan, &charge, less, more).await.is_err() {
                // What was to be given back comes back by itself.
                store.owe(key, plan, more);
            }
            drop(permit);
        });
    }

    /// Gives back what is left of a lease.
    pub(super) fn return_lease(&self, key: Key, plan: usize, rest: Rest) {
        let Some(permit) = self.server.room() else { return };
        let store = self.clone();
        self.spawn(async move {
            let charge = Charge { at: rest.at, place: None, lease: Some(&rest.states) };
            // If it is not told, it comes back by itself.
            let _ = store.server.settle(key, plan, &charge, rest.left, Costs::default()).await;
            drop(permit);
        });
    }

    /// What cannot be told to Redis now is told when it is back, if there is a place to remember it.
    pub(super) fn owe(&self, key: Key, plan: usize, costs: Costs) {
        if self.local.as_ref().is_some_and(|local| local.spend(key, plan, costs)) {
            self.tell_when_up();
        }
    }

    /// Tells Redis what was spent here meanwhile, once it is up.
    pub(super) fn tell_when_up(&self) {
        let store = self.clone();
        self.spawn(async move {
            let Some(local) = &store.local else { return };
            loop {
                store.link().up().await;
                // One by one, so that who asks meanwhile tells it himself.
                let Some(telling) = local.tell_any().await else { return };
                let (key, plan, spent) = (telling.key, telling.plan, telling.spent);
                match store
                    .server
                    .settle(key, plan, &Charge::default(), Costs::default(), spent)
                    .await
                {
                    Ok(_) => telling.told(),
                    Err(_) => {
                        drop(telling);
                        // It may be up and refuse.
                        sleep(AGAIN).await;
                    }
                }
            }
        });
    }
}
