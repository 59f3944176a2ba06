//! A look at the beginning of a body, which is then handed on as if nobody had looked.

mod deadline;
mod look;

use std::{
    borrow::Cow,
    collections::VecDeque,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use kimi_errors::BoxError;

pub(crate) use self::{deadline::Deadline, look::Look};

/// A body, and what was seen of it: it yields that first, frame by frame, then the rest.
///
/// Data, trailers, the error, the size hint and the end are those of the body. Nothing is copied,
/// and nothing is allocated as long as no second frame is seen.
#[derive(Debug)]
pub(crate) struct Peeked<B> {
    first: Option<Bytes>,
    // Boxed, since most looks end with the first frame and every body is moved several times.
    more: Option<Box<More>>,
    rest: Rest<B>,
}

#[derive(Debug, Default)]
struct More {
    data: VecDeque<Bytes>,
    /// The frame that is not data: trailers, after which no data can come.
    last: Option<Frame<Bytes>>,
}

#[derive(Debug)]
enum Rest<B> {
    Open(B),
    /// It failed, which has not been told. The hint is what it said of its rest.
    Broken(BoxError, SizeHint),
    Over,
}

impl<B> Peeked<B> {
    pub(crate) const fn new(body: B) -> Self {
        Self { first: None, more: None, rest: Rest::Open(body) }
    }

    /// Returns whether the look has come to the end of the body.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.rest, Rest::Over) || self.more.as_ref().is_some_and(|it| it.last.is_some())
    }

    /// Returns whether the body has failed under the look.
    pub(crate) const fn is_broken(&self) -> bool {
        matches!(self.rest, Rest::Broken(..))
    }

    /// Drops the body and returns why it has failed under the look, if it has.
    pub(crate) fn into_failure(self) -> Option<BoxError> {
        match self.rest {
            Rest::Broken(error, _) => Some(error),
            Rest::Open(_) | Rest::Over => None,
        }
    }

    /// Returns what the look was about, before any of it is read. Copied only if it came in
    /// several frames.
    pub(crate) fn prefix(&self, look: &Look) -> Cow<'_, [u8]> {
        let first = self.first.as_deref().unwrap_or_default();
        let bytes = look.bytes();
        match &self.more {
            Some(more) if first.len() < bytes => {
                let mut prefix = Vec::with_capacity(bytes);
                for data in std::iter::once(first).chain(more.data.iter().map(|data| &**data)) {
                    prefix.extend_from_slice(&data[..data.len().min(bytes - prefix.len())]);
                }
                Cow::Owned(prefix)
            }
            _ => Cow::Borrowed(&first[..first.len().min(bytes)]),
        }
    }

    fn keep(&mut self, data: Bytes) {
        match &mut self.more {
            None if self.first.is_none() => self.first = Some(data),
            more => more.get_or_insert_default().data.push_back(data),
        }
    }

    fn seen_bytes(&self) -> u64 {
        let more = self.more.iter().flat_map(|more| &more.data);
        self.first.iter().chain(more).map(|data| data.len() as u64).sum()
    }

    /// Takes the next of the frames seen.
    fn take_seen(&mut self) -> Option<Frame<Bytes>> {
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
}

impl<B> Peeked<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    /// Reads until the look is done or the body is over or has failed. What was read stays here
    /// while it waits, so that giving up loses nothing.
    pub(crate) fn poll_look(&mut self, look: &mut Look, cx: &mut Context<'_>) -> Poll<()> {
        while !look.is_done() && !self.is_over() {
            let Rest::Open(body) = &mut self.rest else { break };
            if body.is_end_stream() {
                self.rest = Rest::Over;
                break;
            }
            match ready!(Pin::new(&mut *body).poll_frame(cx)) {
                None => self.rest = Rest::Over,
                Some(Err(error)) => {
                    let hint = body.size_hint();
                    self.rest = Rest::Broken(error.into(), hint);
                }
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        look.read(&data);
                        self.keep(data);
                    }
                    Err(other) => self.more.get_or_insert_default().last = Some(other),
                },
            }
        }
        Poll::Ready(())
    }
}

impl<B> Body for Peeked<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    #[inline]
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(frame) = self.take_seen() {
            return Poll::Ready(Some(Ok(frame)));
        }
        match &mut self.rest {
            Rest::Open(body) => {
                Pin::new(body).poll_frame(cx).map(|frame| frame.map(|it| it.map_err(Into::into)))
            }
            rest => match mem::replace(rest, Rest::Over) {
                Rest::Broken(error, _) => Poll::Ready(Some(Err(error))),
                Rest::Open(_) | Rest::Over => Poll::Ready(None),
            },
        }
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        let rest = match &self.rest {
            Rest::Open(body) => body.size_hint(),
            Rest::Broken(_, hint) => *hint,
            Rest::Over => SizeHint::with_exact(0),
        };
        let seen = self.seen_bytes();
        let mut hint = SizeHint::new();
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(seen));
        }
        hint.set_lower(rest.lower().saturating_add(seen));
        hint
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        let is_seen_empty = self.first.is_none()
            && self.more.as_ref().is_none_or(|it| it.data.is_empty() && it.last.is_none());
        is_seen_empty
            && match &self.rest {
                Rest::Open(body) => body.is_end_stream(),
                Rest::Broken(..) => false,
                Rest::Over => true,
            }
    }
}

#[cfg(test)]
mod tests;
