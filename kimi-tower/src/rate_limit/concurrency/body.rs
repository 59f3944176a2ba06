use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::permits::Permit;

pin_project! {
    /// The body of an answer, as it came; with it goes the permit, until its end. See the
    /// [module](super).
    pub struct ResponseBody<B> {
        #[pin]
        inner: B,
        // Dropped after the body: the next request begins when this one's work has ended.
        permit: Option<Permit>,
    }
}

impl<B: Body> ResponseBody<B> {
    pub(super) fn new(inner: B, permit: Option<Permit>) -> Self {
        // One that is over is not polled by anybody, and may be kept.
        let permit = permit.filter(|_| !inner.is_end_stream());
        Self { inner, permit }
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        // Taken, so that a panic gives it back here, whoever catches it and keeps the body.
        let permit = this.permit.take();
        let polled = this.inner.as_mut().poll_frame(cx);
        *this.permit = permit.filter(|_| match &polled {
            Poll::Pending => true,
            // After the last frame of a body that knows its end, nobody polls for the end.
            Poll::Ready(Some(Ok(_))) => !this.inner.is_end_stream(),
            Poll::Ready(Some(Err(_)) | None) => false,
        });
        polled
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
impl<B> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ResponseBody");
        shown.field("has_permit", &self.permit.is_some()).finish_non_exhaustive()
    }
}
