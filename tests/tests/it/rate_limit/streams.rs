//! A thousand streams at once, of which nobody knows what they will cost.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::mpsc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response, request::Parts};
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use kimi_errors::{BoxError, Error, ErrorKind};
use kimi_tower::rate_limit::RateLimitLayer;
use tokio::{
    task::JoinSet,
    time::{Instant, Sleep},
};
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

use super::{Duration, Random, SECOND, chat, layer, left, tokens};

const STREAMS: u32 = 1_000;
const LIMIT: u32 = 50_000;
const WINDOW: Duration = Duration::from_secs(60);

/// What the upstream will do.
#[derive(Clone, Copy)]
struct Fate {
    /// The most that the request allows, which is reserved.
    bound: u32,
    /// What it costs in truth, never more than that.
    cost: u32,
    end: End,
    /// Between its chunks.
    pause: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// It tells its usage.
    Whole,
    /// It breaks off without.
    Cut,
    /// The client goes away, before the usage.
    Left,
    /// It is an error, and costs nothing.
    Failed,
    Refused,
}

impl Fate {
    fn of(random: &mut Random) -> Self {
        let bound = 1 + random.below(4_000);
        let end = match random.below(10) {
            0 => End::Cut,
            1 => End::Left,
            2 => End::Failed,
            3 => End::Refused,
            _ => End::Whole,
        };
        let cost = match end {
            End::Failed | End::Refused => 0,
            _ => random.below(bound + 1),
        };
        Self { bound, cost, end, pause: random.millis(3_000) }
    }
}

/// Chunks with a pause before each, and perhaps no end.
struct Paced {
    chunks: VecDeque<Bytes>,
    pause: Duration,
    alarm: Pin<Box<Sleep>>,
    is_cut: bool,
}

impl Body for Paced {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        ready!(self.alarm.as_mut().poll(cx));
        let next = Instant::now() + self.pause;
        self.alarm.as_mut().reset(next);
        Poll::Ready(match self.chunks.pop_front() {
            Some(chunk) => Some(Ok(Frame::data(chunk))),
            None if self.is_cut => Some(Err("cut".into())),
            None => None,
        })
    }
}

fn stream(fate: Fate) -> Response<Paced> {
    let mut text = "data: {\"choices\":[{\"delta\":{\"content\":\"你好\"}}]}\n\n".repeat(4);
    if fate.end == End::Whole {
        text += &format!("data: {{\"usage\":{{\"total_tokens\":{}}}}}\n\n", fate.cost);
        text += "data: [DONE]\n\n";
    }
    // Where they are split has nothing to do with where events end.
    let chunks = text.as_bytes().chunks(37).map(Bytes::copy_from_slice).collect();
    let alarm = Box::pin(tokio::time::sleep(fate.pause));
    let body = Paced { chunks, pause: fate.pause, alarm, is_cut: fate.end == End::Cut };
    let mut answer = Response::new(body);
    answer.headers_mut().insert("content-type", "text/event-stream".parse().unwrap());
    if fate.end == End::Refused {
        *answer.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
    }
    answer
}

/// What came to the upstream: when, and what it cost in truth.
type Came = (Instant, u32);

/// Sends the streams over ten minutes, and returns what came and how many were refused.
async fn run(layer: &RateLimitLayer, seed: u64) -> (Vec<Came>, usize) {
    let (sender, came) = mpsc::channel::<Came>();
    let upstream = service_fn(move |request: Request<_>| {
        let fate: Fate = *request.extensions().get().unwrap();
        sender.send((Instant::now(), fate.cost)).unwrap();
        async move {
            tokio::time::sleep(fate.pause).await;
            if fate.end == End::Failed {
                return Err(Error::new(ErrorKind::Unavailable));
            }
            Ok(stream(fate))
        }
    });
    let service = layer.layer(upstream);
    let (mut random, mut tasks) = (Random(seed), JoinSet::new());
    for _ in 0..STREAMS {
        let (fate, delay) = (Fate::of(&mut random), random.millis(600_000));
        let (service, layer) = (service.clone(), layer.clone());
        tasks.spawn(async move {
            tokio::time::sleep(delay).await;
            let mut request = chat();
            request.extensions_mut().insert(fate);
            let before = left(&layer);
            let sent = service.oneshot(request).await;
            match sent {
                Err(error) if error.kind() == ErrorKind::RateLimited => {
                    assert!(error.retry_after().is_some());
                    // Refused at once, so that nobody else has done anything meanwhile.
                    assert_eq!(left(&layer), before, "a refused request is charged nothing");
                    return 1;
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable),
                Ok(answer) if fate.end == End::Left => {
                    let mut body = answer.into_body();
                    body.frame().await.unwrap().unwrap();
                }
                Ok(answer) => {
                    let read = answer.into_body().collect().await;
                    assert_eq!(read.is_err(), fate.end == End::Cut);
                }
            }
            0
        });
    }
    let refused = tasks.join_all().await.into_iter().sum();
    (came.try_iter().collect(), refused)
}

/// Returns the most that was spent in any window, each of which ends with a request.
fn most_in_a_window(came: &[Came]) -> u32 {
    let (mut live, mut sum, mut most) = (VecDeque::new(), 0, 0);
    for (at, cost) in came {
        live.push_back((*at, *cost));
        sum += cost;
        while let Some((first, cost)) = live.front().copied() {
            if *at - first < WINDOW {
                break;
            }
            live.pop_front();
            sum -= cost;
        }
        most = most.max(sum);
    }
    most
}

fn bound(head: &Parts) -> u32 {
    head.extensions.get::<Fate>().unwrap().bound
}

#[tokio::test(start_paused = true)]
async fn a_thousand_streams_never_spend_more_than_the_limit_in_any_window() {
    for seed in [1, 2, 3] {
        let layer = layer(tokens(LIMIT, WINDOW)).with_tokens(bound);
        let (came, refused) = run(&layer, seed).await;
        assert_eq!(came.len() + refused, STREAMS as usize);
        assert!(refused > 100, "{refused} of them met the limit");
        let most = most_in_a_window(&came);
        assert!(most <= LIMIT, "{most} in a window");
        // What was reserved for nothing has been given back, or they would have been fewer.
        assert!(most > LIMIT / 2, "{most} in a window");
        tokio::time::sleep(WINDOW).await;
        assert_eq!(left(&layer), [LIMIT]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_streams_that_wait_never_spend_more_than_the_limit_in_any_window() {
    let layer = super::waiting(tokens(LIMIT, WINDOW)).with_tokens(bound);
    let (came, refused) = run(&layer, 4).await;
    assert_eq!((came.len(), refused), (STREAMS as usize, 0));
    let most = most_in_a_window(&came);
    assert!(most <= LIMIT && most > LIMIT / 2, "{most} in a window");
    assert_eq!(layer.store().waiting(), 0);
    tokio::time::sleep(WINDOW + SECOND).await;
    assert_eq!(left(&layer), [LIMIT]);
}

/// The referee must be able to see an overrun: what is typical is less than what some cost.
#[tokio::test(start_paused = true)]
async fn an_estimate_that_is_too_low_lets_more_be_spent_for_a_while() {
    let layer = layer(tokens(LIMIT, WINDOW)).with_tokens(|_: &_| 1);
    let (came, _) = run(&layer, 5).await;
    assert!(most_in_a_window(&came) > LIMIT);
}
