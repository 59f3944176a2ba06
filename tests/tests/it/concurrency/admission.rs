use std::{pin::pin, sync::Arc, task::Poll, time::Duration};

use http::Request;
use kimi_errors::{Error, ErrorKind, RetryAdvice};
use kimi_testkit::probe::ProbeBody;
use kimi_tower::{deadline::Deadline, rate_limit::Admission};
use tokio::time::Instant;

use super::{SECOND, WAIT, at_most, by, call, layer, occupancy, poll, stack, start, stream};

fn assert_refused<T: std::fmt::Debug>(outcome: Result<T, Error>) {
    let refusal = outcome.unwrap_err();
    assert_eq!((refusal.kind(), refusal.status()), (ErrorKind::ConcurrencyLimited, 429));
    // Nobody knows when an answer ends.
    assert_eq!(
        (refusal.retry_after(), refusal.advice()),
        (None, RetryAdvice::Backoff { after: None })
    );
}

#[tokio::test(start_paused = true)]
async fn one_too_many_is_refused_at_once_and_told_no_time() {
    let layer = layer(2);
    let (mut service, seen) = stack(&layer, [stream(), stream()]);
    let answers = [
        call(&mut service, by("one")).await.unwrap(),
        call(&mut service, by("one")).await.unwrap(),
    ];
    assert_refused(call(&mut service, by("one")).await);
    assert_eq!((seen.calls(), occupancy(&layer)), (2, (2, 0, 1)));
    drop(answers);
    assert!(call(&mut service, by("one")).await.is_ok());
    assert_eq!(occupancy(&layer), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn one_caller_does_not_wait_for_another() {
    for admission in [Admission::Reject, WAIT] {
        let layer = layer(1).with_admission(admission);
        let (mut service, _) = stack(&layer, [stream(), stream(), stream()]);
        let mut answers = Vec::new();
        for caller in ["one", "two", "three"] {
            let started = start(&mut service, by(caller)).await;
            let mut future = pin!(started);
            // At the first poll.
            let Poll::Ready(answer) = poll(future.as_mut(), &Arc::default()) else {
                panic!("{caller} waits");
            };
            answers.push(answer.unwrap());
        }
        assert_eq!(occupancy(&layer), (3, 0, 3));
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_nobodys_passes_uncounted() {
    let layer = layer(1);
    let (mut service, seen) = stack(&layer, [stream(), stream(), stream()]);
    let nobodys = || Request::new(ProbeBody::empty());
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(call(&mut service, nobodys()).await.unwrap());
    }
    assert_eq!((seen.calls(), occupancy(&layer)), (3, (0, 0, 0)));
}

#[tokio::test(start_paused = true)]
async fn what_the_extractor_fails_with_is_the_refusal() {
    let layer = layer(1);
    let (mut service, seen) = stack(&layer, []);
    let refusal = call(&mut service, by("nobody we know")).await.unwrap_err();
    assert_eq!(refusal.kind(), ErrorKind::TokenExpired);
    assert_eq!((seen.calls(), occupancy(&layer)), (0, (0, 0, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_shadow_lets_all_pass_and_counts_those_that_would_have() {
    let layer = layer(1).with_admission(Admission::Shadow);
    let (mut service, seen) = stack(&layer, [stream(), stream()]);
    let mut answers = Vec::new();
    for _ in 0..2 {
        answers.push(call(&mut service, by("one")).await.unwrap());
    }
    assert_eq!((seen.calls(), occupancy(&layer)), (2, (1, 0, 1)));
    drop(answers);
    assert_eq!(occupancy(&layer), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn each_plan_has_its_own_limit() {
    // Of the platform's tiers 0 to 2.
    let layer = layer(1).with_max_for(|head| match head.headers["x-caller"].as_bytes() {
        b"tier 0" => at_most(1),
        b"tier 1" => at_most(15),
        _ => at_most(40),
    });
    for (caller, max) in [("tier 0", 1), ("tier 1", 15), ("tier 2", 40)] {
        let (mut service, _) = stack(&layer, (0..max).map(|_| stream()));
        let mut answers = Vec::new();
        for _ in 0..max {
            answers.push(call(&mut service, by(caller)).await.unwrap());
        }
        assert_refused(call(&mut service, by(caller)).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_when_it_was_said_to() {
    let second = Admission::Wait { max_wait: SECOND, max_queue: 1 };
    let layer = layer(1).with_admission(second);
    let (mut service, seen) = stack(&layer, [stream()]);
    let answer = call(&mut service, by("one")).await;
    let began = Instant::now();
    let waiting = start(&mut service, by("one")).await;
    assert_eq!(occupancy(&layer), (1, 1, 1));
    // The line is full.
    assert_refused(call(&mut service, by("one")).await);
    assert_eq!(began.elapsed(), Duration::ZERO);
    let mut waiting = pin!(waiting);
    assert_refused(waiting.as_mut().await);
    assert_eq!(began.elapsed(), SECOND);
    // Its place is free, though the future is still there.
    assert_eq!((seen.calls(), occupancy(&layer)), (1, (1, 0, 1)));
    drop(answer);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_a_wait_and_one_that_is_over_lets_none_begin() {
    let layer = layer(1).with_admission(WAIT);
    let (mut service, _) = stack(&layer, [stream()]);
    let answer = call(&mut service, by("one")).await;
    let began = Instant::now();
    let until = |deadline| {
        let mut request = by("one");
        request.extensions_mut().insert(Deadline::at(deadline));
        request
    };
    assert_refused(call(&mut service, until(began)).await);
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_refused(call(&mut service, until(began + SECOND)).await);
    assert_eq!(began.elapsed(), SECOND);
    // The wait is the shorter one.
    assert_refused(call(&mut service, until(began + SECOND * 99)).await);
    assert_eq!(began.elapsed(), SECOND * 31);
    drop(answer);
    // Without a wait nobody asks what the time is.
    assert!(call(&mut service, until(began)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_may_wait_no_time_does_not() {
    let none = Admission::Wait { max_wait: Duration::ZERO, max_queue: 9 };
    let layer = layer(1).with_admission(none);
    let (mut service, _) = stack(&layer, [stream()]);
    let answer = call(&mut service, by("one")).await;
    let future = start(&mut service, by("one")).await;
    assert_eq!(occupancy(&layer), (1, 0, 1));
    assert_refused(future.await);
    drop(answer);
}

#[tokio::test(start_paused = true)]
async fn a_wait_past_the_end_of_the_clock_has_no_end() {
    let always = Admission::Wait { max_wait: Duration::MAX, max_queue: 9 };
    let layer = layer(1).with_admission(always);
    let (mut service, _) = stack(&layer, [stream()]);
    let answer = call(&mut service, by("one")).await;
    let future = start(&mut service, by("one")).await;
    tokio::spawn(async move {
        tokio::time::sleep(SECOND * 60 * 60 * 24 * 365).await;
        drop(answer);
    });
    assert!(future.await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_is_there_counts_though_the_time_is_over() {
    let layer = layer(1).with_admission(Admission::Wait { max_wait: SECOND, max_queue: 9 });
    let (mut service, _) = stack(&layer, [stream()]);
    let answer = call(&mut service, by("one")).await;
    let mut future = pin!(start(&mut service, by("one")).await);
    assert!(poll(future.as_mut(), &Arc::default()).is_pending());
    drop(answer);
    tokio::time::advance(SECOND * 2).await;
    assert!(future.await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_is_shown_names_no_caller() {
    let layer = layer(1).with_admission(WAIT);
    let (mut service, _) = stack(&layer, [stream()]);
    let answer = call(&mut service, by("hunter2")).await.unwrap();
    let future = start(&mut service, by("hunter2")).await;
    let shown = format!("{layer:?} {:?} {future:?}", answer.body());
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("held: 1, waiting: 1, keys: 1"), "{shown}");
}
