//! A look at the beginning of a body, which is then handed on as if nobody had looked.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout_at};

/// A body of which the first frames have been seen. It yields them, then the rest.
pub(super) struct Peeked<B> {
    seen: VecDeque<Frame<Bytes>>,
    rest: B,
}

/// Reads until `max_bytes` are seen, the body ends or the deadline is there, and returns what was
/// seen, cut at `max_bytes`, beside the body as it was.
///
/// A body that breaks under the look is an error beside what had come: nobody else has seen any
/// of it yet.
pub(super) async fn peek<B>(
    mut body: B,
    max_bytes: usize,
    deadline: Instant,
) -> (Vec<u8>, Result<Peeked<B>, B::Error>)
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut prefix = Vec::new();
    let mut seen = VecDeque::new();
    while prefix.len() < max_bytes {
        let frame = match timeout_at(deadline, body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) => return (prefix, Err(error)),
            // The end, or the deadline. A frame that is late is still in the body.
            Ok(None) | Err(_) => break,
        };
        if let Some(data) = frame.data_ref() {
            let room = max_bytes - prefix.len();
            prefix.extend_from_slice(&data[..room.min(data.len())]);
        }
        seen.push_back(frame);
    }
    (prefix, Ok(Peeked { seen, rest: body }))
}

impl<B> Body for Peeked<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.seen.pop_front() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.seen.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let seen =
            self.seen.iter().filter_map(Frame::data_ref).map(|data| data.len() as u64).sum::<u64>();
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower() + seen);
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper + seen);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, time::Duration};

    use tokio::time::{Sleep, sleep};

    use super::*;

    /// Chunks with an hour between one and the next.
    struct Slow {
        chunks: VecDeque<&'static str>,
        pause: Option<Pin<Box<Sleep>>>,
    }

    impl Slow {
        fn new<const N: usize>(chunks: [&'static str; N]) -> Self {
            Self { chunks: chunks.into(), pause: None }
        }
    }

    impl Body for Slow {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            if let Some(pause) = &mut self.pause {
                std::task::ready!(pause.as_mut().poll(cx));
            }
            self.pause = Some(Box::pin(sleep(Duration::from_secs(3600))));
            let chunk = self.chunks.pop_front();
            Poll::Ready(chunk.map(|chunk| Ok(Frame::data(Bytes::from_static(chunk.as_bytes())))))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_ends_at_its_deadline_and_loses_nothing() {
        let deadline = Instant::now() + Duration::from_secs(5);
        let (prefix, body) = peek(Slow::new(["{\"a", "\":1}"]), 100, deadline).await;
        assert_eq!((prefix.as_slice(), Instant::now()), (&b"{\"a"[..], deadline));
        let Ok(body) = body;
        assert_eq!(body.collect().await.unwrap().to_bytes(), "{\"a\":1}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_has_seen_enough_does_not_wait() {
        let start = Instant::now();
        let (prefix, body) =
            peek(Slow::new(["12345", "6"]), 3, start + Duration::from_secs(5)).await;
        assert_eq!((prefix.as_slice(), Instant::now()), (&b"123"[..], start));
        let Ok(body) = body;
        assert_eq!(body.collect().await.unwrap().to_bytes(), "123456");
    }
}
