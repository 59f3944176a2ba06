//! What is asked of sessions, and what they answer.

use std::{task::Waker, time::Duration};

use tokio::time::Instant;

use super::{super::notice::Notice, holder::Left};

/// How one asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking {
    pub(super) max_waiting: usize,
    /// Whether it wants the session at once, and whoever has it to end.
    pub(super) supersedes: bool,
    pub(super) now: Instant,
}

/// What becomes of one that asks.
pub(super) enum Answer {
    /// It has the turn of this number.
    Granted(u64),
    /// It has a place, and so many are before it, the holder included. Who is superseded by it is
    /// told by these when nothing is locked.
    Waits {
        place: usize,
        ahead: usize,
        superseded: Vec<Waker>,
        notice: Option<Notice>,
    },
    Full,
    /// There may be no other session.
    TooMany,
}

/// What somebody in a line finds who looks at the holder.
pub(super) enum Due {
    /// Nothing can be done before this time; `None` if never.
    At(Option<Instant>),
    /// It was told to end, by this.
    Told(Notice),
    /// It was told, did not end, and has lost the turn.
    Taken(Freed),
}

/// What is to be done when nothing is locked.
#[derive(Default)]
pub(super) struct Freed {
    /// Who has the turn now is woken.
    pub(super) woken: Option<Waker>,
    /// What the last holder has left is dropped.
    pub(super) left: Left,
    /// For how long the turn was held, if this has ended it.
    pub(super) held: Option<Duration>,
    /// Whether the session is gone.
    pub(super) is_over: bool,
}

impl Freed {
    /// Only when nothing is locked.
    #[inline]
    pub(super) fn wake(self) {
        let Self { woken, left, .. } = self;
        if let Some(waker) = woken {
            waker.wake();
        }
        drop(left);
    }
}
