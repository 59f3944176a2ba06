//! A client's whole stack, before an upstream that knows exactly what it has admitted.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
};

use http::{Request, Response};
use kimi_errors::{BoxError, Dialect, Error, ErrorKind};
use kimi_testkit::probe::ProbeBody;
use kimi_tower::{
    key::UpstreamAccount,
    rate_limit::{RateLimitLayer, Rule},
    replay::ReplayBody,
    retry::{RetryLayer, RetryPolicy},
};
use tokio::{sync::Mutex, task::JoinSet, time::Instant};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

use super::{Duration, JSON, SECOND, answer, chat, patient, requests};

const LIMIT: usize = 5;
const WINDOW: Duration = Duration::from_secs(10);

/// Whether the upstream has refused, and when.
type Heard = (Duration, bool);

/// What an upstream remembers: when it has admitted whom.
type Log = Arc<Mutex<VecDeque<Instant>>>;

/// Admits five in any ten seconds, and tells the others when to come again.
async fn referee(log: Log) -> Response<ProbeBody> {
    let mut log = log.lock().await;
    let now = Instant::now();
    while log.front().is_some_and(|first| now - *first >= WINDOW) {
        log.pop_front();
    }
    if log.len() < LIMIT {
        log.push_back(now);
        return Response::new(ProbeBody::full("{}"));
    }
    let wait = WINDOW - (now - log[0]);
    let refused = Error::new(ErrorKind::RateLimited).with_retry_after(wait);
    Dialect::Errcode.response(&refused).map(ProbeBody::full)
}

/// Sends so many at once to the referee, and returns what it has heard.
async fn send(count: usize, rule: Rule, log: Log) -> Vec<Heard> {
    send_to(count, rule, move || referee(log.clone())).await
}

/// Sends so many at once through retry and limit, and returns what the upstream has heard.
async fn send_to<F>(
    count: usize,
    rule: Rule,
    answers: impl Fn() -> F + Clone + Send + Sync + 'static,
) -> Vec<Heard>
where
    F: Future<Output = Response<ProbeBody>> + Send,
{
    let (sender, heard) = mpsc::channel();
    let begin = Instant::now();
    let upstream = service_fn(move |_: Request<ReplayBody<ProbeBody>>| {
        let (answer, sender) = (answers(), sender.clone());
        async move {
            let answer = answer.await;
            sender.send((begin.elapsed(), answer.status() == 429)).unwrap();
            Ok::<_, BoxError>(answer)
        }
    });
    let limit = RateLimitLayer::new(rule)
        .with_key(UpstreamAccount::new())
        .with_admission(patient(SECOND * 3600, 1_000))
        .with_upstream_hints()
        .without_fields();
    let client = ServiceBuilder::new()
        .layer(RetryLayer::new(RetryPolicy::standard().with_deadline(SECOND * 3600)))
        .layer(limit)
        .service(upstream);
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        tasks.spawn(client.clone().oneshot(chat()));
    }
    for answer in tasks.join_all().await {
        assert_eq!(answer.unwrap().status(), 200);
    }
    heard.try_iter().collect()
}

#[tokio::test(start_paused = true)]
async fn a_hundred_at_once_are_all_admitted_and_none_is_refused_by_the_upstream() {
    let heard = send(100, requests(5, WINDOW), Log::default()).await;
    assert_eq!(heard.len(), 100);
    assert!(heard.iter().all(|(_, is_refused)| !is_refused), "{heard:?}");
    // No slower than the upstream lets them: five every ten seconds.
    let (last, _) = heard[99];
    assert!(last >= WINDOW * 19 && last <= WINDOW * 19 + SECOND / 10, "{last:?}");
}

/// Another client of the same account has spent all of it: the first request finds out.
#[tokio::test(start_paused = true)]
async fn of_many_that_come_to_a_spent_upstream_one_is_refused_and_the_rest_wait() {
    let log = Log::default();
    log.lock().await.extend([Instant::now(); LIMIT]);
    tokio::time::advance(SECOND * 2).await;
    // One at a time, so that what the first is told is known when the second goes.
    let heard = send(30, requests(1, SECOND * 2), log).await;
    let refused: Vec<_> = heard.iter().filter(|(_, is_refused)| *is_refused).collect();
    assert_eq!((heard.len(), refused.len()), (31, 1), "{heard:?}");
    assert_eq!(refused[0].0, Duration::ZERO);
    assert!(heard[1].0 >= SECOND * 8);
}

/// As Kimi's platform says it: `retry` has the text read, and the limit reads along.
#[tokio::test(start_paused = true)]
async fn a_wait_that_only_the_text_says_is_kept_by_those_who_have_not_read_it() {
    const TEXT: &str = r#"{"error":{"message":"Your account org-1<ak-1> request reached organization max RPM: 3, please try again after 7 seconds","type":"rate_limit_reached_error"}}"#;
    let count = Arc::new(AtomicUsize::new(0));
    let heard = send_to(10, requests(1, SECOND), move || {
        let is_first = count.fetch_add(1, SeqCst) == 0;
        let body = || ProbeBody::chunks(TEXT.as_bytes().chunks(9).map(<[u8]>::to_vec));
        let refused = is_first.then(|| answer(429, &[JSON], body()));
        async move {
            // So that the others wait already, and not with `retry` for what it has heard.
            tokio::time::sleep(SECOND / 2).await;
            refused.unwrap_or_else(|| Response::new(ProbeBody::full("{}")))
        }
    });
    let heard = heard.await;
    assert_eq!((heard.len(), heard[0]), (11, (SECOND / 2, true)));
    assert!(heard[1..].iter().all(|(_, is_refused)| !is_refused), "{heard:?}");
    // The upstream is heard half a second after it was asked.
    let next = heard[1].0.checked_sub(SECOND * 8);
    assert!(next.is_some_and(|late| late <= SECOND / 100), "{heard:?}");
    assert!(heard[1..].windows(2).all(|two| two[1].0 - two[0].0 >= SECOND));
}
