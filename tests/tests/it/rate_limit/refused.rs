//! What a refusal says, to services and on the wire.

use http::{Response, StatusCode, Version, header};
use http_body::Body as _;
use kimi_errors::{Dialect, ErrorKind, Lang, RetryAdvice};
use kimi_testkit::probe::{Probe, ProbeBody};
use kimi_tower::{
    catch_error::{self as caught, CatchErrorLayer},
    rate_limit::{self, RateLimitLayer},
};
use tower::ServiceExt as _;
use tower_layer::Layer as _;

use super::{
    Duration, SECOND, both, bucket, call, chat, from, layer, left, requests, stack, tokens,
};

#[tokio::test(start_paused = true)]
async fn who_is_over_the_limit_is_refused_and_told_how_long_to_wait() {
    let layer = layer(requests(2, SECOND * 10));
    let (mut service, seen) = stack(&layer, []);
    call(&mut service, chat()).await.unwrap();
    tokio::time::advance(SECOND * 3).await;
    call(&mut service, chat()).await.unwrap();
    tokio::time::advance(Duration::from_millis(500)).await;
    let refused = call(&mut service, chat()).await.unwrap_err();
    let wait = Duration::from_millis(6_500);
    assert_eq!((refused.kind(), refused.retry_after()), (ErrorKind::RateLimited, Some(wait)));
    assert_eq!(refused.advice(), RetryAdvice::Backoff { after: Some(wait) });
    assert_eq!(seen.calls(), 2);
    // Another caller has his own.
    call(&mut service, from("sk-2")).await.unwrap();
    tokio::time::advance(wait).await;
    call(&mut service, chat()).await.unwrap();
    assert_eq!((seen.calls(), seen.unready_calls()), (4, 0));
}

type Answer = Response<caught::ResponseBody<rate_limit::ResponseBody<ProbeBody>>>;

