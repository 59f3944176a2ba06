use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use kimi_errors::BoxError;

use super::{shared::Shared, state::Polled};
use crate::sync::Arc;

/// The request body of one attempt.
///
/// Its bytes are those of the original body, or a prefix of them and then an error: the original's
/// own, or one of kind [`Cancelled`](kimi_errors::ErrorKind::Cancelled) when a next attempt has
/// begun and the original was not there at once. Frames may be cut elsewhere, trailers are the
/// same, and the size hint is as exact as the original's.
///
/// A body that is not `Unpin` has to be boxed first, since attempts take turns in polling it.
/// The rest is told on the page of the [module](super).
pub struct ReplayBody<B>(pub(super) Inner<B>);

pub(super) enum Inner<B> {
    /// The original itself, of a request that is tried once.
    Once(B),
    /// All bytes of an original that was there at once. Never none.
    Whole(Bytes),
    Attempt {
        shared: Arc<Shared<B>>,
        number: u32,
    },
    /// It has ended or failed. An attempt is this as soon as it is known to have been given its
    /// last frame, so that `is_end_stream` needs no lock.
    Over,
}

impl<B> ReplayBody<B> {
    /// Creates the body of a request that is tried once: allocates and records nothing.
    #[must_use]
    pub const fn once(body: B) -> Self {
        Self(Inner::Once(body))
    }
}

impl<B> Body for ReplayBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    #[inline]
    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        match &mut self.0 {
            Inner::Once(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Inner::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                self.0 = Inner::Over;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Inner::Attempt { shared, number } => {
                let mut is_over = false;
                let polled = shared.poll_frame(*number, cx, &mut is_over);
                if is_over {
                    self.0 = Inner::Over;
                }
                polled
            }
            Inner::Over => Poll::Ready(None),
        }
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Once(body) => body.size_hint(),
            Inner::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Inner::Attempt { shared, number } => shared.size_hint(*number),
            Inner::Over => SizeHint::with_exact(0),
        }
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Once(body) => body.is_end_stream(),
            Inner::Whole(_) | Inner::Attempt { .. } => false,
            Inner::Over => true,
        }
    }
}

// Nothing of it is ever pinned: the original is asked to be `Unpin` where it is polled.
impl<B> Unpin for ReplayBody<B> {}

impl<B> Default for ReplayBody<B> {
    /// Creates a body that has ended: the place of one that is yet to come.
    fn default() -> Self {
        Self(Inner::Over)
    }
}

impl<B> fmt::Debug for ReplayBody<B> {
    /// Shows nothing of the body, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayBody").finish_non_exhaustive()
    }
}
