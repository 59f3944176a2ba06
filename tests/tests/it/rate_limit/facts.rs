//! What a limit tells, and whose it is.

use http::request::Parts;
use kimi_errors::{Error, ErrorKind};
use kimi_testkit::probe::Probe;
use kimi_tower::{
    facts::{Facts, RateDecision},
    key::{HeaderKey, KeyHasher, Missing},
    rate_limit::{Plan, Plans},
};
use tower_layer::Layer as _;

use super::{Duration, SECOND, bucket, call, chat, from, layer, left, requests, stack, waiting};

#[tokio::test(start_paused = true)]
async fn each_decision_but_a_pass_is_a_fact() {
    let refused = RateDecision::Refused { rule: "requests", wait: Some(SECOND) };
    let never = RateDecision::Refused { rule: "tokens", wait: None };
    let waited = RateDecision::Waited(SECOND);
    let plan = || super::both(bucket(1, SECOND), super::tokens(10, SECOND));
    let none = || layer(plan()).with_tokens(|_: &_| 0);
    for (layer, second) in [
        (none(), Some(refused)),
        (waiting(plan()).with_tokens(|_: &_| 0), Some(waited)),
        (layer(bucket(2, SECOND)), None),
        (
            none().with_tokens(|head: &Parts| head.extensions.get().copied().unwrap_or(0)),
            Some(never),
        ),
    ] {
        let (mut service, _) = stack(&layer, []);
        let facts = [Facts::new(), Facts::new()];
        for (facts, tokens) in facts.iter().zip([0_u32, 11]) {
            let mut request = chat();
            request.extensions_mut().insert(facts.clone());
            request.extensions_mut().insert(tokens);
            let _ = call(&mut service, request).await;
        }
        assert_eq!(facts[0].rate_decision(), None);
        assert_eq!(facts[1].rate_decision(), second);
        // Without facts, it is all the same.
        let _ = call(&mut service, chat()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn nobodys_requests_pass_uncounted() {
    let tenant = HeaderKey::new(http::HeaderName::from_static("x-tenant-id"));
    let layer = layer(requests(1, SECOND * 10)).with_key(tenant.with_missing(Missing::Exempt));
    let (probe, seen) = Probe::new([]);
    let mut service = layer.layer(probe);
    for _ in 0..5 {
        let answer = call(&mut service, chat()).await.unwrap();
        assert!(answer.headers().is_empty());
    }
    assert_eq!((seen.calls(), seen.polls_ready(), seen.unready_calls()), (5, 5, 0));
    assert_eq!(layer.store().keys(), 0);
    let somebodys = || {
        let mut request = chat();
        request.headers_mut().insert("x-tenant-id", http::HeaderValue::from_static("t-1"));
        request
    };
    call(&mut service, somebodys()).await.unwrap();
    call(&mut service, somebodys()).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn who_must_have_a_key_and_has_none_is_refused_with_the_extractors_error() {
    let refuse = |_: &Parts, _: &KeyHasher| Err(Error::new(ErrorKind::InvalidCredentials));
    let layer = layer(requests(1, SECOND * 10)).with_key(refuse);
    let (probe, seen) = Probe::new([]);
    let refused = call(&mut layer.layer(probe), chat()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidCredentials);
    assert_eq!((seen.calls(), layer.store().keys()), (0, 0));
}

/// As an authenticating layer outside leaves it.
#[derive(Clone, Copy)]
struct Tier(usize);

#[tokio::test(start_paused = true)]
async fn a_plan_is_looked_up_and_each_has_a_state_of_its_own() {
    let plans = [requests(1, SECOND * 60), requests(3, SECOND * 60)].map(Plan::new);
    let layer = layer(Plans::new(plans).unwrap())
        .with_plan_of(|head| head.extensions.get().map_or(0, |Tier(tier)| *tier));
    let (mut service, _) = stack(&layer, []);
    // One that is past the last is the last.
    for (tier, admitted, limit) in [(0, 1, "1"), (1, 3, "3"), (9, 0, "3")] {
        let mut count = 0;
        for _ in 0..5 {
            let mut request = chat();
            request.extensions_mut().insert(Tier(tier));
            let answer = call(&mut service, request).await;
            count += usize::from(answer.is_ok());
            let headers =
                answer.map_or_else(|error| error.headers().clone(), |it| it.headers().clone());
            assert_eq!(headers["x-ratelimit-limit-requests"], limit);
        }
        assert_eq!(count, admitted, "tier {tier}");
    }
    // Without one he has the first, which is spent.
    call(&mut service, chat()).await.unwrap_err();
    assert_eq!(left(&layer), [0]);
    call(&mut service, from("sk-2")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn how_long_one_has_waited_is_told_when_he_goes() {
    let (mut service, _) = stack(&waiting(requests(1, SECOND * 10)), []);
    call(&mut service, chat()).await.unwrap();
    tokio::time::advance(SECOND * 4).await;
    let (mut request, facts) = (chat(), Facts::new());
    request.extensions_mut().insert(facts.clone());
    let held = tokio::spawn(super::start(&mut service, request).await);
    tokio::time::sleep(SECOND).await;
    assert_eq!(facts.rate_decision(), None);
    held.await.unwrap().unwrap();
    let Some(RateDecision::Waited(waited)) = facts.rate_decision() else { panic!("{facts:?}") };
    assert!((SECOND * 6..=Duration::from_millis(6_001)).contains(&waited));
}
