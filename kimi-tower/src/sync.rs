//! Locks and atomics: std's, or loom's where it models what runs at the same time.

#[cfg(all(test, loom))]
pub(crate) use loom::sync::atomic;
#[cfg(all(test, loom))]
pub(crate) use loom::sync::{Arc, MutexGuard};
#[cfg(not(all(test, loom)))]
pub(crate) use std::sync::atomic;
#[cfg(not(all(test, loom)))]
pub(crate) use std::sync::{Arc, MutexGuard};

pub(crate) use self::lock::Lock;

mod lock {
    use std::sync::PoisonError;

    use super::MutexGuard;

    #[cfg(all(test, loom))]
    type Mutex<T> = loom::sync::Mutex<T>;
    #[cfg(not(all(test, loom)))]
    #[expect(clippy::disallowed_types, reason = "this is the place that may")]
    type Mutex<T> = std::sync::Mutex<T>;

    /// A mutex that a panic does not close: what it protects is whole whenever it is unlocked.
    #[derive(Debug)]
    pub(crate) struct Lock<T>(Mutex<T>);

    #[cfg(all(feature = "rate-limit", feature = "redis"))]
    impl<T: Default> Default for Lock<T> {
        fn default() -> Self {
            Self::new(T::default())
        }
    }

    impl<T> Lock<T> {
        #[inline]
        pub(crate) fn new(value: T) -> Self {
            Self(Mutex::new(value))
        }

        /// Returns what is inside, which nobody else has.
        #[cfg(feature = "session")]
        pub(crate) fn get_mut(&mut self) -> &mut T {
            self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
        }

        #[inline]
        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}
