use std::{pin::pin, sync::Arc, task::Poll};

use kimi_testkit::probe::Probe;
use kimi_tower::rate_limit::{
    Admission,
    concurrency::{Concurrency, ConcurrencyLayer},
};

use super::{Extract, WAIT, Woken, by, call, layer, occupancy, poll, stack, start, stream};

/// A service whose only permit is held by the answer.
async fn held() -> (ConcurrencyLayer<Extract>, Concurrency<Probe, Extract>, impl Sized) {
    let layer = layer(1).with_admission(WAIT);
    let (mut service, _) = stack(&layer, (0..9).map(|_| stream()));
    let answer = call(&mut service, by("one")).await.unwrap();
    (layer, service, answer)
}

/// Futures that were called in this order, and a waker for each.
macro_rules! in_line {
    ($service:ident, $($future:ident),*) => {
        $(let mut $future = (pin!(start(&mut $service, by("one")).await), Arc::default());)*
    };
}

macro_rules! polled {
    ($waiting:ident) => {
        poll($waiting.0.as_mut(), &$waiting.1)
    };
}

#[tokio::test(start_paused = true)]
async fn permits_go_by_the_order_of_calls_and_each_wakes_one() {
    let (layer, mut service, answer) = held().await;
    in_line!(service, first, second, third);
    // In which order they are polled does not matter.
    assert!(polled!(third).is_pending());
    assert!(polled!(first).is_pending());
    assert!(polled!(second).is_pending());
    let woken = |futures: [&Arc<Woken>; 3]| futures.map(|it| it.count());
    assert_eq!(woken([&first.1, &second.1, &third.1]), [0, 0, 0]);

    drop(answer);
    assert_eq!(woken([&first.1, &second.1, &third.1]), [1, 0, 0]);
    // Nobody overtakes the one that was granted the permit, not even before it is seen.
    assert!(polled!(third).is_pending() && polled!(second).is_pending());
    let mut newcomer = pin!(start(&mut service, by("one")).await);
    assert!(poll(newcomer.as_mut(), &Arc::default()).is_pending());
    let Poll::Ready(Ok(answer)) = polled!(first) else { panic!("it was woken") };

    drop(answer);
    assert_eq!(woken([&first.1, &second.1, &third.1]), [1, 1, 0]);
    let Poll::Ready(Ok(answer)) = polled!(second) else { panic!("it was woken") };
    assert!(polled!(third).is_pending());

    drop(answer);
    assert_eq!(woken([&first.1, &second.1, &third.1]), [1, 1, 1]);
    assert!(polled!(third).is_ready());
    // The newcomer holds one, and the answer of the third was dropped above.
    assert_eq!(occupancy(&layer), (1, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_granted_before_it_is_polled_sees_it_at_the_first_poll() {
    let (_layer, mut service, answer) = held().await;
    in_line!(service, first);
    drop(answer);
    assert!(polled!(first).is_ready());
    assert_eq!(first.1.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_is_dropped_is_stepped_over() {
    let (layer, mut service, answer) = held().await;
    let mut first = Box::pin(start(&mut service, by("one")).await);
    let unpolled = start(&mut service, by("one")).await;
    in_line!(service, third);
    assert!(poll(first.as_mut(), &Arc::default()).is_pending());
    assert!(polled!(third).is_pending());
    drop(first);
    drop(unpolled);
    assert_eq!((occupancy(&layer), third.1.count()), ((1, 1, 1), 0));
    drop(answer);
    assert_eq!(third.1.count(), 1);
    assert!(polled!(third).is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_is_dropped_unseen_goes_to_the_next() {
    let (layer, mut service, answer) = held().await;
    let mut first = Box::pin(start(&mut service, by("one")).await);
    in_line!(service, second);
    assert!(poll(first.as_mut(), &Arc::default()).is_pending());
    assert!(polled!(second).is_pending());
    drop(answer);
    assert_eq!((occupancy(&layer), second.1.count()), ((1, 1, 1), 0));
    drop(first);
    assert_eq!((occupancy(&layer), second.1.count()), ((1, 0, 1), 1));
    assert!(polled!(second).is_ready());
}

#[tokio::test(start_paused = true)]
async fn all_clones_and_all_services_of_a_layer_share_its_permits() {
    let layer = layer(1);
    let (mut service, _) = stack(&layer, [stream()]);
    let answer = call(&mut service, by("one")).await;
    let (mut other, _) = stack(&layer.clone().with_admission(Admission::Reject), []);
    assert!(call(&mut other, by("one")).await.is_err());
    assert!(call(&mut service.clone(), by("one")).await.is_err());
    drop(answer);
    assert!(call(&mut other, by("one")).await.is_ok());
}
