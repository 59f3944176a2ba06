use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use kimi_errors::Error;
use tokio::time::{Sleep, sleep_until};

use super::{
    Ask, Grant, MemoryStore, Refused, Verdict,
    waiting::{Look, Waiting},
};
use crate::rate_limit::{Levels, Moment};

/// What a [`MemoryStore`] says when a turn has come. Dropped before, its place is the next one's.
///
/// Whoever is refused after all leaves the row when that is said, and not when this is dropped.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Later(Option<Box<Deciding>>);

impl Later {
    pub(super) fn new(store: MemoryStore, ask: Ask, asked_at: Moment, waiting: Waiting) -> Self {
        Self(Some(Box::new(Deciding { store, ask, asked_at, waiting, alarm: None })))
    }
}

impl Future for Later {
    type Output = Result<Verdict, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let deciding = self.0.as_mut().expect("a future is not polled after it is ready");
        let verdict = ready!(deciding.poll(cx));
        self.0 = None;
        Poll::Ready(Ok(verdict))
    }
}

/// One who waits.
#[derive(Debug)]
struct Deciding {
    store: MemoryStore,
    ask: Ask,
    asked_at: Moment,
    waiting: Waiting,
    /// Made when it is first polled.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Deciding {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Verdict> {
        loop {
            let now = self.store.now();
            let table = self.store.table(self.ask.plan);
            let due = match table.poll(now, &self.ask, &self.waiting, cx.waker().clone()) {
                Look::Go(at) => {
                    let waited = at.since(self.asked_at);
                    let grant = Grant::new(&self.ask, at, waited, self.levels());
                    return Poll::Ready(Verdict::Admitted(grant));
                }
                Look::WaitUntil(due) => due,
            };
            // It was put off, as by an upstream that has asked for more time meanwhile.
            let patience = self.ask.patience.map(|patience| self.asked_at + patience.max_wait);
            if patience.is_some_and(|last| due > last) {
                let refused = Refused::new(0, Some(due.since(now)), self.levels());
                return Poll::Ready(Verdict::Refused(refused));
            }
            let until = self.store.instant(due);
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(until)));
            if alarm.deadline() != until {
                alarm.as_mut().reset(until);
            }
            if alarm.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn levels(&self) -> Levels {
        if !self.ask.wants_levels {
            return Levels::NONE;
        }
        self.store.levels(self.ask.key, self.ask.plan)
    }
}

impl Drop for Deciding {
    fn drop(&mut self) {
        if self.waiting.is_over() {
            return;
        }
        let now = self.store.now();
        self.store.table(self.ask.plan).leave(now, &self.ask, &self.waiting);
    }
}
