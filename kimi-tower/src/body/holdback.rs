//! Keeps an event back until it is complete, so that a stream can end between two events.

use std::collections::VecDeque;

use bytes::Bytes;
use http_body::Frame;

use super::sse::EventScanner;

/// The most that is kept back, 64 KiB: far more than any event of a chat stream has, and little
/// enough to have once for each open stream. Each slice counts with its own size, too, so that
/// events of single bytes cannot cost a multiple of it.
const MAX_BYTES: usize = 64 * 1024;

/// The bytes after the last event boundary, as slices of the chunks they came in.
///
/// Two words wide, and allocates only when a chunk ends in mid-event: every response body is
/// moved several times, and few need more.
#[derive(Debug, Default)]
pub(crate) struct Holdback {
    scanner: EventScanner,
    /// Whether a part of the open event is out.
    is_broken: bool,
    kept: Option<Box<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    slices: VecDeque<Bytes>,
    /// How many of the first `slices` may go.
    released: usize,
    /// What the slices that may not go cost, at most [`MAX_BYTES`].
    held_bytes: usize,
    /// The trailers, which go after all slices.
    trailers: Option<Frame<Bytes>>,
}

impl Holdback {
    /// Takes the next chunk; [`pop`](Self::pop) must have returned `None` before.
    ///
    /// Returns what may go on at once: the chunk itself if nothing is held and it ends where an
    /// event does.
    #[cfg(feature = "catch-error")]
    #[inline]
    pub(crate) fn push(&mut self, chunk: Bytes) -> Option<Bytes> {
        let end = self.scanner.read(&chunk);
        self.push_read(chunk, end)
    }

    /// The same for a chunk that has been read, with [`read_one`](Self::read_one), and the last
    /// boundary found in it.
    #[inline]
    pub(crate) fn push_read(&mut self, chunk: Bytes, end: Option<usize>) -> Option<Bytes> {
        if end == Some(chunk.len()) && self.is_empty() {
            self.is_broken = false;
            return Some(chunk);
        }
        self.push_part(chunk, end)
    }

    /// Returns the next frame that may go.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Frame<Bytes>> {
        self.kept.as_mut()?.pop()
    }

    /// Lets go of an incomplete event, since the stream has ended.
    pub(crate) fn release(&mut self) {
        self.is_broken = !self.scanner.is_between_events();
        if let Some(kept) = &mut self.kept {
            kept.release();
        }
    }

    /// Lets go of an incomplete event, since `trailers` must follow it.
    pub(crate) fn release_before(&mut self, trailers: Frame<Bytes>) {
        self.release();
        self.kept.get_or_insert_default().trailers = Some(trailers);
    }

    /// Returns whether nothing is kept.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.kept.as_ref().is_none_or(|kept| kept.slices.is_empty() && kept.trailers.is_none())
    }

    /// Returns whether a part of the open event is out.
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Reads the next chunk up to its first event boundary, and returns that.
    #[cfg(feature = "raise-error")]
    #[inline]
    pub(crate) fn read_one(&mut self, chunk: &[u8]) -> Option<usize> {
        self.scanner.read_one(chunk)
    }

    /// Returns what is held, which is the start of an event; [`pop`](Self::pop) must have returned
    /// `None` before.
    #[cfg(feature = "raise-error")]
    pub(crate) fn held(&self) -> impl Iterator<Item = &Bytes> {
        self.kept.iter().flat_map(|kept| &kept.slices)
    }

    /// Returns whether `more` bytes of the open event are let go of, and with them what is held if
    /// that is its start.
    #[cfg(feature = "raise-error")]
    pub(crate) fn is_too_much(&self, more: usize, is_held_its_start: bool) -> bool {
        let held = self.kept.as_ref().filter(|_| is_held_its_start);
        held.map_or(0, |kept| kept.held_bytes) + more + size_of::<Bytes>() > MAX_BYTES
    }

    /// Drops what is held and may not go.
    #[cfg(feature = "raise-error")]
    pub(crate) fn discard(&mut self) {
        if let Some(kept) = &mut self.kept {
            kept.slices.truncate(kept.released);
            kept.held_bytes = 0;
        }
    }

    fn push_part(&mut self, mut chunk: Bytes, end: Option<usize>) -> Option<Bytes> {
        let Some(end) = end else {
            if self.is_broken {
                return Some(chunk);
            }
            self.hold(chunk);
            return None;
        };
        self.is_broken = false;
        let rest = chunk.split_off(end);
        // What is held goes before what completes it.
        let complete = match &mut self.kept {
            Some(kept) if !kept.slices.is_empty() => {
                kept.slices.push_back(chunk);
                kept.release();
                None
            }
            _ => Some(chunk),
        };
        if !rest.is_empty() {
            self.hold(rest);
        }
        complete
    }

    fn hold(&mut self, slice: Bytes) {
        let kept = self.kept.get_or_insert_default();
        kept.held_bytes += slice.len() + size_of::<Bytes>();
        kept.slices.push_back(slice);
        if kept.held_bytes > MAX_BYTES {
            self.release();
        }
    }
}

