use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use kimi_errors::Error;
use tokio::{
    sync::oneshot,
    time::{Instant, Sleep, sleep_until},
};

use super::{RedisRateStore, decide::Decided, store::Without};
use crate::rate_limit::store::{self, Ask, Grant, Verdict};

/// What a [`RedisRateStore`] says when Redis has answered, and a turn has come. Dropped before, what
/// was charged meanwhile is given back.
#[must_use = "futures do nothing unless polled"]
pub struct Later(Option<Box<Step>>);

enum Step {
    /// Redis is asked.
    Asked { store: RedisRateStore, ask: Ask, answered: oneshot::Receiver<Decided> },
    /// It has given a place in the queue, which is charged.
    Charged { charged: Charged, alarm: Pin<Box<Sleep>> },
    /// The process' own memory is waited for.
    Local { store: RedisRateStore, later: store::Later },
}

impl Later {
    pub(super) fn asked(
        store: RedisRateStore,
        ask: Ask,
        answered: oneshot::Receiver<Decided>,
    ) -> Self {
        Self(Some(Box::new(Step::Asked { store, ask, answered })))
    }

    pub(super) fn local(store: RedisRateStore, later: store::Later) -> Self {
        Self(Some(Box::new(Step::Local { store, later })))
    }
}

impl Future for Later {
    type Output = Result<Verdict, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let step = self.0.as_mut().expect("a future is not polled after it is ready");
        let verdict = ready!(step.poll(cx));
        self.0 = None;
        Poll::Ready(verdict)
    }
}

impl Step {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Verdict, Error>> {
        loop {
            *self = match self {
                // Asked => (Charged | Local | done)
                Self::Asked { store, ask, answered } => match ready!(Pin::new(answered).poll(cx)) {
                    Ok(Decided::Charged(mut charged, until)) => {
                        if until <= Instant::now() {
                            return Poll::Ready(Ok(Verdict::Admitted(charged.keep())));
                        }
                        Self::Charged { charged, alarm: Box::pin(sleep_until(until)) }
                    }
                    Ok(Decided::Refused(refused)) => {
                        return Poll::Ready(Ok(Verdict::Refused(refused)));
                    }
                    // The task is gone only if its runtime is.
                    Ok(Decided::Without) | Err(_) => match store.ask_without(ask) {
                        Without::Now(verdict) => return Poll::Ready(verdict),
                        Without::Later(later) => Self::Local { store: store.clone(), later },
                    },
                },
                // Charged => done
                Self::Charged { charged, alarm } => {
                    ready!(alarm.as_mut().poll(cx));
                    return Poll::Ready(Ok(Verdict::Admitted(charged.keep())));
                }
                // Local => done
                Self::Local { store, later } => {
                    let verdict = ready!(Pin::new(later).poll(cx));
                    store.touch_if_admitted(&verdict);
                    return Poll::Ready(verdict);
                }
            }
        }
    }
}

/// Shows who is waited for, and no key.
impl fmt::Debug for Later {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.as_deref() {
            Some(Step::Asked { .. }) => "Later::Asked",
            Some(Step::Charged { .. }) => "Later::Charged",
            Some(Step::Local { .. }) => "Later::Local",
            None => "Later::Over",
        })
    }
}

/// What is charged to one who has not been told yet: given back if this is dropped.
pub(super) struct Charged {
    store: RedisRateStore,
    /// Taken when he is told.
    grant: Option<Grant>,
    /// Of the queue, if he waits.
    place: Option<u64>,
}

impl Charged {
    pub(super) const fn new(store: RedisRateStore, grant: Grant, place: Option<u64>) -> Self {
        Self { store, grant: Some(grant), place }
    }

    fn keep(&mut self) -> Grant {
        self.grant.take().expect("it is kept once, in the last step")
    }
}

impl Drop for Charged {
    fn drop(&mut self) {
        if let Some(grant) = &self.grant {
            self.store.give_back(grant, self.place);
        }
    }
}
