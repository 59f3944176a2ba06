use std::{
    fmt,
    sync::Arc as StdArc,
    task::{Context, Poll},
};

use tokio::time::Instant;

use super::{
    super::{EndTurn, Lost},
    Registry,
    holder::Left,
};
use crate::{key::Key, sync::Arc};

/// A turn, given back on drop.
#[must_use]
pub(in super::super) struct Turn {
    pub(super) registry: Arc<Registry>,
    pub(super) key: Key,
    number: u64,
}

impl Turn {
    #[inline]
    pub(super) const fn new(registry: Arc<Registry>, key: Key, number: u64) -> Self {
        Self { registry, key, number }
    }

    /// Returns why it has to end, or has ended, when it has to.
    pub(in super::super) fn poll_lost(&self, cx: &Context<'_>) -> Poll<Lost> {
        // Cloned before, and what is left of it dropped after the lock is held.
        let mut waker = Some(cx.waker().clone());
        let mut shard = self.registry.shard(self.key).lock();
        let lost = shard.sessions.lost(self.key, self.number, &mut waker);
        drop(shard);
        lost.map_or(Poll::Pending, Poll::Ready)
    }

    /// Leaves what ends it; returns why it has to end already.
    pub(in super::super) fn set_end(&self, end: StdArc<dyn EndTurn>) -> Option<Lost> {
        let mut left = Left::end(end);
        let mut shard = self.registry.shard(self.key).lock();
        let lost = shard.sessions.set_end(self.key, self.number, &mut left);
        drop(shard);
        lost
    }

    pub(in super::super) const fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Turn {
    #[inline]
    fn drop(&mut self) {
        self.registry.release(self.key, self.number, Instant::now());
    }
}

/// Shows nothing of the session.
impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("number", &self.number).finish_non_exhaustive()
    }
}
