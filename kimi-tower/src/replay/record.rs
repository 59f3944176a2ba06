use bytes::Bytes;
use http_body::Frame;

use super::{
    budget::{ReplayLimits, Reserved},
    pieces::{FIELD, Others, PIECE, Pieces},
};

/// What was read of a body, and how much of it the running attempt has been given.
///
/// The pure part of replay: no lock, no polling.
#[derive(Debug)]
pub(super) struct Record {
    pieces: Pieces,
    /// The data bytes in `pieces`.
    bytes: usize,
    /// How many pieces the running attempt has been given, or [`ALL`].
    given: usize,
    /// The data bytes that it has not been given.
    due: usize,
    /// Whether more is recorded, and what was recorded is whole.
    is_kept: bool,
    max_bytes: usize,
    reserved: Reserved,
}

const ALL: usize = usize::MAX;

/// What is kept no longer, to be dropped where no lock is held: first the bytes, then the
/// reservation.
#[derive(Debug)]
pub(super) struct LetGo {
    _pieces: Pieces,
    _reserved: Reserved,
}

impl Record {
    #[inline]
    pub(super) fn new(limits: &ReplayLimits) -> Self {
        Self {
            pieces: Pieces::default(),
            bytes: 0,
            given: ALL,
            due: 0,
            is_kept: true,
            max_bytes: limits.max_bytes(),
            reserved: limits.budget().reserved(),
        }
    }

    /// Records what the running attempt, which has been given everything before, is given now.
    /// `rest` is the least that is still to come.
    ///
    /// Returns what is let go, which is everything, if it is too much.
    #[inline]
    pub(super) fn push(&mut self, frame: &Frame<Bytes>, rest: u64) -> Option<LetGo> {
        debug_assert!(self.is_all_given(), "an attempt reads on after what was recorded");
        if !self.is_kept {
            return None;
        }
        let fits = match frame.data_ref() {
            Some(data) => self.fits(data.len(), rest) && self.push_data(data),
            None => self.push_trailers(frame),
        };
        if fits { None } else { self.let_go() }
    }

    /// Starts again, for a next attempt. Returns whether that is possible.
    pub(super) fn rewind(&mut self) -> bool {
        if self.is_kept {
            self.given = 0;
            self.due = self.bytes;
            self.settle();
        }
        self.is_kept
    }

    /// Returns what the running attempt is given next, or `None` if it has been given everything.
    #[inline]
    pub(super) fn next(&mut self) -> Option<Frame<Bytes>> {
        if self.is_all_given() { None } else { Some(self.replay()) }
    }

    /// Records no more, and lets go what the running attempt has been given.
    pub(super) fn let_go(&mut self) -> Option<LetGo> {
        self.is_kept = false;
        if self.is_all_given() {
            self.bytes = 0;
            let pieces = std::mem::take(&mut self.pieces);
            return Some(LetGo { _pieces: pieces, _reserved: self.reserved.split_all() });
        }
        if self.given == 0 {
            return None;
        }
        let mut given = Others::default();
        let first = std::iter::once(&mut self.pieces.first);
        let others = self.pieces.others.iter_mut().flat_map(|others| &mut others.data);
        given.data.extend(first.chain(others).take(self.given).map(std::mem::take));
        let bytes = given.data.iter().map(Bytes::len).sum();
        let pieces = Pieces { first: Bytes::new(), others: Some(Box::new(given)) };
        Some(LetGo { _pieces: pieces, _reserved: self.reserved.split(bytes) })
    }

    pub(super) const fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// Returns whether the running attempt has been given everything that was recorded.
    pub(super) const fn is_all_given(&self) -> bool {
        self.given == ALL
    }

    /// Returns how many bytes the running attempt has not been given.
    pub(super) const fn due(&self) -> u64 {
        self.due as u64
    }

    fn fits(&self, more: usize, rest: u64) -> bool {
        let left = (self.max_bytes - self.bytes).checked_sub(more);
        left.is_some_and(|left| left as u64 >= rest)
    }

    #[inline]
    fn push_data(&mut self, data: &Bytes) -> bool {
        self.bytes += data.len();
        if data.is_empty() {
            true
        } else if self.pieces.first.is_empty() && self.pieces.others.is_none() {
            let fits = self.reserved.grow(PIECE + data.len());
            if fits {
                self.pieces.first = data.clone();
            }
            fits
        } else {
            self.pieces.others(&mut self.reserved).is_some_and(|(others, reserved)| {
                // Data after trailers: no body should, and it could not be replayed in order.
                others.trailers.is_none() && others.push(data, reserved)
            })
        }
    }

    fn push_trailers(&mut self, frame: &Frame<Bytes>) -> bool {
        // A frame of a kind that is not known yet cannot be replayed.
        let Some(trailers) = frame.trailers_ref() else { return false };
        let bytes = trailers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        let fits = self.fits(bytes, 0);
        let others = if fits { self.pieces.others(&mut self.reserved) } else { None };
        others.is_some_and(|(others, reserved)| {
            let fits = others.trailers.is_none() && reserved.grow(bytes + FIELD * trailers.len());
            if fits {
                others.trailers = Some(trailers.clone());
            }
            fits
        })
    }

    /// Only while something is due.
    #[inline(never)]
    fn replay(&mut self) -> Frame<Bytes> {
        let (given, is_kept) = (self.given, self.is_kept);
        self.given += 1;
        let piece = match &mut self.pieces.others {
            _ if given == 0 && !self.pieces.first.is_empty() => Some(&mut self.pieces.first),
            Some(others) => others.piece(given.saturating_sub(1)),
            None => None,
        };
        let frame = if let Some(piece) = piece {
            let data = if is_kept { piece.clone() } else { std::mem::take(piece) };
            self.due -= data.len();
            if !is_kept {
                drop(self.reserved.split(data.len()));
            }
            Frame::data(data)
        } else {
            self.given = ALL;
            let trailers = self.pieces.others.as_mut().map(|others| &mut others.trailers);
            let trailers = trailers
                .and_then(|trailers| if is_kept { trailers.clone() } else { trailers.take() });
            Frame::trailers(trailers.unwrap_or_default())
        };
        self.settle();
        frame
    }

    /// Notices when nothing is due any more.
    fn settle(&mut self) {
        let has_trailers = self.pieces.others.as_ref().is_some_and(|it| it.trailers.is_some());
        if self.due == 0 && !(has_trailers && self.given != ALL) {
            self.given = ALL;
            if !self.is_kept {
                // Each piece has been moved out, so that this drops none.
                self.pieces = Pieces::default();
                drop(self.reserved.split_all());
            }
        }
    }
}
