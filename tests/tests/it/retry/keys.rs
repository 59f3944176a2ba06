//! The key that names an operation, so that a server does it once.

use std::{collections::HashSet, io};

use http::{HeaderValue, Request};
use kimi_errors::ErrorKind;
use kimi_testkit::probe::{Act, Probe, ProbeBody, SeenRequest};
use kimi_tower::retry::{RetryLayer, RetryPolicy};
use tower::ServiceExt as _;
use tower_layer::Layer as _;

use super::{answer, chat, failing, send, send_as, with_method};

const KEY: &str = "idempotency-key";

fn key(request: &SeenRequest) -> Option<&str> {
    let mut keys = request.head.headers.get_all(KEY).into_iter();
    let key = keys.next().map(|key| key.to_str().unwrap());
    assert!(keys.next().is_none());
    key
}

fn keyed() -> RetryPolicy {
    RetryPolicy::standard().with_idempotency_key()
}

#[tokio::test(start_paused = true)]
async fn all_attempts_of_a_request_have_one_key_and_no_two_requests_share_one() {
    let mut keys = HashSet::new();
    // Two layers with one seed draw the same waits, and other keys.
    for _ in 0..2 {
        let (probe, seen) = Probe::new(failing(ErrorKind::Unavailable, 4));
        let service = RetryLayer::new(keyed().with_seed(1)).layer(probe);
        for attempts in [4, 1, 1] {
            let _ = service.clone().oneshot(chat()).await.unwrap();
            let requests = seen.take_requests();
            assert_eq!(requests.len(), attempts);
            let first = key(&requests[0]).unwrap().to_owned();
            assert!(first.len() == 32 && first.bytes().all(|byte| byte.is_ascii_hexdigit()));
            assert!(requests.iter().all(|request| key(request) == Some(&first)));
            assert!(keys.insert(first), "a key came twice");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_caller_s_own_key_is_kept() {
    let mut request = chat();
    request.headers_mut().insert(KEY, HeaderValue::from_static("mine"));
    let (_, seen) = send_as(keyed(), request, failing(ErrorKind::Unavailable, 2)).await;
    let requests = seen.take_requests();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|request| key(request) == Some("mine")));
}

#[tokio::test(start_paused = true)]
async fn no_key_is_added_by_default_or_to_what_is_tried_once() {
    let others = keyed().with_selection(|_| false);
    for policy in [
        RetryPolicy::standard(),
        RetryPolicy::article(),
        RetryPolicy::none(),
        keyed().without_idempotency_key(),
        others,
    ] {
        let (_, seen) = send(policy, []).await;
        assert_eq!(key(&seen.take_requests()[0]), None);
    }
}

#[tokio::test(start_paused = true)]
async fn with_a_key_what_may_have_been_done_is_retried() {
    let unknown: [fn() -> Act; 3] = [
        || Act::Answer(answer(502, "text/html", "")),
        || Act::Fail(io::Error::from(io::ErrorKind::ConnectionReset).into()),
        || Act::Fail("boom".into()),
    ];
    for failure in unknown {
        for method in ["POST", "PATCH"] {
            let ask = || -> Request<ProbeBody> { with_method(method) };
            let (sent, seen) = send_as(keyed(), ask(), [failure()]).await;
            assert_eq!((sent.unwrap().status().as_u16(), seen.calls()), (200, 2));
            let (_, seen) = send_as(RetryPolicy::standard(), ask(), [failure()]).await;
            assert_eq!(seen.calls(), 1);
        }
    }
    // What is hopeless stays so.
    let (_, seen) = send(keyed(), failing(ErrorKind::NotFound, 1)).await;
    assert_eq!(seen.calls(), 1);
}
