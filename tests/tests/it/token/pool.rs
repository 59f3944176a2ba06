//! Several tokens: which is sent, which rests, and when the first is back.

use bytes::Bytes;
use http::{HeaderValue, Request, header::AUTHORIZATION};
use http_body_util::Full;
use kimi_errors::ErrorKind;
use kimi_testkit::{
    mock::{EXPIRED_TOKEN, Mock},
    probe::{Act, Probe, Seen},
};
use kimi_tower::token::{Choice, PoolPolicy, StaticToken, TokenCache, TokenLayer, TokenPool};
use tokio::time::advance;
use tower::ServiceExt as _;
use tower_layer::Layer as _;

use super::{Numbered, SECOND, chat, error, refusal};

pub(super) fn in_turn() -> PoolPolicy {
    PoolPolicy::new().with_choice(Choice::RoundRobin)
}

pub(super) fn sent(seen: &Seen) -> Vec<String> {
    let requests = seen.take_requests();
    requests
        .iter()
        .map(|it| it.head.headers[AUTHORIZATION].to_str().unwrap().replace("Bearer ", ""))
        .collect()
}

/// The answer to a token that is limited for so long.
pub(super) fn limited(kind: ErrorKind, seconds: &'static str) -> Act {
    let mut answer = error(kind);
    answer.headers_mut().insert("retry-after", HeaderValue::from_static(seconds));
    Act::Answer(answer)
}

