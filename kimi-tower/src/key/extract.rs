//! What stands for one caller, and who says which.

use std::hash::{Hash, Hasher};

use http::request::Parts;
use kimi_errors::Error;

use super::KeyHasher;

/// What stands for one caller: 128 bits of a keyed hash.
///
/// That two callers share one has a chance of 2^-128 for each two of them, and nobody who lacks
/// the secret of the [`KeyHasher`] can look for such a pair. It does not tell what was hashed, yet
/// it is the caller's: it belongs in no label of a metric.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Key(pub(crate) [u64; 2]);

impl Key {
    /// Returns its bits, for a store beyond this process. They are equal on several machines only if
    /// their [`KeyHasher`]s have one secret.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        let [high, low] = self.0.map(u128::from);
        (high << 64 | low).to_be_bytes()
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // It is a hash already, of which half tells a place in a table.
        state.write_u64(self.0[0]);
    }
}

/// Says which caller a request belongs to. Closures of the same shape are extractors.
pub trait ExtractKey {
    /// Returns the caller's key; `None` for a request that is nobody's, and passes uncounted.
    ///
    /// # Errors
    ///
    /// What the request is refused with, if it must have what it has not.
    fn extract(&self, head: &Parts, hasher: &KeyHasher) -> Result<Option<Key>, Error>;
}

impl<F> ExtractKey for F
where
    F: Fn(&Parts, &KeyHasher) -> Result<Option<Key>, Error>,
{
    fn extract(&self, head: &Parts, hasher: &KeyHasher) -> Result<Option<Key>, Error> {
        self(head, hasher)
    }
}
