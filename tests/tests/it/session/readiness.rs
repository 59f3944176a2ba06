//! Which instance of the inner service is called, and what is not held meanwhile.

use std::{pin::pin, sync::Arc};

use kimi_testkit::probe::{Probe, Readiness};
use kimi_tower::session::Policy;
use tower::limit::ConcurrencyLimit;
use tower_layer::Layer as _;

use super::{call, gauges, layer, of, poll, start, stream};

/// Three requests are turned away or wait, in a service of which two instances can be ready at a
/// time, and which would never be ready again if they were.
#[tokio::test(start_paused = true)]
async fn t6_neither_waiting_nor_refused_requests_hold_the_readiness_of_the_service() {
    for policy in [Policy::default(), Policy::Reject] {
        let (probe, seen) = Probe::new((0..9).map(|_| stream()));
        let mut service = layer().with_policy(policy).layer(ConcurrencyLimit::new(probe, 2));
        let answer = call(&mut service, of("c-1")).await.unwrap();
        let mut turned_away = Vec::new();
        for _ in 0..3 {
            // The clones stay, as those of a router do, and so would what they hold.
            let mut clone = service.clone();
            let mut future = Box::pin(start(&mut clone, of("c-1")).await);
            let _ = poll(future.as_mut(), &Arc::default());
            turned_away.push((clone, future));
        }
        let mut other = service.clone();
        let _ready = start(&mut service, of("c-2")).await;
        let _ready_too = start(&mut other, of("c-3")).await;
        assert_eq!((seen.calls(), seen.unready_calls()), (3, 0));
        drop(answer);
    }
}

#[tokio::test(start_paused = true)]
async fn t6_after_its_turn_has_come_a_request_waits_until_the_service_is_ready() {
    let layer = layer();
    let (probe, seen) = Probe::new([stream(), stream()]);
    let script = [Readiness::Ready, Readiness::Ready, Readiness::Pending];
    let mut service = layer.layer(probe.with_readiness(script));
    let answer = call(&mut service, of("c-1")).await;
    let (mut future, flag) = (pin!(start(&mut service, of("c-1")).await), Arc::default());
    assert!(poll(future.as_mut(), &flag).is_pending());
    // Not polled while there is no turn.
    assert_eq!(seen.polls_ready(), 2);
    drop(answer);
    assert!(poll(future.as_mut(), &flag).is_pending());
    assert_eq!((seen.polls_ready(), seen.calls(), gauges(&layer)), (3, 1, (1, 0)));
    seen.wake();
    assert!(poll(future.as_mut(), &flag).is_ready());
    assert_eq!(seen.unready_calls(), 0);
}
