//! A turn of this process, and how far it is.

use std::{sync::Arc, task::Waker};

use tokio::time::Instant;

use crate::{
    key::Key,
    session::{EndTurn, Lost, notice::Notice},
};

/// A turn.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) key: Key,
    pub(super) number: u64,
    /// When it has to have ended, unless it is leased again: before the lease is over.
    pub(super) until: Instant,
    pub(super) stage: Stage,
    pub(super) waker: Option<Waker>,
    pub(super) end: Option<Arc<dyn EndTurn>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    Held,
    /// It was told to end, then.
    Told(Lost, Instant),
    /// It was told, did not end, and was given back for it. It stays until it is dropped.
    Taken(Lost),
}

impl Held {
    /// Whoever looks sees by itself that its time is over, also if nobody has told it.
    pub(super) fn lost(&mut self, now: Instant) -> Option<Lost> {
        if matches!(self.stage, Stage::Held) && self.until <= now {
            self.stage = Stage::Told(Lost::Lease, now);
        }
        self.stage.lost()
    }

    pub(super) fn tell(&mut self, lost: Lost, now: Instant) -> Option<Notice> {
        let Stage::Held = self.stage else { return None };
        self.stage = Stage::Told(lost, now);
        Some(Notice { lost, waker: self.waker.take(), end: self.end.clone() })
    }
}

impl Stage {
    pub(super) const fn lost(self) -> Option<Lost> {
        match self {
            Self::Held => None,
            Self::Told(lost, _) | Self::Taken(lost) => Some(lost),
        }
    }
}
