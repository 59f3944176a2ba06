//! Who may: the callers of all shards, and what is handed out to them.

use std::{
    fmt,
    num::NonZeroU32,
    task::{Context, Poll, Waker},
};

use super::{
    callers::{Answer, Callers},
    occupancy::Occupancy,
};
use crate::{
    key::Key,
    sync::{Arc, Lock},
};

/// 16, ours: as many threads that ask at the same time seldom meet.
const SHARDS: usize = if cfg!(all(test, loom)) { 2 } else { 16 };

/// The permits of all callers.
pub(super) struct Permits {
    /// Each lock protects the callers of a shard. Nothing is locked inside it, and no waker cloned,
    /// woken or dropped, since that runs the code of others: it may drop a permit.
    shards: [Lock<Callers>; SHARDS],
}

/// What becomes of one that asks.
#[derive(Debug)]
pub(super) enum Asked {
    Granted(Permit),
    Waits(Place),
    Full,
}

/// One of a caller's permits, given back on drop.
pub(super) struct Permit {
    permits: Arc<Permits>,
    key: Key,
}

/// A place in a caller's line, given back on drop.
pub(super) struct Place {
    permits: Arc<Permits>,
    key: Key,
    /// `None` when the permit was taken.
    index: Option<usize>,
}

impl Permits {
    pub(super) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Lock::new(Callers::default())) }
    }

    /// Asks for a permit: one of `max`, or else a place among at most `max_queue`.
    pub(super) fn ask(this: &Arc<Self>, key: Key, max: NonZeroU32, max_queue: usize) -> Asked {
        let answer = this.shard(key).lock().ask(key, max, max_queue);
        match answer {
            Answer::Granted => Asked::Granted(Permit { permits: Arc::clone(this), key }),
            Answer::Waits(index) => {
                Asked::Waits(Place { permits: Arc::clone(this), key, index: Some(index) })
            }
            Answer::Full => Asked::Full,
        }
    }

    pub(super) fn occupancy(&self) -> Occupancy {
        let shards = self.shards.iter().map(|shard| shard.lock().occupancy());
        shards.fold(Occupancy::default(), |sum, of| Occupancy {
            held: sum.held + of.held,
            waiting: sum.waiting + of.waiting,
            keys: sum.keys + of.keys,
        })
    }

    fn shard(&self, key: Key) -> &Lock<Callers> {
        // The bits that count are there in a word of any size.
        #[expect(clippy::cast_possible_truncation, reason = "only the lowest bits count")]
        let bits = key.0[1] as usize;
        &self.shards[bits % SHARDS]
    }
}

impl Place {
    /// Returns the permit when it is this one's turn.
    ///
    /// # Panics
    ///
    /// If it was returned before.
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<Permit> {
        let index = self.index.expect("a place is not polled after its permit was taken");
        // Cloned before, and what is left of it dropped after the lock is held.
        let mut waker = Some(cx.waker().clone());
        let is_granted = self.permits.shard(self.key).lock().poll(index, &mut waker);
        if !is_granted {
            return Poll::Pending;
        }
        self.index = None;
        Poll::Ready(Permit { permits: Arc::clone(&self.permits), key: self.key })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let woken = self.permits.shard(self.key).lock().release(self.key);
        woken.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(index) = self.index {
            let (woken, _own) = self.permits.shard(self.key).lock().leave(self.key, index);
            woken.into_iter().for_each(Waker::wake);
        }
    }
}

impl fmt::Debug for Permits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.occupancy().fmt(f)
    }
}

/// Shows nothing of the caller.
impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

/// Shows nothing of the caller.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").finish_non_exhaustive()
    }
}
