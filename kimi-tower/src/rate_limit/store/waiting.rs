//! One who waits, and what it and its row know of each other.

use std::task::Waker;

use super::super::Moment;
use crate::sync::{Arc, Lock};

/// One who waits, as it knows itself.
#[derive(Debug)]
pub(super) struct Waiting {
    number: u64,
    place: Arc<Place>,
}

/// What one who waits is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Look {
    /// It was charged at that time, and goes.
    Go(Moment),
    /// It is to look again at that time, or when it is woken.
    WaitUntil(Moment),
}

/// What is to be done with wakers when no lock is held: they run others' code.
#[derive(Debug, Default)]
#[must_use]
pub(super) struct Woken {
    pub(super) to_wake: Vec<Waker>,
    pub(super) to_drop: Vec<Waker>,
}

/// What a waiter and its row know of each other. Locked inside the lock of the shard, or alone.
#[derive(Debug)]
pub(super) struct Place(Lock<Turn>);

#[derive(Debug)]
pub(super) enum Turn {
    /// Its turn comes at that time; who is to be woken if that changes.
    Waits(Moment, Option<Waker>),
    /// It was charged at that time.
    Granted(Moment),
    /// It has taken what it was granted, or has left.
    Over,
}

impl Waiting {
    pub(super) const fn new(number: u64, place: Arc<Place>) -> Self {
        Self { number, place }
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// Returns whether its turn was thought to come now or before.
    pub(super) fn is_due(&self, now: Moment) -> bool {
        matches!(*self.place.0.lock(), Turn::Waits(due, _) if due <= now)
    }

    /// Returns whether it has taken what it was granted, or has left.
    pub(super) fn is_over(&self) -> bool {
        matches!(*self.place.0.lock(), Turn::Over)
    }

    /// Forgets who is to be woken.
    pub(super) fn forget_waker(&self, woken: &mut Woken) {
        woken.to_drop.extend(self.place.take_waker());
    }

    /// Takes what it was granted, or has `waker` woken when there is news.
    pub(super) fn look(&self, waker: Waker, woken: &mut Woken) -> Look {
        let mut turn = self.place.0.lock();
        match &mut *turn {
            Turn::Waits(due, known) => {
                woken.to_drop.extend(known.replace(waker));
                Look::WaitUntil(*due)
            }
            Turn::Granted(at) => {
                let at = *at;
                *turn = Turn::Over;
                woken.to_drop.push(waker);
                Look::Go(at)
            }
            Turn::Over => {
                woken.to_drop.push(waker);
                Look::WaitUntil(Moment::LAST)
            }
        }
    }

    /// Leaves, and returns what it has left.
    pub(super) fn leave(&self, woken: &mut Woken) -> Turn {
        self.forget_waker(woken);
        std::mem::replace(&mut *self.place.0.lock(), Turn::Over)
    }
}

impl Place {
    /// Creates the place of one who is due then.
    pub(super) fn new(due: Moment) -> Self {
        Self(Lock::new(Turn::Waits(due, None)))
    }

    /// Tells when its turn comes.
    pub(super) fn tell(&self, until: Moment) {
        if let Turn::Waits(due, _) = &mut *self.0.lock() {
            *due = until;
        }
    }

    /// Grants its turn, and returns who waits for that.
    pub(super) fn grant(&self, at: Moment) -> Option<Waker> {
        match std::mem::replace(&mut *self.0.lock(), Turn::Granted(at)) {
            Turn::Waits(_, waker) => waker,
            Turn::Granted(_) | Turn::Over => None,
        }
    }

    pub(super) fn take_waker(&self) -> Option<Waker> {
        match &mut *self.0.lock() {
            Turn::Waits(_, waker) => waker.take(),
            Turn::Granted(_) | Turn::Over => None,
        }
    }
}

impl Woken {
    /// To be called when no lock is held.
    #[inline]
    pub(super) fn wake(self) {
        self.to_wake.into_iter().for_each(Waker::wake);
    }
}
