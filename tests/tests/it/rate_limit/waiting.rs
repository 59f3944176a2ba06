//! Who waits goes in order, is woken once, and does not wait in vain.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
};

use http::{HeaderValue, Request};
use kimi_errors::{Error, ErrorKind};
use kimi_testkit::probe::ProbeBody;
use kimi_tower::{
    deadline::Deadline,
    facts::{Facts, RateDecision},
    rate_limit::{RateLimitLayer, Rule},
};
use tokio::{task::JoinSet, time::Instant};
use tower_layer::Layer as _;

use super::{
    Duration, SECOND, bucket, call, chat, from, is_pending, layer, left, numbered, numbers,
    patient, requests, stack, start, waiting,
};

#[tokio::test(start_paused = true)]
async fn who_waits_goes_in_the_order_of_the_calls() {
    for rule in [bucket(1, SECOND), requests(1, SECOND)] {
        let (mut service, seen) = stack(&waiting(rule), []);
        let begin = Instant::now();
        let mut futures = Vec::new();
        for number in 0..10 {
            futures.push(start(&mut service, numbered(number)).await);
        }
        // The last is polled first.
        let mut tasks = JoinSet::new();
        for (number, future) in futures.into_iter().enumerate().rev() {
            tasks.spawn(async move {
                future.await.unwrap();
                (number, begin.elapsed())
            });
            tokio::task::yield_now().await;
        }
        let mut went = tasks.join_all().await;
        went.sort_unstable();
        let expected: Vec<_> = (0..10).zip((0..10).map(|number| SECOND * number)).collect();
        let in_time = |(went, expected): (&(usize, Duration), &(usize, Duration))| {
            // Tokio's timer has milliseconds.
            went.0 == expected.0 && went.1 - expected.1 <= Duration::from_millis(1)
        };
        assert!(went.iter().zip(&expected).all(in_time), "{went:?}");
        assert_eq!(numbers(&seen), (0..10).collect::<Vec<_>>());
        assert_eq!(seen.unready_calls(), 0);
    }
}

/// Counts how often a future is polled.
struct Counted<F> {
    future: Pin<Box<F>>,
    polls: Arc<AtomicUsize>,
}

