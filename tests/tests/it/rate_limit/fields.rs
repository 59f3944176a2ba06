//! What the heads of all answers say of limits.

use http::{HeaderMap, Response};
use kimi_errors::{Error, ErrorKind};
use kimi_testkit::probe::{Act, Probe, ProbeBody};
use kimi_tower::{catch_error::CatchErrorLayer, rate_limit::RateLimitLayer};
use tower::ServiceExt as _;
use tower_layer::{Layer as _, Stack};

use super::{Duration, SECOND, both, bucket, call, chat, layer, requests, stack, tokens, waiting};

/// The fields that tell of limits, a line each, sorted.
fn fields(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.iter().filter(|(name, _)| name.as_str().contains("ratelimit"));
    let mut lines: Vec<_> =
        lines.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    lines.sort();
    lines
}

#[tokio::test(start_paused = true)]
async fn a_success_tells_the_same_as_a_refusal() {
    let layer = layer(both(bucket(2, SECOND * 24), tokens(1_000, SECOND * 60)));
    let layer = layer.with_tokens(|_: &_| 300);
    let (probe, _) = Probe::new([]);
    let service = CatchErrorLayer::new().layer(layer.layer(probe));
    for (status, left, reset, tokens) in
        [(200, 1, "12", 700), (200, 0, "24", 400), (429, 0, "12", 400)]
    {
        let answer = service.clone().oneshot(chat()).await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(
            fields(answer.headers()),
            [
                r#"ratelimit-policy: "requests";q=2;w=24, "tokens";q=1000;w=60;qu="tokens""#.into(),
                format!(r#"ratelimit: "requests";r={left};t={reset}, "tokens";r={tokens};t=60"#),
                "x-ratelimit-limit-requests: 2".into(),
                "x-ratelimit-limit-tokens: 1000".into(),
                format!("x-ratelimit-remaining-requests: {left}"),
                format!("x-ratelimit-remaining-tokens: {tokens}"),
                format!("x-ratelimit-reset-requests: {reset}s"),
                "x-ratelimit-reset-tokens: 1m0s".into(),
            ]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn without_fields_only_the_wait_is_told() {
    let layer = layer(requests(1, SECOND * 10)).without_fields();
    let (probe, _) = Probe::new([]);
    let service = CatchErrorLayer::new().layer(layer.layer(probe));
    let answer = service.clone().oneshot(chat()).await.unwrap();
    assert!(answer.headers().is_empty(), "{:?}", answer.headers());
    let refused = service.oneshot(chat()).await.unwrap();
    assert_eq!(refused.headers()["retry-after"], "10");
    assert!(fields(refused.headers()).is_empty());
}

/// A request that fails has been counted, and its caller wants to know what is left.
#[tokio::test(start_paused = true)]
async fn an_error_of_the_service_tells_what_is_left() {
    let invalid = || Error::new(ErrorKind::Validation);
    let layer = layer(requests(2, SECOND * 10));
    let acts =
        [Act::Fail(invalid().into()), Act::Answer(super::answer(500, &[], ProbeBody::empty()))];
    let (probe, _) = Probe::new(acts);
    let service = CatchErrorLayer::new().layer(layer.layer(probe));
    for left in [1, 0] {
        let answer = service.clone().oneshot(chat()).await.unwrap();
        assert!(!answer.status().is_success());
        let expected = format!(r#""requests";r={left};t=10"#);
        assert_eq!(answer.headers()["ratelimit"], expected.as_str());
        assert_eq!(answer.headers()["x-ratelimit-limit-requests"], "2");
    }
    let (mut service, _) = stack(&layer.without_fields(), [Act::Fail(invalid().into())]);
    tokio::time::advance(SECOND * 10).await;
    assert!(call(&mut service, chat()).await.unwrap_err().headers().is_empty());
}

#[tokio::test(start_paused = true)]
async fn two_limits_tell_of_both_and_each_of_its_unit() {
    let outer = layer(requests(2, SECOND * 10));
    let inner = layer(tokens(1_000, SECOND * 60)).with_tokens(|_: &_| 600);
    let (probe, _) = Probe::new([]);
    let both: Stack<RateLimitLayer, RateLimitLayer> = Stack::new(inner, outer);
    let service = CatchErrorLayer::new().layer(both.layer(probe));
    let told = |headers: &HeaderMap, name: &str| {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
        values.join(", ")
    };
    for (status, left, tokens, reset) in [(200, 1, 400, 60), (429, 1, 400, 50)] {
        let answer = service.clone().oneshot(chat()).await.unwrap();
        assert_eq!(answer.status(), status);
        let ratelimit = told(answer.headers(), "ratelimit");
        assert_eq!(
            ratelimit,
            format!(r#""tokens";r={tokens};t={reset}, "requests";r={left};t=10"#)
        );
        let policy = told(answer.headers(), "ratelimit-policy");
        assert_eq!(policy, r#""tokens";q=1000;w=60;qu="tokens", "requests";q=2;w=10"#);
        assert_eq!(answer.headers()["x-ratelimit-remaining-requests"], left.to_string().as_str());
        assert_eq!(answer.headers()["x-ratelimit-remaining-tokens"], tokens.to_string().as_str());
        tokio::time::advance(SECOND * 10).await;
    }
}

/// The one inside has said why there is an error, so that the one outside does not say otherwise.
#[tokio::test(start_paused = true)]
async fn what_the_limit_that_refuses_says_of_its_unit_stays() {
    let hourly = requests(1, SECOND * 3600).try_named("hourly").unwrap();
    let both = Stack::new(layer(hourly), layer(requests(9, SECOND * 10)));
    let (probe, _) = Probe::new([]);
    let service = CatchErrorLayer::new().layer(both.layer(probe));
    let _ = service.clone().oneshot(chat()).await.unwrap();
    let refused = service.oneshot(chat()).await.unwrap();
    assert_eq!(refused.headers()["x-ratelimit-remaining-requests"], "0");
    assert_eq!(refused.headers()["x-ratelimit-reset-requests"], "1h0m0s");
    let told = r#""hourly";r=0;t=3600, "requests";r=7;t=10"#;
    assert_eq!(refused.headers()["ratelimit"], told);
}

#[tokio::test(start_paused = true)]
async fn what_an_upstream_says_is_kept_or_replaced_by_ours() {
    let upstream = super::answer(
        200,
        &[("ratelimit", r#""upstream";r=5;t=1"#), ("x-ratelimit-remaining-requests", "5")],
        ProbeBody::empty(),
    );
    let (mut service, _) = stack(&layer(requests(2, SECOND)), [Act::Answer(upstream)]);
    let answer: Response<_> = call(&mut service, chat()).await.unwrap();
    let all: Vec<_> = answer.headers().get_all("ratelimit").iter().collect();
    assert_eq!(all, [r#""upstream";r=5;t=1"#, r#""requests";r=1;t=1"#]);
    let all: Vec<_> = answer.headers().get_all("x-ratelimit-remaining-requests").iter().collect();
    assert_eq!(all, ["1"]);
}

#[tokio::test(start_paused = true)]
async fn who_has_waited_is_told_what_was_left_when_he_went() {
    let layer = waiting(bucket(1, SECOND));
    let (mut service, _) = stack(&layer, []);
    for _ in 0..2 {
        let answer = call(&mut service, chat()).await.unwrap();
        assert_eq!(answer.headers()["ratelimit"], r#""requests";r=0;t=1"#);
    }
    tokio::time::advance(Duration::from_millis(2_000)).await;
    let answer = call(&mut service, chat()).await.unwrap();
    assert_eq!(answer.headers()["ratelimit"], r#""requests";r=0;t=1"#);
}
