//! A body whose clean end is believed only if it is the end of the body.

use std::{
    error::Error as StdError,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::Version;
use http_body::{Body, Frame, SizeHint};
use kimi_errors::BoxError;

use crate::body::{
    described::{Content, Described},
    nesting::Nesting,
};

/// A body that fails if it ends before its time.
///
/// Transports see to that themselves wherever HTTP says where a body ends, so that it matters
/// where there is none in between, and for an answer that ends with its connection.
#[derive(Debug)]
pub(super) struct Whole<B> {
    body: B,
    due: Due,
}

/// What must have come when a body ends.
#[derive(Debug)]
enum Due {
    /// Whatever the transport says is whole.
    Framed,
    /// So many bytes: RFC 9110 §8.6.
    Bytes(u64),
    /// The end of the JSON, since the end of the connection is the only other sign: RFC 9112 §6.3,
    /// number 8.
    Json(Nesting),
}

/// A body ended before its time.
#[derive(Debug)]
struct CutShort;

impl<B> Whole<B> {
    /// Believes the transport.
    pub(super) const fn framed(body: B) -> Self {
        Self { body, due: Due::Framed }
    }
}

impl<B: Body> Whole<B> {
    /// Believes what the head of a success says.
    pub(super) fn of(described: Described, version: Version, body: B) -> Self {
        let is_unframed = || {
            version < Version::HTTP_2
                && !described.is_chunked
                && !described.is_encoded
                && described.content == Content::Json
                && body.size_hint().exact().is_none()
        };
        let due = match described.length {
            Some(bytes) => Due::Bytes(bytes),
            None if is_unframed() => Due::Json(Nesting::default()),
            None => Due::Framed,
        };
        Self { body, due }
    }
}

impl Due {
    fn read(&mut self, data: &[u8]) {
        match self {
            Self::Framed => {}
            Self::Bytes(bytes) => *bytes = bytes.saturating_sub(data.len() as u64),
            Self::Json(nesting) => nesting.read(data),
        }
    }

    const fn is_met(&self) -> bool {
        match self {
            Self::Framed => true,
            Self::Bytes(bytes) => *bytes == 0,
            Self::Json(nesting) => nesting.may_end(),
        }
    }
}

impl<B> Body for Whole<B>
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
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let frame = frame.transpose().map_err(Into::into);
        if let Ok(frame) = &frame {
            // The end, or trailers, after which no data comes.
            match frame.as_ref().and_then(Frame::data_ref) {
                Some(data) => self.due.read(data),
                None if !self.due.is_met() => {
                    self.due = Due::Framed;
                    return Poll::Ready(Some(Err(CutShort.into())));
                }
                None => {}
            }
        }
        Poll::Ready(frame.transpose())
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream() && self.due.is_met()
    }
}

impl fmt::Display for CutShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body ended before its announced length, or within its JSON")
    }
}

impl StdError for CutShort {}
