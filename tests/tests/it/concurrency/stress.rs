//! Very many exchanges at the same time, most of which are not let to their end.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use kimi_errors::{BoxError, Error, ErrorKind};
use kimi_tower::rate_limit::Admission;
use tokio::time::{Sleep, sleep};
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

use super::{layer, occupancy};

const CALLERS: [&str; 4] = ["one", "two", "three", "four"];
const MAX: usize = 3;
const TASKS: u64 = 100;
const EXCHANGES: u64 = 1_000;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn millis(&mut self, bound: u64) -> Duration {
        Duration::from_millis(self.below(bound))
    }
}

/// How many are at work for each caller, inside of the layer.
#[derive(Default)]
struct AtWork([AtomicUsize; CALLERS.len()]);

/// One of them, from call to end of body.
struct Work(Arc<AtWork>, usize);

impl Work {
    fn begin(at_work: &Arc<AtWork>, caller: usize) -> Self {
        let others = at_work.0[caller].fetch_add(1, SeqCst);
        assert!(others < MAX, "{others} others are at work");
        Self(at_work.clone(), caller)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.0[self.1].fetch_sub(1, SeqCst);
    }
}

/// Frames that take their time, then an end or an error.
struct Frames {
    times: Vec<Duration>,
    sleep: Option<Pin<Box<Sleep>>>,
    breaks: bool,
    work: Option<Work>,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(sleep) = &mut self.sleep {
            ready!(sleep.as_mut().poll(cx));
            self.sleep = None;
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"frame")))));
        }
        match self.times.pop() {
            Some(time) => {
                self.sleep = Some(Box::pin(sleep(time)));
                self.poll_frame(cx)
            }
            None => {
                self.work = None;
                let is_broken = std::mem::take(&mut self.breaks);
                Poll::Ready(is_broken.then(|| Err("cut".into())))
            }
        }
    }
}

#[derive(Debug, Default)]
struct Counts {
    whole: AtomicUsize,
    broken: AtomicUsize,
    failed: AtomicUsize,
    refused: AtomicUsize,
    cancelled: AtomicUsize,
    waited: AtomicUsize,
}

#[tokio::test(start_paused = true)]
async fn never_too_many_are_at_work_and_nothing_is_left_however_they_end() {
    let admission = Admission::Wait { max_wait: Duration::from_millis(60), max_queue: 12 };
    let layer = layer(u32::try_from(MAX).unwrap()).with_admission(admission);
    let at_work = Arc::new(AtWork::default());
    let counts = Arc::new(Counts::default());
    let mut tasks = Vec::new();
    for task in 0..TASKS {
        let inner = {
            let at_work = at_work.clone();
            move |request: Request<u64>| {
                let caller = request.headers()["x-caller"].to_str().unwrap();
                let caller = CALLERS.iter().position(|it| *it == caller).unwrap();
                let work = Work::begin(&at_work, caller);
                let mut random = Random(request.into_body());
                async move {
                    sleep(random.millis(8)).await;
                    if random.below(8) == 0 {
                        return Err(Error::new(ErrorKind::Unavailable));
                    }
                    let times = (0..random.below(4)).map(|_| random.millis(6)).collect();
                    let breaks = random.below(8) == 0;
                    Ok(Response::new(Frames { times, sleep: None, breaks, work: Some(work) }))
                }
            }
        };
        let service = layer.layer(service_fn(inner));
        let (layer, counts) = (layer.clone(), counts.clone());
        tasks.push(tokio::spawn(async move {
            let mut random = Random(task);
            for _ in 0..EXCHANGES {
                let caller = CALLERS[usize::try_from(random.below(4)).unwrap()];
                let seed = random.below(u64::MAX);
                let request = Request::post("/").header("x-caller", caller).body(seed).unwrap();
                let exchange = async {
                    match service.clone().oneshot(request).await {
                        Ok(answer) => match answer.into_body().collect().await {
                            Ok(_) => &counts.whole,
                            Err(_) => &counts.broken,
                        },
                        Err(error) if error.kind() == ErrorKind::ConcurrencyLimited => {
                            &counts.refused
                        }
                        Err(_) => &counts.failed,
                    }
                };
                // Dropped at any await, in time or by number of polls.
                let mut exchange = Box::pin(exchange);
                let mut polls = random.below(24);
                let cut = std::future::poll_fn(|cx| {
                    if polls == 0 {
                        return Poll::Ready(&counts.cancelled);
                    }
                    polls -= 1;
                    exchange.as_mut().poll(cx)
                });
                let outcome = tokio::time::timeout(random.millis(80), cut).await;
                outcome.unwrap_or(&counts.cancelled).fetch_add(1, SeqCst);
                counts.waited.fetch_max(layer.occupancy().waiting, SeqCst);
                drop(exchange);
                sleep(random.millis(8)).await;
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(occupancy(&layer), (0, 0, 0));
    assert!(at_work.0.iter().all(|it| it.load(SeqCst) == 0));
    let Counts { whole, broken, failed, refused, cancelled, waited } = &*counts;
    for (number, least) in [(whole, 9_000), (broken, 900), (failed, 900), (refused, 9_000)] {
        assert!(number.load(SeqCst) > least, "{counts:?}");
    }
    assert!(cancelled.load(SeqCst) > 9_000 && waited.load(SeqCst) > 12, "{counts:?}");
}
