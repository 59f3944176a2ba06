//! How long a look may wait.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};

pin_project! {
    /// How long a look may wait. The time runs from the first poll, so that a look that does not
    /// wait asks for no timer, and for no runtime that has one.
    #[derive(Debug)]
    pub(crate) struct Deadline {
        limit: Duration,
        #[pin]
        sleep: Option<Sleep>,
    }
}

impl Deadline {
    pub(crate) const fn after(limit: Duration) -> Self {
        Self { limit, sleep: None }
    }

    /// Is ready when the time is over.
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        if this.sleep.is_none() {
            this.sleep.set(Some(sleep(*this.limit)));
        }
        this.sleep.as_pin_mut().map_or(Poll::Ready(()), |sleep| sleep.poll(cx))
    }
}
