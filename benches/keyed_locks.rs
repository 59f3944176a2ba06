//! Two of the crates of keyed locks, beside those in `locks`.

use crate::locks::{Named, Turns};

/// `keyed-lock`.
#[expect(missing_debug_implementations, reason = "it has none")]
pub struct KeyedLock(keyed_lock::r#async::KeyedLock<String>);

impl Turns for KeyedLock {
    type Turn = keyed_lock::r#async::Guard<'static, String>;

    fn create() -> Self {
        Self(keyed_lock::r#async::KeyedLock::new())
    }

    #[inline]
    async fn turn(&'static self, of: Named) -> Self::Turn {
        self.0.lock(of.name.to_owned()).await
    }
}

/// `key-mutex`.
#[expect(missing_debug_implementations, reason = "it has none")]
pub struct KeyMutex(key_mutex::tokio::KeyMutex<String, ()>);

impl Turns for KeyMutex {
    type Turn = key_mutex::tokio::OwnedMutexGuard<String, ()>;

    fn create() -> Self {
        Self(key_mutex::tokio::KeyMutex::new())
    }

    #[inline]
    async fn turn(&'static self, of: Named) -> Self::Turn {
        self.0.lock(of.name.to_owned()).await
    }
}
