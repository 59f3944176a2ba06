use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use kimi_errors::{BoxError, Error};
use pin_project_lite::pin_project;

use super::{Observer, entry::Entry};

pin_project! {
    /// The body of an answer, as it came; with it goes its record, until its end. See the
    /// [module](super).
    pub struct ResponseBody<B, O: Observer> {
        #[pin]
        inner: B,
        // Dropped after the body: the record says what was known when its work had ended. `None` if
        // nobody wants to know, or it is written.
        entry: Option<Box<Entry<O>>>,
    }
}

impl<B, O: Observer> ResponseBody<B, O> {
    pub(super) const fn new(inner: B, entry: Option<Box<Entry<O>>>) -> Self {
        Self { inner, entry }
    }
}

impl<B, O> Body for ResponseBody<B, O>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
    O: Observer,
{
    type Data = Bytes;
    type Error = Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let mut this = self.project();
        let Some(entry) = this.entry else {
            return this.inner.poll_frame(cx).map_err(|error| Error::from(error.into()));
        };
        entry.enter();
        let polled = this.inner.as_mut().poll_frame(cx);
        // After trailers, and the last frame of a body that knows its end, nobody polls for the end.
        let is_last = match &polled {
            Poll::Ready(Some(Ok(frame))) => frame.is_trailers() || this.inner.is_end_stream(),
            _ => false,
        };
        entry.leave();
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(frame))) => {
                entry.see_frame(&frame, is_last);
                if is_last {
                    entry.complete();
                    *this.entry = None;
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                let error = entry.fail(Error::from(error.into()));
                *this.entry = None;
                Poll::Ready(Some(Err(error)))
            }
            Poll::Ready(None) => {
                entry.complete();
                *this.entry = None;
                Poll::Ready(None)
            }
        }
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
}

/// Shows nothing of what it says.
impl<B, O: Observer> fmt::Debug for ResponseBody<B, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ResponseBody");
        shown.field("is_watched", &self.entry.is_some()).finish_non_exhaustive()
    }
}
