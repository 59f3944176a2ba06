use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::time::Instant;

use super::{said::Seat, shared::Shared};
use crate::{
    key::Key,
    session::{
        EndTurn, Lost,
        store::{Fence, MemoryTurn, SessionTurn},
    },
};

/// The turn of a session in a [`RedisSessionStore`](super::RedisSessionStore).
///
/// Its number is 0, and it has no fence, if Redis did not answer when it was asked for.
#[must_use]
pub struct RedisTurn {
    // The turn in Redis is given back first: whoever waits in this process waits for both.
    leased: Option<Leased>,
    local: Option<MemoryTurn>,
    _counted: Counted,
}

/// A turn in Redis, given back on drop.
pub(super) struct Leased {
    pub(super) shared: Arc<Shared>,
    pub(super) seat: Seat,
    pub(super) number: u64,
}

/// A session that counts for `max_sessions`.
pub(super) struct Counted {
    pub(super) shared: Arc<Shared>,
    pub(super) key: Key,
}

impl RedisTurn {
    pub(super) const fn new(
        leased: Option<Leased>,
        local: Option<MemoryTurn>,
        counted: Counted,
    ) -> Self {
        Self { leased, local, _counted: counted }
    }
}

impl Leased {
    pub(super) fn poll_lost(&self, cx: &Context<'_>) -> Poll<Lost> {
        // Cloned before, and what is left of it dropped after the lock is held.
        let mut waker = Some(cx.waker().clone());
        let lost = self.shared.table.lock().lost(self.seat.ticket, &mut waker, Instant::now());
        lost.map_or(Poll::Pending, Poll::Ready)
    }
}

impl SessionTurn for RedisTurn {
    fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<Lost> {
        if let Some(leased) = &self.leased
            && let Poll::Ready(lost) = leased.poll_lost(cx)
        {
            return Poll::Ready(lost);
        }
        self.local.as_mut().map_or(Poll::Pending, |local| local.poll_lost(cx))
    }

    fn set_end(&mut self, end: Arc<dyn EndTurn>) -> Option<Lost> {
        if let Some(Leased { shared, seat, .. }) = &self.leased {
            let mut swapped = Some(Arc::clone(&end));
            let lost = shared.table.lock().set_end(seat.ticket, &mut swapped, Instant::now());
            if lost.is_some() {
                return lost;
            }
        }
        self.local.as_mut().and_then(|local| local.set_end(end))
    }

    fn number(&self) -> u64 {
        self.leased.as_ref().map_or(0, |leased| leased.number)
    }

    fn fence(&self) -> Option<Fence> {
        self.leased.as_ref().map(|leased| Fence::new(leased.number))
    }
}

impl Drop for Leased {
    fn drop(&mut self) {
        let left = self.shared.table.lock().release(self.seat.ticket);
        drop(left);
        self.shared.leave(self.seat);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.shared.table.lock().exit(self.key);
    }
}

/// Shows nothing of the session.
impl fmt::Debug for RedisTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisTurn").field("number", &self.number()).finish_non_exhaustive()
    }
}
