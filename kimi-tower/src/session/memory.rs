use std::{
    fmt,
    pin::Pin,
    sync::Arc as StdArc,
    task::{Context, Poll, ready},
};

use tokio::time::{Instant, Sleep, sleep_until};

use super::{
    lost::Lost,
    registry::{self, Place, Registry, Turn, Waited},
    store::{
        Ask, Asked, EndTurn, Gauges, Refused, SessionPlace, SessionStore, SessionTurn, StoreId,
    },
};
use crate::sync::Arc;

/// The sessions of one process. A clone has the same.
///
/// A session that nobody holds takes no memory; one that is held, its place in one of 16 tables.
#[derive(Clone)]
pub struct MemoryStore {
    registry: Arc<Registry>,
    id: StoreId,
}

/// The turn of a session in a [`MemoryStore`].
#[must_use]
pub struct MemoryTurn(Turn);

/// A place in the line of a session in a [`MemoryStore`].
#[must_use]
pub struct MemoryPlace {
    place: Place,
    /// `None` where no time of the holder is bounded.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl MemoryStore {
    /// Creates a store without sessions.
    #[must_use]
    pub fn new() -> Self {
        Self { registry: Arc::new(Registry::new()), id: StoreId::new() }
    }

    /// Returns how many sessions and waiters there are, and what was measured.
    ///
    /// Counted in 16 parts, one after another: while requests come and go it is no one moment's.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        self.registry.gauges()
    }
}

impl Default for MemoryStore {
    /// As [`new`](Self::new) does.
    fn default() -> Self {
        Self::new()
    }
}

impl SessionStore for MemoryStore {
    type Turn = MemoryTurn;
    type Place = MemoryPlace;

    #[inline]
    fn ask(&self, ask: &Ask) -> Asked<MemoryTurn, MemoryPlace> {
        match Registry::ask(&self.registry, ask, Instant::now()) {
            registry::Asked::Granted(turn) => Asked::Granted(MemoryTurn(turn)),
            registry::Asked::Waits { place, ahead } => {
                Asked::Waits { place: MemoryPlace { place, alarm: None }, ahead }
            }
            registry::Asked::Refused(refused) => Asked::Refused(refused),
        }
    }

    fn id(&self) -> StoreId {
        self.id
    }
}

impl SessionTurn for MemoryTurn {
    fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<Lost> {
        self.0.poll_lost(cx)
    }

    fn set_end(&mut self, end: StdArc<dyn EndTurn>) -> Option<Lost> {
        self.0.set_end(end)
    }

    fn number(&self) -> u64 {
        self.0.number()
    }
}

impl SessionPlace for MemoryPlace {
    type Turn = MemoryTurn;

    /// # Panics
    ///
    /// If it was ready before.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<MemoryTurn, Refused>> {
        loop {
            match self.place.poll(cx, Instant::now()) {
                Waited::Granted(turn) => return Poll::Ready(Ok(MemoryTurn(turn))),
                Waited::Superseded => return Poll::Ready(Err(Refused::Superseded)),
                Waited::Until(None) => return Poll::Pending,
                Waited::Until(Some(at)) => {
                    let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(at)));
                    if alarm.deadline() != at {
                        alarm.as_mut().reset(at);
                    }
                    ready!(alarm.as_mut().poll(cx));
                }
            }
        }
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MemoryStore").field(&self.gauges()).finish()
    }
}

impl fmt::Debug for MemoryTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for MemoryPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)
    }
}