#[tokio::test(start_paused = true)]
async fn a_list_is_split_and_its_tokens_take_turns() {
    let (probe, seen) = Probe::new([]);
    let pool = TokenPool::parse("Bearer T1, T2,T3,", in_turn()).unwrap();
    let service = TokenLayer::new(pool).layer(probe);
    for _ in 0..4 {
        service.clone().oneshot(chat()).await.unwrap();
    }
    assert_eq!(sent(&seen), ["T1", "T2", "T3", "T1"]);
    for list in ["", "Bearer ", " , ", "a b"] {
        let error = TokenPool::parse(list, in_turn()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCredentials, "{list:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_token_gives_way_at_once_and_rests() {
    let (probe, seen) = Probe::new([refusal()]);
    let pool = TokenPool::parse("T1,T2", in_turn()).unwrap();
    let service = TokenLayer::new(pool).layer(probe);
    for _ in 0..3 {
        assert_eq!(service.clone().oneshot(chat()).await.unwrap().status(), 200);
    }
    assert_eq!(sent(&seen), ["T1", "T2", "T2", "T2"]);
    // After ten minutes it is tried again.
    advance(SECOND * 601).await;
    service.clone().oneshot(chat()).await.unwrap();
    service.oneshot(chat()).await.unwrap();
    assert!(sent(&seen).contains(&"T1".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn if_all_rest_the_error_says_when_the_first_is_back() {
    let (probe, seen) =
        Probe::new([limited(ErrorKind::RateLimited, "50"), limited(ErrorKind::RateLimited, "20")]);
    let pool = TokenPool::parse("canary1,canary2", in_turn()).unwrap();
    let service = TokenLayer::new(pool).layer(probe);
    for _ in 0..2 {
        service.clone().oneshot(chat()).await.unwrap();
    }
    let error = service.clone().oneshot(chat()).await.unwrap_err();
    assert_eq!((error.kind(), seen.calls()), (ErrorKind::Unavailable, 2));
    assert_eq!(error.retry_after(), Some(SECOND * 20));
    assert!(error.message().contains("20 s") && error.message().contains("20 秒"));
    assert!(!format!("{error:?} {error}").contains("canary"));
    advance(SECOND * 20).await;
    service.oneshot(chat()).await.unwrap();
    assert_eq!(sent(&seen), ["canary1", "canary2", "canary2"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_can_be_refreshed_is_and_one_whose_refresh_fails_gives_way() {
    let (good, bad) = (Numbered::new(), Numbered::new());
    bad.fail(100);
    let pool = TokenPool::new([bad.cache(), good.cache()], in_turn());
    let (probe, seen) = Probe::new([refusal()]);
    let service = TokenLayer::new(pool).layer(probe);
    service.clone().oneshot(chat()).await.unwrap();
    assert_eq!(sent(&seen), ["T1", "T2"]);
    assert_eq!((bad.fetches(), good.fetches()), (1, 2));
    // The bad one rests for a while before it is tried again.
    service.clone().oneshot(chat()).await.unwrap();
    service.clone().oneshot(chat()).await.unwrap();
    assert_eq!(bad.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_least_limited_is_the_one_that_was_limited_the_longest_time_ago() {
    let policy = PoolPolicy::new().with_choice(Choice::LeastLimited);
    let (probe, seen) = Probe::new([limited(ErrorKind::RateLimited, "1")]);
    let pool = TokenPool::parse("T1,T2", policy).unwrap();
    let service = TokenLayer::new(pool).layer(probe);
    service.clone().oneshot(chat()).await.unwrap();
    advance(SECOND * 100).await;
    for _ in 0..3 {
        service.clone().oneshot(chat()).await.unwrap();
    }
    let sent = sent(&seen);
    assert!(sent[1..].iter().all(|it| *it != sent[0]), "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn any_means_any() {
    let (probe, seen) = Probe::new([]);
    let pool = TokenPool::parse("T1,T2,T3", PoolPolicy::new().with_seed(1)).unwrap();
    let service = TokenLayer::new(pool).layer(probe);
    for _ in 0..300 {
        service.clone().oneshot(chat()).await.unwrap();
    }
    let sent = sent(&seen);
    for token in ["T1", "T2", "T3"] {
        let count = sent.iter().filter(|it| *it == token).count();
        assert!((70..130).contains(&count), "{token} {count}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pool_is_kept_fresh() {
    let providers = [(); 3].map(|()| Numbered::new().taking(SECOND).living(SECOND * 100));
    let pool = TokenPool::new(providers.each_ref().map(Numbered::cache), in_turn());
    let keeps = tokio::spawn({
        let pool = pool.clone();
        async move { pool.keep_fresh().await }
    });
    tokio::time::sleep(SECOND * 1_000).await;
    for provider in providers {
        assert!((10..=14).contains(&provider.fetches()), "{}", provider.fetches());
    }
    keeps.abort();
}

/// What kimi-free-api does, without its fault: it sends a dead token as often as a live one.
#[tokio::test(start_paused = true)]
async fn with_a_dead_token_among_three_every_request_is_answered() {
    let mock = Mock::free_api();
    let list = format!("{EXPIRED_TOKEN},sk-1,sk-2");
    let pool = TokenPool::parse(&list, PoolPolicy::new().with_seed(3)).unwrap();
    let service = TokenLayer::new(pool).layer(mock.clone());
    for _ in 0..50 {
        let request: Request<Full<Bytes>> = super::provider::hello();
        let answer = service.clone().oneshot(request).await.unwrap();
        use http_body_util::BodyExt as _;
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(!body.windows(7).any(|it| it == b"\"code\":"), "{body:?}");
    }
    assert!(mock.request_count() <= 51);
}

#[tokio::test(start_paused = true)]
async fn the_only_token_does_not_rest() {
    let acts = [limited(ErrorKind::RateLimited, "50"), refusal(), refusal()];
    let (probe, seen) = Probe::new(acts);
    let pool = TokenPool::parse("T1", in_turn()).unwrap();
    let service = TokenLayer::new(pool).layer(probe);
    for status in [429, 401, 401, 200] {
        assert_eq!(service.clone().oneshot(chat()).await.unwrap().status(), status);
    }
    assert_eq!(seen.calls(), 4);
    // Nor is the error of its refresh hidden behind another.
    let provider = Numbered::new();
    provider.fail(2);
    let pool = TokenPool::new([provider.cache()], in_turn());
    let (probe, _) = Probe::new([]);
    let service = TokenLayer::new(pool).layer(probe);
    for wait in [None, Some(SECOND)] {
        let error = service.clone().oneshot(chat()).await.unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Unavailable, wait));
        assert!(!error.message().contains("token"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pool_of_none_refuses() {
    let pool = TokenPool::<StaticToken>::new(Vec::<TokenCache<_>>::new(), in_turn());
    let (probe, seen) = Probe::new([]);
    let error = TokenLayer::new(pool).layer(probe).oneshot(chat()).await.unwrap_err();
    assert_eq!((error.kind(), seen.calls()), (ErrorKind::InvalidCredentials, 0));
}
