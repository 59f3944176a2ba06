use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body;
use kimi_errors::{BoxError, Error, ErrorKind};

use super::gather::{Gather, TooLarge};

/// How many frames are taken in one poll: 64. Ours. A body may have its next frame ready without
/// end, and as long as it does no other task of the thread runs.
const FRAMES_PER_POLL: usize = 64;

/// A body on its way in.
pub(super) struct Collect<B> {
    body: B,
    data: Gather,
    trailers: Option<Box<HeaderMap>>,
    /// The least that the body was said to have.
    announced_bytes: usize,
}

/// A body that came whole.
pub(super) struct Collected {
    pub(super) data: Bytes,
    // Boxed, since few have any and every body is moved several times.
    pub(super) trailers: Option<Box<HeaderMap>>,
}

/// Why a body did not come whole.
pub(super) enum Broken {
    /// It is larger than the limit.
    TooLarge,
    /// It failed.
    Failed(Error),
}

impl From<TooLarge> for Broken {
    fn from(TooLarge: TooLarge) -> Self {
        Self::TooLarge
    }
}

impl<B> Collect<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    pub(super) fn new(body: B, max_bytes: usize) -> Self {
        let announced_bytes = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        let data = Gather::new(announced_bytes, max_bytes);
        Self { body, data, trailers: None, announced_bytes }
    }

    /// Reads on. It is not polled again once it is ready.
    ///
    /// # Errors
    ///
    /// Fails at the first byte too many, if the body does, and if it ends before it has what it
    /// announced.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Collected, Broken>> {
        for _ in 0..FRAMES_PER_POLL {
            if self.body.is_end_stream() {
                return Poll::Ready(self.finish());
            }
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)) else {
                return Poll::Ready(self.finish());
            };
            let frame = frame.map_err(|error| Broken::Failed(Error::from_request_body(error)))?;
            match frame.into_data() {
                Ok(data) => self.data.push(data)?,
                Err(frame) => self.add_trailers(frame.into_trailers().unwrap_or_default()),
            }
        }
        // There may be more at once, of which nobody else will tell us.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn add_trailers(&mut self, trailers: HeaderMap) {
        match &mut self.trailers {
            None => self.trailers = Some(Box::new(trailers)),
            Some(known) => known.extend(trailers),
        }
    }

    fn finish(&mut self) -> Result<Collected, Broken> {
        // hyper ends the body of an HTTP/2 request without an error when its client resets the
        // stream with NO_ERROR.
        if self.data.len() < self.announced_bytes {
            return Err(Broken::Failed(ErrorKind::Cancelled.into()));
        }
        let data = std::mem::replace(&mut self.data, Gather::new(0, 0)).finish();
        Ok(Collected { data, trailers: self.trailers.take() })
    }
}
