use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, SizeHint};
use kimi_errors::{BoxError, Error, ErrorKind};

use super::state::{Polled, Source, State, superseded, wake};
use crate::sync::{Lock, MutexGuard};

/// What the attempts of one request share.
///
/// The lock protects the whole state and is held for moments: nothing is polled, asked, woken or
/// dropped under it that is not ours, so that a stranger's code may call back into any of us.
pub(super) struct Shared<B>(Lock<State<B>>);

impl<B> Shared<B> {
    #[inline]
    pub(super) fn new(state: State<B>) -> Self {
        Self(Lock::new(state))
    }

    fn lock(&self) -> MutexGuard<'_, State<B>> {
        self.0.lock()
    }

    /// Supersedes the running attempt, and returns the number of the next, or `Some(None)` if that
    /// has nothing to read; `None` if the record is not whole or the body failed
    /// or was cut.
    pub(super) fn again(&self) -> Option<Option<u32>> {
        let mut state = self.lock();
        if state.is_broken() || !state.record.rewind() {
            return None;
        }
        state.running += 1;
        let running = (!state.is_over()).then_some(state.running);
        let superseded = state.waiting.take();
        drop(state);
        wake(superseded);
        Some(running)
    }

    pub(super) fn is_replayable(&self) -> bool {
        let state = self.lock();
        !state.is_broken() && state.record.is_kept()
    }

    /// Records no more: there will be no next attempt.
    pub(super) fn let_go(&self) {
        let let_go = self.lock().record.let_go();
        drop(let_go);
    }

    pub(super) fn size_hint(&self, attempt: u32) -> SizeHint {
        let state = self.lock();
        if state.running != attempt {
            return SizeHint::new();
        }
        let late = state.late.as_deref().and_then(|late| late.as_ref().ok()?.data_ref());
        let due = state.record.due() + late.map_or(0, |late| late.len() as u64);
        let mut hint = SizeHint::new();
        if let Some(upper) = state.rest.upper().and_then(|upper| upper.checked_add(due)) {
            hint.set_upper(upper);
        }
        hint.set_lower(state.rest.lower().saturating_add(due));
        hint
    }
}

impl<B> Shared<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    /// Reads for an attempt, and tells it when it is over.
    #[inline]
    pub(super) fn poll_frame(
        &self,
        attempt: u32,
        cx: &mut Context<'_>,
        is_over: &mut bool,
    ) -> Polled {
        let mut state = self.lock();
        if state.running != attempt {
            drop(state);
            *is_over = true;
            return Poll::Ready(Some(Err(superseded())));
        }
        if let Some(frame) = state.record.next() {
            *is_over = state.is_over();
            return Poll::Ready(Some(Ok(frame)));
        }
        if let Some(late) = state.late.take() {
            let let_go = late.as_ref().as_ref().ok().and_then(|frame| state.keep(frame));
            *is_over = late.is_err() || state.is_over();
            drop(state);
            drop(let_go);
            return Poll::Ready(Some(*late));
        }
        match std::mem::replace(&mut state.source, Source::Lent) {
            Source::Here(body) => {
                drop(state);
                self.read(attempt, body, cx, is_over)
            }
            Source::Lent => {
                let replaced = state.wait(cx);
                drop(state);
                drop(replaced);
                Poll::Pending
            }
            Source::Ended => {
                state.source = Source::Ended;
                *is_over = true;
                Poll::Ready(None)
            }
            Source::Failed => {
                state.source = Source::Failed;
                drop(state);
                // An error is given to the attempt that reads it: what is left is a panic.
                *is_over = true;
                Poll::Ready(Some(Err(Error::new(ErrorKind::System).into())))
            }
        }
    }

    /// Reads on in the original, which was taken out of the state.
    #[inline]
    fn read(&self, attempt: u32, mut body: B, cx: &mut Context<'_>, is_over: &mut bool) -> Polled {
        let loan = Loan { shared: self };
        let polled = Pin::new(&mut body).poll_frame(cx).map_err(Into::into);
        let (source, rest) = Source::after(body, &polled);
        // From here on it gives the body back itself.
        std::mem::forget(loan);

        *is_over = !matches!(source, Source::Here(_));
        let mut state = self.lock();
        state.take_back(source, rest, &polled);
        if state.running != attempt {
            *is_over = true;
            return Self::give_late(state, polled);
        }
        match &polled {
            Poll::Pending => {
                let replaced = state.wait(cx);
                drop(state);
                drop(replaced);
            }
            Poll::Ready(Some(Ok(frame))) => {
                let let_go = state.keep(frame);
                drop(state);
                drop(let_go);
            }
            Poll::Ready(_) => {}
        }
        polled
    }

    /// Leaves what a superseded attempt read to the running one.
    #[cold]
    fn give_late(mut state: MutexGuard<'_, State<B>>, polled: Polled) -> Polled {
        if let Poll::Ready(Some(late)) = polled {
            state.late = Some(Box::new(late));
        }
        let waiting = state.waiting.take();
        drop(state);
        wake(waiting);
        Poll::Ready(Some(Err(superseded())))
    }
}

/// Dropped only by a panic of the body.
struct Loan<'a, B> {
    shared: &'a Shared<B>,
}

impl<B> Drop for Loan<'_, B> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.source = Source::Failed;
        let waiting = state.waiting.take();
        drop(state);
        wake(waiting);
    }
}

impl<B> fmt::Debug for Shared<B> {
    /// Shows nothing of the body, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}
