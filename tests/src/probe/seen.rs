use std::{
    collections::VecDeque,
    sync::{Arc, MutexGuard, PoisonError},
    task::Waker,
};

#[expect(clippy::disallowed_types, reason = "a probe is not what loom looks at")]
use std::sync::Mutex;

use bytes::Bytes;
use http::{HeaderMap, request::Parts};

use super::{Act, Readiness};

/// What was done to a [`Probe`](super::Probe) and all its clones.
#[derive(Clone, Debug, Default)]
#[expect(clippy::disallowed_types, reason = "a probe is not what loom looks at")]
pub struct Seen(Arc<Mutex<State>>);

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) acts: VecDeque<Act>,
    pub(super) readiness: VecDeque<Readiness>,
    pub(super) waiting: Vec<Waker>,
    pub(super) is_held: bool,
    pub(super) polls_ready: usize,
    pub(super) calls: usize,
    pub(super) unready_calls: usize,
    pub(super) live_futures: usize,
    pub(super) most_live_futures: usize,
    pub(super) requests: Vec<SeenRequest>,
}

/// A request that came to a [`Probe`](super::Probe) whole.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SeenRequest {
    /// Its head.
    pub head: Parts,
    /// Its data frames in one.
    pub body: Bytes,
    /// Its trailers.
    pub trailers: Option<HeaderMap>,
}

impl Seen {
    /// Returns how often `poll_ready` was called.
    #[must_use]
    pub fn polls_ready(&self) -> usize {
        self.lock().polls_ready
    }

    /// Returns how often the probe was called.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.lock().calls
    }

    /// Returns how many calls went to an instance that was not ready. A layer makes none.
    #[must_use]
    pub fn unready_calls(&self) -> usize {
        self.lock().unready_calls
    }

    /// Returns how many futures are neither done nor dropped.
    #[must_use]
    pub fn live_futures(&self) -> usize {
        self.lock().live_futures
    }

    /// Returns the most futures that lived at the same time.
    #[must_use]
    pub fn most_live_futures(&self) -> usize {
        self.lock().most_live_futures
    }

    /// Returns the requests that came whole so far, and forgets them.
    #[must_use]
    pub fn take_requests(&self) -> Vec<SeenRequest> {
        std::mem::take(&mut self.lock().requests)
    }

    /// Ends [`Readiness::Pending`] for all that wait.
    pub fn wake(&self) {
        let waiting = {
            let mut state = self.lock();
            state.is_held = false;
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // A scripted panic never happens under the lock, but a failed assertion of a test may.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a future from `call` to its end.
pub(super) struct Alive(pub(super) Seen);

impl Alive {
    pub(super) fn new(seen: Seen) -> Self {
        let mut state = seen.lock();
        state.live_futures += 1;
        state.most_live_futures = state.most_live_futures.max(state.live_futures);
        drop(state);
        Self(seen)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.lock().live_futures -= 1;
    }
}
