//! The sessions of one process: who has the turn in each, and who waits for it.

mod holder;
mod line;
#[cfg(all(test, loom))]
mod loom_tests;
mod sessions;
#[cfg(all(test, not(loom)))]
mod tests;

use std::{
    fmt,
    sync::Arc as StdArc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::time::Instant;

use self::{
    holder::{Notice, Patience},
    line::{Called, Look},
    sessions::{Answer, Asking, Due, Freed, Sessions},
};
use super::{
    EndTurn, Lost,
    gauges::{Gauges, Times},
    store::{Ask, Refused},
};
use crate::{
    key::Key,
    sync::{
        Arc, Lock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

/// 16, ours: as many threads that ask at the same time seldom meet.
const SHARDS: usize = if cfg!(all(test, loom)) { 2 } else { 16 };

/// The sessions of all shards.
pub(super) struct Registry {
    /// Each lock protects the sessions of a shard. Inside it a body's own lock may be taken, which
    /// takes none. No waker is cloned, woken or dropped inside it, and no body dropped, since that
    /// runs the code of others.
    shards: [Lock<Shard>; SHARDS],
    /// How many sessions there are: no shard's lock covers it, so that it is counted before one is
    /// made and after it is gone.
    active: AtomicUsize,
}

#[derive(Default)]
struct Shard {
    sessions: Sessions,
    times: Times,
}

/// What becomes of one that asks.
#[derive(Debug)]
pub(super) enum Asked {
    Granted(Turn),
    Waits { place: Place, ahead: usize },
    Refused(Refused),
}

/// A turn, given back on drop.
pub(super) struct Turn {
    registry: Arc<Registry>,
    key: Key,
    turn: u64,
}

/// A place in the line of a session, given back on drop.
pub(super) struct Place {
    registry: Arc<Registry>,
    key: Key,
    since: Instant,
    patience: Patience,
    /// `None` when it was called.
    index: Option<usize>,
}

/// What somebody finds who waits.
#[derive(Debug)]
pub(super) enum Waited {
    Granted(Turn),
    Superseded,
    /// It is still waiting, and is to look again at this time, if any, without being woken.
    Until(Option<Instant>),
}

impl Registry {
    pub(super) fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| Lock::new(Shard::default())),
            active: AtomicUsize::new(0),
        }
    }

    #[inline]
    pub(super) fn ask(this: &Arc<Self>, ask: &Ask, now: Instant) -> Asked {
        let key = ask.key;
        let asking = Asking { max_waiting: ask.max_waiting, supersedes: ask.supersedes, now };
        let mut superseded = Vec::new();
        // It is given back below if no session is made.
        if this.active.fetch_add(1, Relaxed) >= ask.max_sessions {
            this.active.fetch_sub(1, Relaxed);
            return Self::ask_for_known(this, ask, asking);
        }
        let answer = this.shard(key).lock().sessions.ask(key, asking, &mut superseded);
        if let Answer::Granted(turn) = answer {
            return Asked::Granted(Turn { registry: Arc::clone(this), key, turn });
        }
        this.active.fetch_sub(1, Relaxed);
        Self::wait(this, ask, answer, superseded, now)
    }

    /// Asks when there can be no other session.
    #[cold]
    fn ask_for_known(this: &Arc<Self>, ask: &Ask, asking: Asking) -> Asked {
        let mut superseded = Vec::new();
        let mut shard = this.shard(ask.key).lock();
        if !shard.sessions.is_known(ask.key) {
            return Asked::Refused(Refused::TooManySessions);
        }
        let answer = shard.sessions.ask(ask.key, asking, &mut superseded);
        drop(shard);
        Self::wait(this, ask, answer, superseded, asking.now)
    }

    fn wait(
        this: &Arc<Self>,
        ask: &Ask,
        answer: Answer,
        superseded: Vec<Waker>,
        now: Instant,
    ) -> Asked {
        superseded.into_iter().for_each(Waker::wake);
        let key = ask.key;
        match answer {
            Answer::Granted(turn) => Asked::Granted(Turn { registry: Arc::clone(this), key, turn }),
            Answer::Full => Asked::Refused(Refused::Busy),
            Answer::Waits { place, ahead } => {
                let patience = Patience::new(ask.max_hold, ask.max_idle);
                let registry = Arc::clone(this);
                let place = Place { registry, key, since: now, patience, index: Some(place) };
                if ask.supersedes {
                    let told = this.shard(key).lock().sessions.supersede(key, now);
                    if let Some((turn, notice)) = told {
                        this.tell(key, turn, notice, now);
                    }
                }
                Asked::Waits { place, ahead }
            }
        }
    }

    pub(super) fn gauges(&self) -> Gauges {
        let mut gauges = Gauges::default();
        for shard in &self.shards {
            let shard = shard.lock();
            gauges.add(shard.sessions.len(), shard.sessions.waiting(), &shard.times);
        }
        gauges
    }

    /// Tells a holder to end, and gives its turn on if nothing of it is left.
    fn tell(&self, key: Key, turn: u64, notice: Notice, now: Instant) {
        let lost = notice.lost.unwrap_or(Lost::MaxHold);
        // T1. The body is gone before the next begins.
        if notice.end.is_some_and(|end| end.end(lost)) {
            self.release(key, turn, now);
        }
        notice.waker.into_iter().for_each(Waker::wake);
    }

    #[inline]
    fn release(&self, key: Key, turn: u64, now: Instant) {
        let mut shard = self.shard(key).lock();
        let freed = shard.sessions.release(key, turn, now);
        self.settle(&mut shard.times, &freed);
        drop(shard);
        Self::wake(freed);
    }

    #[inline]
    fn settle(&self, times: &mut Times, freed: &Freed) {
        if let Some(held) = freed.held {
            times.held.record(held);
        }
        if freed.is_over {
            self.active.fetch_sub(1, Relaxed);
        }
    }

    /// Only when nothing is locked.
    #[inline]
    fn wake(freed: Freed) {
        let Freed { woken, left, .. } = freed;
        if let Some(waker) = woken {
            waker.wake();
        }
        drop(left);
    }

    fn shard(&self, key: Key) -> &Lock<Shard> {
        // The bits that count are there in a word of any size.
        #[expect(clippy::cast_possible_truncation, reason = "only the lowest bits count")]
        let bits = key.0[1] as usize;
        &self.shards[bits % SHARDS]
    }
}

