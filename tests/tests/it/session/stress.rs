//! Very many requests at the same time, most of which are not let to their end. What is inside of
//! the layer is the referee.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
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
use kimi_tower::session::Policy;
use tokio::time::{Sleep, sleep};
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;
use tower_service::Service as _;

use super::{FIELD, gauges, layer};

const SESSIONS: [&str; 8] = ["1", "2", "3", "4", "5", "6", "7", "8"];
const TASKS: usize = 100;

/// How many requests there are: 20 000, or as many as the variable `REQUESTS` says.
fn requests() -> usize {
    std::env::var("REQUESTS").map_or(20_000, |requests| requests.parse().unwrap())
}

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

/// What the referee knows of one session.
#[derive(Default)]
struct Session {
    at_work: AtomicUsize,
    /// The number, by order of `call`, of the last that has begun.
    last: AtomicUsize,
}

#[derive(Default)]
struct Referee {
    sessions: [Session; SESSIONS.len()],
    begun: AtomicUsize,
    overlaps: AtomicUsize,
    inversions: AtomicUsize,
}

/// What is at work for a session, from the call to the end of the body.
struct Work(Arc<Referee>, usize);

impl Work {
    fn begin(referee: &Arc<Referee>, session: usize, number: usize) -> Self {
        let of = &referee.sessions[session];
        // Counted, and not asserted: panics are caught here.
        let is_overlap = of.at_work.fetch_add(1, SeqCst) > 0;
        referee.overlaps.fetch_add(is_overlap.into(), SeqCst);
        let is_inversion = of.last.swap(number, SeqCst) > number;
        referee.inversions.fetch_add(is_inversion.into(), SeqCst);
        referee.begun.fetch_add(1, SeqCst);
        Self(referee.clone(), session)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.sessions[self.1].at_work.fetch_sub(1, SeqCst);
    }
}

enum End {
    Whole,
    Error,
    Panic,
}

/// Frames that take their time, then an end.
struct Frames {
    times: Vec<Duration>,
    sleep: Option<Pin<Box<Sleep>>>,
    end: End,
    _work: Work,
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
        if let Some(time) = self.times.pop() {
            self.sleep = Some(Box::pin(sleep(time)));
            return self.poll_frame(cx);
        }
        match std::mem::replace(&mut self.end, End::Whole) {
            End::Whole => Poll::Ready(None),
            End::Error => Poll::Ready(Some(Err("cut".into()))),
            End::Panic => panic!("in the body"),
        }
    }
}

/// A request: its seed, and its number by order of `call`.
type Asked = Request<(u64, usize)>;

async fn work(request: Asked, referee: Arc<Referee>) -> Result<Response<Frames>, Error> {
    let session = request.headers()[FIELD].to_str().unwrap();
    let session = SESSIONS.iter().position(|it| *it == session).unwrap();
    let (seed, number) = request.into_body();
    let work = Work::begin(&referee, session, number);
    let mut random = Random(seed);
    sleep(random.millis(8)).await;
    match random.below(16) {
        0 => return Err(Error::new(ErrorKind::Unavailable)),
        1 => panic!("at work"),
        // It hangs until somebody takes its turn, or it is dropped.
        2 => std::future::pending().await,
        _ => {}
    }
    let times = (0..random.below(4)).map(|_| random.millis(6)).collect();
    let end = match random.below(16) {
        0 => End::Error,
        1 => End::Panic,
        _ => End::Whole,
    };
    Ok(Response::new(Frames { times, sleep: None, end, _work: work }))
}

#[derive(Debug, Default)]
struct Counts {
    whole: AtomicUsize,
    unread: AtomicUsize,
    broken: AtomicUsize,
    failed: AtomicUsize,
    refused: AtomicUsize,
    panicked: AtomicUsize,
    cancelled: AtomicUsize,
    lost: AtomicUsize,
    waited: AtomicUsize,
}

impl Counts {
    fn of(&self, error: &Error, other: &'static str) -> &AtomicUsize {
        match error.kind() {
            ErrorKind::StreamBusy => &self.refused,
            ErrorKind::Timeout | ErrorKind::Cancelled => &self.lost,
            _ if other == "body" => &self.broken,
            _ => &self.failed,
        }
    }
}

