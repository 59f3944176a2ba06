//! The gateway as its program makes it, with all that it limits and logs, and its upstream.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::serve::Listener as _;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use kimi_examples::gateway::{Board, Limits, Settings, Status, Upstream, listen, router};
use kimi_testkit::{mock::Mock, server::MockServer};
use kimi_tower::{
    request_log::{JsonObserver, RequestLogLayer},
    retry::{Backoff, RetryBudget, RetryPolicy},
};
use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use super::log::Log;

/// What is awaited comes within a fraction of it.
const LONG: Duration = Duration::from_secs(60);

/// How long one stream may keep the others waiting.
const STREAM: Duration = Duration::from_millis(2);

/// Dropping it ends it.
pub(crate) struct Gateway {
    address: SocketAddr,
    log: Log,
    mock: Mock,
    /// `None` while it is restarted.
    server: Option<MockServer>,
    _tasks: JoinSet<()>,
}

impl Gateway {
    /// Starts one for so many streams at once.
    pub(crate) async fn start(streams: usize) -> Self {
        let mock = Mock::platform().with_history(0);
        let server = MockServer::start(mock.clone()).await.unwrap();
        // Soon, since the wait is not under test; and more than once, since the upstream may hear of
        // a client that left after it has heard of the next of the session, which it then refuses:
        // as often as a busy machine takes.
        let soon = Backoff::exponential(Duration::from_millis(20), Duration::from_millis(20));
        let retry = RetryPolicy::standard().with_fault_backoff(soon).with_throttle_backoff(soon);
        let retry = retry.with_max_retries(10).with_budget(RetryBudget::new(10_000_000, 100));
        let upstream: Upstream = server.url().parse().unwrap();
        // Long enough that only who is silent is found to be: all of them begin at once.
        let head_timeout = Duration::from_secs(5) + STREAM * u32::try_from(streams).unwrap();
        let upstream = upstream.with_head_timeout(head_timeout).with_retry(retry);
        let (log, board) = (Log::new(), Board::new());
        let observer = (board.clone(), JsonObserver::new(log.clone()).with_starts());
        let limits = Limits::none().try_with_requests(1_000_000).unwrap();
        let limits = limits.try_with_tokens(1_000_000_000).unwrap().with_concurrent(4);
        let settings = Settings {
            limits,
            log: RequestLogLayer::new().with_observer(Some(Arc::new(observer))),
            status: Some(Status { board, metrics: None }),
            ..Settings::default()
        };
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = router(upstream, settings);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, log, mock, server: Some(server), _tasks: tasks }
    }

    /// Ends all connections to the upstream, of which some number is idle, by a restart.
    pub(crate) async fn restart_upstream(&mut self) {
        let server = self.server.take().unwrap();
        let address = server.addr();
        server.stop().await;
        self.server = Some(MockServer::bind(address, self.mock.clone()).await.unwrap());
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) const fn log(&self) -> &Log {
        &self.log
    }

    /// Panics if a request has no line, or two.
    pub(crate) async fn each_was_logged_once(&self, ids: Vec<String>) {
        let lines = timeout(LONG, self.log.take(ids.len())).await;
        let mut lines = lines.expect("a request is not logged");
        for id in ids {
            assert_eq!(lines.remove(&id), Some((1, 1)), "starts and ends of {id}");
        }
        assert!(lines.is_empty(), "lines of nobody: {lines:?}");
    }

    /// Panics if a turn, a place in a line or a permit is not given back.
    pub(crate) async fn nothing_is_held(&self) {
        let nothing = json!([0, 0, 0, 0]);
        let mut held = Value::Null;
        let all_given_back = async {
            while held != nothing {
                let numbers = self.numbers().await;
                let (sessions, concurrency) = (&numbers["sessions"], &numbers["concurrency"]);
                held = json!([
                    numbers["under_way"],
                    sessions["active"],
                    sessions["waiting"],
                    concurrency["held"],
                ]);
                sleep(Duration::from_millis(10)).await;
            }
        };
        let given_back = timeout(LONG, all_given_back).await;
        assert!(given_back.is_ok(), "requests, turns and their line, permits: {held}");
    }

    async fn numbers(&self) -> Value {
        let url = format!("http://{}/status.json", self.address).parse().unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http::<Empty<bytes::Bytes>>();
        let answer = client.get(url).await.unwrap();
        let text = answer.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&text).unwrap()
    }
}
