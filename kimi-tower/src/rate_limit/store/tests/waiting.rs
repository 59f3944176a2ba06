//! Those who wait, through the future, on tokio's paused clock.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::time::{Instant, advance};

use super::{Count, SECOND, article, ask, costs, key, patient};
use crate::rate_limit::store::{Asked, Grant, Later, MemoryStore, RateStore as _, Told, Verdict};

fn store() -> MemoryStore {
    MemoryStore::new(article())
}

/// The request of one caller, who waits as long as need be.
fn one(store: &MemoryStore) -> Asked<Later> {
    store.ask(&patient(ask(1, 1), Duration::MAX))
}

fn remaining(store: &MemoryStore) -> u32 {
    store.levels(key(1), 0).as_slice()[0].remaining()
}

fn poll(asked: &mut Asked<Later>, waker: &Waker) -> Poll<Verdict> {
    pin!(asked).poll(&mut Context::from_waker(waker)).map(Result::unwrap)
}

fn grant(verdict: Verdict) -> Grant {
    match verdict {
        Verdict::Admitted(grant) => grant,
        Verdict::Refused(refused) => panic!("{refused:?}"),
    }
}

/// Spends all there is.
fn spent() -> MemoryStore {
    let store = store();
    let asked = pin!(store.ask(&ask(1, 5)));
    assert!(asked.poll(&mut Context::from_waker(Waker::noop())).is_ready());
    store
}