impl<F: Future> Future for Counted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.polls.fetch_add(1, SeqCst);
        self.future.as_mut().poll(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_polled_twice_however_many_wait() {
    for rule in [bucket(2, SECOND * 2), requests(2, SECOND * 2), requests(7, SECOND)] {
        let (mut service, seen) = stack(&waiting(rule), []);
        let (mut tasks, mut all) = (JoinSet::new(), Vec::new());
        for number in 0..100 {
            let future = start(&mut service, numbered(number)).await;
            let polls = Arc::new(AtomicUsize::new(0));
            all.push(polls.clone());
            // The future of the probe is ready at once.
            tasks.spawn(Counted { future, polls });
        }
        let answers = tasks.join_all().await;
        assert!(answers.iter().all(Result::is_ok));
        let polls: Vec<_> = all.iter().map(|polls| polls.load(SeqCst)).collect();
        let first = usize::try_from(rule.limit().capacity()).unwrap();
        assert!(polls[..first].iter().all(|polls| *polls == 1), "{polls:?}");
        assert!(polls[first..].iter().all(|polls| *polls == 2), "{polls:?}");
        assert_eq!(numbers(&seen), (0..100).collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn the_place_of_one_who_leaves_is_the_next_ones() {
    for leaver in 1..5 {
        let rule = requests(1, SECOND * 10);
        let layer = waiting(rule);
        let (mut service, seen) = stack(&layer, []);
        call(&mut service, numbered(0)).await.unwrap();
        let mut tasks = Vec::new();
        for number in 1..6 {
            tasks.push(tokio::spawn(start(&mut service, numbered(number)).await));
        }
        let begin = Instant::now();
        tokio::time::sleep(SECOND * 3).await;
        tasks.remove(leaver - 1).abort();
        for (place, task) in (1..).zip(tasks) {
            task.await.unwrap().unwrap();
            let late = begin.elapsed() - SECOND * 10 * place;
            assert!(late <= Duration::from_millis(1), "{leaver} left; {place} is {late:?} late");
        }
        let expected: Vec<_> = (0..6).filter(|number| *number != leaver).collect();
        assert_eq!(numbers(&seen), expected);
        assert_eq!(layer.store().waiting(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn who_would_wait_too_long_or_among_too_many_is_refused_at_once() {
    let layer = layer(requests(1, SECOND * 10)).with_admission(patient(SECOND * 25, 3));
    let (mut service, seen) = stack(&layer, []);
    call(&mut service, chat()).await.unwrap();
    let mut held = vec![start(&mut service, chat()).await, start(&mut service, chat()).await];
    assert!(held.iter_mut().all(|held| is_pending(held.as_mut())));
    let begin = Instant::now();
    let refused = call(&mut service, chat()).await.unwrap_err();
    assert_eq!(
        (refused.kind(), refused.retry_after()),
        (ErrorKind::RateLimited, Some(SECOND * 30))
    );
    assert_eq!(begin.elapsed(), Duration::ZERO);
    // Another caller has a row of his own.
    call(&mut service, from("sk-2")).await.unwrap();

    tokio::time::advance(SECOND * 6).await;
    held.push(start(&mut service, chat()).await);
    assert_eq!(layer.store().waiting(), 3);
    tokio::time::advance(SECOND * 9).await;
    // The fourth would not wait too long if one had gone, but three wait.
    assert!(is_pending(held[1].as_mut()));
    let layer = layer.with_admission(patient(SECOND * 3600, 3));
    let (mut other, _) = stack(&layer, []);
    held.push(start(&mut other, chat()).await);
    let refused = call(&mut other, chat()).await.unwrap_err();
    assert_eq!(refused.retry_after(), Some(SECOND * 40));
    assert_eq!(seen.calls(), 2);
}

async fn sent_by(
    request: Request<ProbeBody>,
) -> (Result<(), Error>, Duration, Option<RateDecision>) {
    let layer = waiting(requests(1, SECOND * 10));
    let (mut service, _) = stack(&layer, []);
    call(&mut service, chat()).await.unwrap();
    let mut request = request;
    let facts = Facts::new();
    request.extensions_mut().insert(facts.clone());
    let begin = Instant::now();
    let sent = call(&mut service, request).await.map(drop);
    assert_eq!(layer.store().waiting(), 0);
    (sent, begin.elapsed(), facts.rate_decision())
}

#[tokio::test(start_paused = true)]
async fn who_would_wait_past_his_deadline_is_refused_at_once() {
    let set = |seconds: u64| {
        let mut request = chat();
        let at = Instant::now() + Duration::from_secs(seconds);
        request.extensions_mut().insert(Deadline::at(at));
        request
    };
    let grpc = |value: &'static str| {
        let mut request = chat();
        request.headers_mut().insert("grpc-timeout", HeaderValue::from_static(value));
        request
    };
    let earlier = {
        let mut request = set(20);
        request.headers_mut().insert("grpc-timeout", HeaderValue::from_static("9S"));
        request
    };
    let refused = RateDecision::Refused { rule: "requests", wait: Some(SECOND * 10) };
    for request in [set(0), set(9), grpc("9S"), grpc("9999m"), earlier] {
        let (sent, waited, decision) = sent_by(request).await;
        let error = sent.unwrap_err();
        assert_eq!(
            (error.kind(), error.retry_after()),
            (ErrorKind::RateLimited, Some(SECOND * 10))
        );
        assert_eq!((waited, decision), (Duration::ZERO, Some(refused)));
    }
    for request in [set(10), grpc("10S"), grpc("1H"), chat()] {
        let (sent, waited, decision) = sent_by(request).await;
        sent.unwrap();
        assert!((SECOND * 10..=Duration::from_millis(10_001)).contains(&waited));
        assert!(matches!(decision, Some(RateDecision::Waited(told)) if told >= SECOND * 10));
    }
}

/// A deadline that has passed is no limit of ours: only waiting is refused by it.
#[tokio::test(start_paused = true)]
async fn who_need_not_wait_is_not_asked_for_his_deadline() {
    let (mut service, seen) = stack(&waiting(requests(1, SECOND * 10)), []);
    let mut request = chat();
    request.extensions_mut().insert(Deadline::at(Instant::now()));
    call(&mut service, request).await.unwrap();
    assert_eq!(seen.calls(), 1);
}

/// L2: a turn that comes before the first poll is there when it comes.
#[tokio::test(start_paused = true)]
async fn who_is_polled_late_goes_when_he_is_polled() {
    let layer = waiting(requests(1, SECOND * 10));
    let (mut service, seen) = stack(&layer, []);
    call(&mut service, numbered(0)).await.unwrap();
    let first = start(&mut service, numbered(1)).await;
    let second = start(&mut service, numbered(2)).await;
    tokio::time::sleep(SECOND * 100).await;
    // Nobody has looked: the first is charged when the second looks, who waits for himself alone.
    let begin = Instant::now();
    let second = tokio::spawn(second);
    tokio::task::yield_now().await;
    first.await.unwrap();
    assert_eq!(begin.elapsed(), Duration::ZERO);
    second.await.unwrap().unwrap();
    assert!(begin.elapsed() - SECOND * 10 <= Duration::from_millis(1));
    assert_eq!(numbers(&seen), [0, 1, 2]);
    assert_eq!(left(&layer), [0]);
}

/// What another gives back lets go who waits, sooner than he was told.
#[tokio::test(start_paused = true)]
async fn who_waits_goes_when_another_gives_back() {
    let rule: Rule = super::tokens(100, SECOND * 60);
    let layer = waiting(rule).with_tokens(|_: &_| 80);
    let usage =
        super::answer(200, &[super::JSON], ProbeBody::full(r#"{"usage":{"total_tokens":5}}"#));
    let (mut service, seen) = stack(&layer, [kimi_testkit::probe::Act::Answer(usage)]);
    let answer = call(&mut service, numbered(0)).await.unwrap();
    let begin = Instant::now();
    let next = tokio::spawn(start(&mut service, numbered(1)).await);
    tokio::time::sleep(SECOND).await;
    assert_eq!(seen.calls(), 1);
    http_body_util::BodyExt::collect(answer.into_body()).await.unwrap();
    next.await.unwrap().unwrap();
    assert_eq!((begin.elapsed(), seen.calls()), (SECOND, 2));
    assert_eq!(left(&layer), [15]);
}

#[tokio::test(start_paused = true)]
async fn the_articles_limiter_lets_five_go_in_sixty_seconds_and_a_tenth() {
    let (probe, seen) = kimi_testkit::probe::Probe::new([]);
    let mut service = RateLimitLayer::article().layer(probe);
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    for number in 0..12 {
        // All are one caller: it is the client's own limit.
        let request = from(&format!("sk-{number}"));
        let future = start(&mut service, request).await;
        tasks.spawn(async move {
            future.await.unwrap();
            begin.elapsed()
        });
    }
    let mut went = tasks.join_all().await;
    went.sort_unstable();
    for (number, went) in went.into_iter().enumerate() {
        let expected = Duration::from_millis(60_100) * u32::try_from(number / 5).unwrap();
        assert!(
            went >= expected && went - expected <= Duration::from_millis(1),
            "{number} {went:?}"
        );
    }
    assert_eq!((seen.calls(), seen.unready_calls()), (12, 0));
}
