use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{
    limiter::After,
    store::{MemoryStore, RateStore},
    upstream,
};
use crate::body::usage::UsageTap;

/// How much of a throttle's body is read for its wait: 4 KiB, ours. Kimi's have 200 bytes.
const MAX_READ: usize = 4096;

pin_project! {
    /// The body of an answer: the inner one, byte for byte, of which some are read in passing. See
    /// the [module](super).
    pub struct ResponseBody<B, R = MemoryStore>
    where
        R: RateStore,
    {
        #[pin]
        inner: B,
        // Boxed, since most bodies have none, and every body is moved several times. Dropped when
        // the body is over, and does then what is left to do.
        reader: Option<Box<Reader<R>>>,
    }
}

/// Who reads in passing.
enum Reader<R: RateStore> {
    Tokens(Tokens<R>),
    Throttle(Throttle<R>),
}

impl<B, R: RateStore> ResponseBody<B, R> {
    #[inline]
    pub(super) const fn untouched(inner: B) -> Self {
        Self { inner, reader: None }
    }
}

impl<B: Body, R: RateStore> ResponseBody<B, R> {
    pub(super) fn tokens(inner: B, tokens: Tokens<R>) -> Self {
        Self::read_by(inner, Reader::Tokens(tokens))
    }

    pub(super) fn throttle(inner: B, throttle: Throttle<R>) -> Self {
        Self::read_by(inner, Reader::Throttle(throttle))
    }

    fn read_by(inner: B, reader: Reader<R>) -> Self {
        // An answer to `HEAD`, a 204 and a 304 are complete at once, and have said nothing.
        let reader = (!inner.is_end_stream()).then(|| Box::new(reader));
        Self { inner, reader }
    }
}

impl<B, R> Body for ResponseBody<B, R>
where
    B: Body<Data = Bytes>,
    R: RateStore,
{
    type Data = Bytes;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let Some(reader) = this.reader else { return this.inner.poll_frame(cx) };
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            reader.read(data);
        }
        // Whoever knows by `is_end_stream` that it is over polls no more.
        let is_whole = frame.is_none() || this.inner.is_end_stream();
        if is_whole {
            reader.end();
        }
        if is_whole || matches!(frame, Some(Err(_))) {
            *this.reader = None;
        }
        Poll::Ready(frame)
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

impl<R: RateStore> Reader<R> {
    fn read(&mut self, data: &Bytes) {
        match self {
            Self::Tokens(tokens) => tokens.tap.read(data),
            Self::Throttle(throttle) => throttle.read(data),
        }
    }

    /// The body is over, and was not cut.
    const fn end(&mut self) {
        if let Self::Tokens(tokens) = self {
            tokens.is_whole = true;
        }
    }
}

/// Finds out how many tokens were used, and corrects the charge when the body is over. What does not
/// say so is taken to have used what was reserved.
pub(super) struct Tokens<R: RateStore> {
    after: After<R>,
    tap: UsageTap,
    /// Whether all of the body was there.
    is_whole: bool,
}

impl<R: RateStore> Tokens<R> {
    pub(super) const fn new(after: After<R>, tap: UsageTap) -> Self {
        Self { after, tap, is_whole: false }
    }
}

impl<R: RateStore> Drop for Tokens<R> {
    fn drop(&mut self) {
        let Some(usage) = self.tap.usage() else { return };
        // Counts that nobody has added up may be those of a stream's beginning, if it was cut: an
        // answer of Anthropic's form begins with them.
        let is_final = self.is_whole || usage.is_added_up();
        if let Some(used) = usage.total().filter(|_| is_final) {
            self.after.settle_tokens(u32::try_from(used).unwrap_or(u32::MAX));
        }
    }
}

/// Finds out how long an upstream wants us to wait, whose answer's head does not say so.
pub(super) struct Throttle<R: RateStore> {
    after: After<R>,
    status: StatusCode,
    headers: HeaderMap,
    read: Vec<u8>,
}

impl<R: RateStore> Throttle<R> {
    pub(super) const fn new(after: After<R>, status: StatusCode, headers: HeaderMap) -> Self {
        Self { after, status, headers, read: Vec::new() }
    }

    fn read(&mut self, data: &Bytes) {
        let more = data.len().min(MAX_READ - self.read.len());
        self.read.extend_from_slice(&data[..more]);
    }
}

impl<R: RateStore> Drop for Throttle<R> {
    fn drop(&mut self) {
        self.after.observe(&upstream::told_with_body(self.status, &self.headers, &self.read));
    }
}

/// Shows nothing of what it says.
impl<B, R: RateStore> fmt::Debug for ResponseBody<B, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("is_read", &self.reader.is_some())
            .finish_non_exhaustive()
    }
}
