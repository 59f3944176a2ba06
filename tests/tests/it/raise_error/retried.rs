//! Around `retry`, which looks at the same beginnings.

use std::time::Duration;

use http::{Request, Response};
use kimi_errors::ErrorKind;
use kimi_testkit::probe::{Act, Beat, Probe, ProbeBody};
use kimi_tower::{raise_error::RaiseErrorLayer, retry::RetryLayer};
use tokio::time::Instant;
use tower::{ServiceBuilder, ServiceExt as _};

use super::{EVENTS, JSON, answer};

/// Of each status and type, what comes at once before it hangs.
const BEGUN: [(u16, &str, &str); 4] = [
    (200, EVENTS, "data: {\"choices\":"),
    (200, EVENTS, ": ping\n\n"),
    (200, JSON, "{\"choices\":"),
    (401, JSON, "{\"errcode\":-2002}"),
];

fn hanging(
    (status, content_type, begun): (u16, &'static str, &'static str),
) -> Response<ProbeBody> {
    answer(status, content_type, ProbeBody::chunks([begun]).then(Beat::Hang))
}

#[tokio::test(start_paused = true)]
async fn two_looks_at_one_beginning_take_the_time_of_one() {
    for begun in BEGUN {
        let (retry, raise_error) = (RetryLayer::default(), RaiseErrorLayer::new());
        let start = Instant::now();
        let (probe, _) = Probe::new([Act::Answer(hanging(begun))]);
        let stack = ServiceBuilder::new().layer(raise_error).layer(retry.clone()).service(probe);
        let outside = stack.oneshot(Request::new(ProbeBody::empty())).await.map(|_| ());
        assert_eq!(start.elapsed(), Duration::from_secs(5), "{begun:?}");

        let (probe, _) = Probe::new([Act::Answer(hanging(begun))]);
        let stack = ServiceBuilder::new().layer(retry).layer(raise_error).service(probe);
        let inside = stack.oneshot(Request::new(ProbeBody::empty())).await.map(|_| ());
        // One that `raise_error` lets pass at once is looked at once.
        assert_eq!(start.elapsed(), Duration::from_secs(10), "{begun:?}");

        for outcome in [outside, inside] {
            let kind = outcome.err().map(|error| error.kind());
            assert_eq!(kind, (begun.0 == 401).then_some(ErrorKind::TokenExpired));
        }
    }
}
