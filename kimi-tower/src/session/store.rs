//! Where it is kept who has the turn: in memory, or elsewhere.
//!
//! A [`SessionStore`] gives turns to who asks, one of each key at a time, in the order of asking.
//! [`MemoryStore`] is the one of a process. What a store promises stands on the page of
//! [`session`](super): T1 to T6.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

pub use super::{fence::Fence, lost::Lost};
pub use super::{
    gauges::{Gauges, Histogram},
    memory::{MemoryPlace, MemoryStore, MemoryTurn},
};
use crate::key::Key;

/// Gives turns. A clone is the same store.
pub trait SessionStore {
    /// A turn that somebody has. Dropping it gives it back.
    type Turn: SessionTurn + Send + 'static;
    /// A place in a line. Dropping it gives it back.
    type Place: SessionPlace<Turn = Self::Turn> + Send + 'static;

    /// Asks for a turn, or else for a place in the line, which is by the order of these calls.
    fn ask(&self, ask: &Ask) -> Asked<Self::Turn, Self::Place>;

    /// Returns what all clones of this store have, and no other: it is made with the store.
    fn id(&self) -> StoreId;
}

/// Tells the stores of one process apart.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct StoreId(u64);

impl StoreId {
    /// Creates one that is equal to no other.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "each is another, and none the default")]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Relaxed))
    }
}

/// A turn.
pub trait SessionTurn {
    /// Returns why the turn has to end, as soon as it has to; else the task is woken then.
    ///
    /// The turn is over when it is dropped, at the latest a second after it was told: then the next
    /// has it.
    fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<Lost>;

    /// Leaves what ends the turn from elsewhere, in place of the task. Returns why it has to end
    /// already, if it has.
    fn set_end(&mut self, end: Arc<dyn EndTurn>) -> Option<Lost>;

    /// Returns a number that is greater than those of all turns that the session had before, of this
    /// store: whoever keeps something for a session can refuse what comes with a lesser one.
    fn number(&self) -> u64;

    /// Returns what the request is to show to what it writes to; `None`, the default, if the store
    /// is of one process.
    fn fence(&self) -> Option<Fence> {
        None
    }
}

/// A place in a line.
pub trait SessionPlace {
    /// The turn that is waited for.
    type Turn: SessionTurn;

    /// Returns the turn when it has come, or why it never will. It is not polled after that.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Turn, Refused>>;

    /// Returns how many were before it when it got the place, the one that had the turn included, if
    /// that was not known when it was asked for; `None`, the default, if it was, or is not yet.
    ///
    /// A place of which nobody is known to be before it is waited for until that is known, however
    /// long: its store bounds that time.
    fn ahead(&self) -> Option<usize> {
        None
    }
}

/// Ends an answer from elsewhere, also if nobody reads it.
///
/// The turn goes with what it ends: it is dropped as soon as nothing of that is at work any more, at
/// once or later, from within [`end`](Self::end) or elsewhere.
pub trait EndTurn: fmt::Debug + Send + Sync {
    /// Ends it. Runs code of the body and of its reader, and drops the turn, so that it is not to be
    /// called while something is locked. Whoever calls it a second time changes nothing.
    fn end(&self, lost: Lost);

    /// Returns since when its reader has not asked for more; `None` if it waits for more, is at
    /// work, or has ended. Takes a few steps and runs no code of others.
    fn idle_since(&self) -> Option<tokio::time::Instant>;
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Ask {
    /// Of which session.
    pub key: Key,
    /// How many may wait before this one; more, and it is refused.
    pub max_waiting: usize,
    /// Whether whoever has or awaits the turn has to end for this one.
    pub supersedes: bool,
    /// How long a turn may be held while this one waits.
    pub max_hold: Option<Duration>,
    /// How long an answer may not be read while this one waits.
    pub max_idle: Option<Duration>,
    /// How many sessions there may be; one more is refused.
    pub max_sessions: usize,
}

impl Ask {
    /// Creates one that waits for a turn of this session, without a bound.
    #[must_use]
    pub const fn new(key: Key) -> Self {
        Self {
            key,
            max_waiting: usize::MAX,
            supersedes: false,
            max_hold: None,
            max_idle: None,
            max_sessions: usize::MAX,
        }
    }
}

/// What becomes of one that asks.
#[derive(Debug)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "nobody can serve what it does not know")]
pub enum Asked<T, P> {
    /// It has the turn.
    Granted(T),
    /// It has a place.
    Waits {
        /// The place.
        place: P,
        /// How many are before it, the one that has the turn included; 0 if that is not known yet:
        /// then [`SessionPlace::ahead`] comes to say it.
        ahead: usize,
    },
    /// It has neither.
    Refused(Refused),
}

/// Why somebody does not get a turn.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Refused {
    /// The session has a turn under way, and as many wait as may.
    Busy,
    /// Its turn did not come in time.
    TooLate,
    /// Somebody newer wants the session.
    Superseded,
    /// There are as many sessions as may be.
    TooManySessions,
    /// The request that has the turn would wait for itself.
    Nested,
    /// The store cannot be reached.
    Unavailable,
}

impl Refused {
    /// Returns a stable name: `busy`, `too_late`, `superseded`, `too_many_sessions`, `nested` or
    /// `unavailable`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::TooLate => "too_late",
            Self::Superseded => "superseded",
            Self::TooManySessions => "too_many_sessions",
            Self::Nested => "nested",
            Self::Unavailable => "unavailable",
        }
    }
}
