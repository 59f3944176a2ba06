//! When attempts begin, and how the article's policy decides.

use http::Response;
use kimi_errors::{BoxError, ErrorKind, errcode};
use kimi_testkit::probe::{Act, ProbeBody};
use kimi_tower::retry::{Backoff, RetryLayer, RetryPolicy};
use tower::ServiceExt as _;
use tower_layer::Layer as _;

use super::{
    Duration, EVENTS, Error, Instant, JSON, SECOND, answer, chat, error, failing, hinted, join_all,
    send, should_retry, timed,
};

/// Returns when the attempts of one request begin if each is answered like this.
async fn attempts(
    policy: RetryPolicy,
    answers: impl Fn(usize) -> Result<Response<ProbeBody>, BoxError> + Clone + Send + Sync + 'static,
) -> Vec<Duration> {
    let (upstream, times) = timed(answers);
    let _ = RetryLayer::new(policy).layer(upstream).oneshot(chat()).await;
    times.take()
}

#[tokio::test(start_paused = true)]
async fn the_article_waits_one_two_and_four_seconds() {
    let start = Instant::now();
    let (sent, seen) = send(RetryPolicy::article(), failing(ErrorKind::System, 5)).await;
    assert_eq!(sent.unwrap().status(), 500);
    assert_eq!((seen.calls(), seen.unready_calls()), (4, 0));
    assert_eq!(start.elapsed(), SECOND * 7);
}