impl Turn {
    /// Returns why it has to end, or has ended, when it has to.
    pub(super) fn poll_lost(&self, cx: &Context<'_>) -> Poll<Lost> {
        // Cloned before, and what is left of it dropped after the lock is held.
        let mut waker = Some(cx.waker().clone());
        let lost =
            self.registry.shard(self.key).lock().sessions.lost(self.key, self.turn, &mut waker);
        lost.map_or(Poll::Pending, Poll::Ready)
    }

    /// Leaves what ends it; returns why it has to end already.
    pub(super) fn set_end(&self, end: StdArc<dyn EndTurn>) -> Option<Lost> {
        let mut end = Some(end);
        self.registry.shard(self.key).lock().sessions.set_end(self.key, self.turn, &mut end)
    }

    pub(super) const fn number(&self) -> u64 {
        self.turn
    }
}

impl Place {
    /// Looks whether it is this one's turn.
    ///
    /// # Panics
    ///
    /// If it was called before.
    pub(super) fn poll(&mut self, cx: &Context<'_>, now: Instant) -> Waited {
        let index = self.index.expect("a place is not polled after it was called");
        // Cloned before, and what is left of it dropped after the lock is held.
        let mut waker = Some(cx.waker().clone());
        loop {
            let mut shard = self.registry.shard(self.key).lock();
            match shard.sessions.look(index, &mut waker) {
                Look::Called(Called::Granted(turn)) => {
                    self.index = None;
                    shard.times.waited.record(now.saturating_duration_since(self.since));
                    drop(shard);
                    let registry = Arc::clone(&self.registry);
                    return Waited::Granted(Turn { registry, key: self.key, turn });
                }
                Look::Called(Called::Superseded) => {
                    self.index = None;
                    return Waited::Superseded;
                }
                Look::Waits { is_first: false } => return Waited::Until(self.later(now)),
                Look::Waits { is_first: true } => {}
            }
            // It is for the first to see to it that a turn ends.
            match shard.sessions.due(self.key, self.patience, now) {
                Due::At(at) => return Waited::Until(at),
                Due::Told(turn, notice) => {
                    drop(shard);
                    self.registry.tell(self.key, turn, notice, now);
                }
                Due::Taken(freed) => {
                    self.registry.settle(&mut shard.times, &freed);
                    drop(shard);
                    Registry::wake(freed);
                }
            }
            // What was swapped out is the waker of before, or of now.
            waker = Some(cx.waker().clone());
        }
    }

    /// Nobody tells it when it becomes the first, so it looks as often as a time may be over.
    fn later(&self, now: Instant) -> Option<Instant> {
        let patience = [self.patience.max_hold, self.patience.max_idle];
        let least: Duration = patience.into_iter().flatten().min()?;
        now.checked_add(least)
    }
}

impl Drop for Turn {
    #[inline]
    fn drop(&mut self) {
        self.registry.release(self.key, self.turn, Instant::now());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(index) = self.index else { return };
        let mut shard = self.registry.shard(self.key).lock();
        let freed = shard.sessions.leave(self.key, index, Instant::now());
        self.registry.settle(&mut shard.times, &freed);
        drop(shard);
        Registry::wake(freed);
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.gauges().fmt(f)
    }
}

/// Shows nothing of the session.
impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("number", &self.turn).finish_non_exhaustive()
    }
}

/// Shows nothing of the session.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").finish_non_exhaustive()
    }
}
