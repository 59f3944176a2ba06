//! Who waits for a flight, and whether it has something to do.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Wake, Waker},
};

use crate::sync::Lock;

/// The waker that a flight is polled with: it wakes everybody who waits, since nobody can know which
/// of them will be polled again. An `Arc` of std's, as a waker is made of it.
#[derive(Debug)]
pub(super) struct Signal {
    /// Nothing is called while it is locked.
    waiting: Lock<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    /// Whether the flight has been woken since it was last polled.
    is_woken: bool,
    /// A place for each who waits; `None` if it was woken since, or the place is free.
    wakers: Vec<Option<Waker>>,
    free: Vec<usize>,
}

/// The place of one who waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(usize);

impl Signal {
    /// Of a flight that is yet to be polled.
    pub(super) fn new() -> Self {
        let waiting = Waiting { is_woken: true, wakers: Vec::new(), free: Vec::new() };
        Self { waiting: Lock::new(waiting) }
    }

    /// Has `waker` woken when the flight is done or is to be polled.
    pub(super) fn register(&self, place: &mut Option<Place>, waker: &Waker) {
        let mut cloned = None;
        let replaced = loop {
            let mut waiting = self.waiting.lock();
            let Waiting { wakers, free, .. } = &mut *waiting;
            let at = place.get_or_insert_with(|| {
                Place(free.pop().unwrap_or_else(|| {
                    wakers.push(None);
                    wakers.len() - 1
                }))
            });
            if wakers[at.0].as_ref().is_some_and(|it| it.will_wake(waker)) {
                return;
            }
            match cloned.take() {
                Some(cloned) => break wakers[at.0].replace(cloned),
                None => {
                    drop(waiting);
                    cloned = Some(waker.clone());
                }
            }
        };
        drop(replaced);
    }

    /// Gives a place back.
    pub(super) fn leave(&self, place: Place) {
        let waker = {
            let mut waiting = self.waiting.lock();
            waiting.free.push(place.0);
            waiting.wakers[place.0].take()
        };
        drop(waker);
    }

    /// Returns whether the flight is to be polled, and takes notice that it will be.
    pub(super) fn take_woken(&self) -> bool {
        std::mem::take(&mut self.waiting.lock().is_woken)
    }

    pub(super) fn is_woken(&self) -> bool {
        self.waiting.lock().is_woken
    }

    /// Wakes everybody who waits, also if one of the wakers panics.
    pub(super) fn wake_all(&self) {
        let wakers: Vec<_> =
            self.waiting.lock().wakers.iter_mut().filter_map(Option::take).collect();
        for waker in wakers {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
                // The hook has told of it. To drop it is a stranger's code.
                std::mem::forget(panic);
            }
        }
    }
}

impl Wake for Signal {
    fn wake(self: std::sync::Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &std::sync::Arc<Self>) {
        self.waiting.lock().is_woken = true;
        self.wake_all();
    }
}
