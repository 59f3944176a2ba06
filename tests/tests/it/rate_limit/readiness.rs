//! Who waits holds nothing that others need, and who does not wait calls the instance that is ready.

use kimi_errors::{BoxError, ErrorKind};
use kimi_testkit::probe::{Probe, Readiness};
use tower::{ServiceExt as _, limit::ConcurrencyLimit};
use tower_layer::Layer as _;

use super::{
    SECOND, bucket, call, chat, from, layer, left, numbered, numbers, requests, stack, start,
    waiting,
};

/// L1, with the one permit of a service.
#[tokio::test(start_paused = true)]
async fn who_waits_keeps_nobody_from_the_inner_service() {
    let (probe, seen) = Probe::new([]);
    let mut service = waiting(requests(1, SECOND * 10)).layer(ConcurrencyLimit::new(probe, 1));
    call(&mut service, chat()).await.unwrap();
    let held = tokio::spawn(start(&mut service, chat()).await);
    tokio::task::yield_now().await;
    // The instance that was called, and one that is polled ready while others wait.
    for (caller, mut service) in [("sk-2", service.clone()), ("sk-3", service)] {
        let other = tokio::time::timeout(SECOND, call(&mut service, from(caller)));
        other.await.expect("nobody has the permit").unwrap();
    }
    held.await.unwrap().unwrap();
    assert_eq!(seen.unready_calls(), 0);
}

/// L1: a refusal gives up what the instance was ready with.
#[tokio::test(start_paused = true)]
async fn who_is_refused_keeps_nobody_from_the_inner_service() {
    let (probe, seen) = Probe::new([]);
    let mut service = layer(requests(1, SECOND * 10)).layer(ConcurrencyLimit::new(probe, 1));
    call(&mut service, chat()).await.unwrap();
    let refused = start(&mut service, chat()).await;
    let mut other = service.clone();
    let other = tokio::time::timeout(SECOND, call(&mut other, from("sk-2")));
    other.await.expect("nobody has the permit").unwrap();
    assert_eq!(refused.await.unwrap_err().kind(), ErrorKind::RateLimited);
    // The instance that refused can be used again.
    tokio::time::advance(SECOND * 10).await;
    call(&mut service, chat()).await.unwrap();
    assert_eq!((seen.calls(), seen.unready_calls()), (3, 0));
}

/// L1: so does an extractor that refuses.
#[tokio::test(start_paused = true)]
async fn who_has_no_key_and_must_keeps_nobody_from_the_inner_service() {
    let (probe, _) = Probe::new([]);
    let layer = layer(requests(1, SECOND * 10)).with_key(
        |head: &http::request::Parts, hasher: &kimi_tower::key::KeyHasher| {
            let key =
                head.headers.get("authorization").map(|value| hasher.key(&[value.as_bytes()]));
            key.map(Some).ok_or_else(|| kimi_errors::Error::new(ErrorKind::InvalidCredentials))
        },
    );
    let mut service = layer.layer(ConcurrencyLimit::new(probe, 1));
    let mut nobody = chat();
    nobody.headers_mut().clear();
    let refused = start(&mut service, nobody).await;
    let mut other = service.clone();
    let other = tokio::time::timeout(SECOND, call(&mut other, chat()));
    other.await.expect("nobody has the permit").unwrap();
    assert_eq!(refused.await.unwrap_err().kind(), ErrorKind::InvalidCredentials);
}

/// L3.
#[tokio::test(start_paused = true)]
async fn who_does_not_wait_calls_the_instance_that_was_ready() {
    for layer in [layer(bucket(3, SECOND)), waiting(bucket(3, SECOND))] {
        let (mut service, seen) = stack(&layer, []);
        for _ in 0..3 {
            call(&mut service, chat()).await.unwrap();
        }
        assert_eq!((seen.calls(), seen.polls_ready(), seen.unready_calls()), (3, 3, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_waited_waits_until_the_service_is_ready() {
    let layer = waiting(requests(1, SECOND * 10));
    let (probe, seen) = Probe::new([]);
    let probe = probe.with_readiness([Readiness::Ready, Readiness::Ready, Readiness::Pending]);
    let mut service = layer.layer(probe);
    call(&mut service, numbered(0)).await.unwrap();
    let held = tokio::spawn(start(&mut service, numbered(1)).await);
    tokio::time::sleep(SECOND * 15).await;
    assert_eq!((seen.calls(), left(&layer)), (1, vec![0]));
    seen.wake();
    held.await.unwrap().unwrap();
    assert_eq!((numbers(&seen), seen.unready_calls()), (vec![0, 1], 0));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_never_ready_after_the_wait_gives_the_charge_back() {
    let layer = waiting(requests(2, SECOND * 10));
    let (probe, seen) = Probe::new([]);
    let down: BoxError = kimi_errors::Error::new(ErrorKind::Unavailable).into();
    let ready = || Readiness::Ready;
    let probe = probe.with_readiness([ready(), ready(), ready(), Readiness::Fail(down)]);
    let mut service = layer.layer(probe);
    for number in 0..2 {
        call(&mut service, numbered(number)).await.unwrap();
    }
    let held = start(&mut service, numbered(2)).await;
    assert_eq!(held.await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!((left(&layer), numbers(&seen)), (vec![2], vec![0, 1]));
}

#[tokio::test(start_paused = true)]
async fn readiness_that_fails_is_the_callers_to_see() {
    let down: BoxError = kimi_errors::Error::new(ErrorKind::Unavailable).into();
    let (probe, _) = Probe::new([]);
    let layer = layer(requests(1, SECOND));
    let service = layer.layer(probe.with_readiness([Readiness::Fail(down)]));
    assert_eq!(service.oneshot(chat()).await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(left(&layer), [1]);
}
