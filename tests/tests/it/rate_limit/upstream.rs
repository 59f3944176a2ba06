//! What an upstream says of its limits is heeded.

use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt as _;
use kimi_errors::{Dialect, Error, ErrorKind};
use kimi_testkit::{
    mock::Mock,
    probe::{Act, Beat, ProbeBody},
    script::Step,
};
use kimi_tower::{
    raise_error::RaiseErrorLayer,
    rate_limit::{RateLimitLayer, Rule},
};
use tokio::time::Instant;
use tower::ServiceExt as _;
use tower_layer::{Layer as _, Stack};

use super::{
    Duration, JSON, SECOND, answer, both, bucket, call, chat, from, layer, left, requests, stack,
    tokens, waiting,
};

/// So much that only the upstream says no.
fn wide() -> Rule {
    requests(1_000, SECOND * 60)
}

fn throttled(fields: &[(&'static str, &'static str)]) -> Response<ProbeBody> {
    answer(429, fields, ProbeBody::empty())
}

/// A 429 whose body alone says how long to wait, as Kimi's platform has it.
fn told_in_text() -> Response<ProbeBody> {
    let body = r#"{"error":{"message":"Your account org-1<ak-1> request reached organization max RPM: 3, please try again after 7 seconds","type":"rate_limit_reached_error"}}"#;
    answer(429, &[JSON], ProbeBody::chunks(body.as_bytes().chunks(9).map(<[u8]>::to_vec)))
}

/// How long the next request of a caller waits after the first was answered so.
async fn wait_after(layer: &RateLimitLayer, act: Act, next: Request<ProbeBody>) -> Duration {
    let (mut service, seen) = stack(layer, [act]);
    if let Ok(answer) = call(&mut service, chat()).await {
        let _ = answer.into_body().collect().await;
    }
    let begin = Instant::now();
    call(&mut service, next).await.unwrap();
    assert_eq!((seen.calls(), seen.unready_calls()), (2, 0));
    begin.elapsed()
}

fn hinted() -> RateLimitLayer {
    waiting(wide()).with_upstream_hints().without_fields()
}

fn about(seconds: u64) -> std::ops::RangeInclusive<Duration> {
    let exact = Duration::from_secs(seconds);
    exact..=exact + Duration::from_millis(1)
}

