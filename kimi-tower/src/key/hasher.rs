use std::{
    fmt,
    hash::{BuildHasher as _, Hasher as _, RandomState},
};

use siphasher::sip128::{Hasher128 as _, SipHasher13};

use super::Key;

/// Makes keys: SipHash-1-3 with a secret, so that nobody outside can choose with whom to collide.
///
/// Clones have the same secret. Stores that several machines share need one for all:
/// [`with_secret`](Self::with_secret).
///
/// ```
/// use kimi_tower::key::KeyHasher;
///
/// let hasher = KeyHasher::new();
/// assert_eq!(hasher.key(&[b"sk-1"]), hasher.key(&[b"sk-1"]));
/// // Parts do not run into each other.
/// assert_ne!(hasher.key(&[b"ab", b"c"]), hasher.key(&[b"a", b"bc"]));
/// assert_ne!(hasher.key(&[b"sk-1"]), KeyHasher::new().key(&[b"sk-1"]));
/// ```
#[derive(Clone)]
pub struct KeyHasher(SipHasher13);

impl KeyHasher {
    /// Creates a hasher with a secret of its own, from the system's source of random numbers.
    #[must_use]
    pub fn new() -> Self {
        // The keys of the standard library's hashers come from there.
        let [first, second] = [1_u8, 2].map(|half| RandomState::new().hash_one(half));
        Self(SipHasher13::new_with_keys(first, second))
    }

    /// Creates a hasher with this secret, the same on every machine that shares a store.
    #[must_use]
    pub fn with_secret(secret: &[u8; 16]) -> Self {
        Self(SipHasher13::new_with_key(secret))
    }

    /// Returns the key of these parts, which are told apart by their lengths.
    #[inline]
    #[must_use]
    pub fn key(&self, parts: &[&[u8]]) -> Key {
        let mut hashing = self.start();
        for part in parts {
            hashing.part(part);
        }
        hashing.key()
    }

    /// Returns the key of one part, told apart from others' by a number.
    #[inline]
    pub(super) fn single(&self, number: u8, part: &[u8]) -> Key {
        let hash = self.0.hash(part);
        // Whoever lacks the secret cannot choose parts whose keys differ by this and nothing else.
        Key([hash.h1 ^ u64::from(number), hash.h2])
    }

    /// Starts a key whose parts come one by one.
    #[inline]
    pub(super) fn start(&self) -> Hashing {
        Hashing(self.0)
    }
}

/// A key in the making.
pub(super) struct Hashing(SipHasher13);

impl Hashing {
    #[inline]
    pub(super) fn part(&mut self, part: &[u8]) {
        self.numbered_part(0, part);
    }

    /// Hashes a part that is told apart by a number as well, which costs nothing: it stands in the
    /// first byte of the length, where no length comes to.
    #[inline]
    pub(super) fn numbered_part(&mut self, number: u8, part: &[u8]) {
        self.0.write(part);
        self.0.write_u64(part.len() as u64 | u64::from(number) << 56);
    }

    /// Hashes pieces as the one part that they are when joined.
    pub(super) fn joined<'a>(&mut self, pieces: impl Iterator<Item = &'a [u8]>, separator: &[u8]) {
        let mut length = 0;
        for (number, piece) in pieces.enumerate() {
            let separator = if number == 0 { &[] } else { separator };
            self.0.write(separator);
            self.0.write(piece);
            length += separator.len() + piece.len();
        }
        self.0.write_u64(length as u64);
    }

    #[inline]
    pub(super) fn key(self) -> Key {
        let hash = self.0.finish128();
        Key([hash.h1, hash.h2])
    }
}

impl Default for KeyHasher {
    /// As [`new`](Self::new) does.
    fn default() -> Self {
        Self::new()
    }
}

/// Shows no secret.
impl fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyHasher").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn prop_keys_are_equal_where_parts_are(
            one in vec(vec(0..3_u8, 0..9), 0..4),
            other in vec(vec(0..3_u8, 0..9), 0..4),
        ) {
            let hasher = KeyHasher::with_secret(&[7; 16]);
            let key = |parts: &[Vec<u8>]| {
                hasher.key(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
            };
            prop_assert_eq!(key(&one) == key(&other), one == other);
        }

        #[test]
        fn prop_pieces_are_the_part_that_they_are_when_joined(pieces in vec(vec(0..3_u8, 0..9), 0..4)) {
            let hasher = KeyHasher::new();
            let mut hashing = hasher.start();
            hashing.joined(pieces.iter().map(Vec::as_slice), b"; ");
            prop_assert_eq!(hashing.key(), hasher.key(&[&pieces.join(&b"; "[..])]));
        }
    }

    #[test]
    fn shows_no_secret() {
        assert_eq!(format!("{:?}", KeyHasher::with_secret(&[7; 16])), "KeyHasher { .. }");
    }
}
