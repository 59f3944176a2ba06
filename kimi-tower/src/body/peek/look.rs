//! How far a look goes.

use crate::body::sse::EventScanner;

/// How far a look goes, and how far it has come. It is for one body.
///
/// Where it ends does not depend on the chunks that the body comes in.
#[derive(Debug)]
pub(crate) struct Look {
    /// The most bytes it is about.
    max_bytes: usize,
    /// The bytes seen, which may be more: a chunk is not cut.
    seen_bytes: usize,
    /// The frames seen. They count as a byte at least, so that empty ones come to an end, too.
    seen_frames: usize,
    event: Option<FirstEvent>,
}

/// The search for the end of the first event.
#[derive(Debug, Default)]
struct FirstEvent {
    scanner: EventScanner,
    /// Where it begins: behind those that were passed over.
    #[cfg(feature = "retry")]
    start: usize,
    /// Whether something else than line ends has come.
    has_begun: bool,
    /// Where it ends.
    end: Option<usize>,
}

impl Look {
    /// Creates a look at the first `max_bytes`.
    pub(crate) const fn at_bytes(max_bytes: usize) -> Self {
        Self { max_bytes, seen_bytes: 0, seen_frames: 0, event: None }
    }

    /// Creates a look at the first event of a stream, or the first comment if that comes before.
    pub(crate) fn at_first_event(max_bytes: usize) -> Self {
        Self { event: Some(FirstEvent::default()), ..Self::at_bytes(max_bytes) }
    }

    /// Returns whether it has come to what it is about, not merely to the end of the body.
    pub(crate) fn is_done(&self) -> bool {
        self.event.as_ref().is_some_and(|event| event.end.is_some())
            || self.seen_bytes.max(self.seen_frames) >= self.max_bytes
    }

    /// Returns how many of the first bytes it is about, as far as they have come.
    pub(super) fn bytes(&self) -> usize {
        let end = self.event.as_ref().and_then(|event| event.end);
        end.unwrap_or(self.seen_bytes).min(self.max_bytes)
    }

    pub(super) fn read(&mut self, chunk: &[u8]) {
        if let Some(event) = &mut self.event {
            event.read(self.seen_bytes, chunk);
        }
        self.seen_bytes += chunk.len();
        self.seen_frames += 1;
    }
}

#[cfg(feature = "retry")]
impl Look {
    /// Returns whether it has found the end of an event.
    pub(crate) fn has_event(&self) -> bool {
        self.event.as_ref().is_some_and(|event| event.end.is_some())
    }

    /// Returns whether the event that it has found ends behind all that it is about: a chunk is not
    /// cut, and so may have whole events there.
    pub(crate) fn has_passed_its_limit(&self) -> bool {
        let end = self.event.as_ref().and_then(|event| event.end);
        end.is_some_and(|end| end > self.max_bytes)
    }

    /// Returns where the event begins that it is about; 0 if it is about bytes.
    pub(super) fn start(&self) -> usize {
        self.event.as_ref().map_or(0, |event| event.start)
    }

    /// Looks for the next event in place of the one that was found, which must not have
    /// [passed the limit](Self::has_passed_its_limit). What was seen behind that has to be
    /// [read again](Self::read_again).
    pub(super) fn pass_over(&mut self) {
        if let Some(event) = &mut self.event
            && let Some(end) = event.end.take()
        {
            event.start = end;
            event.has_begun = false;
        }
    }

    /// Reads what was seen at the place `at`.
    pub(super) fn read_again(&mut self, at: usize, chunk: &[u8]) {
        if let Some(event) = &mut self.event {
            event.read(at, chunk);
        }
    }
}

impl FirstEvent {
    fn read(&mut self, before: usize, chunk: &[u8]) {
        let mut at = 0;
        while self.end.is_none() && at < chunk.len() {
            self.has_begun |= !matches!(chunk[at], b'\r' | b'\n');
            let Some(length) = self.scanner.read_one(&chunk[at..]) else { return };
            at += length;
            self.end = self.has_begun.then_some(before + at);
        }
    }
}
