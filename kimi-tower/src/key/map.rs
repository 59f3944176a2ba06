use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use super::Key;

/// A map by keys, which need no hashing.
pub(crate) type KeyMap<V> = HashMap<Key, V, BuildHasherDefault<Unhashed>>;

/// Takes a half of a key for its hash.
#[derive(Debug, Default)]
pub(crate) struct Unhashed(u64);

impl Hasher for Unhashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, half: u64) {
        self.0 = half;
    }

    /// Nobody calls it: a key is two words.
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
}
