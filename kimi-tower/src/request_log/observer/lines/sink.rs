//! Where lines go.

use std::io::Write;

use crate::sync::{
    Arc, Lock,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// The most memory that is kept for the next line, in bytes. Ours: a line has a few hundred, with
/// previews some thousand.
const MAX_KEPT: usize = 64 * 1024;

/// A writer that lines share, and their buffer.
#[derive(Debug)]
pub(super) struct Sink<W>(Arc<Shared<W>>);

#[derive(Debug)]
struct Shared<W> {
    /// Locked while a line is made and written, so that lines stay whole and the buffer is one.
    /// Nothing else is locked within, but what the writer itself locks.
    place: Lock<Place<W>>,
    /// `Relaxed`, since it orders nothing.
    lost: AtomicU64,
}

#[derive(Debug)]
struct Place<W> {
    writer: W,
    line: Vec<u8>,
}

impl<W> Sink<W> {
    pub(super) fn new(writer: W) -> Self {
        let place = Lock::new(Place { writer, line: Vec::new() });
        Self(Arc::new(Shared { place, lost: AtomicU64::new(0) }))
    }

    pub(super) fn lost(&self) -> u64 {
        self.0.lost.load(Relaxed)
    }
}

impl<W: Write> Sink<W> {
    /// Writes what `make` makes, and a line end, in one piece.
    #[inline]
    pub(super) fn write(&self, make: impl FnOnce(&mut Vec<u8>)) {
        let mut place = self.0.place.lock();
        let Place { writer, line } = &mut *place;
        // Not after it was used, so that one that panicked leaves nothing behind.
        line.clear();
        make(line);
        line.push(b'\n');
        if writer.write_all(line).is_err() {
            self.0.lost.fetch_add(1, Relaxed);
        }
        if line.capacity() > MAX_KEPT {
            *line = Vec::new();
        }
    }
}

/// A clone writes to the same place.
impl<W> Clone for Sink<W> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
