use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use kimi_errors::{BoxError, Error, ErrorKind};
use pin_project_lite::pin_project;

use super::{
    admit::{Holding, Tells},
    keep_alive::{KeptAlive, Sent},
    slot::{Read, Slot, Why},
    store::SessionTurn,
};

pin_project! {
    /// The body of an answer, which keeps the turn until its end. See the [module](super).
    pub struct ResponseBody<B, T> {
        #[pin]
        form: Form<B, T>,
    }
}

pin_project! {
    #[project = FormProj]
    enum Form<B, T> {
        // It has no turn: it is of no session, or was at its end when it came.
        Free { #[pin] body: B },
        // It has the turn.
        Held { held: Held<B, T> },
        // It has no turn yet, and its head has gone.
        Alive { kept_alive: KeptAlive<B, T> },
        // It has ended, and the turn is given back.
        Over,
    }
}

/// A body with its turn. Both are in the slot.
struct Held<B, T> {
    slot: Arc<Slot<B, T>>,
    /// What the body has said last of how much is to come; it cannot be asked while it is away.
    size_hint: SizeHint,
    tells: Tells,
}

impl<B, T> ResponseBody<B, T> {
    pub(super) const fn free(body: B) -> Self {
        Self { form: Form::Free { body } }
    }

    pub(super) const fn kept_alive(kept_alive: KeptAlive<B, T>) -> Self {
        Self { form: Form::Alive { kept_alive } }
    }
}

impl<B, T> ResponseBody<B, T>
where
    B: Body + Send + 'static,
    T: SessionTurn + Send + 'static,
{
    /// Keeps the turn until the end of the body. Fails if it was lost before.
    ///
    /// Wherever this ends, the body is dropped before the turn: of two parameters the last is.
    pub(super) fn held(mut holding: Holding<T>, body: B) -> Result<Self, Error> {
        if body.is_end_stream() {
            drop(holding.take());
            return Ok(Self::free(body));
        }
        let size_hint = body.size_hint();
        let slot = Arc::new(Slot::new(body));
        holding.set_end(Arc::clone(&slot) as _)?;
        let tells = holding.tells.clone();
        holding.take().into_iter().for_each(|turn| slot.put(turn));
        Ok(Self { form: Form::Held { held: Held { slot, size_hint, tells } } })
    }
}

impl<B: Body, T> Held<B, T> {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<(Read<B>, bool)> {
        let Self { slot, size_hint, tells } = self;
        let mut is_over = false;
        let read = tells.scope.within(|| {
            slot.poll_frame(cx, |body| {
                *size_hint = body.size_hint();
                is_over = body.is_end_stream();
                is_over
            })
        });
        read.map(|read| (read, is_over))
    }
}

/// The reader is gone, or has had all.
impl<B, T> Drop for Held<B, T> {
    fn drop(&mut self) {
        let Self { slot, tells, .. } = self;
        if let Some(lost) = tells.scope.within(|| slot.close()) {
            tells.tell_lost(lost);
        }
    }
}

impl<B, T> Body for ResponseBody<B, T>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let mut form = self.project().form;
        if let FormProj::Alive { kept_alive } = form.as_mut().project() {
            match ready!(kept_alive.poll(cx)) {
                Sent::Comment(comment) => return Poll::Ready(Some(Ok(Frame::data(comment)))),
                Sent::Answer(answer) => form.set(answer.form),
                Sent::Failed(error) => {
                    form.set(Form::Over);
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
        let given = match form.as_mut().project() {
            // An answer that comes after its head has one itself.
            FormProj::Over | FormProj::Alive { .. } => return Poll::Ready(None),
            FormProj::Free { body } => {
                let frame = ready!(body.poll_frame(cx));
                return Poll::Ready(frame.map(|it| it.map_err(|error| error.into().into())));
            }
            // Held => (Held | Over)
            FormProj::Held { held } => match ready!(held.poll_frame(cx)) {
                (Read::Frame(Some(Ok(frame))), false) => return Poll::Ready(Some(Ok(frame))),
                (Read::Frame(Some(Ok(frame))), true) => Some(Ok(frame)),
                (Read::Frame(Some(Err(error))), _) => Some(Err(error.into().into())),
                (Read::Frame(None), _) => None,
                (Read::NotThere(Why::Lost(lost)), _) => Some(Err(held.tells.lost(lost))),
                (Read::NotThere(Why::Panicked), _) => Some(Err(Error::new(ErrorKind::System))),
                (Read::NotThere(Why::Over), _) => None,
            },
        };
        form.set(Form::Over);
        Poll::Ready(given)
    }

    fn is_end_stream(&self) -> bool {
        match &self.form {
            Form::Free { body } => body.is_end_stream(),
            Form::Held { .. } | Form::Alive { .. } => false,
            Form::Over => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.form {
            Form::Free { body } => body.size_hint(),
            Form::Held { held } => held.size_hint,
            Form::Alive { .. } => SizeHint::default(),
            Form::Over => SizeHint::with_exact(0),
        }
    }
}

impl<B, T> fmt::Debug for ResponseBody<B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_held = matches!(self.form, Form::Held { .. });
        f.debug_struct("ResponseBody").field("has_turn", &is_held).finish_non_exhaustive()
    }
}
