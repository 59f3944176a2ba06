use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use kimi_errors::BoxError;

use crate::body::peek::Peeked;

/// The body of an answer: the inner one, byte for byte, also where its beginning was looked at.
/// See the [module](super).
pub struct ResponseBody<R>(Inner<R>);

enum Inner<R> {
    Untouched(R),
    LookedAt(Peeked<R>),
}

impl<R> ResponseBody<R> {
    #[inline]
    pub(super) const fn untouched(body: R) -> Self {
        Self(Inner::Untouched(body))
    }

    pub(super) const fn looked_at(body: Peeked<R>) -> Self {
        Self(Inner::LookedAt(body))
    }

    /// Returns whether the inner body is known to have ended or failed, and so keeps nothing busy.
    pub(super) fn is_over(&self) -> bool {
        match &self.0 {
            Inner::Untouched(_) => false,
            Inner::LookedAt(body) => body.is_over() || body.is_broken(),
        }
    }
}

impl<R> Body for ResponseBody<R>
where
    R: Body<Data = Bytes> + Unpin,
    R::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    #[inline]
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Inner::Untouched(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Inner::LookedAt(body) => Pin::new(body).poll_frame(cx),
        }
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Untouched(body) => body.size_hint(),
            Inner::LookedAt(body) => body.size_hint(),
        }
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Untouched(body) => body.is_end_stream(),
            Inner::LookedAt(body) => body.is_end_stream(),
        }
    }
}

impl<R> fmt::Debug for ResponseBody<R> {
    /// Shows nothing of what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}
