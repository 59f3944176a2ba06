//! A limit that is only tried is told to logs and facts.

use std::sync::Arc;

use kimi_testkit::probe::Probe;
use kimi_tower::{
    facts::{Facts, RateDecision},
    rate_limit::{Admission, Plan},
};
use tower_layer::Layer as _;

use super::{SECOND, both, call, chat, from, layer, left, requests, stack, tokens};
use crate::events::Events;

fn known() -> (http::Request<kimi_testkit::probe::ProbeBody>, Facts) {
    let (mut request, facts) = (chat(), Facts::new());
    request.extensions_mut().insert(facts.clone());
    (request, facts)
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_tried_refuses_nobody_and_tells_whom_it_would_have_refused() {
    let plan: Plan = both(requests(2, SECOND * 10), tokens(100, SECOND * 60));
    let layer = layer(plan)
        .with_tokens(|head: &http::request::Parts| *head.extensions.get::<u32>().unwrap_or(&10));
    let layer = layer.with_admission(Admission::Shadow);
    let (mut service, seen) = stack(&layer, []);
    let events = Events::listen();
    for (cost, decision) in [
        (10, None),
        (10, None),
        (10, Some(RateDecision::WouldBeRefused { rule: "requests", wait: Some(SECOND * 10) })),
        (101, Some(RateDecision::WouldBeRefused { rule: "tokens", wait: None })),
    ] {
        let (mut request, facts) = known();
        request.extensions_mut().insert::<u32>(cost);
        let answer = call(&mut service, request).await.unwrap();
        assert_eq!(facts.rate_decision(), decision);
        // It is no limit yet, which nobody is to go by.
        assert!(answer.headers().is_empty(), "{:?}", answer.headers());
    }
    assert_eq!((seen.calls(), seen.unready_calls(), left(&layer)), (4, 0, vec![0, 80]));
    assert_eq!(
        events.take(),
        [
            r#"DEBUG message=would be refused rule="requests" wait=Some(10s)"#,
            r#"DEBUG message=would be refused rule="tokens" wait=None"#,
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_event_that_names_no_caller() {
    let (mut service, _) = stack(&layer(requests(1, SECOND * 10)), []);
    let events = Events::listen();
    call(&mut service, from("sk-CaNaRy0")).await.unwrap();
    call(&mut service, from("sk-CaNaRy0")).await.unwrap_err();
    assert_eq!(events.take(), [r#"DEBUG message=refused rule="requests" wait=Some(10s)"#]);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_tried_counts_whom_it_lets_pass() {
    let layer = layer(requests(1, SECOND * 10)).with_admission(Admission::Shadow);
    let service = Arc::new(layer.layer(Probe::new([]).0));
    for seconds in 0..30 {
        let (request, facts) = known();
        call(&mut service.as_ref().clone(), request).await.unwrap();
        assert_eq!(facts.rate_decision().is_none(), seconds % 10 == 0);
        tokio::time::advance(SECOND).await;
    }
}
