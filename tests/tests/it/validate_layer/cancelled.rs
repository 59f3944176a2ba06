//! A future is dropped after any of its polls.

use std::{sync::Arc, task::Poll};

use kimi_testkit::probe::{Act, Beat, Probe, ProbeBody, Readiness};
use tower::limit::ConcurrencyLimit;
use tower_layer::Layer as _;

use super::{GOOD, call, layer, poll, post, start};

#[tokio::test]
async fn a_future_dropped_after_any_poll_leaves_nothing_behind() {
    let (first, second) = GOOD.split_at(20);
    for polls in 0..6 {
        let body = ProbeBody::new([
            Beat::Yield,
            Beat::Data(first.into()),
            Beat::Yield,
            Beat::Yield,
            Beat::Data(second.into()),
            Beat::Yield,
        ]);
        let body_seen = body.seen();
        let (probe, seen) = Probe::new([Act::Hang]);
        let probe = probe.with_readiness([Readiness::Ready, Readiness::Pending]);
        let mut service = layer().layer(ConcurrencyLimit::new(probe, 1));
        let mut other = service.clone();
        let mut future = Box::pin(start(&mut service, post(body)).await);
        for number in 0..polls {
            assert!(poll(future.as_mut(), &Arc::default()).is_pending());
            // The body is whole by the fourth poll, and the service is not ready then.
            if number == 3 {
                assert_eq!((seen.calls(), seen.polls_ready()), (0, 2));
                seen.wake();
            }
        }
        let is_called = polls > 4;
        assert_eq!(seen.live_futures(), usize::from(is_called), "after {polls} polls");
        drop(future);
        assert!(body_seen.is_dropped());
        assert_eq!(seen.live_futures(), 0);
        // The permit is free, so that the next is called, whatever is left in the script.
        let mut next = Box::pin(call(&mut other, post(ProbeBody::full(GOOD))));
        let calls = seen.calls();
        for _ in 0..3 {
            if seen.calls() == calls {
                let _ = poll(next.as_mut(), &Arc::default());
                seen.wake();
            }
        }
        assert_eq!(seen.calls(), calls + 1, "after {polls} polls");
        assert_eq!(seen.unready_calls(), 0);
    }
}

#[tokio::test]
async fn a_refused_body_is_dropped_with_its_refusal() {
    let body = ProbeBody::new([Beat::Yield, Beat::Data("{".into()), Beat::Fail("cut".into())]);
    let body_seen = body.seen();
    let (probe, _) = Probe::new([]);
    let mut service = layer().layer(probe);
    let mut future = Box::pin(start(&mut service, post(body)).await);
    assert!(matches!(poll(future.as_mut(), &Arc::default()), Poll::Ready(Err(_))));
    assert!(body_seen.is_dropped(), "the future is still there");
}
