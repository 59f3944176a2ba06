use std::{borrow::Cow, collections::VecDeque, ops::Range};

use bytes::Bytes;
use http_body::Frame;

/// The frames that a look has seen and nobody has read.
#[derive(Debug)]
pub(super) struct Seen {
    first: Option<Bytes>,
    // Boxed, since most looks end with the first frame and every body is moved several times.
    more: Option<Box<More>>,
}

#[derive(Debug, Default)]
struct More {
    data: VecDeque<Bytes>,
    /// The frame that is not data: trailers, after which no data can come.
    last: Option<Frame<Bytes>>,
}

impl Seen {
    pub(super) const fn new() -> Self {
        Self { first: None, more: None }
    }

    pub(super) fn push(&mut self, data: Bytes) {
        match &mut self.more {
            None if self.first.is_none() => self.first = Some(data),
            more => more.get_or_insert_default().data.push_back(data),
        }
    }

    /// Takes the frame that is not data.
    pub(super) fn push_last(&mut self, frame: Frame<Bytes>) {
        self.more.get_or_insert_default().last = Some(frame);
    }

    /// Returns the next frame to be read.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Frame<Bytes>> {
        if let Some(data) = self.first.take() {
            return Some(Frame::data(data));
        }
        let more = self.more.as_mut()?;
        let frame = more.data.pop_front().map(Frame::data).or_else(|| more.last.take());
        if frame.is_none() {
            self.more = None;
        }
        frame
    }

    /// Returns whether the frame that is not data was seen.
    pub(super) fn has_last(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.last.is_some())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
            && self.more.as_ref().is_none_or(|more| more.data.is_empty() && more.last.is_none())
    }

    pub(super) fn data(&self) -> impl Iterator<Item = &Bytes> {
        self.first.iter().chain(self.more.iter().flat_map(|more| &more.data))
    }

    pub(super) fn bytes(&self) -> u64 {
        self.data().map(|data| data.len() as u64).sum()
    }

    /// Returns a part of what was seen, borrowed if it stands in one frame.
    pub(super) fn part(&self, range: Range<usize>) -> Cow<'_, [u8]> {
        if range.is_empty() {
            return Cow::Borrowed(&[]);
        }
        let mut joined: Option<Vec<u8>> = None;
        let mut at = 0;
        for data in self.data() {
            let end = at + data.len();
            if end > range.start {
                let part = &data[range.start.max(at) - at..range.end.min(end) - at];
                match &mut joined {
                    None if range.end <= end => return Cow::Borrowed(part),
                    None => {
                        let mut first = Vec::with_capacity(range.len());
                        first.extend_from_slice(part);
                        joined = Some(first);
                    }
                    Some(joined) => joined.extend_from_slice(part),
                }
                if range.end <= end {
                    break;
                }
            }
            at = end;
        }
        Cow::Owned(joined.unwrap_or_default())
    }
}
