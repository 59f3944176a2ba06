//! Bodies that take time.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use kimi_errors::BoxError;
use kimi_testkit::probe::ProbeBody;
use tokio::time::{Sleep, sleep};

/// A body that takes time.
#[derive(Debug)]
pub(super) struct Paced {
    body: ProbeBody,
    /// Before which frame it pauses, and for how many seconds.
    pauses: VecDeque<(usize, u8)>,
    frames: usize,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    pub(super) const fn new(body: ProbeBody, pauses: VecDeque<(usize, u8)>) -> Self {
        Self { body, pauses, frames: 0, sleep: None }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if this.pauses.front().is_some_and(|(frame, _)| *frame == this.frames) {
            this.sleep = this
                .pauses
                .pop_front()
                .map(|(_, pause)| Box::pin(sleep(Duration::from_secs(pause.into()))));
        }
        if let Some(sleep) = &mut this.sleep {
            ready!(sleep.as_mut().poll(cx));
            this.sleep = None;
        }
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        this.frames += 1;
        Poll::Ready(frame)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}
