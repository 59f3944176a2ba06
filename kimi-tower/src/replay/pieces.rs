use bytes::Bytes;
use http::HeaderMap;

use super::budget::Reserved;

/// Frames after the first are copied if they are shorter than this: 1 KiB. Ours: a slice keeps
/// the buffer that it was cut from (8 KiB or more in hyper), so that a body of tiny frames could
/// hold many times what it counts; and a copy of 1 KiB costs no more than keeping track of a
/// slice.
const COPIED_BELOW: usize = 1024;

/// Copied frames are put together up to this size: 4 KiB, a page.
const CHUNK: usize = 4096;

/// What a piece is counted with beside its bytes: its place in a vector that doubles when it is
/// full, and the head that shared bytes have.
///
/// A vector begins with four places, which is what the first piece and one more are counted with.
pub(super) const PIECE: usize = 2 * size_of::<Bytes>() + 32;

/// What everything after the first frame is counted with once: the box that it is in.
const OTHERS: usize = size_of::<Others>();

/// What a trailer field is counted with beside its name and value: its place in the map.
pub(super) const FIELD: usize = 128;

/// In the order in which it was read.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// In here, since most bodies have no other. Empty if there is none.
    pub(super) first: Bytes,
    // Boxed, since the state is written and dropped once a request, whatever it holds.
    pub(super) others: Option<Box<Others>>,
}

/// What comes after the first frame.
#[derive(Debug, Default)]
pub(super) struct Others {
    pub(super) data: Vec<Bytes>,
    /// Short frames, put together until they fill a piece or are read again.
    tail: Vec<u8>,
    pub(super) trailers: Option<HeaderMap>,
}

impl Pieces {
    /// Makes room for what comes after the first frame.
    pub(super) fn others<'a>(
        &'a mut self,
        reserved: &'a mut Reserved,
    ) -> Option<(&'a mut Others, &'a mut Reserved)> {
        if self.others.is_none() && !reserved.grow(OTHERS) {
            return None;
        }
        Some((self.others.get_or_insert_default(), reserved))
    }
}

impl Others {
    /// Keeps one more frame.
    pub(super) fn push(&mut self, data: &Bytes, reserved: &mut Reserved) -> bool {
        if data.len() >= COPIED_BELOW {
            self.seal();
            let fits = reserved.grow(PIECE + data.len());
            if fits {
                self.data.push(data.clone());
            }
            return fits;
        }
        if self.tail.len() + data.len() > CHUNK {
            self.seal();
        }
        let wanted = self.tail.len() + data.len();
        let capacity = self.tail.capacity();
        if wanted > capacity {
            let head = if capacity == 0 { PIECE } else { 0 };
            let larger = wanted.next_power_of_two();
            if !reserved.grow(head + larger - capacity) {
                return false;
            }
            self.tail.reserve_exact(larger - self.tail.len());
        }
        self.tail.extend_from_slice(data);
        true
    }

    /// Makes a piece of the short frames.
    fn seal(&mut self) {
        if !self.tail.is_empty() {
            self.data.push(std::mem::take(&mut self.tail).into());
        }
    }

    /// Returns the piece with this number.
    pub(super) fn piece(&mut self, number: usize) -> Option<&mut Bytes> {
        if number == self.data.len() {
            self.seal();
        }
        self.data.get_mut(number)
    }
}
