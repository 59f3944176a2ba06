//! A server that has named an instant is left alone until then, by everybody whom it meant.

use std::pin::pin;

use http::{HeaderValue, Request, Response};
use kimi_errors::ErrorKind;
use kimi_testkit::probe::{Act, Probe, ProbeBody};
use kimi_tower::{
    facts::Facts,
    retry::{Backoff, Decision, Retry, RetryLayer, RetryPolicy, Stop},
};
use tower::{ServiceExt, limit::ConcurrencyLimit};
use tower_layer::Layer as _;
use tower_service::Service as _;

use super::{
    Duration, Instant, SECOND, Times, Upstream, chat, error, hinted, join_all, timed, timed_slow,
};

const MILLISECOND: Duration = Duration::from_millis(1);

fn ask(uri: &'static str, key: &'static str) -> Request<ProbeBody> {
    let mut request = chat();
    *request.uri_mut() = uri.parse().unwrap();
    request.headers_mut().insert("authorization", HeaderValue::from_static(key));
    request
}

fn throttled() -> Response<ProbeBody> {
    hinted(ErrorKind::RateLimited, "retry-after", "10")
}

/// Without jitter, and without retries of the first who is throttled.
fn exact() -> RetryPolicy {
    let none = Backoff::exponential(Duration::ZERO, Duration::ZERO);
    RetryPolicy::standard().with_fault_backoff(none).with_throttle_backoff(none)
}

/// The first attempt is throttled, and no other.
fn busy_once() -> (impl Upstream, Times) {
    timed(|attempt| Ok(if attempt == 0 { throttled() } else { Response::new(ProbeBody::empty()) }))
}

