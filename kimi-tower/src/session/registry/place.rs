use std::{fmt, task::Context};

use tokio::time::Instant;

use super::{
    Registry, Turn,
    answer::Due,
    holder::Patience,
    line::{Called, Look},
};
use crate::{key::Key, sync::Arc};

/// A place in the line of a session, given back on drop.
#[must_use]
pub(in super::super) struct Place {
    registry: Arc<Registry>,
    key: Key,
    /// `None` when it was called.
    index: Option<usize>,
    patience: Patience,
    since: Instant,
}

/// What somebody finds who waits.
#[derive(Debug)]
pub(in super::super) enum Waited {
    Granted(Turn),
    Superseded,
    /// It is still waiting, and is to look again at this time, if any, without being woken.
    Until(Option<Instant>),
}

impl Place {
    pub(super) const fn new(
        registry: Arc<Registry>,
        key: Key,
        index: usize,
        patience: Patience,
        since: Instant,
    ) -> Self {
        Self { registry, key, index: Some(index), patience, since }
    }

    /// Looks whether it is this one's turn, and if not, whether whoever has it has had its time.
    /// Each in the line looks, since no other of them need be polled.
    ///
    /// # Panics
    ///
    /// If it was called before.
    pub(in super::super) fn poll(&mut self, cx: &Context<'_>, now: Instant) -> Waited {
        let index = self.index.expect("a place is not polled after it was called");
        loop {
            // Cloned before, and what is left of it dropped after the lock is held.
            let mut waker = Some(cx.waker().clone());
            let mut shard = self.registry.shard(self.key).lock();
            if let Look::Called(called, gone) = shard.sessions.look(self.key, index, &mut waker) {
                self.index = None;
                let Called::Granted(turn) = called else {
                    drop(shard);
                    drop(gone);
                    return Waited::Superseded;
                };
                shard.times.waited.record(now.saturating_duration_since(self.since));
                drop(shard);
                drop(gone);
                return Waited::Granted(Turn::new(Arc::clone(&self.registry), self.key, turn));
            }
            match shard.sessions.due(self.key, self.patience, now) {
                Due::At(at) => return Waited::Until(at),
                Due::Told(notice) => {
                    drop(shard);
                    notice.tell();
                }
                Due::Taken(freed) => {
                    self.registry.settle(&mut shard.times, &freed);
                    drop(shard);
                    freed.wake();
                }
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(index) = self.index else { return };
        let mut shard = self.registry.shard(self.key).lock();
        let (freed, gone) = shard.sessions.leave(self.key, index, Instant::now());
        self.registry.settle(&mut shard.times, &freed);
        drop(shard);
        drop(gone);
        freed.wake();
    }
}

/// Shows nothing of the session.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").finish_non_exhaustive()
    }
}
