use std::{
    collections::VecDeque,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt as _;
use proptest::prelude::{any, prop_assert_eq, proptest};
use tokio::time::Instant;

use super::*;

/// Plays frames, `None` for a poll that is not ready, and knows how much is left.
struct Script {
    beats: VecDeque<Option<Result<Frame<Bytes>, BoxError>>>,
    dropped: Arc<AtomicBool>,
}

impl Script {
    fn new(beats: impl IntoIterator<Item = Option<Result<Frame<Bytes>, BoxError>>>) -> Self {
        Self { beats: beats.into_iter().collect(), dropped: Arc::default() }
    }

    fn chunks<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self::new(chunks.into_iter().map(data))
    }
}

fn data(chunk: &[u8]) -> Option<Result<Frame<Bytes>, BoxError>> {
    Some(Ok(Frame::data(Bytes::copy_from_slice(chunk))))
}

fn trailers() -> Option<Result<Frame<Bytes>, BoxError>> {
    let mut fields = HeaderMap::new();
    fields.insert("x-end", HeaderValue::from_static("1"));
    Some(Ok(Frame::trailers(fields)))
}

impl Drop for Script {
    fn drop(&mut self) {
        self.dropped.store(true, SeqCst);
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.beats.pop_front() {
            Some(None) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(beat) => Poll::Ready(beat),
            None => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let frames = self.beats.iter().flatten().flatten();
        SizeHint::with_exact(frames.filter_map(Frame::data_ref).map(|it| it.len() as u64).sum())
    }

    fn is_end_stream(&self) -> bool {
        self.beats.is_empty()
    }
}

async fn look_at(body: Script, look: &mut Look) -> Peeked<Script> {
    let mut peeked = Peeked::new(body);
    std::future::poll_fn(|cx| peeked.poll_look(look, cx)).await;
    peeked
}

/// Returns each frame and the error as text, asking for hint and end before each.
async fn frames<B: Body<Data = Bytes, Error = BoxError>>(body: B) -> Vec<String> {
    let mut body = pin!(body);
    let mut seen = Vec::new();
    loop {
        seen.push(format!("{:?} {}", body.size_hint().exact(), body.is_end_stream()));
        match body.frame().await {
            Some(Ok(frame)) => seen.push(format!("{frame:?}")),
            Some(Err(error)) => {
                seen.push(error.to_string());
                return seen;
            }
            None => return seen,
        }
    }
}

#[tokio::test]
async fn a_body_that_was_looked_at_is_as_it_was() {
    let beats = || {
        [
            vec![data(b"one"), data(b""), None, data(b"two"), trailers()],
            vec![data(b"one"), None, data(b"two"), Some(Err("broken".into()))],
            vec![data(b"one")],
            vec![trailers()],
            vec![Some(Err("broken".into()))],
            vec![],
        ]
    };
    for (plain, script) in beats().into_iter().zip(0..) {
        let expected = frames(Script::new(plain)).await;
        for max_bytes in 0..8 {
            let body = Script::new(beats().into_iter().nth(script).unwrap());
            let mut look = Look::at_bytes(max_bytes);
            let peeked = look_at(body, &mut look).await;
            assert_eq!(frames(peeked).await, expected, "{script} {max_bytes}");
        }
    }
}

/// Says that it has three bytes, and has none.
struct Cut;

impl Body for Cut {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(None)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(3)
    }
}

/// A server that asks and is told that this is the end sends an empty body as if it were all.
#[tokio::test]
async fn a_body_that_ends_short_does_not_say_that_it_is_over() {
    let mut look = Look::at_bytes(100);
    let mut peeked = Peeked::new(Cut);
    std::future::poll_fn(|cx| peeked.poll_look(&mut look, cx)).await;
    assert!(peeked.is_over());
    assert_eq!(frames(peeked).await, frames(Cut).await);
}