#[tokio::test(start_paused = true)]
async fn who_asks_the_same_with_the_same_credential_waits_and_nobody_else() {
    const URI: &str = "http://upstream/v1/chat/completions";
    for (uri, key, waits) in [
        (URI, "Bearer a", true),
        ("http://upstream/v1/models", "Bearer a", true),
        (URI, "Bearer b", false),
        ("http://other/v1/chat/completions", "Bearer a", false),
        ("/v1/chat/completions", "Bearer a", false),
    ] {
        let (upstream, times) = busy_once();
        let service = RetryLayer::new(exact()).layer(upstream);
        let first = tokio::spawn(service.clone().oneshot(ask(URI, "Bearer a")));
        tokio::time::sleep(SECOND).await;
        let facts = Facts::new();
        let mut request = ask(uri, key);
        request.extensions_mut().insert(facts.clone());
        let sent = service.oneshot(request).await.unwrap();
        assert_eq!((sent.status().as_u16(), facts.attempts()), (200, Some(1)));
        assert_eq!(first.await.unwrap().unwrap().status(), 200);
        let came = times.take();
        assert_eq!(came[0], Duration::ZERO);
        if waits {
            // The one who was told, and then the other, within a quarter of what it had to wait.
            assert_eq!(came[1], SECOND * 10, "{uri} with {key}");
            let latest = SECOND * 10 + SECOND * 9 / 4 + MILLISECOND;
            assert!((SECOND * 10..=latest).contains(&came[2]), "{uri} with {key}");
        } else {
            assert_eq!(came[1..], [SECOND, SECOND * 10], "{uri} with {key}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_throttle_with_a_hint_within_the_cap_makes_others_wait() {
    let no_hint = || error(ErrorKind::RateLimited);
    let hint = |kind, hint: &'static str| hinted(kind, "retry-after", hint);
    let cases: [(Response<ProbeBody>, RetryPolicy, bool); 8] = [
        (throttled(), exact(), true),
        (hint(ErrorKind::Overloaded, "10"), exact(), true),
        (hint(ErrorKind::ConcurrencyLimited, "10"), exact(), true),
        // That is the conversation's affair.
        (hint(ErrorKind::StreamBusy, "10"), exact(), false),
        (hint(ErrorKind::Unavailable, "10"), exact(), false),
        (no_hint(), exact(), false),
        (hint(ErrorKind::RateLimited, "61"), exact(), false),
        (throttled(), exact().without_cool_down(), false),
    ];
    for (number, (answer, policy, waits)) in cases.into_iter().enumerate() {
        let (probe, _) = Probe::new([Act::Answer(answer)]);
        // The first is not tried again, so that it is the other's own time that shows.
        let service = RetryLayer::new(policy.with_rule(|_| Some(Decision::GiveUp)));
        let service = service.layer(probe);
        let _ = service.clone().oneshot(chat()).await.unwrap();
        let start = Instant::now();
        assert_eq!(service.oneshot(chat()).await.unwrap().status(), 200);
        let elapsed = start.elapsed();
        if waits {
            let latest = SECOND * 10 + SECOND * 10 / 4 + MILLISECOND;
            assert!((SECOND * 10..=latest).contains(&elapsed), "{number}");
        } else {
            assert_eq!(elapsed, Duration::ZERO, "{number}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_last_attempt_was_told_is_heeded_too() {
    let acts = [Act::Answer(error(ErrorKind::Unavailable)), Act::Answer(throttled())];
    let (probe, seen) = Probe::new(acts);
    let service = RetryLayer::new(exact().with_max_retries(1)).layer(probe);
    assert_eq!(service.clone().oneshot(chat()).await.unwrap().status(), 429);
    assert_eq!(seen.calls(), 2);
    let start = Instant::now();
    assert_eq!(service.oneshot(chat()).await.unwrap().status(), 200);
    assert!(start.elapsed() >= SECOND * 10);
}

#[tokio::test(start_paused = true)]
async fn those_who_waited_do_not_come_all_at_once() {
    let (upstream, times) = busy_once();
    let policy = RetryPolicy::standard().with_seed(3);
    let service = RetryLayer::new(policy).layer(upstream);
    let first = tokio::spawn(service.clone().oneshot(chat()));
    tokio::time::sleep(MILLISECOND).await;
    let sent = (0..400).map(|_| service.clone().oneshot(chat()));
    assert!(join_all(sent).await.iter().all(|sent| sent.as_ref().unwrap().status() == 200));
    first.await.unwrap().unwrap();
    let came = &times.take()[1..];
    assert_eq!(came.len(), 401);
    // Over a quarter of the time that they waited.
    for quarter in 0..4 {
        let part = SECOND * 10 / 16;
        let from = SECOND * 10 + part * quarter;
        let within = came.iter().filter(|at| (from..from + part).contains(*at)).count();
        assert!((60..=140).contains(&within), "{within} of 400 in quarter {quarter}");
    }
}

/// The bug: all who were held were let go, however soon the first of them was throttled again.
#[tokio::test(start_paused = true)]
async fn who_is_held_waits_again_when_another_is_throttled_again() {
    // One request in each 10 s is let through.
    let (upstream, times) = timed(|attempt| {
        Ok(if attempt % 2 == 0 { throttled() } else { Response::new(ProbeBody::empty()) })
    });
    let policy = exact().with_rule(|_| Some(Decision::GiveUp)).with_deadline(SECOND * 100);
    let service = RetryLayer::new(policy).layer(upstream);
    assert_eq!(service.clone().oneshot(chat()).await.unwrap().status(), 429);
    let start = Instant::now();
    let sent = (0..100).map(|_| service.clone().oneshot(chat()));
    let sent = join_all(sent).await;
    let came = times.take();
    assert!((14..=20).contains(&came.len()), "{} requests in 100 s", came.len());
    // Two in each round, of which the second is throttled; and the others do not outlive their
    // deadline.
    assert!(came[1..].chunks_exact(2).all(|round| round[1] - round[0] <= SECOND * 5 / 2));
    assert!(came[1..].windows(3).all(|two| two[2] - two[0] >= SECOND * 10), "{came:?}");
    assert!(start.elapsed() <= SECOND * 100);
    let refused = sent.iter().filter_map(|sent| sent.as_ref().err());
    assert!(refused.clone().all(|refused| refused.kind() == ErrorKind::RateLimited));
    assert!(refused.clone().all(|refused| refused.retry_after().is_some()));
    assert_eq!(refused.count(), 101 - came.len());
}

/// The bug: a retry whose own wait was over at once did not ask whether others had to wait.
#[tokio::test(start_paused = true)]
async fn a_retry_waits_for_what_others_were_told_too() {
    for wait in [0, 2] {
        let wait = Backoff::exponential(SECOND * wait, SECOND * wait).without_jitter();
        let (upstream, times) = timed_slow(
            |attempt| match attempt {
                0 => Ok(error(ErrorKind::Unavailable)),
                1 => Ok(throttled()),
                _ => Ok(Response::new(ProbeBody::empty())),
            },
            |attempt| if attempt == 0 { SECOND * 2 } else { Duration::ZERO },
        );
        let service = RetryLayer::new(exact().with_fault_backoff(wait)).layer(upstream);
        let first = tokio::spawn(service.clone().oneshot(chat()));
        tokio::time::sleep(SECOND).await;
        assert_eq!(service.oneshot(chat()).await.unwrap().status(), 200);
        assert_eq!(first.await.unwrap().unwrap().status(), 200);
        let came = times.take();
        assert_eq!(came[..2], [Duration::ZERO, SECOND]);
        // What was left of it when the first failed was 9 s.
        let latest = SECOND * 11 + SECOND * 9 / 4 + MILLISECOND;
        assert!(came.len() == 4);
        assert!(came[2..].iter().all(|at| (SECOND * 11..=latest).contains(at)), "{came:?}");
    }
}

/// Those who are still to hear of a cool-down would keep everybody waiting for as long as they come.
#[tokio::test(start_paused = true)]
async fn a_cool_down_is_waited_for_once_and_is_not_prolonged() {
    // The first answer comes when the second has already said 10 s.
    let (upstream, times) = timed_slow(
        |attempt| match attempt {
            0 => Ok(hinted(ErrorKind::RateLimited, "retry-after", "60")),
            1 => Ok(throttled()),
            _ => Ok(Response::new(ProbeBody::empty())),
        },
        |attempt| if attempt == 0 { SECOND * 5 } else { Duration::ZERO },
    );
    let policy = exact().with_rule(|_| Some(Decision::GiveUp));
    let service = RetryLayer::new(policy).layer(upstream);
    let slow = tokio::spawn(service.clone().oneshot(chat()));
    tokio::time::sleep(MILLISECOND).await;
    assert_eq!(service.clone().oneshot(chat()).await.unwrap().status(), 429);
    let held = tokio::spawn(service.clone().oneshot(chat()));
    tokio::time::sleep(SECOND * 8).await;
    assert_eq!(slow.await.unwrap().unwrap().status(), 429);
    let late = tokio::spawn(service.oneshot(chat()));
    assert_eq!(held.await.unwrap().unwrap().status(), 200);
    assert_eq!(late.await.unwrap().unwrap().status(), 200);
    let came = times.take();
    assert_eq!(came.len(), 4);
    let end = SECOND * 10 + MILLISECOND;
    assert!(came[2..].iter().all(|at| (end..=end + SECOND * 5 / 2 + MILLISECOND).contains(at)));
}

#[tokio::test(start_paused = true)]
async fn who_waits_keeps_nobody_else_from_the_inner_service() {
    let (probe, seen) = Probe::new([Act::Answer(throttled())]);
    let service = RetryLayer::new(exact()).layer(ConcurrencyLimit::new(probe, 1));
    let first = tokio::spawn(service.clone().oneshot(chat()));
    tokio::time::sleep(MILLISECOND).await;
    // This one was ready, and had the only permit.
    let mut held: Retry<_> = service.clone();
    let call = ServiceExt::<Request<ProbeBody>>::ready(&mut held).await.unwrap().call(chat());
    let held_answer = tokio::spawn(call);
    tokio::time::sleep(MILLISECOND).await;

    let other = service.oneshot(ask("http://upstream/v1/models", "another"));
    let other = tokio::time::timeout(SECOND, other).await.expect("nobody has the permit");
    assert_eq!(other.unwrap().status(), 200);
    assert_eq!(seen.calls(), 2);
    assert_eq!(held_answer.await.unwrap().unwrap().status(), 200);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    assert_eq!((seen.calls(), seen.unready_calls(), seen.most_live_futures()), (4, 0, 1));
    // The instance whose request was held can be used again.
    let again = ServiceExt::<Request<ProbeBody>>::ready(&mut held).await.unwrap().call(chat());
    assert_eq!(again.await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn so_many_are_held_and_the_next_is_told_when_to_come() {
    let (probe, seen) = Probe::new([Act::Answer(throttled())]);
    let give_up = exact().with_rule(|_| Some(Decision::GiveUp));
    let service = RetryLayer::new(give_up).layer(probe);
    let _ = service.clone().oneshot(chat()).await.unwrap();
    tokio::time::advance(SECOND * 4).await;
    for _ in 0..2 {
        // Dropped while they are held, they give back their places.
        let mut held: Vec<_> =
            (0..1024).map(|_| Box::pin(service.clone().oneshot(chat()))).collect();
        for held in &mut held {
            std::future::poll_fn(|cx| {
                assert!(held.as_mut().poll(cx).is_pending());
                std::task::Poll::Ready(())
            })
            .await;
        }
        let facts = Facts::new();
        let mut request = chat();
        request.extensions_mut().insert(facts.clone());
        let refused = service.clone().oneshot(request).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::RateLimited);
        assert_eq!(refused.retry_after(), Some(SECOND * 6));
        assert_eq!((facts.attempts(), facts.retry_stop()), (Some(0), Some(Stop::NotReady)));
        assert_eq!(seen.calls(), 1);
        held.pop();
        let mut last = pin!(service.clone().oneshot(chat()));
        std::future::poll_fn(|cx| {
            assert!(last.as_mut().poll(cx).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_would_be_held_past_the_deadline_is_refused_at_once() {
    let (probe, seen) = Probe::new([Act::Answer(throttled())]);
    let service = RetryLayer::new(exact().with_deadline(SECOND * 5)).layer(probe);
    let start = Instant::now();
    assert_eq!(service.clone().oneshot(chat()).await.unwrap().status(), 429);
    let facts = Facts::new();
    let mut request = chat();
    request.extensions_mut().insert(facts.clone());
    let refused = service.clone().oneshot(request).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::RateLimited);
    assert_eq!(refused.retry_after(), Some(SECOND * 10));
    assert_eq!((facts.attempts(), facts.retry_stop()), (Some(0), Some(Stop::Deadline)));
    assert_eq!((seen.calls(), start.elapsed()), (1, Duration::ZERO));
    tokio::time::advance(SECOND * 10).await;
    assert_eq!(service.oneshot(chat()).await.unwrap().status(), 200);
}
