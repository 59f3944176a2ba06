use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use kimi_errors::{Error, ErrorKind};
use tokio::{runtime::Handle, sync::oneshot, time::Instant};

use super::{
    OnError,
    later::Later,
    lease::{Found, Leases},
    local::Local,
    server::Server,
};
use crate::{
    key::Key,
    rate_limit::{
        Costs, Levels, Moment, Plans,
        store::{Ask, Asked, Grant, RateStore, Told, Verdict},
    },
    redis::RedisLink,
};

/// The most permits of a lease: 1 024, ours; the script counts them in doubles.
const MAX_BATCH: u32 = 1 << 10;

/// When who is refused for want of Redis is to come again: 1 s, ours.
const COME_AGAIN: Duration = Duration::from_secs(1);

/// Keeps the states of all keys in Redis, where all replicas share them. See the [module](super).
///
/// Clones share everything. It is asked on a runtime of tokio with time and I/O.
#[derive(Clone)]
#[must_use]
pub struct RedisRateStore {
    pub(super) server: Arc<Server>,
    on_error: OnError,
    pub(super) local: Option<Local>,
    pub(super) batch: u32,
    pub(super) leases: Arc<Leases>,
    /// That on which was asked first: what is dropped elsewhere is given back there.
    runtime: Arc<OnceLock<Handle>>,
}

impl RedisRateStore {
    /// Creates a store of these plans, which are the same on all replicas.
    pub fn new(link: RedisLink, plans: impl Into<Plans>) -> Self {
        Self {
            server: Arc::new(Server::new(link, plans.into())),
            on_error: OnError::default(),
            local: None,
            batch: 1,
            leases: Arc::default(),
            runtime: Arc::default(),
        }
    }

    /// Sets what becomes of requests while Redis does not answer. Default: [`OnError::Closed`].
    pub fn with_on_error(mut self, on_error: OnError) -> Self {
        self.on_error = on_error;
        self.local = match on_error {
            OnError::Local { replicas } => Some(Local::new(self.server.plans(), replicas)),
            OnError::Open | OnError::Closed => None,
        };
        self
    }

    /// Takes permits in batches, and decides on them here. 1 to 1 024; default: 1, which asks Redis
    /// each time. See the [module](super#leases).
    pub const fn with_lease(mut self, batch: u32) -> Self {
        self.batch = match batch {
            0 => 1,
            batch if batch > MAX_BATCH => MAX_BATCH,
            batch => batch,
        };
        self
    }

    /// Returns the link.
    pub fn link(&self) -> &RedisLink {
        self.server.link()
    }

    /// Asks without Redis.
    pub(super) fn ask_without(&self, ask: &Ask) -> Without {
        match (self.on_error, &self.local) {
            (OnError::Open, _) => {
                // An uncounted grant has the first of all moments, as none by Redis has.
                let grant = Grant::new(ask, Moment::EPOCH, Duration::ZERO, Levels::default());
                Without::Now(Ok(Verdict::Admitted(grant)))
            }
            (_, Some(local)) => {
                let ask = local.share_of(ask);
                match local.memory().ask(&ask) {
                    Asked::Now(verdict) => {
                        self.touch_if_admitted(&verdict);
                        Without::Now(verdict)
                    }
                    Asked::Later(later) => Without::Later(later),
                }
            }
            (_, None) => {
                let error = Error::new(ErrorKind::Unavailable).with_retry_after(COME_AGAIN);
                Without::Now(Err(error))
            }
        }
    }

    fn ask_now_without(&self, ask: &Ask) -> Asked<Later> {
        match self.ask_without(ask) {
            Without::Now(verdict) => Asked::Now(verdict),
            Without::Later(later) => Asked::Later(Later::local(self.clone(), later)),
        }
    }

    pub(super) fn touch_if_admitted(&self, verdict: &Result<Verdict, Error>) {
        let (Some(local), Ok(Verdict::Admitted(grant))) = (&self.local, verdict) else { return };
        if local.touch(grant.key, grant.plan) {
            self.tell_when_up();
        }
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(task)),
            Err(_) => drop(self.runtime.get().map(|runtime| runtime.spawn(task))),
        }
    }
}

/// What is said without Redis.
pub(super) enum Without {
    Now(Result<Verdict, Error>),
    /// The process' own memory is waited for.
    Later(crate::rate_limit::store::Later),
}

impl RateStore for RedisRateStore {
    type Later = Later;

    fn plans(&self) -> &Plans {
        self.server.plans()
    }

    fn ask(&self, ask: &Ask) -> Asked<Later> {
        if self.batch > 1 {
            match self.leases.take(ask.key, ask.plan, ask.costs, Instant::now()) {
                Found::Taken(at, levels) => {
                    let at = self.server.moment_of(at);
                    let grant = Grant::new(ask, at, Duration::ZERO, levels);
                    return Asked::Now(Ok(Verdict::Admitted(grant)));
                }
                Found::Refused(refused) if ask.patience.is_none() => {
                    return Asked::Now(Ok(Verdict::Refused(refused)));
                }
                Found::Refused(_) | Found::Nothing => {}
            }
        }
        let Ok(runtime) = Handle::try_current() else { return self.ask_now_without(ask) };
        if self.link().is_down() {
            return self.ask_now_without(ask);
        }
        self.runtime.get_or_init(|| runtime.clone());
        let (answer, answered) = oneshot::channel();
        let (store, ask, asked_at) = (self.clone(), *ask, Instant::now());
        // On a task of its own: if who asks leaves, what he is charged meanwhile is given back.
        runtime.spawn({
            let store = store.clone();
            async move {
                let decided = store.decide(&ask, asked_at).await;
                // If he has left, it is dropped, which gives it back.
                let _ = answer.send(decided);
            }
        });
        Asked::Later(Later::asked(store, ask, answered))
    }

    fn settle(&self, grant: &Grant, costs: Costs) {
        let (old, new) = (grant.costs, costs);
        let less = Costs::each(|index| old.of(index).saturating_sub(new.of(index)));
        let more = Costs::each(|index| new.of(index).saturating_sub(old.of(index)));
        if Server::is_its(grant.at) {
            self.correct(grant, less, more, None);
        } else if let Some(local) = &self.local {
            local.memory().settle(grant, costs);
            // Redis may have been told already of what was asked for at first.
            if more != Costs::default() && local.touch(grant.key, grant.plan) {
                self.tell_when_up();
            }
        }
    }

    fn observe(&self, key: Key, plan: usize, told: &Told) {
        if self.link().is_down() {
            if let Some(local) = &self.local {
                local.memory().observe(key, plan, told);
            }
            return;
        }
        let Some(permit) = self.server.room() else { return };
        let (store, told) = (self.clone(), *told);
        self.spawn(async move {
            store.server.observe(key, plan, &told).await;
            drop(permit);
        });
    }
}

/// Shows no key, and of the link no URL.
impl fmt::Debug for RedisRateStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisRateStore")
            .field("link", self.link())
            .field("on_error", &self.on_error)
            .field("batch", &self.batch)
            .finish_non_exhaustive()
    }
}
