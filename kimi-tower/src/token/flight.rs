//! One operation that many wait for and nobody owns.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use super::signal::{Place, Signal};
use crate::sync::Lock;

/// An operation under way. Whoever waits for it drives it: there is no task of its own, and none of
/// the waiting is needed.
pub(super) struct Flight<F, T> {
    /// Neither the future nor a waker is called while it is locked.
    cell: Lock<Cell<F, T>>,
    signal: std::sync::Arc<Signal>,
}

enum Cell<F, T> {
    Waits(Pin<Box<F>>),
    /// Somebody polls it, who will put it back.
    Polled,
    Done(T),
}

impl<F, T> Flight<F, T>
where
    F: Future,
    T: Clone,
{
    pub(super) fn new(future: F) -> Self {
        let cell = Lock::new(Cell::Waits(Box::pin(future)));
        Self { cell, signal: std::sync::Arc::new(Signal::new()) }
    }

    /// Is ready when it is done. `settle` is called once by all together, before anybody hears of it,
    /// with `None` if the future has panicked; what it returns is what all are given.
    pub(super) fn poll(
        &self,
        place: &mut Option<Place>,
        cx: &Context<'_>,
        settle: impl FnOnce(Option<F::Output>) -> T,
    ) -> Poll<T> {
        let mut settle = Some(settle);
        loop {
            // Before the look at the cell: who finds it not done is woken when it is.
            self.signal.register(place, cx.waker());
            let mut cell = self.cell.lock();
            match &*cell {
                Cell::Done(outcome) => {
                    let outcome = outcome.clone();
                    drop(cell);
                    self.leave(place);
                    return Poll::Ready(outcome);
                }
                Cell::Polled => return Poll::Pending,
                Cell::Waits(_) => {}
            }
            let Some(settle) = settle.take() else {
                drop(cell);
                // It was woken while it was polled here. Those who were woken have seen that it was
                // being polled; this task is not to poll it for ever, and may be dropped.
                if self.signal.is_woken() {
                    self.signal.wake_all();
                }
                return Poll::Pending;
            };
            if !self.signal.take_woken() {
                return Poll::Pending;
            }
            let Cell::Waits(future) = std::mem::replace(&mut *cell, Cell::Polled) else {
                return Poll::Pending;
            };
            drop(cell);
            let mut polling = Polling { flight: self, settle: Some(settle), future: Some(future) };
            if let Poll::Ready(outcome) = polling.poll() {
                self.leave(place);
                return Poll::Ready(outcome);
            }
        }
    }
}

impl<F, T> Flight<F, T> {
    /// Takes one out of those who wait.
    pub(super) fn leave(&self, place: &mut Option<Place>) {
        if let Some(place) = place.take() {
            self.signal.leave(place);
        }
    }
}

/// A poll of the future, which another waiter can go on from, or be told that it has panicked.
struct Polling<'a, F, T, S>
where
    F: Future,
    S: FnOnce(Option<F::Output>) -> T,
    T: Clone,
{
    flight: &'a Flight<F, T>,
    settle: Option<S>,
    future: Option<Pin<Box<F>>>,
}

impl<F, T, S> Polling<'_, F, T, S>
where
    F: Future,
    S: FnOnce(Option<F::Output>) -> T,
    T: Clone,
{
    fn poll(&mut self) -> Poll<T> {
        let Some(future) = &mut self.future else { return Poll::Pending };
        let waker = Waker::from(std::sync::Arc::clone(&self.flight.signal));
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => match self.finish(Some(output)) {
                Some(outcome) => Poll::Ready(outcome),
                None => Poll::Pending,
            },
            Poll::Pending => {
                if let Some(future) = self.future.take() {
                    *self.flight.cell.lock() = Cell::Waits(future);
                }
                Poll::Pending
            }
        }
    }

    fn finish(&mut self, output: Option<F::Output>) -> Option<T> {
        let outcome = self.settle.take()?(output);
        *self.flight.cell.lock() = Cell::Done(outcome.clone());
        self.flight.signal.wake_all();
        // Here, since it is a stranger's, whose drop may take long or panic.
        self.future = None;
        Some(outcome)
    }
}

impl<F, T, S> Drop for Polling<'_, F, T, S>
where
    F: Future,
    S: FnOnce(Option<F::Output>) -> T,
    T: Clone,
{
    fn drop(&mut self) {
        // Still there only if it has panicked.
        if self.future.is_some() {
            self.finish(None);
        }
    }
}