#[tokio::test]
async fn a_look_that_fits_one_frame_copies_and_allocates_nothing() {
    let chunk = Bytes::from_static(b"data: 1\n\ndata: 2\n\n");
    let start = chunk.as_ptr();
    for mut look in [Look::at_bytes(5), Look::at_first_event(100)] {
        let script = Script::new([Some(Ok(Frame::data(chunk.clone()))), data(b"rest")]);
        let mut peeked = look_at(script, &mut look).await;
        assert!(look.is_done() && peeked.seen.data().count() == 1);
        assert!(matches!(peeked.prefix(&look), Cow::Borrowed(_)));
        let first = peeked.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(first.as_ptr(), start);
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_ends_at_its_deadline_and_loses_nothing() {
    let mut peeked = Peeked::new(Script::new([data(b"{\"a"), None, data(b"\":1}")]));
    let mut look = Look::at_bytes(100);
    let mut deadline = pin!(tokio::time::sleep(Duration::from_secs(5)));
    let start = Instant::now();
    // Polled once only: the body has more, which this reader is too late for.
    let mut is_first = true;
    std::future::poll_fn(|cx| {
        if mem::take(&mut is_first) {
            assert!(peeked.poll_look(&mut look, cx).is_pending());
        }
        deadline.as_mut().poll(cx)
    })
    .await;
    assert_eq!(start.elapsed(), Duration::from_secs(5));
    assert_eq!(&*peeked.prefix(&look), b"{\"a");
    assert_eq!(peeked.collect().await.unwrap().to_bytes(), "{\"a\":1}");
}

#[tokio::test]
async fn a_body_is_dropped_with_the_one_that_looks_at_it() {
    for polls in 0..4 {
        let body = Script::new([None, data(b"1"), None, data(b"2"), None, None]);
        let dropped = Arc::clone(&body.dropped);
        let mut peeked = Peeked::new(body);
        let mut look = Look::at_bytes(100);
        for _ in 0..polls {
            let mut cx = Context::from_waker(std::task::Waker::noop());
            assert!(peeked.poll_look(&mut look, &mut cx).is_pending());
        }
        assert!(!dropped.load(SeqCst));
        drop(peeked);
        assert!(dropped.load(SeqCst), "{polls}");
    }
}

#[tokio::test]
async fn a_body_whose_trailers_were_seen_is_dropped() {
    let body = Script::new([data(b"1"), trailers(), None]);
    let dropped = Arc::clone(&body.dropped);
    let peeked = look_at(body, &mut Look::at_bytes(100)).await;
    assert!(dropped.load(SeqCst) && peeked.is_over());
    let read = peeked.collect().await.unwrap();
    assert!(read.trailers().is_some());
    assert_eq!(read.to_bytes(), "1");
}

#[tokio::test]
async fn frames_of_nothing_come_to_an_end() {
    let body = Script::chunks(std::iter::repeat_n(&b""[..], 2_000));
    let mut look = Look::at_bytes(1_000);
    let peeked = look_at(body, &mut look).await;
    assert!(look.is_done());
    assert_eq!(peeked.seen.data().count(), 1_000);
}

#[tokio::test]
async fn the_first_event_or_comment_is_enough() {
    for (text, prefix) in [
        ("data: 1\n\ndata: 2\n\n", Some("data: 1\n\n")),
        ("\r\n\ndata: 1\nid: 2\n\nx", Some("\r\n\ndata: 1\nid: 2\n\n")),
        (": ping\ndata: 1\n\n", Some(": ping\n")),
        ("data: 1\n", None),
        ("\n\n", None),
    ] {
        for size in 1..=text.len() {
            let mut look = Look::at_first_event(100);
            let peeked = look_at(Script::chunks(text.as_bytes().chunks(size)), &mut look).await;
            assert_eq!(look.is_done(), prefix.is_some(), "{text:?} {size}");
            assert_eq!(peeked.is_over(), prefix.is_none(), "{text:?} {size}");
            assert_eq!(&*peeked.prefix(&look), prefix.unwrap_or(text).as_bytes());
        }
    }
}

proptest! {
    #[test]
    fn prop_where_a_look_ends_does_not_depend_on_chunks(
        text in "[a:\n]{0,40}",
        size in 1_usize..8,
        max_bytes in 1_usize..50,
        is_event in any::<bool>(),
    ) {
        let prefix = |size: usize| {
            let new = if is_event { Look::at_first_event } else { Look::at_bytes };
            let (mut look, mut peeked) = (new(max_bytes), Peeked::new(Script::chunks(text.as_bytes().chunks(size))));
            let mut cx = Context::from_waker(std::task::Waker::noop());
            assert!(peeked.poll_look(&mut look, &mut cx).is_ready());
            peeked.prefix(&look).into_owned()
        };
        prop_assert_eq!(prefix(size), prefix(41));
    }
}

#[tokio::test]
async fn the_end_under_the_look_makes_no_exact_length() {
    // Whose end alone says how long it is, and so cannot be told from a cut.
    for beats in [vec![], vec![data(b"{\"a\"")]] {
        let body = Endless(Script::new(beats));
        let mut peeked = Peeked::new(body);
        let mut look = Look::at_bytes(100);
        std::future::poll_fn(|cx| peeked.poll_look(&mut look, cx)).await;
        assert!(peeked.is_over());
        assert_eq!((peeked.size_hint().exact(), peeked.size_hint().upper()), (None, None));
    }
}

/// Says nothing of its length or end.
struct Endless(Script);

impl Body for Endless {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }
}
