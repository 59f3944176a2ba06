use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use kimi_errors::{BoxError, Error};
use pin_project_lite::pin_project;

use super::{answer::Answers, fence::Fenced};
use crate::body::holdback::Holdback;

pin_project! {
    /// The body of an answer, which never ends cleanly when it failed. See the [module](super).
    #[derive(Debug)]
    #[project = ResponseBodyProj]
    pub struct ResponseBody<B> {
        // Over from the start if the answer is ours, and as soon as it fails.
        #[pin]
        inner: Fenced<B>,
        form: Form,
    }

    impl<B> PinnedDrop for ResponseBody<B> {
        fn drop(this: Pin<&mut Self>) {
            this.project().inner.close();
        }
    }
}

/// How the body can say that it failed.
#[derive(Debug)]
pub(super) enum Form {
    /// By a body error.
    Plain,
    /// By one more event.
    EventStream(EventStream),
    /// By its trailers.
    Grpc(Answers),
    /// Not at all: these bytes are there.
    // Boxed, since the other forms are small and every body is moved several times.
    Whole(Box<Bytes>),
}

#[derive(Debug)]
pub(super) struct EventStream {
    answers: Answers,
    holdback: Holdback,
    /// Whether `inner` has ended; what is held back is still to be sent.
    is_over: bool,
}

impl Form {
    pub(super) fn event_stream(answers: Answers) -> Self {
        let holdback = Holdback::default();
        Self::EventStream(EventStream { answers, holdback, is_over: false })
    }

    // For the forms that are not plain, so that the caller's way for that one stays short.
    #[inline(never)]
    fn poll_frame<B>(&mut self, inner: Pin<&mut Fenced<B>>, cx: &mut Context<'_>) -> Polled
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let frame = match self {
            Self::Plain => return inner.poll_frame(cx),
            Self::EventStream(events) => ready!(events.poll_frame(inner, cx)),
            Self::Grpc(answers) => ready!(inner.poll_frame(cx)).map(|frame| match frame {
                Ok(frame) => frame,
                Err(error) => Frame::trailers(answers.trailers(error)),
            }),
            Self::Whole(bytes) => {
                let bytes = std::mem::take(&mut **bytes);
                (!bytes.is_empty()).then(|| Frame::data(bytes))
            }
        };
        // Nothing can be said after trailers any more, but that something went wrong.
        if frame.as_ref().is_some_and(Frame::is_trailers) {
            *self = Self::Plain;
        }
        Poll::Ready(frame.map(Ok))
    }
}

impl<B> ResponseBody<B> {
    #[inline]
    pub(super) const fn plain(body: B) -> Self {
        Self::new(body, Form::Plain)
    }

    pub(super) const fn new(body: B, form: Form) -> Self {
        Self { inner: Fenced::new(body), form }
    }

    pub(super) fn whole(bytes: Bytes) -> Self {
        Self { inner: Fenced::Closed, form: Form::Whole(Box::new(bytes)) }
    }
}

/// Is over from the start: what layers outside answer with that have nothing to say, as the one
/// for CORS does.
impl<B> Default for ResponseBody<B> {
    fn default() -> Self {
        Self { inner: Fenced::Closed, form: Form::Plain }
    }
}

type Polled = Poll<Option<Result<Frame<Bytes>, Error>>>;

impl<B> Body for ResponseBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = Error;

    #[inline]
    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let this = self.project();
        match this.form {
            Form::Plain => this.inner.poll_frame(cx),
            form => form.poll_frame(this.inner, cx),
        }
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        match &self.form {
            Form::Plain => self.inner.size_hint(),
            // A failure can make it both shorter and longer than `inner` says.
            Form::EventStream(_) if !self.is_end_stream() => SizeHint::new(),
            Form::EventStream(_) => SizeHint::with_exact(0),
            // A failure can make it shorter.
            Form::Grpc(_) => {
                let mut hint = SizeHint::new();
                if let Some(upper) = self.inner.size_hint().upper() {
                    hint.set_upper(upper);
                }
                hint
            }
            Form::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
        }
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        match &self.form {
            Form::Plain | Form::Grpc(_) => self.inner.is_end_stream(),
            Form::EventStream(events) => {
                events.holdback.is_empty() && (events.is_over || self.inner.is_end_stream())
            }
            Form::Whole(bytes) => bytes.is_empty(),
        }
    }
}

impl EventStream {
    fn poll_frame<B>(
        &mut self,
        mut inner: Pin<&mut Fenced<B>>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Frame<Bytes>>>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        // Ends, since each turn but the last takes bytes from `inner`, and few are held back.
        loop {
            if let Some(frame) = self.holdback.pop() {
                return Poll::Ready(Some(frame));
            }
            if self.is_over {
                return Poll::Ready(None);
            }
            let frame = match ready!(inner.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                // It is closed by now: the next turn, if there is one, takes the way of `None`.
                Some(Err(error)) => {
                    return Poll::Ready(Some(Frame::data(self.last_event(error))));
                }
                None => {
                    self.is_over = true;
                    self.holdback.release();
                    continue;
                }
            };
            match frame.into_data() {
                Ok(data) if data.is_empty() => return Poll::Ready(Some(Frame::data(data))),
                Ok(data) => {
                    if let Some(bytes) = self.holdback.push(data) {
                        return Poll::Ready(Some(Frame::data(bytes)));
                    }
                }
                Err(trailers) if self.holdback.is_empty() => {
                    return Poll::Ready(Some(trailers));
                }
                Err(trailers) => self.holdback.release_before(trailers),
            }
        }
    }

    /// Drops the event that was cut, and returns the one that says so.
    fn last_event(&mut self, error: Error) -> Bytes {
        let frame = self.answers.frame(error);
        if !self.holdback.is_broken() {
            self.holdback = Holdback::default();
            return frame.into();
        }
        // Whatever its last byte was, two line ends close the event that is half out.
        let mut closed = b"\n\n".to_vec();
        closed.extend_from_slice(&frame);
        closed.into()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    #[test]
    fn adds_four_words_to_a_body() {
        let added = size_of::<ResponseBody<Full<Bytes>>>() - size_of::<Full<Bytes>>();
        assert_eq!(added, 4 * size_of::<usize>(), "every body is moved several times");
    }
}
