use std::{
    pin::Pin,
    task::{Context, Poll},
};

use kimi_errors::Error;

use super::Verdict;

/// What a store says to one who asks, at once or later. A future, too, which clones what was said at
/// once whenever it is polled.
#[derive(Debug)]
#[must_use = "whoever asks is charged"]
#[non_exhaustive]
pub enum Asked<F> {
    /// This, at once.
    Now(Result<Verdict, Error>),
    /// What this will say.
    Later(F),
}

impl<F> Future for Asked<F>
where
    F: Future<Output = Result<Verdict, Error>> + Unpin,
{
    type Output = Result<Verdict, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Now(verdict) => Poll::Ready(verdict.clone()),
            Self::Later(later) => Pin::new(later).poll(cx),
        }
    }
}
