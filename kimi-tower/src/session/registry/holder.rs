//! Who has the turn of a session, and when it has to end.

use std::{sync::Arc, task::Waker, time::Duration};

use tokio::time::Instant;

use super::super::{
    EndTurn, Lost,
    notice::{GRACE, Notice},
};

/// Who has the turn of a session.
pub(super) struct Holder {
    turn: u64,
    since: Instant,
    /// Why it was told to end, and when.
    told: Option<(Lost, Instant)>,
    /// Of whoever waits for it to be told, before it has an end.
    waker: Option<Waker>,
    /// What ends it, and knows for how long it was not read.
    end: Option<Arc<dyn EndTurn>>,
    /// Whether it has waited for the turn, and has not seen yet that it has come.
    is_unseen: bool,
}

/// Longest times of those that hold while others wait.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Patience {
    pub(super) max_hold: Option<Duration>,
    pub(super) max_idle: Option<Duration>,
}

impl Patience {
    /// As short as a timer can tell: 1 ms, as `tokio::time` has it. With less, whoever waits would
    /// look all the time.
    const LEAST: Duration = Duration::from_millis(1);

    pub(super) fn new(max_hold: Option<Duration>, max_idle: Option<Duration>) -> Self {
        let [max_hold, max_idle] =
            [max_hold, max_idle].map(|max| max.map(|max| max.max(Self::LEAST)));
        Self { max_hold, max_idle }
    }
}

/// Whether a holder has had its time.
pub(super) enum IsDue {
    /// Not before this time; `None` if never.
    At(Option<Instant>),
    /// It is to be told to end.
    ToBeTold(Lost),
    /// It was told, and has not ended.
    ToBeTaken(Lost),
}

/// What a holder leaves, to be dropped when nothing is locked.
#[derive(Default)]
pub(super) struct Left {
    waker: Option<Waker>,
    end: Option<Arc<dyn EndTurn>>,
}

impl Left {
    /// What is not left yet, but left for a holder.
    pub(super) const fn end(end: Arc<dyn EndTurn>) -> Self {
        Self { waker: None, end: Some(end) }
    }
}

impl Holder {
    #[inline]
    pub(super) const fn new(turn: u64, since: Instant) -> Self {
        Self { turn, since, told: None, waker: None, end: None, is_unseen: false }
    }

    /// One that has waited for the turn, and has to be polled to see that it has come.
    pub(super) fn granted(turn: u64, since: Instant) -> Self {
        Self { is_unseen: true, ..Self::new(turn, since) }
    }

    pub(super) const fn has_seen(&mut self) {
        self.is_unseen = false;
    }

    #[inline]
    pub(super) const fn turn(&self) -> u64 {
        self.turn
    }

    /// Returns for how long it has held the turn.
    #[inline]
    pub(super) fn held(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    /// Returns why it was told to end, if it was.
    pub(super) fn told(&self) -> Option<Lost> {
        self.told.map(|(lost, _)| lost)
    }

    /// Returns why it was told to end, or else changes it.
    pub(super) fn told_or(&mut self, change: impl FnOnce(&mut Self)) -> Option<Lost> {
        let told = self.told();
        if told.is_none() {
            change(self);
        }
        told
    }

    pub(super) const fn swap_waker(&mut self, waker: &mut Option<Waker>) {
        std::mem::swap(&mut self.waker, waker);
    }

    /// It is ended by this from now on, and not by its task. What is to be dropped is swapped out.
    pub(super) fn swap_end(&mut self, left: &mut Left) {
        std::mem::swap(&mut self.end, &mut left.end);
        left.waker = self.waker.take();
    }

    /// Tells it to end, as soon as nothing is locked.
    pub(super) fn tell(&mut self, lost: Lost, now: Instant) -> Notice {
        self.told = Some((lost, now));
        Notice { lost, waker: self.waker.take(), end: self.end.clone() }
    }

    /// Looks whether it has had its time.
    pub(super) fn is_due(&self, patience: Patience, now: Instant) -> IsDue {
        if let Some((lost, told)) = self.told {
            // One that has not seen its turn has begun nothing.
            let at = if self.is_unseen { told } else { told + GRACE };
            return if at > now { IsDue::At(Some(at)) } else { IsDue::ToBeTaken(lost) };
        }
        let hold = patience.max_hold.and_then(|max| self.since.checked_add(max));
        // One that is read, or has nothing to read yet, may be idle from now on, at the earliest.
        let unseen = self.is_unseen.then_some(self.since);
        let idle_since = unseen.or_else(|| self.end.as_ref().and_then(|end| end.idle_since()));
        let idle = patience.max_idle.and_then(|max| idle_since.unwrap_or(now).checked_add(max));
        let is_over = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if is_over(hold) {
            IsDue::ToBeTold(Lost::MaxHold)
        } else if self.is_unseen && is_over(idle) {
            IsDue::ToBeTaken(Lost::Idle)
        } else if idle_since.is_some() && is_over(idle) {
            IsDue::ToBeTold(Lost::Idle)
        } else {
            IsDue::At(hold.into_iter().chain(idle).min())
        }
    }

    /// Takes what is to be dropped when nothing is locked.
    #[inline]
    pub(super) const fn take_left(&mut self) -> Left {
        Left { waker: self.waker.take(), end: self.end.take() }
    }
}
