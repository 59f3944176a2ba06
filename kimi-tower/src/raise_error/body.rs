use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use kimi_errors::{BoxError, Error};

use super::{interrupted::Interrupted, stream_end::Ending, watch::Watch, whole::Whole};
use crate::body::peek::Peeked;

/// The body of an answer that is no error as far as is known. See the [module](super).
pub struct ResponseBody<B> {
    // `None` as soon as nothing of it is wanted any more.
    inner: Option<Peeked<Whole<B>>>,
    /// The bytes handed on.
    bytes: u64,
    events: Option<Events>,
}

#[derive(Debug)]
struct Events {
    watch: Watch,
    /// What the body fails with when all that may go has gone.
    failure: Option<Error>,
}

impl<B> ResponseBody<B> {
    pub(super) const fn plain(body: Whole<B>) -> Self {
        Self::looked_at(Peeked::new(body))
    }

    pub(super) const fn looked_at(body: Peeked<Whole<B>>) -> Self {
        Self { inner: Some(body), bytes: 0, events: None }
    }

    pub(super) const fn event_stream(body: Peeked<Whole<B>>, watch: Watch) -> Self {
        Self { inner: Some(body), bytes: 0, events: Some(Events { watch, failure: None }) }
    }

    fn interrupted(&self, cause: Option<BoxError>) -> Interrupted {
        let events = self.events.as_ref().map_or(0, |events| events.watch.events());
        Interrupted::new(cause).at(self.bytes, events)
    }
}

type Polled = Poll<Option<Result<Frame<Bytes>, Error>>>;

impl<B> ResponseBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    fn poll_plain(&mut self, cx: &mut Context<'_>) -> Polled {
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        match ready!(Pin::new(inner).poll_frame(cx)) {
            Some(Ok(frame)) => Poll::Ready(Some(Ok(self.count(frame)))),
            Some(Err(error)) => {
                self.inner = None;
                Poll::Ready(Some(Err(self.interrupted(Some(error)).truncated())))
            }
            None => Poll::Ready(None),
        }
    }

    fn poll_events(&mut self, cx: &mut Context<'_>) -> Polled {
        // Ends, since each turn but the last takes bytes from `inner`, and few are held back.
        loop {
            let Some(Events { watch, failure }) = &mut self.events else {
                return Poll::Ready(None);
            };
            if let Some(frame) = watch.pop() {
                return Poll::Ready(Some(Ok(self.count(frame))));
            }
            if let Some(error) = failure.take() {
                return Poll::Ready(Some(Err(error.with_source(self.interrupted(None)))));
            }
            let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
            let frame = match ready!(Pin::new(inner).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => {
                    self.inner = None;
                    match watch.end(true) {
                        // What breaks after the end of the answer is none of its business.
                        Ending::Proper => {}
                        Ending::Error(said) => *failure = Some(said),
                        Ending::Truncated => {
                            let error = self.interrupted(Some(error)).truncated();
                            return Poll::Ready(Some(Err(error)));
                        }
                    }
                    continue;
                }
                None => {
                    self.inner = None;
                    match watch.end(false) {
                        Ending::Proper => {}
                        Ending::Error(said) => *failure = Some(said),
                        Ending::Truncated => return Poll::Ready(Some(Err(self.cut()))),
                    }
                    continue;
                }
            };
            match frame.into_data() {
                Ok(data) if data.is_empty() => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Ok(data) => {
                    let (complete, error) = watch.push(data);
                    if error.is_some() {
                        *failure = error;
                        self.inner = None;
                    }
                    if let Some(bytes) = complete {
                        return Poll::Ready(Some(Ok(self.count(Frame::data(bytes)))));
                    }
                }
                // No data can come after trailers.
                Err(trailers) => match watch.end(false) {
                    Ending::Proper => watch.push_trailers(trailers),
                    Ending::Error(said) => {
                        *failure = Some(said);
                        self.inner = None;
                    }
                    Ending::Truncated => {
                        self.inner = None;
                        return Poll::Ready(Some(Err(self.cut())));
                    }
                },
            }
        }
    }

    fn cut(&self) -> Error {
        self.interrupted(None).truncated()
    }

    fn count(&mut self, frame: Frame<Bytes>) -> Frame<Bytes> {
        self.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        frame
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = Error;

    #[inline]
    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        match self.events {
            None => self.poll_plain(cx),
            Some(_) => self.poll_events(cx),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = match &self.inner {
            Some(inner) => inner.size_hint(),
            None => SizeHint::with_exact(0),
        };
        let held = self.events.as_ref().map_or(0, |events| events.watch.held_bytes());
        if held > 0 {
            if let Some(upper) = hint.upper() {
                hint.set_upper(upper.saturating_add(held));
            }
            hint.set_lower(hint.lower().saturating_add(held));
        }
        hint
    }

    fn is_end_stream(&self) -> bool {
        let is_over = self.inner.as_ref().is_none_or(Body::is_end_stream);
        match &self.events {
            None => is_over,
            Some(Events { watch, failure }) => {
                // If it must not end here, there is an error to come.
                is_over
                    && failure.is_none()
                    && watch.is_empty()
                    && (self.inner.is_none() || watch.may_end())
            }
        }
    }
}

/// Shows how far it is, and nothing of what it says.
impl<B> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ResponseBody");
        shown.field("is_ended", &self.inner.is_none()).finish_non_exhaustive()
    }
}
