//! Which instance of the inner service is called, and what is not held meanwhile.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
};

use http::Request;
use kimi_errors::{BoxError, Error, ErrorKind};
use kimi_testkit::probe::{Probe, ProbeBody, ProbeFuture, Readiness};
use kimi_tower::rate_limit::Admission;
use tower::limit::ConcurrencyLimit;
use tower_layer::Layer as _;
use tower_service::Service;

use super::{WAIT, by, call, layer, occupancy, poll, start, stream};

/// Counts its clones.
struct Counted {
    inner: Probe,
    clones: Arc<AtomicUsize>,
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.clones.fetch_add(1, SeqCst);
        Self { inner: self.inner.clone(), clones: self.clones.clone() }
    }
}

impl Service<Request<ProbeBody>> for Counted {
    type Response = http::Response<ProbeBody>;
    type Error = BoxError;
    type Future = ProbeFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<Request<ProbeBody>>::poll_ready(&mut self.inner, cx)
    }

    fn call(&mut self, request: Request<ProbeBody>) -> ProbeFuture {
        self.inner.call(request)
    }
}

#[tokio::test(start_paused = true)]
async fn c7_what_waits_for_nobody_clones_nothing() {
    for (admission, expected) in [
        // What waits takes one clone for later and leaves one; what is refused leaves one.
        (WAIT, 2),
        (Admission::Reject, 1),
        (Admission::Shadow, 0),
    ] {
        let clones = Arc::new(AtomicUsize::new(0));
        let (probe, seen) = Probe::new([stream(), stream()]);
        let counted = Counted { inner: probe, clones: clones.clone() };
        let mut service = layer(1).with_admission(admission).layer(counted);
        let answer = call(&mut service, by("one")).await.unwrap();
        assert_eq!(clones.load(SeqCst), 0);
        let second = start(&mut service, by("one")).await;
        drop(answer);
        let _ = second.await;
        assert_eq!((clones.load(SeqCst), seen.unready_calls()), (expected, 0));
        call(&mut service, by("two")).await.unwrap();
        assert_eq!((clones.load(SeqCst), seen.unready_calls()), (expected, 0));
    }
}

/// Three of one caller's requests are turned away or wait, in a service of which two instances can
/// be ready at a time, and which would never be ready again if they were.
#[tokio::test(start_paused = true)]
async fn c7_neither_waiting_nor_refused_requests_hold_the_readiness_of_the_service() {
    for admission in [WAIT, Admission::Reject] {
        let (probe, seen) = Probe::new((0..9).map(|_| stream()));
        let mut service = layer(1).with_admission(admission).layer(ConcurrencyLimit::new(probe, 2));
        let answer = call(&mut service, by("one")).await.unwrap();
        let mut turned_away = Vec::new();
        for _ in 0..3 {
            // The clones stay, as those of a router do, and so would what they hold.
            let mut clone = service.clone();
            let mut future = Box::pin(start(&mut clone, by("one")).await);
            let _ = poll(future.as_mut(), &Arc::default());
            turned_away.push((clone, future));
        }
        let mut other = service.clone();
        let _ready = start(&mut service, by("two")).await;
        let _ready_too = start(&mut other, by("three")).await;
        assert_eq!((seen.calls(), seen.unready_calls()), (3, 0));
        drop(answer);
    }
}

#[tokio::test(start_paused = true)]
async fn c7_after_its_turn_has_come_a_request_waits_until_the_service_is_ready() {
    let layer = layer(1).with_admission(WAIT);
    let (probe, seen) = Probe::new([stream(), stream()]);
    let script = [Readiness::Ready, Readiness::Ready, Readiness::Pending];
    let mut service = layer.layer(probe.with_readiness(script));
    let answer = call(&mut service, by("one")).await;
    let (mut future, flag) = (pin!(start(&mut service, by("one")).await), Arc::default());
    assert!(poll(future.as_mut(), &flag).is_pending());
    // Not polled while there is no permit.
    assert_eq!(seen.polls_ready(), 2);
    drop(answer);
    assert!(poll(future.as_mut(), &flag).is_pending());
    // It has its permit, and no timer.
    assert_eq!((seen.polls_ready(), seen.calls(), occupancy(&layer)), (3, 1, (1, 0, 1)));
    tokio::time::advance(super::SECOND * 99).await;
    assert_eq!(flag.count(), 1);
    seen.wake();
    assert_eq!(flag.count(), 2);
    assert!(poll(future.as_mut(), &flag).is_ready());
    assert_eq!((seen.calls(), seen.unready_calls()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_to_be_ready_is_the_error_and_gives_the_permit_back() {
    let layer = layer(1).with_admission(WAIT);
    let (probe, _) = Probe::new([stream()]);
    let error = Error::new(ErrorKind::Overloaded);
    let script = [Readiness::Ready, Readiness::Ready, Readiness::Fail(error.into())];
    let mut service = layer.layer(probe.with_readiness(script));
    let answer = call(&mut service, by("one")).await;
    let mut future = pin!(start(&mut service, by("one")).await);
    drop(answer);
    assert_eq!(future.as_mut().await.unwrap_err().kind(), ErrorKind::Overloaded);
    // The future is still there.
    assert_eq!(occupancy(&layer), (0, 0, 0));
}
