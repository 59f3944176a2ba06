//! Dropping the future or the body, after any poll, drops the inner one.

use std::{
    pin::pin,
    task::{Context, Waker},
};

use http::Request;
use http_body_util::BodyExt as _;
use kimi_testkit::probe::{Act, Beat, Probe, ProbeBody};
use kimi_tower::raise_error::RaiseErrorLayer;
use tower::ServiceExt as _;
use tower_layer::Layer as _;

use super::{EVENTS, JSON, answer};

/// A poll that is not ready stands between all of these.
fn slow(chunks: &[&'static str]) -> ProbeBody {
    let beats = chunks.iter().flat_map(|chunk| [Beat::Yield, Beat::Data((*chunk).into())]);
    ProbeBody::new(beats).then(Beat::Yield)
}

#[tokio::test(start_paused = true)]
async fn a_future_dropped_after_any_poll_drops_all_it_held() {
    for content_type in [EVENTS, JSON] {
        for polls in 1..5 {
            let body = slow(&["data: ", "1", "\n", "2"]).then(Beat::Hang);
            let seen = body.seen();
            let (probe, probe_seen) = Probe::new([Act::Answer(answer(200, content_type, body))]);
            let exchange =
                RaiseErrorLayer::new().layer(probe).oneshot(Request::new(ProbeBody::empty()));
            {
                let mut exchange = pin!(exchange);
                let mut cx = Context::from_waker(Waker::noop());
                for _ in 0..polls {
                    assert!(exchange.as_mut().poll(&mut cx).is_pending());
                }
                assert!(!seen.is_dropped());
            }
            assert!(seen.is_dropped(), "{content_type} {polls}");
            assert_eq!(probe_seen.live_futures(), 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_dropped_after_any_poll_drops_the_inner_one() {
    for polls in 0..8 {
        let body = slow(&["data: 1\n\nda", "ta", ": 2\n\n", "da"]).then(Beat::Hang);
        let seen = body.seen();
        let (probe, _) = Probe::new([Act::Answer(answer(200, EVENTS, body))]);
        let layer = RaiseErrorLayer::new();
        let answer = layer.layer(probe).oneshot(Request::new(ProbeBody::empty())).await.unwrap();
        let mut body = answer.into_body();
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..polls {
            let _ = pin!(body.frame()).poll(&mut cx);
        }
        assert!(!seen.is_dropped());
        drop(body);
        assert!(seen.is_dropped(), "{polls}");
    }
}
