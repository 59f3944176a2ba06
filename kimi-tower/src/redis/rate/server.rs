//! What is asked of Redis, and how its answers are read.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use ::redis::{Script, Value};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::{
    lease::lease_of,
    said::{Said, What},
    sheet::{Charge, Manner, Sheet},
};
use crate::{
    key::Key,
    random::Random,
    rate_limit::{
        Costs, Levels, Moment, Plans,
        store::{Ask, Grant, Refused, Told},
    },
    redis::{LinkError, RedisLink},
};

const ASK: &str = concat!(include_str!("script/limits.lua"), include_str!("script/ask.lua"));
const SETTLE: &str = concat!(include_str!("script/limits.lua"), include_str!("script/settle.lua"));

/// How many corrections are under way at a time, at most: 1 024, ours. One past it is lost, which is
/// an event each time.
const MAX_CORRECTIONS: usize = 1 << 10;

/// Grants of Redis have moments from here on: those of the process' memory, whose time begins with
/// it, come there after 9 years.
const MARK: u64 = 1 << 58;

/// How much before the first answer the time begins that grants tell, in microseconds: an hour, for
/// clocks that go backward.
const MARGIN: u64 = 3_600_000_000;

/// The plans, and where they are kept.
pub(super) struct Server {
    link: RedisLink,
    plans: Plans,
    sheets: Box<[Sheet]>,
    ask: Script,
    settle: Script,
    /// When the time of grants begins, in the server's microseconds.
    epoch: OnceLock<u64>,
    /// Names places in queues, which those of other replicas have, too.
    places: Random,
    room: Arc<Semaphore>,
}

/// An answer, and the name of the place if it is one.
pub(super) struct Answer {
    pub(super) said: Said,
    pub(super) place: u64,
}

impl Server {
    pub(super) fn new(link: RedisLink, plans: Plans) -> Self {
        let sheets = plans.iter().map(Sheet::new).collect();
        Self {
            link,
            plans,
            sheets,
            ask: Script::new(ASK),
            settle: Script::new(SETTLE),
            epoch: OnceLock::new(),
            places: Random::from_system(),
            room: Arc::new(Semaphore::new(MAX_CORRECTIONS)),
        }
    }

    pub(super) const fn link(&self) -> &RedisLink {
        &self.link
    }

    pub(super) const fn plans(&self) -> &Plans {
        &self.plans
    }

    pub(super) fn lease(&self, plan: usize) -> Duration {
        lease_of(self.sheet(plan).shortest())
    }

    /// Returns in which time a batch of this comes back, or the part of one that there can be.
    pub(super) fn filling(&self, ask: &Ask, batch: u32) -> Duration {
        self.sheet(ask.plan).filling(ask.costs, batch)
    }

    /// Returns the room for one more correction; `None` if there is none, or Redis is down.
    pub(super) fn room(&self) -> Option<OwnedSemaphorePermit> {
        if self.link.is_down() {
            return None;
        }
        let permit = Arc::clone(&self.room).try_acquire_owned().ok();
        if permit.is_none() {
            tracing::debug!("a correction of a charge is lost: too many are under way");
        }
        permit
    }

    /// Asks; `None` if there is no answer by then.
    pub(super) async fn ask(
        &self,
        ask: &Ask,
        manner: &Manner,
        debts: Costs,
        until: Instant,
    ) -> Option<Answer> {
        let (sheet, place) = (self.sheet(ask.plan), self.places.next());
        let args = sheet.ask(manner, place, ask.costs, debts);
        let keys = self.names(ask.key, ask.plan);
        let value = self.link.call_until(until, &self.ask, &keys, &args).await.ok()?;
        let said = Said::read(value)?;
        // The first is as good as any.
        self.epoch.get_or_init(|| said.now.saturating_sub(MARGIN));
        Some(Answer { said, place })
    }

    /// Corrects what was charged. Returns the server's time.
    pub(super) async fn settle(
        &self,
        key: Key,
        plan: usize,
        charge: &Charge<'_>,
        less: Costs,
        more: Costs,
    ) -> Result<u64, LinkError> {
        let args = self.sheet(plan).settle(charge, less, more);
        match self.link.call(&self.settle, &self.names(key, plan), &args).await? {
            Value::Int(now) => Ok(now.unsigned_abs()),
            _ => Err(LinkError::Refused),
        }
    }

    pub(super) async fn observe(&self, key: Key, plan: usize, told: &Told) {
        let args = self.sheet(plan).observe(self.plans.get(plan), told);
        // The next answer of the upstream says it again.
        let _ = self.link.call(&self.settle, &self.names(key, plan), &args).await;
    }

    /// Returns the grant and after which wait it may be used, or why it is refused.
    pub(super) fn verdict(
        &self,
        ask: &Ask,
        answer: &Answer,
        asked_at: Instant,
    ) -> Result<(Grant, Duration), Refused> {
        let said = &answer.said;
        let levels =
            if ask.wants_levels { self.sheet(ask.plan).levels(said) } else { Levels::default() };
        match said.what {
            What::Refused => Err(Refused::new(said.rule, said.wait(), levels)),
            What::Admitted => {
                let at = self.moment_of(said.at.unwrap_or(said.now));
                Ok((Grant::new(ask, at, Duration::ZERO, levels), Duration::ZERO))
            }
            What::Waits => {
                let wait = said.wait().unwrap_or_default();
                let at = self.moment_of(said.at.unwrap_or(said.now));
                let waited = asked_at.elapsed() + wait;
                Ok((Grant::new(ask, at, waited, levels), wait))
            }
        }
    }

    /// Returns whether a grant is of Redis.
    pub(super) const fn is_its(at: Moment) -> bool {
        at.as_nanos() >= MARK
    }

    pub(super) fn moment_of(&self, micros: u64) -> Moment {
        let since = micros.saturating_sub(self.epoch.get().copied().unwrap_or(micros));
        Moment::from_nanos(since.saturating_mul(1_000).saturating_add(MARK))
    }

    pub(super) fn micros_of(&self, at: Moment) -> u64 {
        let since = at.as_nanos().saturating_sub(MARK) / 1_000;
        self.epoch.get().copied().unwrap_or(0) + since
    }

    #[cfg(all(test, not(loom)))]
    pub(super) fn levels(&self, plan: usize, said: &Said) -> Levels {
        self.sheet(plan).levels(said)
    }

    fn sheet(&self, plan: usize) -> &Sheet {
        &self.sheets[plan.min(self.sheets.len() - 1)]
    }

    /// Returns the names of a key's states: of all rules, of the queue, and of each window.
    fn names(&self, key: Key, plan: usize) -> Vec<String> {
        let state = self.link.name(key, format_args!("rate:{plan}"));
        let mut names = vec![state.clone(), format!("{state}:queue")];
        names.extend((1..=self.sheet(plan).rules()).map(|rule| format!("{state}:{rule}")));
        names
    }
}
