//! Where pieces are put together.

/// The longest text that is put together, in bytes. Ours: the longest error known has less than
/// 2 KiB. What is longer and comes in pieces is judged by its beginning.
const MAX_BYTES: usize = 4096;

/// The beginning of a text that comes in pieces.
#[derive(Debug, Default)]
pub(super) struct Aside {
    bytes: Vec<u8>,
}

impl Aside {
    pub(super) fn push(&mut self, piece: &[u8]) {
        let room = MAX_BYTES - self.bytes.len();
        self.bytes.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Returns whether nothing was put here.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_beginning_is_kept() {
        let mut aside = Aside::default();
        for _ in 0..3 {
            aside.push(&[b'x'; 3000]);
        }
        assert_eq!(aside.as_bytes().len(), MAX_BYTES);
        aside.clear();
        assert!(aside.is_empty());
        aside.push(b"y");
        assert_eq!(aside.as_bytes(), b"y");
    }
}
