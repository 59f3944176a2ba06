use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use kimi_errors::BoxError;
use pin_project_lite::pin_project;

use crate::file_url::{Reason, Refused};

pin_project! {
    /// The body of a file that is fetched. It fails at the first byte too many, whatever was
    /// announced, with [`Reason::TooLarge`]; and with [`Reason::Unreachable`] where the inner body
    /// fails.
    ///
    /// The frame that has this byte is not handed on. After a failure the body has ended.
    #[must_use = "bodies do nothing unless polled"]
    pub struct FileBody<B> {
        #[pin]
        inner: B,
        left: u64,
        is_done: bool,
    }
}

impl<B> FileBody<B> {
    pub(super) const fn new(inner: B, max_bytes: u64) -> Self {
        Self { inner, left: max_bytes, is_done: false }
    }
}

impl<B> Body for FileBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = Refused;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, Refused>>> {
        let this = self.project();
        if *this.is_done {
            return Poll::Ready(None);
        }
        let refused = match ready!(this.inner.poll_frame(cx)) {
            None => return Poll::Ready(None),
            Some(Err(error)) => Refused::because(Reason::Unreachable, error),
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, |data| data.remaining() as u64);
                match this.left.checked_sub(bytes) {
                    Some(left) => {
                        *this.left = left;
                        return Poll::Ready(Some(Ok(frame)));
                    }
                    None => Reason::TooLarge.into(),
                }
            }
        };
        *this.is_done = true;
        Poll::Ready(Some(Err(refused)))
    }

    fn is_end_stream(&self) -> bool {
        self.is_done || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B> fmt::Debug for FileBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileBody").field("left", &self.left).finish_non_exhaustive()
    }
}