#[tokio::test(start_paused = true)]
async fn s2_those_who_wait_go_in_order_each_at_its_instant() {
    let (store, start) = (store(), Instant::now());
    let mut tasks = Vec::new();
    for _ in 0..12 {
        let asked = one(&store);
        tasks.push(tokio::spawn(async move {
            let waited = grant(asked.await.unwrap()).waited;
            (waited.as_secs(), (Instant::now() - start).as_secs())
        }));
    }
    for (number, task) in tasks.into_iter().enumerate() {
        let seconds = number as u64 / 5 * 60;
        assert_eq!(task.await.unwrap(), (seconds, seconds));
    }
    assert_eq!(store.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn s2_who_does_not_wait_does_not_overtake() {
    let store = spent();
    let mut first = store.ask(&patient(ask(1, 4), Duration::MAX));
    assert!(poll(&mut first, Waker::noop()).is_pending());
    advance(60 * SECOND).await;
    // The first has not looked yet, and four of five are already his.
    assert!(matches!(one(&store).await.unwrap(), Verdict::Admitted(_)));
    let refused = store.ask(&ask(1, 1)).await.unwrap();
    assert!(matches!(refused, Verdict::Refused(_)));
    assert!(poll(&mut first, Waker::noop()).is_ready());
}

#[tokio::test(start_paused = true)]
async fn s3_each_is_woken_and_polled_once_after_it_has_come() {
    let store = spent();
    let mut waiting: Vec<_> = (0..1_000).map(|_| (one(&store), Count::new(), 0)).collect();
    for (asked, (_, waker), polls) in &mut waiting {
        assert!(poll(asked, waker).is_pending());
        *polls += 1;
    }
    let start = Instant::now();
    let mut granted = 0;
    while granted < waiting.len() {
        advance(SECOND).await;
        for (number, (asked, (count, waker), polls)) in waiting.iter_mut().enumerate() {
            if count.get() >= *polls {
                assert!(poll(asked, waker).is_ready());
                assert_eq!((Instant::now() - start).as_secs(), 60 * (1 + number as u64 / 5));
                *polls += 1;
                granted += 1;
            }
        }
    }
    assert!(waiting.iter().all(|(_, (count, _), polls)| (count.get(), *polls) == (1, 2)));
}

#[tokio::test(start_paused = true)]
async fn s4_who_leaves_gives_his_place_to_the_next_at_once_or_in_time() {
    let store = spent();
    let [mut first, mut second, mut third] =
        [5, 5, 1].map(|cost| store.ask(&patient(ask(1, cost), Duration::MAX)));
    let counts = [(); 3].map(|()| Count::new());
    for (asked, (_, waker)) in [&mut first, &mut second, &mut third].into_iter().zip(&counts) {
        assert!(poll(asked, waker).is_pending());
    }
    // Behind the first nothing changes before he has gone.
    drop(second);
    assert_eq!(counts.each_ref().map(|(count, _)| count.get()), [0, 0, 0]);
    drop(first);
    assert_eq!(counts.each_ref().map(|(count, _)| count.get()), [0, 0, 1]);
    assert!(poll(&mut third, &counts[2].1).is_pending());
    advance(60 * SECOND).await;
    assert_eq!(grant(third.await.unwrap()).waited, 60 * SECOND);
    assert_eq!(remaining(&store), 4);
}

#[tokio::test(start_paused = true)]
async fn s4_a_thousand_who_leave_from_the_middle_leave_nothing_behind() {
    let store = spent();
    let mut waiting: Vec<_> = (0..1_000).map(|_| one(&store)).collect();
    for asked in &mut waiting {
        assert!(poll(asked, Waker::noop()).is_pending());
    }
    let mut last = waiting.split_off(999);
    waiting.truncate(1);
    assert_eq!(store.waiting(), 2);
    // Who comes now is told of those who are still there.
    let Verdict::Refused(refused) = store.ask(&ask(1, 4)).await.unwrap() else { panic!() };
    assert_eq!(refused.wait, Some(120 * SECOND));
    advance(60 * SECOND).await;
    assert!(poll(&mut last[0], Waker::noop()).is_ready());
    drop((waiting, last));
    assert_eq!((store.waiting(), remaining(&store)), (0, 4));
}

#[tokio::test(start_paused = true)]
async fn s4_dropped_after_any_poll_it_leaves_every_count_as_it_was() {
    for polls in 0..3 {
        for is_due in [false, true] {
            let store = spent();
            let mut asked = one(&store);
            for _ in 0..polls {
                assert!(poll(&mut asked, Waker::noop()).is_pending());
            }
            if is_due {
                advance(60 * SECOND).await;
                // Another look grants it, and it is dropped before it takes that.
                drop(store.ask(&ask(1, 0)));
                assert_eq!((store.waiting(), remaining(&store)), (0, 4));
            }
            drop(asked);
            assert_eq!((store.waiting(), remaining(&store)), (0, if is_due { 5 } else { 0 }));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_given_back_goes_to_the_first_at_once() {
    let store = store();
    let granted = grant(store.ask(&ask(1, 5)).await.unwrap());
    let mut waiting = [one(&store), one(&store)];
    let counts = [Count::new(), Count::new()];
    for (asked, (_, waker)) in waiting.iter_mut().zip(&counts) {
        assert!(poll(asked, waker).is_pending());
    }
    advance(SECOND).await;
    store.settle(&granted, costs(4));
    assert_eq!(counts.each_ref().map(|(count, _)| count.get()), [1, 0]);
    assert!(poll(&mut waiting[0], &counts[0].1).is_ready());
    store.settle(&granted, costs(4));
    assert!(poll(&mut waiting[1], &counts[1].1).is_ready());
}

#[tokio::test(start_paused = true)]
async fn who_would_wait_too_long_after_a_pause_is_refused_and_is_out_of_the_row() {
    let store = spent();
    let mut asked = [60, 60, 1_000].map(|seconds| store.ask(&patient(ask(1, 1), seconds * SECOND)));
    for asked in &mut asked {
        assert!(poll(asked, Waker::noop()).is_pending());
    }
    store.observe(key(1), 0, &Told { pause: Some(100 * SECOND), ..Told::default() });
    advance(60 * SECOND).await;
    // The second sees it though it is not the first, and is told how long it would have been.
    for index in [1, 0] {
        let Poll::Ready(Verdict::Refused(refused)) = poll(&mut asked[index], Waker::noop()) else {
            panic!("{index}")
        };
        assert_eq!(refused.wait, Some(40 * SECOND));
    }
    assert_eq!(store.waiting(), 1);
    let [.., last] = asked;
    assert_eq!(grant(last.await.unwrap()).waited, 100 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn who_would_wait_longer_than_he_may_or_behind_too_many_is_refused_at_once() {
    let store = spent();
    let too_long = store.ask(&patient(ask(1, 1), 59 * SECOND)).await.unwrap();
    assert!(matches!(too_long, Verdict::Refused(it) if it.wait == Some(60 * SECOND)));
    let mut ask = patient(ask(1, 1), 60 * SECOND);
    ask.patience = ask.patience.map(|mut patience| {
        patience.max_queue = 2;
        patience
    });
    let [_first, _second] = [store.ask(&ask), store.ask(&ask)];
    assert_eq!(store.waiting(), 2);
    assert!(matches!(store.ask(&ask).await.unwrap(), Verdict::Refused(_)));
}

#[tokio::test(start_paused = true)]
async fn looks_out_of_turn_change_nothing() {
    let store = spent();
    let (mut asked, (count, waker)) = (one(&store), Count::new());
    for _ in 0..100 {
        assert!(poll(&mut asked, &waker).is_pending());
    }
    assert_eq!(count.get(), 0);
    // The waker that counts is the last.
    let (last, waker) = Count::new();
    assert!(poll(&mut asked, &waker).is_pending());
    advance(60 * SECOND).await;
    assert_eq!((count.get(), last.get(), Arc::strong_count(&count)), (0, 1, 2));
    assert!(poll(&mut asked, &waker).is_ready());
}
