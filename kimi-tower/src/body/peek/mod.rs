//! A look at the beginning of a body, which is then handed on as if nobody had looked.

#[cfg(feature = "raise-error")]
mod deadline;
mod look;
mod seen;

use std::{
    borrow::Cow,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use kimi_errors::BoxError;

#[cfg(feature = "raise-error")]
pub(crate) use self::deadline::Deadline;
pub(crate) use self::look::Look;
use self::seen::Seen;

/// Stands in the extensions of an answer of which a look has taken all its time, so that the layer
/// around the one that looked does not wait for the same beginning again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Awaited;

/// A body, and what was seen of it: it yields that first, frame by frame, then the rest.
///
/// Data, trailers, the error, the size hint and the end are those of the body. Nothing is copied,
/// and nothing is allocated as long as no second frame is seen.
#[derive(Debug)]
pub(crate) struct Peeked<B> {
    seen: Seen,
    rest: Rest<B>,
}

#[derive(Debug)]
enum Rest<B> {
    Open(B),
    /// It failed, which has not been told. The hint is what it said of its rest.
    Broken(BoxError, SizeHint),
    /// The hint is what it said of its rest before its end was known, and so is not exact where
    /// only the end tells the length: who is told an exact one takes a body that was cut for whole.
    Over(SizeHint),
    /// It ended, and had said that there was more. Not known to be over, as before: who sends it on
    /// is to find that out, instead of sending what is there as if it were all.
    Short(SizeHint),
}

impl<B> Peeked<B> {
    pub(crate) const fn new(body: B) -> Self {
        Self { seen: Seen::new(), rest: Rest::Open(body) }
    }

    /// Returns whether the look has come to the end of the body.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.rest, Rest::Over(_) | Rest::Short(_)) || self.seen.has_last()
    }

    /// Returns whether the body has failed under the look.
    pub(crate) const fn is_broken(&self) -> bool {
        matches!(self.rest, Rest::Broken(..))
    }

    /// Drops the body and returns why it has failed under the look, if it has.
    #[cfg(feature = "raise-error")]
    pub(crate) fn into_failure(self) -> Option<BoxError> {
        match self.rest {
            Rest::Broken(error, _) => Some(error),
            Rest::Open(_) | Rest::Over(_) | Rest::Short(_) => None,
        }
    }

    /// Returns what the look was about, before any of it is read. Copied only if it came in
    /// several frames.
    pub(crate) fn prefix(&self, look: &Look) -> Cow<'_, [u8]> {
        self.seen.part(0..look.bytes())
    }

    /// Returns the event that the look is about, or as much of it as has come.
    #[cfg(feature = "retry")]
    pub(crate) fn event(&self, look: &Look) -> Cow<'_, [u8]> {
        self.seen.part(look.start()..look.bytes())
    }

    /// Makes the look one at the event behind the one that it has found.
    #[cfg(feature = "retry")]
    pub(crate) fn pass_over_event(&self, look: &mut Look) {
        look.pass_over();
        let (start, mut at) = (look.start(), 0);
        for data in self.seen.data() {
            let end = at + data.len();
            if end > start && !look.has_event() {
                let from = at.max(start);
                look.read_again(from, &data[from - at..]);
            }
            at = end;
        }
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
            let hint = body.size_hint();
            if body.is_end_stream() {
                self.rest = Rest::Over(hint);
                break;
            }
            match ready!(Pin::new(&mut *body).poll_frame(cx)) {
                None if hint.lower() > 0 => self.rest = Rest::Short(hint),
                None => self.rest = Rest::Over(hint),
                Some(Err(error)) => {
                    let hint = body.size_hint();
                    self.rest = Rest::Broken(error.into(), hint);
                }
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        look.read(&data);
                        self.seen.push(data);
                    }
                    Err(other) => {
                        // Nothing comes after trailers, and what the body keeps busy is free.
                        if other.is_trailers() {
                            self.rest = Rest::Over(hint);
                        }
                        self.seen.push_last(other);
                    }
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
        if let Some(frame) = self.seen.pop() {
            return Poll::Ready(Some(Ok(frame)));
        }
        match &mut self.rest {
            Rest::Open(body) => {
                Pin::new(body).poll_frame(cx).map(|frame| frame.map(|it| it.map_err(Into::into)))
            }
            rest => match mem::replace(rest, Rest::Over(SizeHint::with_exact(0))) {
                Rest::Broken(error, _) => Poll::Ready(Some(Err(error))),
                Rest::Open(_) | Rest::Over(_) | Rest::Short(_) => Poll::Ready(None),
            },
        }
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        let rest = match &self.rest {
            Rest::Open(body) => body.size_hint(),
            Rest::Broken(_, hint) | Rest::Over(hint) | Rest::Short(hint) => *hint,
        };
        let seen = self.seen.bytes();
        let mut hint = SizeHint::new();
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(seen));
        }
        hint.set_lower(rest.lower().saturating_add(seen));
        hint
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        self.seen.is_empty()
            && match &self.rest {
                Rest::Open(body) => body.is_end_stream(),
                Rest::Broken(..) | Rest::Short(_) => false,
                Rest::Over(_) => true,
            }
    }
}

#[cfg(test)]
mod tests;
