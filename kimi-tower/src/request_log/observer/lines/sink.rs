//! Where lines go.

use std::io::{ErrorKind, Write};

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
    /// Whether the last line was written in part.
    is_torn: bool,
}

impl<W> Sink<W> {
    pub(super) fn new(writer: W) -> Self {
        let place = Lock::new(Place { writer, line: Vec::new(), is_torn: false });
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
        let Place { writer, line, is_torn } = &mut *place;
        // Not after it was used, so that one that panicked leaves nothing behind.
        line.clear();
        if *is_torn {
            // What there is of the last one ends here, and does not begin this one.
            line.push(b'\n');
        }
        make(line);
        line.push(b'\n');
        let written = write(writer, line, is_torn);
        if !written {
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

/// Writes a line, and returns whether all of it was taken. Else it is torn, unless nothing was.
fn write<W: Write>(writer: &mut W, line: &[u8], is_torn: &mut bool) -> bool {
    let was_torn = std::mem::replace(is_torn, true);
    let mut rest = line;
    while !rest.is_empty() {
        match writer.write(rest) {
            Ok(0) => break,
            Ok(taken) => rest = rest.get(taken..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    *is_torn = match rest.len() {
        0 => false,
        left => was_torn || left < line.len(),
    };
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes of each write, then none.
    struct Narrow(Vec<usize>, Vec<u8>);

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let taken = self.0.remove(0).min(bytes.len());
            self.1.extend_from_slice(&bytes[..taken]);
            if taken == 0 { Err(ErrorKind::StorageFull.into()) } else { Ok(taken) }
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_that_was_written_in_part_is_not_the_beginning_of_the_next() {
        // In two pieces; in part; not at all; whole; not at all; whole.
        let sink = Sink::new(Narrow(vec![2, 9, 2, 0, 0, 99, 0, 99], Vec::new()));
        for text in ["first", "second", "third", "fourth", "fifth", "sixth"] {
            sink.write(|line| line.extend_from_slice(text.as_bytes()));
        }
        let written = sink.0.place.lock().writer.1.clone();
        assert_eq!(String::from_utf8(written).unwrap(), "first\nse\nfourth\nsixth\n");
        assert_eq!(sink.lost(), 3);
    }
}
