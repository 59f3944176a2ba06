//! What is decided on one who asks: by Redis, or by a lease of permits that came from there.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{
    RedisRateStore,
    later::Charged,
    lease::{Found, Rest, Slot},
    server::Answer,
    sheet::Manner,
    wire::micros,
};
use crate::{
    key::Key,
    rate_limit::{
        Costs, Levels,
        store::{Ask, Grant},
    },
};

/// What is decided on one who asks.
pub(super) enum Decided {
    /// He goes then.
    Charged(Charged, Instant),
    Refused(crate::rate_limit::store::Refused),
    /// Redis does not answer.
    Without,
}

impl RedisRateStore {
    /// Asks Redis, or without it where it does not answer.
    pub(super) async fn decide(&self, ask: &Ask, asked_at: Instant) -> Decided {
        // One time-out, however many calls there are, and whoever else is waited for.
        let until = asked_at + self.link().timeout();
        if self.batch > 1
            && let Some(decided) = self.decide_by_lease(ask, until).await
        {
            return decided;
        }
        let patience = ask.patience.map(|patience| (patience.max_wait, patience.max_queue));
        let manner = Manner { patience, batch: 1, lease: Duration::ZERO };
        match self.ask_server(ask, &manner, until).await {
            None => Decided::Without,
            Some(answer) => match self.server.verdict(ask, &answer, asked_at) {
                Ok((grant, wait)) => {
                    let place = (!wait.is_zero()).then_some(answer.place);
                    let charged = Charged::new(self.clone(), grant, place);
                    Decided::Charged(charged, Instant::now() + wait)
                }
                Err(refused) => Decided::Refused(refused),
            },
        }
    }

    async fn ask_server(&self, ask: &Ask, manner: &Manner, until: Instant) -> Option<Answer> {
        let telling = match &self.local {
            Some(local) => timeout_at(until, local.tell(ask.key, ask.plan)).await.ok()?,
            None => None,
        };
        let debts = telling.as_ref().map_or(Costs::default(), |telling| telling.spent);
        let answer = self.server.ask(ask, manner, debts, until).await?;
        if let Some(telling) = telling {
            telling.told();
        }
        Some(answer)
    }

    /// Takes a lease if there is none that is enough. `None` if he has to be asked for alone.
    async fn decide_by_lease(&self, ask: &Ask, until: Instant) -> Option<Decided> {
        let slot = self.leases.slot(ask.key, ask.plan);
        let decided = self.decide_by_slot(&slot, ask, until).await;
        // It may have been over while it was held here, and not be taken away for that.
        drop(slot);
        self.end_lease(ask.key, ask.plan);
        decided
    }

    async fn decide_by_slot(&self, slot: &Slot, ask: &Ask, until: Instant) -> Option<Decided> {
        // Whoever is before him has asked before him, and has an answer, or none, before his time is up.
        let _refill = slot.refill.lock().await;
        match slot.take(ask.costs, Instant::now()) {
            Found::Taken(at, levels) => return Some(self.taken(ask, at, levels)),
            Found::Refused(refused) if ask.patience.is_none() => {
                return Some(Decided::Refused(refused));
            }
            Found::Refused(_) => return None,
            Found::Nothing => {}
        }
        if self.server.link().is_down() {
            return Some(Decided::Without);
        }
        let lease = self.server.lease(ask.plan);
        let sent = Instant::now();
        let manner = Manner { patience: None, batch: self.batch, lease };
        let Some(answer) = self.ask_server(ask, &manner, until).await else {
            return Some(Decided::Without);
        };
        match self.server.verdict(ask, &answer, sent) {
            Ok((grant, _)) => {
                let times = answer.said.batch.saturating_sub(1);
                let left = Costs::each(|index| ask.costs.of(index).saturating_mul(times));
                let at = answer.said.now + micros(lease);
                // Counted from before it was sent, so that nothing of it is used too late.
                let end = sent + lease;
                let rest = Rest { left, at, states: answer.said.states };
                if let Some(rest) = slot.renew(rest, end, grant.levels.clone()) {
                    self.return_lease(ask.key, ask.plan, rest);
                }
                self.end_lease_at(ask.key, ask.plan, end);
                Some(self.taken(ask, at, grant.levels))
            }
            Err(mut refused) => {
                // What comes back is to be a batch, and not the one permit that does first. It may
                // also be that something is given back, which is not waited for longer.
                let hold = lease.min(self.server.filling(ask, self.batch));
                refused.wait = refused.wait.map(|wait| wait.max(hold));
                let now = Instant::now();
                slot.refuse(ask.costs, &refused, now, now + hold);
                self.end_lease_at(ask.key, ask.plan, now + hold);
                ask.patience.is_none().then_some(Decided::Refused(refused))
            }
        }
    }

    fn taken(&self, ask: &Ask, at: u64, levels: Levels) -> Decided {
        let at = self.server.moment_of(at);
        let grant = Grant::new(ask, at, Duration::ZERO, levels);
        Decided::Charged(Charged::new(self.clone(), grant, None), Instant::now())
    }

    fn end_lease_at(&self, key: Key, plan: usize, until: Instant) {
        let store = self.clone();
        self.spawn(async move {
            tokio::time::sleep_until(until).await;
            store.end_lease(key, plan);
        });
    }

    fn end_lease(&self, key: Key, plan: usize) {
        if let Some(rest) = self.leases.end(key, plan, Instant::now()) {
            self.return_lease(key, plan, rest);
        }
    }
}
