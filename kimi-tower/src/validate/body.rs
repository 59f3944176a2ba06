use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::collect::Collected;

pin_project! {
    /// The body of a request that was let through: as it came if the request was not checked, else
    /// the bytes that were. See the [module](super).
    pub struct RequestBody<B> {
        #[pin]
        form: Form<B>,
    }
}

pin_project! {
    #[project = FormProj]
    enum Form<B> {
        // Nobody has looked at it.
        Untouched { #[pin] body: B },
        // It was read whole; the data is taken out, then the trailers.
        Whole { data: Bytes, trailers: Option<Box<HeaderMap>> },
    }
}

impl<B> RequestBody<B> {
    #[inline]
    pub(super) const fn untouched(body: B) -> Self {
        Self { form: Form::Untouched { body } }
    }

    pub(super) fn collected(body: Collected) -> Self {
        Self { form: Form::Whole { data: body.data, trailers: body.trailers } }
    }
}

impl<B> Body for RequestBody<B>
where
    B: Body<Data = Bytes>,
{
    type Data = Bytes;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().form.project() {
            FormProj::Untouched { body } => body.poll_frame(cx),
            FormProj::Whole { data, .. } if !data.is_empty() => {
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(data)))))
            }
            FormProj::Whole { trailers, .. } => {
                Poll::Ready(trailers.take().map(|trailers| Ok(Frame::trailers(*trailers))))
            }
        }
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        match &self.form {
            Form::Untouched { body } => body.size_hint(),
            Form::Whole { data, .. } => SizeHint::with_exact(data.len() as u64),
        }
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        match &self.form {
            Form::Untouched { body } => body.is_end_stream(),
            Form::Whole { data, trailers } => data.is_empty() && trailers.is_none(),
        }
    }
}

/// Shows how much there is, not what it says.
impl<B: fmt::Debug> fmt::Debug for RequestBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("RequestBody");
        match &self.form {
            Form::Untouched { body } => shown.field("untouched", body),
            Form::Whole { data, .. } => shown.field("bytes", &data.len()),
        };
        shown.finish_non_exhaustive()
    }
}
