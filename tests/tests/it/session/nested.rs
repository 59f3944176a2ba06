//! Requests from within the work of another.

use http::{Request, Response};
use http_body_util::Empty;
use kimi_errors::{Error, ErrorKind, RetryAdvice};
use kimi_tower::session::{Policy, SessionLayer};
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

use super::{FIELD, gauges, layer};

fn of(conversation: &str) -> Request<()> {
    Request::post("/").header(FIELD, conversation).body(()).unwrap()
}

/// Asks for `inner` from within the work for `outer`.
async fn ask_within(
    layers: [SessionLayer; 2],
    outer: &str,
    inner: &'static str,
) -> Result<(), Error> {
    let [around, within] = layers;
    let answer = || Response::new(Empty::<bytes::Bytes>::new());
    let within =
        within.layer(service_fn(move |_: Request<()>| async move { Ok::<_, Error>(answer()) }));
    let service = around.layer(service_fn(move |_: Request<()>| {
        let within = within.clone();
        async move {
            // Not in the first poll alone.
            tokio::task::yield_now().await;
            within.oneshot(of(inner)).await.map(|_| answer())
        }
    }));
    service.oneshot(of(outer)).await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn a_request_that_would_wait_for_itself_is_refused() {
    for policy in [Policy::default(), Policy::Reject, Policy::Supersede] {
        let layer = layer().with_policy(policy);
        let refused = ask_within([layer.clone(), layer.clone()], "c-1", "c-1").await.unwrap_err();
        assert_eq!((refused.kind(), refused.errcode()), (ErrorKind::StreamBusy, -2005));
        assert_eq!(refused.advice(), RetryAdvice::Never);
        assert!(refused.message().contains("嵌套"), "{refused}");
        assert_eq!(gauges(&layer), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn another_conversation_or_another_store_is_served_from_within() {
    let layer = layer();
    ask_within([layer.clone(), layer.clone()], "c-1", "c-2").await.unwrap();
    let other = super::layer();
    ask_within([layer.clone(), other.clone()], "c-1", "c-1").await.unwrap();
    assert_eq!((gauges(&layer), gauges(&other)), ((0, 0), (0, 0)));
}