/// Answers the second of two requests, of which one is admitted in such a time.
async fn second(
    layer: RateLimitLayer,
    caught: CatchErrorLayer,
    request: impl Fn() -> http::Request<ProbeBody>,
) -> Answer {
    let (probe, seen) = Probe::new([]);
    let service = caught.layer(layer.layer(probe));
    assert_eq!(service.clone().oneshot(request()).await.unwrap().status(), 200);
    let answer = service.oneshot(request()).await.unwrap();
    assert_eq!(seen.calls(), 1);
    answer
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_a_429_with_its_wait_in_every_dialect() {
    for dialect in Dialect::ALL.iter().copied() {
        for (millis, seconds, ms) in [
            (600, "1", Some("600")),
            (1, "1", Some("1")),
            (1_000, "1", None),
            (1_001, "2", Some("1001")),
            (60_000, "60", None),
        ] {
            let layer = layer(bucket(1, Duration::from_millis(millis)));
            let caught = CatchErrorLayer::new().with_dialect(dialect);
            let answer = second(layer, caught, chat).await;
            let status = if dialect == Dialect::FreeApi { 200 } else { 429 };
            assert_eq!(answer.status(), status, "{dialect}");
            let field = |name: &str| {
                answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
            };
            assert_eq!(field("retry-after").as_deref(), Some(seconds), "{dialect} {millis}");
            assert_eq!(field("retry-after-ms").as_deref(), ms, "{dialect} {millis}");
            assert_eq!(field("x-should-retry"), None);
            let level = format!(r#""requests";r=0;t={seconds}"#);
            assert_eq!(field("ratelimit").as_deref(), Some(&*level), "{dialect}");
            let policy = format!(r#""requests";q=1;w={seconds}"#);
            assert_eq!(field("ratelimit-policy").as_deref(), Some(&*policy));
            assert_eq!(field("x-ratelimit-remaining-requests").as_deref(), Some("0"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_of_less_than_a_millisecond_is_rounded_up() {
    let layer = layer(bucket(1, Duration::from_nanos(1_500_001)));
    let answer = second(layer, CatchErrorLayer::new(), chat).await;
    assert_eq!(answer.headers()["retry-after"], "1");
    assert_eq!(answer.headers()["retry-after-ms"], "2");
}

#[tokio::test(start_paused = true)]
async fn a_grpc_request_is_refused_in_trailers_only_with_a_pushback() {
    let grpc = || {
        let mut request = chat();
        *request.version_mut() = Version::HTTP_2;
        let value = header::HeaderValue::from_static("application/grpc");
        request.headers_mut().insert(header::CONTENT_TYPE, value);
        request
    };
    let layer = layer(bucket(1, Duration::from_nanos(1_500_000_001)));
    let answer = second(layer, CatchErrorLayer::new(), grpc).await;
    assert_eq!((answer.status(), answer.body().is_end_stream()), (StatusCode::OK, true));
    assert_eq!(answer.headers()["grpc-status"], "8");
    assert_eq!(answer.headers()["grpc-retry-pushback-ms"], "1501");
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/grpc");
}

#[tokio::test(start_paused = true)]
async fn what_can_never_fit_is_refused_for_good_by_cost_and_limit() {
    for (lang, message) in [
        (Lang::Zh, "请求需要1001，超过限额tokens的上限1000"),
        (Lang::En, "the request costs 1001, more than the limit tokens of 1000"),
    ] {
        let plan = both(requests(5, SECOND), tokens(1_000, SECOND * 60));
        let layer = layer(plan).with_tokens(|_: &_| 1_001).with_lang(lang);
        let (mut service, seen) = stack(&layer, []);
        let refused = call(&mut service, chat()).await.unwrap_err();
        assert_eq!((refused.kind(), refused.retry_after()), (ErrorKind::RateLimited, None));
        assert_eq!((refused.advice(), refused.message()), (RetryAdvice::Never, message));
        assert_eq!((left(&layer), seen.calls()), (vec![5, 1_000], 0));

        let caught = CatchErrorLayer::new().with_lang(lang);
        let answer = caught.layer(service).oneshot(chat()).await.unwrap();
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.headers()["x-should-retry"], "false");
        assert!(!answer.headers().contains_key(header::RETRY_AFTER));
        assert_eq!(answer.headers()["ratelimit"], r#""requests";r=5;t=0, "tokens";r=1000;t=0"#);
        // Nor does it wait for what does not come.
        let layer = layer.with_admission(super::patient(SECOND * 3600, 10));
        let (mut service, _) = stack(&layer, []);
        assert_eq!(call(&mut service, chat()).await.unwrap_err().advice(), RetryAdvice::Never);
    }
}

#[tokio::test(start_paused = true)]
async fn of_several_rules_the_longest_wait_is_told_and_none_is_charged() {
    let hourly = requests(3, SECOND * 3600).try_named("hourly").unwrap();
    let plan = both(requests(2, SECOND * 10), hourly).try_with(tokens(1_000, SECOND)).unwrap();
    let layer = layer(plan).with_tokens(|_: &_| 10);
    let (mut service, seen) = stack(&layer, []);
    call(&mut service, chat()).await.unwrap();
    call(&mut service, chat()).await.unwrap();
    let before = left(&layer);
    assert_eq!(before, [0, 1, 980]);
    let refused = call(&mut service, chat()).await.unwrap_err();
    assert_eq!(refused.retry_after(), Some(SECOND * 10));
    assert_eq!((left(&layer), seen.calls()), (before, 2));

    tokio::time::advance(SECOND * 10).await;
    call(&mut service, chat()).await.unwrap();
    assert_eq!(left(&layer), [1, 0, 990]);
    let refused = call(&mut service, chat()).await.unwrap_err();
    assert_eq!(refused.retry_after(), Some(SECOND * 3590));
    assert_eq!(left(&layer), [1, 0, 990]);
    // Of the unit, the one that refuses.
    let fields = refused.headers();
    assert_eq!(
        fields["ratelimit"],
        r#""requests";r=1;t=10, "hourly";r=0;t=3590, "tokens";r=990;t=1"#
    );
    assert_eq!(fields["x-ratelimit-limit-requests"], "3");
    assert_eq!(fields["x-ratelimit-remaining-requests"], "0");
    assert_eq!(fields["x-ratelimit-reset-requests"], "59m50s");
    assert_eq!(fields["x-ratelimit-remaining-tokens"], "990");
}

/// The bug: with nothing left of either, the fields of OpenAI were those of the first.
#[tokio::test(start_paused = true)]
async fn the_rule_that_refuses_is_the_one_that_all_fields_tell_of() {
    let hourly = requests(2, SECOND * 3600).try_named("hourly").unwrap();
    let layer = layer(both(requests(2, SECOND * 10), hourly));
    let (mut service, _) = stack(&layer, []);
    call(&mut service, chat()).await.unwrap();
    call(&mut service, chat()).await.unwrap();
    let refused = call(&mut service, chat()).await.unwrap_err();
    assert_eq!(refused.retry_after(), Some(SECOND * 3600));
    assert_eq!(refused.headers()["x-ratelimit-reset-requests"], "1h0m0s");
    assert_eq!(refused.headers()["ratelimit"], r#""requests";r=0;t=10, "hourly";r=0;t=3600"#);
}