#[tokio::test(start_paused = true)]
async fn the_attempts_of_the_article_begin_to_the_millisecond() {
    for kind in [ErrorKind::System, ErrorKind::RequestFailed] {
        let began = attempts(RetryPolicy::article(), move |_| Ok(error(kind))).await;
        assert_eq!(began, [0, 1_000, 3_000, 7_000].map(Duration::from_millis), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_article_retries_its_two_codes_and_no_other() {
    let codes = [errcode::SYSTEM_ERROR, errcode::API_REQUEST_FAILED];
    for kind in ErrorKind::ALL.iter().copied() {
        let expected = if codes.contains(&kind.errcode()) { 4 } else { 1 };
        let (sent, seen) = send(RetryPolicy::article(), failing(kind, 5)).await;
        assert_eq!(sent.unwrap().status().as_u16(), kind.status());
        assert_eq!(seen.calls(), expected, "{kind}");

        // The same as an error, as a layer within raises it.
        let fail = || Act::Fail(Error::new(kind).into());
        let acts = [fail(), fail(), fail(), fail(), fail()];
        let (sent, seen) = send(RetryPolicy::article(), acts).await;
        assert_eq!(sent.unwrap_err().kind(), kind);
        assert_eq!(seen.calls(), expected, "{kind} as an error");
    }
}

#[tokio::test(start_paused = true)]
async fn the_article_finds_its_codes_in_a_success_too() {
    for (content_type, body, expected) in [
        (JSON, r#"{"code":-2001,"message":"[请求kimi失败]: 服务内部错误","data":null}"#, 4),
        (JSON, r#"{"code":-2001,"message":"x","data":null}"#, 4),
        (JSON, r#"{"errcode":-2001,"errmsg":"请求失败","data":null}"#, 4),
        (JSON, r#"{"errcode":-1000,"errmsg":"系统异常，请稍后重试","data":null}"#, 4),
        (EVENTS, "data: {\"errcode\":-2001,\"errmsg\":\"请求失败\",\"data\":null}\n\n", 4),
        // kimi-free-api's word for a token that is refused, which its code does not say.
        (JSON, r#"{"code":-2001,"message":"请求失败","data":null}"#, 4),
        (JSON, r#"{"errcode":-2005,"errmsg":"已有对话流正在输出","data":null}"#, 1),
        (JSON, r#"{"errcode":-2002,"errmsg":"Token已失效","data":null}"#, 1),
        (JSON, r#"{"errcode":0,"errmsg":"success","data":-2001}"#, 1),
        (JSON, r#"{"id":"c1","choices":[{"message":{"content":"-2001"}}]}"#, 1),
    ] {
        let acts = (0..5).map(|_| Act::Answer(answer(200, content_type, body)));
        let (sent, seen) = send(RetryPolicy::article(), acts).await;
        assert_eq!(seen.calls(), expected, "{body}");
        assert_eq!(super::bytes(sent.unwrap()).await, body.as_bytes());
    }
}

/// A failed transport has no code but one that we lend it.
#[tokio::test(start_paused = true)]
async fn the_article_does_not_retry_a_failed_transport() {
    let broken = || std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    for failure in [
        BoxError::from(broken()),
        "boom".into(),
        std::io::Error::from(std::io::ErrorKind::TimedOut).into(),
        Error::new(ErrorKind::RequestFailed).with_source(broken()).into(),
    ] {
        let (sent, seen) = send(RetryPolicy::article(), [Act::Fail(failure)]).await;
        assert!(sent.is_err());
        assert_eq!(seen.calls(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hint_is_the_least_wait_of_the_article() {
    let busy =
        |hint: &'static str| move |_| Ok(hinted(ErrorKind::RequestFailed, "retry-after", hint));
    let began = attempts(RetryPolicy::article(), busy("3")).await;
    assert_eq!(began, [0, 3, 6, 10].map(Duration::from_secs));
    let began = attempts(RetryPolicy::article(), busy("0")).await;
    assert_eq!(began, [0, 1, 3, 7].map(Duration::from_secs));
}

#[tokio::test(start_paused = true)]
async fn the_article_has_no_budget_and_no_deadline() {
    let (upstream, times) = timed(|_| Ok(hinted(ErrorKind::RateLimited, "retry-after", "60")));
    let service = RetryLayer::new(RetryPolicy::article()).layer(upstream);
    let sent = (0..300).map(|_| service.clone().oneshot(chat()));
    let sent = tokio::spawn(join_all(sent.collect::<Vec<_>>()));
    // Nobody is held back by the others' hints.
    tokio::time::sleep(SECOND).await;
    let late = tokio::spawn(service.clone().oneshot(chat()));
    for sent in sent.await.unwrap() {
        assert_eq!(should_retry(&sent.unwrap()), Some("false"));
    }
    assert_eq!(should_retry(&late.await.unwrap().unwrap()), Some("false"));
    let began = times.take();
    assert_eq!(began.len(), 301 * 4);
    assert!(began[..300].iter().all(Duration::is_zero));
    assert_eq!(began[300], SECOND);

    let patient = RetryPolicy::article().with_max_retries(12);
    let began = attempts(patient, |_| Ok(error(ErrorKind::System))).await;
    assert_eq!(began.last(), Some(&(SECOND * 4_095)));
}

#[tokio::test(start_paused = true)]
async fn faults_and_throttles_have_waits_of_their_own() {
    let wait = |seconds| Backoff::exponential(SECOND * seconds, SECOND * 60).without_jitter();
    let policy =
        || RetryPolicy::standard().with_fault_backoff(wait(1)).with_throttle_backoff(wait(10));
    for kind in [ErrorKind::System, ErrorKind::Unavailable, ErrorKind::RequestFailed] {
        let began = attempts(policy(), move |_| Ok(error(kind))).await;
        assert_eq!(began, [0, 1, 3, 7].map(Duration::from_secs), "{kind}");
    }
    for kind in [
        ErrorKind::RateLimited,
        ErrorKind::ConcurrencyLimited,
        ErrorKind::Overloaded,
        ErrorKind::StreamBusy,
    ] {
        let began = attempts(policy(), move |_| Ok(error(kind))).await;
        assert_eq!(began, [0, 10, 30, 70].map(Duration::from_secs), "{kind}");
    }
    // Both count the same retries.
    let kinds = [ErrorKind::System, ErrorKind::RateLimited, ErrorKind::System, ErrorKind::System];
    let began = attempts(policy(), move |attempt| Ok(error(kinds[attempt]))).await;
    assert_eq!(began, [0, 1, 21, 25].map(Duration::from_secs));
}

/// Returns the waits of many requests before each retry.
async fn waits(kind: ErrorKind, hint: Option<&'static str>) -> [Vec<Duration>; 3] {
    let mut waits = [const { Vec::new() }; 3];
    for seed in 0..200 {
        let policy = RetryPolicy::standard().with_seed(seed);
        let began = attempts(policy, move |_| {
            Ok(hint.map_or_else(|| error(kind), |hint| hinted(kind, "retry-after", hint)))
        })
        .await;
        for (retry, pair) in began.windows(2).enumerate() {
            waits[retry].push(pair[1] - pair[0]);
        }
    }
    waits
}

#[tokio::test(start_paused = true)]
async fn jitter_takes_any_time_up_to_the_step_and_comes_on_top_of_a_hint() {
    // A timer rounds up to a millisecond.
    let tick = Duration::from_millis(1);
    for (kind, hint, base) in [
        (ErrorKind::System, None, SECOND / 2),
        (ErrorKind::RateLimited, None, SECOND),
        (ErrorKind::Overloaded, Some("7"), SECOND),
        (ErrorKind::Unavailable, Some("7"), SECOND / 2),
    ] {
        let floor = if hint.is_some() { SECOND * 7 } else { Duration::ZERO };
        for (waits, factor) in waits(kind, hint).await.iter().zip([1, 2, 4]) {
            let step = base * factor;
            assert_eq!(waits.len(), 200);
            assert!(waits.iter().all(|wait| (floor..=floor + step + tick).contains(wait)));
            for quarter in 0..4 {
                let from = floor + step / 4 * quarter;
                let within =
                    waits.iter().filter(|it| (from..from + step / 4).contains(*it)).count();
                assert!((25..=75).contains(&within), "{kind}: {within} of 200 in {quarter}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_waits() {
    let policy = |seed| RetryPolicy::standard().with_seed(seed);
    let first = attempts(policy(7), |_| Ok(error(ErrorKind::System))).await;
    assert_eq!(attempts(policy(7), |_| Ok(error(ErrorKind::System))).await, first);
    assert_ne!(attempts(policy(8), |_| Ok(error(ErrorKind::System))).await, first);
}