impl Kept {
    fn pop(&mut self) -> Option<Frame<Bytes>> {
        if let Some(released) = self.released.checked_sub(1) {
            self.released = released;
            return self.slices.pop_front().map(Frame::data);
        }
        self.trailers.take()
    }

    fn release(&mut self) {
        self.released = self.slices.len();
        self.held_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns all that comes out for one chunk.
    fn push(holdback: &mut Holdback, chunk: &'static str) -> Vec<Bytes> {
        let end = holdback.scanner.read(chunk.as_bytes());
        let first = holdback.push_read(Bytes::from_static(chunk.as_bytes()), end);
        let rest = std::iter::from_fn(|| holdback.pop()).map(|frame| frame.into_data().unwrap());
        first.into_iter().chain(rest).collect()
    }

    #[test]
    fn is_two_words_wide() {
        assert_eq!(size_of::<Holdback>(), 2 * size_of::<usize>());
    }

    #[test]
    fn a_chunk_that_ends_where_an_event_does_passes_as_it_is() {
        let mut holdback = Holdback::default();
        let chunk = "data: x\n\ndata: y\n\n";
        let out = push(&mut holdback, chunk);
        assert_eq!(out, [chunk]);
        assert_eq!(out[0].as_ptr(), chunk.as_ptr(), "not a copy");
        assert!(holdback.kept.is_none(), "nothing allocated");
    }

    #[test]
    fn the_start_of_an_event_waits_for_its_end() {
        let mut holdback = Holdback::default();
        assert_eq!(push(&mut holdback, "data: x\n\nda"), ["data: x\n\n"]);
        assert!(push(&mut holdback, "ta: y\n").is_empty());
        assert_eq!(push(&mut holdback, "\ndata"), ["da", "ta: y\n", "\n"]);
        assert!(!holdback.is_empty() && !holdback.is_broken());
        holdback.release();
        assert_eq!(holdback.pop().unwrap().into_data().unwrap(), "data");
        assert!(holdback.is_empty() && holdback.is_broken());
    }

    #[test]
    fn an_event_past_the_limit_is_let_go() {
        let mut holdback = Holdback::default();
        let half: &'static str = "x".repeat(MAX_BYTES / 2).leak();
        assert!(push(&mut holdback, half).is_empty());
        assert_eq!(push(&mut holdback, half), [half, half]);
        assert!(holdback.is_broken());
        assert_eq!(push(&mut holdback, "more"), ["more"]);
        assert_eq!(push(&mut holdback, "\n\nnext"), ["\n\n"]);
        assert!(!holdback.is_broken());
        assert!(!holdback.is_empty());
    }

    #[test]
    fn single_bytes_cost_more_than_themselves() {
        let mut holdback = Holdback::default();
        let held = (0..MAX_BYTES).take_while(|_| push(&mut holdback, "x").is_empty()).count();
        assert_eq!(held, MAX_BYTES / (size_of::<Bytes>() + 1));
    }
}
