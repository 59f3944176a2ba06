//! The kit's one lock.

#[expect(
    clippy::disallowed_types,
    reason = "loom models the layers, not the kit that tests them"
)]
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A mutex that a panicking test does not poison for the others.
#[derive(Debug, Default)]
#[expect(clippy::disallowed_types, reason = "as above")]
pub(crate) struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