/// Polls a future that may panic.
async fn caught<F: Future>(future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    std::future::poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
        Err(_) => Poll::Ready(None),
    })
    .await
}

async fn run(policy: Policy) -> Arc<Counts> {
    let layer = layer()
        .with_policy(policy)
        .with_max_hold(Duration::from_millis(40))
        .with_max_idle(Duration::from_millis(15));
    let referee = Arc::new(Referee::default());
    let counts = Arc::new(Counts::default());
    let called = Arc::new(AtomicUsize::new(0));
    let mut tasks = Vec::new();
    for task in 0..TASKS {
        let inner = {
            let referee = referee.clone();
            move |request: Asked| work(request, referee.clone())
        };
        let service = layer.layer(service_fn(inner));
        let (layer, counts, called) = (layer.clone(), counts.clone(), called.clone());
        tasks.push(tokio::spawn(async move {
            let mut random = Random(task as u64);
            for _ in 0..requests() / TASKS {
                let session = SESSIONS[usize::try_from(random.below(8)).unwrap()];
                let seed = random.below(u64::MAX);
                let (reads, pause) = (random.below(8), random.millis(60));
                let mut service = service.clone();
                let exchange = async {
                    service.ready().await.unwrap();
                    let number = called.fetch_add(1, SeqCst) + 1;
                    let request = Request::post("/").header(FIELD, session);
                    match service.call(request.body((seed, number)).unwrap()).await {
                        // It is never read, and kept for a while.
                        Ok(answer) if reads == 0 => {
                            sleep(pause).await;
                            drop(answer);
                            &counts.unread
                        }
                        Ok(answer) => match answer.into_body().collect().await {
                            Ok(_) => &counts.whole,
                            Err(error) => counts.of(&error, "body"),
                        },
                        Err(error) => counts.of(&error, "head"),
                    }
                };
                // Dropped at any await, in time or by number of polls.
                let mut exchange = Box::pin(caught(exchange));
                let mut polls = if random.below(4) == 0 { random.below(16) } else { u64::MAX };
                let cut = std::future::poll_fn(|cx| {
                    if polls == 0 {
                        return Poll::Ready(Some(&counts.cancelled));
                    }
                    polls -= 1;
                    exchange.as_mut().poll(cx)
                });
                let outcome = tokio::time::timeout(random.millis(400), cut).await;
                let outcome = outcome.unwrap_or(Some(&counts.cancelled));
                outcome.unwrap_or(&counts.panicked).fetch_add(1, SeqCst);
                counts.waited.fetch_max(layer.gauges().waiting, SeqCst);
                drop(exchange);
                sleep(random.millis(100)).await;
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(gauges(&layer), (0, 0));
    assert_eq!((referee.overlaps.load(SeqCst), referee.inversions.load(SeqCst)), (0, 0));
    assert!(referee.sessions.iter().all(|it| it.at_work.load(SeqCst) == 0));
    assert!(referee.begun.load(SeqCst) > requests() / 8, "{counts:?}");
    counts
}

/// Says nothing of the panics that are meant.
pub(super) fn quietly() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let said = info.payload().downcast_ref::<&str>();
        if !matches!(said, Some(&("at work" | "in the body"))) {
            before(info);
        }
    }));
}

#[tokio::test(start_paused = true)]
async fn no_two_are_at_work_none_overtakes_and_nothing_is_left_however_they_end() {
    quietly();
    for policy in [
        Policy::Queue { max_waiting: 10, max_wait: Duration::from_millis(100) },
        Policy::Reject,
        Policy::Supersede,
    ] {
        let counts = run(policy).await;
        let Counts { whole, unread, broken, failed, refused, panicked, cancelled, lost, waited } =
            &*counts;
        let least = requests() / 400;
        for number in [whole, unread, broken, failed, panicked, cancelled] {
            assert!(number.load(SeqCst) > least, "{policy:?} {counts:?}");
        }
        // Who rejects has nobody waiting, who supersedes refuses nobody.
        let [refused, lost, waited] = [refused, lost, waited].map(|it| it.load(SeqCst));
        match policy {
            Policy::Reject => assert!(refused > least && waited == 0, "{counts:?}"),
            Policy::Supersede => assert!(refused == 0 && lost > least, "{counts:?}"),
            _ => assert!(refused > least && lost > least && waited > 10, "{counts:?}"),
        }
    }
}
