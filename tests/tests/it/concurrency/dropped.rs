//! Whatever is dropped, after whichever poll, gives all back.

use std::{pin::pin, sync::Arc};

use http_body_util::BodyExt as _;
use kimi_testkit::probe::{Beat, Probe, ProbeBody, Readiness};
use tower_layer::Layer as _;

use super::{WAIT, Woken, answer, by, call, layer, occupancy, poll, start, stream};

/// What an exchange goes through after each of its polls, until it is over.
const STAGES: [&str; 8] = [
    "not polled",
    "waits for its turn",
    "has its turn and has not seen it",
    "waits for the service",
    "the service is ready and it has not seen it",
    "is in the middle of the body",
    "is in the middle of the body again",
    "is over",
];

#[tokio::test(start_paused = true)]
async fn an_exchange_that_is_dropped_at_any_stage_leaves_nothing_and_the_next_goes_on() {
    for (last, last_name) in STAGES.iter().enumerate() {
        let layer = layer(1).with_admission(WAIT);
        let body = ProbeBody::new([Beat::Data("one".into()), Beat::Yield, Beat::Yield]);
        let (probe, seen) = Probe::new([stream(), answer(body)]);
        let script = [Readiness::Ready, Readiness::Ready, Readiness::Ready, Readiness::Pending];
        let mut service = layer.layer(probe.with_readiness(script));
        let mut held = Some(call(&mut service, by("one")).await.unwrap());
        let future = start(&mut service, by("one")).await;
        let mut exchange = Box::pin(async move { future.await?.into_body().collect().await });
        let mut next = pin!(start(&mut service, by("one")).await);
        let flag = Arc::<Woken>::default();
        assert!(poll(next.as_mut(), &flag).is_pending());
        for (stage, name) in STAGES.iter().enumerate().take(last + 1) {
            match stage {
                0 => {}
                2 => drop(held.take()),
                4 => seen.wake(),
                stage => {
                    let polled = poll(exchange.as_mut(), &Arc::default());
                    assert_eq!(polled.is_ready(), stage == 7, "{name}");
                }
            }
            let is_over = stage == 7;
            assert_eq!(flag.count(), usize::from(is_over), "{name}");
        }
        drop((exchange, held));
        assert_eq!((flag.count(), occupancy(&layer)), (1, (1, 0, 1)), "{last_name}");
        seen.wake();
        if poll(next.as_mut(), &flag).is_pending() {
            // It is the one for which the service is not ready.
            seen.wake();
            assert!(poll(next.as_mut(), &flag).is_ready(), "{last_name}");
        }
        assert_eq!((seen.unready_calls(), seen.live_futures()), (0, 0));
        assert_eq!(occupancy(&layer), (0, 0, 0), "{last_name}");
    }
}
