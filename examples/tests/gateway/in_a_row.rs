//! Gateways before gateways: what they ask of an origin together when it fails.

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use kimi_errors::{Dialect, Error, ErrorKind};
use kimi_tower::retry::RetryBudget;
use serde_json::json;

use super::{
    retry::{at_once, is_told_not_to_retry, overloaded, to},
    wire::{Gateway, QUESTION},
};

#[tokio::test]
async fn gateways_in_a_row_do_not_multiply() {
    const CLIENTS: usize = 20;
    let few = || at_once().with_budget(RetryBudget::new(5, 0));
    let script = json!({"steps": overloaded("forever")}).to_string();
    let inner = Gateway::with(Dialect::Errcode, &script, |upstream| upstream.with_retry(few()));
    let inner = inner.await;
    let middle = to(inner.url(), few()).await;
    let outer = to(middle.url(), few()).await;

    let answer = outer.chat(QUESTION, &[]).await;
    assert!(answer.status == 429 && is_told_not_to_retry(&answer), "{answer:?}");
    assert_eq!(inner.sent().len(), 4, "one gateway's tries, not three gateways' 64");
    for _ in 1..CLIENTS {
        assert!(is_told_not_to_retry(&outer.chat(QUESTION, &[]).await));
    }
    assert_eq!(inner.sent().len(), CLIENTS + 5, "one for each client, and one gateway's budget");
}

#[tokio::test]
async fn where_the_innermost_gateway_is_down_only_its_neighbor_tries_again() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let inner = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let counting = || {
        let failures = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&failures);
        let policy = at_once().with_rule(move |failure| {
            let is_last = failure.retries() == 3;
            counted.fetch_add(usize::from(!is_last), Relaxed);
            None
        });
        (policy, failures)
    };
    let ((middle_policy, of_middle), (outer_policy, of_outer)) = (counting(), counting());
    let middle = to(&inner, middle_policy).await;
    let outer = to(middle.url(), outer_policy).await;
    let answer = outer.chat(QUESTION, &[]).await;
    let failed = Error::new(ErrorKind::BadGateway).errcode();
    assert!(answer.body.starts_with(&format!("{{\"errcode\":{failed},")), "{answer:?}");
    assert!(is_told_not_to_retry(&answer), "{answer:?}");
    assert_eq!((of_middle.load(Relaxed), of_outer.load(Relaxed)), (3, 1));
}
