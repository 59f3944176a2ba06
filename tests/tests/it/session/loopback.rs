//! Very many requests over sockets, on several threads, of which many are broken off. What is inside
//! of the layer is the referee.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};

use axum::{Router, body::Body, extract::State, response::Response, routing::post};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use kimi_testkit::probe::{Beat, ProbeBody};
use kimi_tower::{catch_error::CatchErrorLayer, session::Policy};
use tokio::{net::TcpListener, task::yield_now};
use tower::ServiceBuilder;

use super::{FIELD, gauges, layer, stress::quietly};

const SESSIONS: usize = 8;
const CLIENTS: usize = 32;
const FRAMES: usize = 6;

/// How many requests there are: 6 400, or as many as the variable `REQUESTS` says.
fn requests() -> usize {
    std::env::var("REQUESTS").map_or(6_400, |requests| requests.parse().unwrap())
}

#[derive(Default)]
struct Referee {
    at_work: [AtomicUsize; SESSIONS],
    begun: AtomicUsize,
    overlaps: AtomicUsize,
}

struct Work(Arc<Referee>, usize);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.at_work[self.1].fetch_sub(1, SeqCst);
    }
}

async fn chat(State(referee): State<Arc<Referee>>, headers: HeaderMap) -> Response {
    let session: usize = headers[FIELD].to_str().unwrap().parse().unwrap();
    let others = referee.at_work[session].fetch_add(1, SeqCst);
    referee.overlaps.fetch_add(others, SeqCst);
    let begun = referee.begun.fetch_add(1, SeqCst);
    let work = Work(referee, session);
    for _ in 0..begun % 5 {
        yield_now().await;
    }
    assert!(!begun.is_multiple_of(23), "at work");
    let beats =
        (0..FRAMES).flat_map(|_| [Beat::Yield, Beat::Data(Bytes::from_static(&[b'x'; 1024]))]);
    // The work ends with the body.
    let body = ProbeBody::new(beats).map_frame(move |frame| {
        let _ = &work;
        frame
    });
    Response::new(Body::new(body))
}

#[derive(Debug, Default)]
struct Counts {
    whole: AtomicUsize,
    broken: AtomicUsize,
    refused: AtomicUsize,
    dropped: AtomicUsize,
}

/// Sends one request, and breaks it off somewhere if the number says so.
async fn ask(client: &reqwest::Client, url: &str, number: usize, counts: &Counts) {
    let session = number.wrapping_mul(0x9e37_79b9) >> 7;
    let request = client.post(url).header(FIELD, session % SESSIONS);
    let head = request.send();
    let mut answer = if number.is_multiple_of(4) {
        // The connection is closed while the request waits, or is at work.
        let Some(answer) = some_polls(head, number % 32).await else {
            counts.dropped.fetch_add(1, SeqCst);
            return;
        };
        answer
    } else {
        head.await
    };
    // The server has closed the connection of an answer that broke, while this was being sent.
    let Ok(answer) = &mut answer else {
        counts.broken.fetch_add(1, SeqCst);
        return;
    };
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::TOO_MANY_REQUESTS => {
            counts.refused.fetch_add(1, SeqCst);
            return;
        }
        // A panic, or somebody newer.
        status if status.is_server_error() || status.as_u16() == 499 => {
            counts.broken.fetch_add(1, SeqCst);
            return;
        }
        other => panic!("{other}"),
    }
    // The connection is closed while the answer comes, where it is not read to its end.
    let enough = if number.is_multiple_of(3) { number % (FRAMES * 1024) } else { usize::MAX };
    let mut read = 0;
    while read < enough {
        match answer.chunk().await {
            Ok(Some(chunk)) => read += chunk.len(),
            Ok(None) => {
                counts.whole.fetch_add(1, SeqCst);
                return;
            }
            Err(_) => {
                counts.broken.fetch_add(1, SeqCst);
                return;
            }
        }
    }
    counts.dropped.fetch_add(1, SeqCst);
}

/// Polls a future so many times, and then drops it.
async fn some_polls<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = Box::pin(future);
    for _ in 0..polls {
        let polled = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        yield_now().await;
    }
    None
}

async fn run(policy: Policy) -> Arc<Counts> {
    let layer = layer().with_policy(policy);
    let around = ServiceBuilder::new().layer(CatchErrorLayer::new()).layer(layer.clone());
    let referee = Arc::new(Referee::default());
    let router = Router::new().route("/", post(chat)).with_state(referee.clone()).layer(around);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let counts = Arc::new(Counts::default());
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (url, counts) = (url.clone(), counts.clone());
            tokio::spawn(async move {
                let client = reqwest::Client::builder().no_proxy().build().unwrap();
                for round in 0..requests() / CLIENTS {
                    ask(&client, &url, round * CLIENTS + number, &counts).await;
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    // The server has to see the last connections close.
    let is_over = async {
        while gauges(&layer) != (0, 0) {
            yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), is_over).await.expect("nothing is left");
    server.abort();
    assert!(referee.at_work.iter().all(|it| it.load(SeqCst) == 0));
    assert_eq!(referee.overlaps.load(SeqCst), 0);
    assert!(referee.begun.load(SeqCst) > requests() / 8, "{counts:?}");
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_sockets_no_two_are_at_work_and_nothing_is_left_however_they_end() {
    quietly();
    // Room for all, however long a busy machine takes over one.
    let queue = Policy::Queue { max_waiting: usize::MAX, max_wait: Duration::from_secs(60) };
    for policy in [queue, Policy::Reject, Policy::Supersede] {
        let counts = run(policy).await;
        let Counts { whole, broken, refused, dropped } = &*counts;
        for number in [whole, broken, dropped] {
            assert!(number.load(SeqCst) > requests() / 400, "{policy:?} {counts:?}");
        }
        let is_refused = refused.load(SeqCst) > 0;
        assert_eq!(is_refused, policy == Policy::Reject, "{policy:?} {counts:?}");
    }
}
