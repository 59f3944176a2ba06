//! Which turns the code at work on this thread has.
//!
//! Whoever asks, from within the work that a turn is held for, for that very turn would wait for
//! itself. So each poll of such work is done within its turns being known.

use std::cell::RefCell;

use super::store::StoreId;
use crate::key::Key;

thread_local! {
    static HELD: RefCell<Vec<Scope>> = const { RefCell::new(Vec::new()) };
}

/// The work of a turn: of which store, and of which session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Scope {
    pub(super) store: StoreId,
    pub(super) key: Key,
}

impl Scope {
    /// Does some of the work that this turn is held for.
    #[inline]
    pub(super) fn within<T>(self, work: impl FnOnce() -> T) -> T {
        let _within = Within::enter(self);
        work()
    }

    /// Returns whether the code at work has this turn.
    #[inline]
    pub(super) fn is_within(self) -> bool {
        HELD.try_with(|held| held.borrow().contains(&self)).unwrap_or(false)
    }
}

/// Leaves on drop, also if the work panics.
struct Within;

impl Within {
    #[inline]
    fn enter(turn: Scope) -> Option<Self> {
        // There is nothing to note while a thread ends.
        HELD.try_with(|held| held.borrow_mut().push(turn)).ok().map(|()| Self)
    }
}

impl Drop for Within {
    #[inline]
    fn drop(&mut self) {
        let _ = HELD.try_with(|held| held.borrow_mut().pop());
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn a_turn_is_known_within_its_work_alone() {
        let [one, other] =
            [StoreId::new(), StoreId::new()].map(|store| Scope { store, key: Key([7, 7]) });
        assert!(!one.is_within());
        one.within(|| {
            assert!(one.is_within() && !other.is_within());
            other.within(|| assert!(one.is_within() && other.is_within()));
            assert!(catch_unwind(AssertUnwindSafe(|| other.within(|| panic!("at work")))).is_err());
            assert!(one.is_within() && !other.is_within());
        });
        assert!(!one.is_within());
    }
}
