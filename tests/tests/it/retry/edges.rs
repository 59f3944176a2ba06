//! Values at the edge, panics of what is inside, and requests that are held.

use std::{
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Wake, Waker},
};

use http::Response;
use kimi_errors::{BoxError, ErrorKind};
use kimi_testkit::probe::{Act, Beat, Probe, ProbeBody, Readiness};
use kimi_tower::{
    facts::Facts,
    replay::ReplayLimits,
    retry::{Backoff, RetryBudget, RetryLayer, RetryPolicy, Stop},
};
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

use super::{
    Duration, Instant, JSON, SECOND, answer, chat, error, failing, hinted, send, with_method,
};

#[tokio::test(start_paused = true)]
async fn any_value_of_a_policy_is_valid() {
    let century = SECOND * 3_155_760_000;
    for value in [Duration::ZERO, Duration::from_nanos(1), SECOND, century, Duration::MAX] {
        for retries in [1, u32::MAX] {
            let backoff = Backoff::exponential(Duration::ZERO, value);
            let policy = || {
                RetryPolicy::standard()
                    .with_max_retries(retries)
                    .with_fault_backoff(backoff)
                    .with_throttle_backoff(backoff)
                    .with_budget(RetryBudget::new(u32::MAX, u32::MAX))
                    .with_look_timeout(value)
                    .with_hint_cap(value)
                    .with_replay(ReplayLimits::new())
            };
            let acts = || {
                let body = ProbeBody::chunks([r#"{"errcode":-1000,"errmsg":"x"}"#]);
                let slow = answer(200, JSON, "").map(|_| body.then(Beat::Yield));
                [Act::Answer(slow)]
            };
            let (sent, seen) = send(policy(), acts()).await;
            assert_eq!((sent.unwrap().status().as_u16(), seen.calls()), (200, 2), "{value:?}");
            let (sent, _) = send(policy().with_deadline(value), acts()).await;
            assert!(sent.is_ok());
            // Ends in time, if there is one.
            let start = Instant::now();
            let hangs = send(policy().with_deadline(value), [Act::Hang]);
            match tokio::time::timeout(century * 2, hangs).await {
                Ok((sent, seen)) => {
                    assert_eq!((sent.unwrap_err().kind(), seen.calls()), (ErrorKind::Timeout, 1));
                    let took = start.elapsed();
                    assert!(took >= value && took <= value + Duration::from_millis(1));
                }
                Err(_) => assert_eq!(value, Duration::MAX),
            }
            let (sent, seen) = super::send_as(
                policy().with_attempt_timeout(value).without_deadline(),
                with_method("GET"),
                [Act::Answer(error(ErrorKind::Unavailable)), Act::Answer(answer(200, JSON, "{}"))],
            )
            .await;
            assert_eq!((sent.unwrap().status().as_u16(), seen.calls()), (200, 2));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_inside_leaves_nothing_taken_and_nothing_locked() {
    let busy = || Act::Answer(error(ErrorKind::Unavailable));
    let body = || answer(503, JSON, "").map(|_| ProbeBody::new([Beat::Panic("body")]));
    let cases: [(Vec<Act>, Vec<Readiness>, u32); 6] = [
        (vec![Act::PanicInCall("call")], vec![], 9),
        (vec![Act::Panic("future")], vec![], 9),
        (vec![Act::Answer(body())], vec![], 9),
        (vec![busy()], vec![Readiness::Ready, Readiness::Panic("readiness")], 9),
        // These have begun.
        (vec![busy(), Act::PanicInCall("call")], vec![], 8),
        (vec![busy(), Act::Panic("future")], vec![], 8),
    ];
    for (number, (acts, readiness, retries_left)) in cases.into_iter().enumerate() {
        let (probe, seen) = Probe::new(acts);
        let budget = RetryBudget::new(9, 0);
        let policy = RetryPolicy::standard().with_budget(budget.clone());
        let service = RetryLayer::new(policy).layer(probe.with_readiness(readiness));
        let sent = tokio::spawn(service.clone().oneshot(chat())).await;
        assert!(sent.unwrap_err().is_panic(), "{number}");
        assert_eq!((budget.retries_left(), seen.live_futures()), (retries_left, 0), "{number}");
        assert_eq!(service.oneshot(chat()).await.unwrap().status(), 200);
    }
}

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Each time it is polled by another task, as after a move into a `select`.
#[tokio::test(start_paused = true)]
async fn whoever_polled_last_is_woken_wherever_it_waits() {
    let busy = || Act::Answer(hinted(ErrorKind::RateLimited, "retry-after", "1"));
    let slow = answer(503, JSON, "").map(|_| ProbeBody::new([Beat::Hang]));
    let cases: [(&str, Vec<Act>, Vec<Readiness>, bool); 5] = [
        ("an attempt until the deadline", vec![Act::Hang], vec![], false),
        ("a look", vec![Act::Answer(slow)], vec![], false),
        ("a wait", vec![busy()], vec![], false),
        ("readiness", vec![busy()], vec![Readiness::Ready, Readiness::Pending], false),
        ("a first attempt", vec![busy(), busy()], vec![], true),
    ];
    for (what, acts, readiness, is_held) in cases {
        let (probe, seen) = Probe::new(acts);
        let policy = RetryPolicy::standard().with_deadline(SECOND * 20);
        let service = RetryLayer::new(policy).layer(probe.with_readiness(readiness));
        if is_held {
            let told = tokio::time::timeout(SECOND / 2, service.clone().oneshot(chat())).await;
            assert!(told.is_err());
        }
        let mut sent = pin!(service.oneshot(chat()));
        let first = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&first));
        assert!(sent.as_mut().poll(&mut Context::from_waker(&waker)).is_pending(), "{what}");
        let mut is_done = false;
        for _ in 0..300 {
            let woken = Arc::new(Woken::default());
            let waker = Waker::from(Arc::clone(&woken));
            if sent.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                is_done = true;
                break;
            }
            let began = Instant::now();
            while woken.0.load(SeqCst) == 0 {
                tokio::time::sleep(SECOND / 10).await;
                assert!(began.elapsed() < SECOND * 30, "nobody is woken for {what}");
            }
        }
        assert!(is_done, "{what}");
        assert_eq!(first.0.load(SeqCst), 0, "{what}");
        assert_eq!(seen.unready_calls(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_held_request_ends_at_its_deadline_and_gives_its_place_back() {
    let throttled = Act::Answer(hinted(ErrorKind::RateLimited, "retry-after", "4"));
    let (probe, seen) = Probe::new([throttled]);
    let probe = probe.with_readiness([Readiness::Ready, Readiness::Ready, Readiness::Pending]);
    let policy = RetryPolicy::standard().with_deadline(SECOND * 9);
    let service = RetryLayer::new(policy).layer(probe);
    let told = tokio::time::timeout(SECOND, service.clone().oneshot(chat())).await;
    assert!(told.is_err());
    let (start, facts) = (Instant::now(), Facts::new());
    let mut request = chat();
    request.extensions_mut().insert(facts.clone());
    let body = request.body().seen();
    let sent = service.clone().oneshot(request).await;
    assert_eq!(sent.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!((start.elapsed(), seen.calls()), (SECOND * 9, 1));
    assert_eq!((facts.attempts(), facts.retry_stop()), (Some(0), Some(Stop::Deadline)));
    assert!(body.is_dropped());
}

#[tokio::test(start_paused = true)]
async fn retries_in_a_row_do_not_multiply() {
    // The inner one says that it has tried enough.
    let (probe, seen) = Probe::new(failing(ErrorKind::Unavailable, 99));
    let service = RetryLayer::default().layer(RetryLayer::default().layer(probe));
    assert_eq!(service.oneshot(chat()).await.unwrap().status(), 503);
    assert_eq!(seen.calls(), 4);
    // So it does of an error.
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let refused = service_fn(move |_| {
        counted.fetch_add(1, SeqCst);
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        async { Err::<Response<ProbeBody>, BoxError>(refused.into()) }
    });
    let service = RetryLayer::default().layer(RetryLayer::default().layer(refused));
    let sent: Result<_, _> = service.oneshot(chat()).await;
    assert!(sent.is_err());
    assert_eq!(calls.load(SeqCst), 4);
}