#[tokio::test(start_paused = true)]
async fn a_throttle_with_a_wait_lets_nothing_of_that_key_go_before() {
    let raised = Error::new(ErrorKind::RateLimited).with_retry_after(SECOND * 7);
    for (act, seconds) in [
        (Act::Answer(throttled(&[("retry-after", "7")])), 7),
        (Act::Answer(throttled(&[("retry-after", "7"), ("retry-after-ms", "6500")])), 6),
        (Act::Answer(throttled(&[("ratelimit", r#""requests";r=0;t=7"#)])), 7),
        (Act::Answer(told_in_text()), 7),
        (Act::Fail(raised.into()), 7),
        // No longer than an hour is believed.
        (Act::Answer(throttled(&[("retry-after", "1000000")])), 3_600),
        (Act::Answer(throttled(&[])), 0),
        (Act::Answer(answer(200, &[("retry-after", "7")], ProbeBody::empty())), 0),
        // Those are a conversation's affair, and the account's.
        (Act::Fail(Error::new(ErrorKind::StreamBusy).with_retry_after(SECOND * 7).into()), 0),
        (Act::Fail(Error::new(ErrorKind::QuotaExhausted).into()), 0),
        (Act::Fail("connection refused".into()), 0),
    ] {
        let name = format!("{act:?}");
        let waited = wait_after(&hinted(), act, chat()).await;
        let waited_seconds = waited.as_millis() / 1_000;
        assert_eq!(waited_seconds, seconds, "{name}: {waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_key_is_not_paused() {
    for act in [Act::Answer(throttled(&[("retry-after", "7")])), Act::Answer(told_in_text())] {
        assert_eq!(wait_after(&hinted(), act, from("sk-2")).await, Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn without_hints_nobody_is_asked() {
    let layer = waiting(wide());
    let act = Act::Answer(throttled(&[("retry-after", "7")]));
    assert_eq!(wait_after(&layer, act, chat()).await, Duration::ZERO);
    let said = [("x-ratelimit-remaining-requests", "0")];
    let act = Act::Answer(answer(200, &said, ProbeBody::empty()));
    assert_eq!(wait_after(&layer, act, chat()).await, Duration::ZERO);
}

/// All states of a conversation are one caller's, and no limit.
#[tokio::test(start_paused = true)]
async fn a_busy_conversation_pauses_nobody() {
    let busy = Dialect::Errcode.response(&Error::new(ErrorKind::StreamBusy)).map(ProbeBody::full);
    let mut hinting = busy;
    hinting.headers_mut().insert("retry-after", HeaderValue::from_static("7"));
    assert_eq!(hinting.status(), 429);
    assert_eq!(wait_after(&hinted(), Act::Answer(hinting), chat()).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_wait_is_refused_until_the_pause_is_over() {
    let layer = layer(wide()).with_upstream_hints();
    let (mut service, seen) = stack(&layer, [Act::Answer(throttled(&[("retry-after", "7")]))]);
    call(&mut service, chat()).await.unwrap();
    tokio::time::advance(SECOND * 2).await;
    let refused = call(&mut service, chat()).await.unwrap_err();
    assert_eq!((refused.kind(), refused.retry_after()), (ErrorKind::RateLimited, Some(SECOND * 5)));
    tokio::time::advance(SECOND * 5).await;
    call(&mut service, chat()).await.unwrap();
    assert_eq!(seen.calls(), 2);
}

/// A body that is dropped unread has said what was read of it.
#[tokio::test(start_paused = true)]
async fn a_throttle_is_heard_out_or_not_at_all() {
    let (mut service, _) = stack(&hinted(), [Act::Answer(told_in_text())]);
    drop(call(&mut service, chat()).await.unwrap());
    let begin = Instant::now();
    call(&mut service, chat()).await.unwrap();
    assert_eq!(begin.elapsed(), Duration::ZERO);
    // One that is longer than anybody's is read no further than that.
    let long = ProbeBody::chunks((0..100).map(|_| vec![b' '; 1_000])).then(Beat::Yield);
    let (mut service, _) = stack(&hinted(), [Act::Answer(answer(429, &[JSON], long))]);
    let read = call(&mut service, chat()).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(read.to_bytes().len(), 100_000);
}

#[tokio::test(start_paused = true)]
async fn what_an_upstream_says_is_left_lowers_ours() {
    let plan = || both(requests(100, SECOND * 60), tokens(1_000, SECOND * 60));
    for (fields, expected) in [
        (
            &[("x-ratelimit-remaining-requests", "3"), ("x-ratelimit-remaining-tokens", "70")][..],
            [3, 70],
        ),
        (&[("ratelimit", r#""requests";r=5;t=1, "tokens";r=80;t=9"#)], [5, 80]),
        // Never more.
        (&[("x-ratelimit-remaining-requests", "1000")], [99, 990]),
        (&[], [99, 990]),
    ] {
        let layer = layer(plan()).with_tokens(|_: &_| 10).with_upstream_hints().without_fields();
        let (mut service, _) =
            stack(&layer, [Act::Answer(answer(200, fields, ProbeBody::empty()))]);
        call(&mut service, chat()).await.unwrap();
        assert_eq!(left(&layer), expected, "{fields:?}");
    }
}

/// The bug: fields that we had written ourselves were taken for the upstream's.
#[tokio::test(start_paused = true)]
async fn what_we_say_of_our_limit_is_not_what_the_upstream_says() {
    let layer = waiting(bucket(100, SECOND * 100)).with_upstream_hints();
    let waited = wait_after(&layer, Act::Answer(throttled(&[])), chat()).await;
    assert_eq!(waited, Duration::ZERO);
}

/// The bug: what a 429 without a wait says is left was not read.
#[tokio::test(start_paused = true)]
async fn a_throttle_that_does_not_say_when_says_at_least_that_nothing_is_left() {
    let layer = layer(requests(100, SECOND * 60)).with_upstream_hints();
    let told = throttled(&[("x-ratelimit-remaining-requests", "0")]);
    let (mut service, _) = stack(&layer, [Act::Answer(told)]);
    call(&mut service, chat()).await.unwrap();
    assert_eq!(left(&layer), [0]);
    // One that says when is believed, and not held to our own period.
    let layer = waiting(requests(100, SECOND * 60)).with_upstream_hints();
    let said = [("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "3s")];
    let waited = wait_after(&layer, Act::Answer(throttled(&said)), chat()).await;
    assert!(about(3).contains(&waited), "{waited:?}");
}

/// As the scripted upstream says it, and `raise_error` inside makes an `Err` of it.
#[tokio::test(start_paused = true)]
async fn what_the_platform_says_is_heeded_raised_or_not() {
    for raises in [false, true] {
        let mock = Mock::platform();
        mock.push(Step::fault("plat.overloaded").with_header("retry-after", "9")).unwrap();
        let ask = || {
            Request::post("/v1/chat/completions")
                .header("authorization", "Bearer sk-1")
                .body(ProbeBody::full(
                    r#"{"model":"kimi-k3","messages":[{"role":"user","content":"你好"}]}"#,
                ))
                .unwrap()
        };
        let begin = Instant::now();
        let status = if raises {
            let stack = Stack::new(RaiseErrorLayer::new(), hinted());
            let service = stack.layer(mock.clone());
            let refused = service.clone().oneshot(ask()).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Overloaded);
            service.oneshot(ask()).await.unwrap().status()
        } else {
            let service = hinted().layer(mock.clone());
            assert_eq!(service.clone().oneshot(ask()).await.unwrap().status(), 429);
            service.oneshot(ask()).await.unwrap().status()
        };
        assert_eq!(status, 200);
        assert!(about(9).contains(&begin.elapsed()), "{:?}", begin.elapsed());
        assert_eq!(mock.request_count(), 2);
    }
}
