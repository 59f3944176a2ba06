//! For how long a token of several rests.

use std::time::Duration;

use kimi_errors::ErrorKind;
use kimi_testkit::probe::{Act, Probe};
use kimi_tower::token::{TokenLayer, TokenPool};
use tokio::time::advance;
use tower::ServiceExt as _;
use tower_layer::Layer as _;

use super::{
    Numbered, SECOND, chat, error,
    pool::{in_turn, limited, sent},
    refusal,
};

#[tokio::test(start_paused = true)]
async fn a_limited_token_rests_until_the_time_it_was_told() {
    for kind in [ErrorKind::RateLimited, ErrorKind::ConcurrencyLimited, ErrorKind::UsageLimited] {
        let (probe, seen) = Probe::new([limited(kind, "30")]);
        let pool = TokenPool::parse("T1,T2", in_turn()).unwrap();
        let service = TokenLayer::new(pool).layer(probe);
        // It is not sent again here.
        let answer = service.clone().oneshot(chat()).await.unwrap();
        assert_eq!(answer.status(), 429);
        for _ in 0..3 {
            service.clone().oneshot(chat()).await.unwrap();
        }
        assert_eq!(sent(&seen), ["T1", "T2", "T2", "T2"], "{kind:?}");
        advance(SECOND * 30).await;
        for _ in 0..2 {
            service.clone().oneshot(chat()).await.unwrap();
        }
        assert!(sent(&seen).contains(&"T1".to_owned()), "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_limited_token_whose_time_is_not_told_rests_as_its_kind_does() {
    let cases = [
        (ErrorKind::RateLimited, 1),
        (ErrorKind::ConcurrencyLimited, 1),
        (ErrorKind::UsageLimited, 600),
        (ErrorKind::QuotaExhausted, 600),
    ];
    for (kind, seconds) in cases {
        let (probe, seen) = Probe::new([Act::Answer(error(kind))]);
        let service = TokenLayer::new(TokenPool::parse("T1,T2", in_turn()).unwrap()).layer(probe);
        service.clone().oneshot(chat()).await.unwrap();
        advance(SECOND * seconds - SECOND / 10).await;
        for _ in 0..2 {
            service.clone().oneshot(chat()).await.unwrap();
        }
        assert_eq!(sent(&seen), ["T1", "T2", "T2"], "{kind:?}");
        advance(SECOND / 10).await;
        for _ in 0..2 {
            service.clone().oneshot(chat()).await.unwrap();
        }
        assert!(sent(&seen).contains(&"T1".to_owned()), "{kind:?}");
    }
}

/// Each fetch gives another token, and the service takes none of them: the account is banned.
#[tokio::test(start_paused = true)]
async fn an_account_of_which_no_token_is_taken_is_dead_however_long_a_refresh_takes() {
    for takes in [Duration::ZERO, SECOND * 3] {
        let (banned, good) = (Numbered::new().taking(takes), Numbered::new());
        let pool = TokenPool::new([banned.cache(), good.cache()], in_turn());
        let (probe, _) = Probe::new([refusal(), refusal()]);
        let service = TokenLayer::new(pool).layer(probe);
        for _ in 0..20 {
            let _ = service.clone().oneshot(chat()).await;
            advance(SECOND).await;
        }
        assert!(banned.fetches() <= 2, "{} {takes:?}", banned.fetches());
    }
}

#[tokio::test(start_paused = true)]
async fn no_rest_is_a_short_one_and_no_answer_has_a_token_rest_for_years() {
    let policy = in_turn().with_dead_rest(Duration::ZERO);
    let (probe, seen) = Probe::new([refusal(), refusal()]);
    let service = TokenLayer::new(TokenPool::parse("T1,T2", policy).unwrap()).layer(probe);
    service.clone().oneshot(chat()).await.unwrap();
    assert_eq!(seen.calls(), 2);
    let (probe, seen) = Probe::new([limited(ErrorKind::RateLimited, "99999999")]);
    let service = TokenLayer::new(TokenPool::parse("T1,T2", in_turn()).unwrap()).layer(probe);
    for _ in 0..3 {
        service.clone().oneshot(chat()).await.unwrap();
    }
    assert_eq!(sent(&seen), ["T1", "T2", "T2"]);
    advance(Duration::from_secs(24 * 60 * 60)).await;
    for _ in 0..2 {
        service.clone().oneshot(chat()).await.unwrap();
    }
    assert!(sent(&seen).contains(&"T1".to_owned()));
}
