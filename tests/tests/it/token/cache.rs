//! The cache alone: when it fetches, who waits, and who is told of a failure.

use std::{pin::pin, sync::Arc};

use kimi_errors::{Error, ErrorKind};
use kimi_tower::token::{Freshness, StaticToken, Token, TokenCache};
use tokio::time::{Instant, advance, sleep, timeout};

use super::{HOUR, Numbered, SECOND};
use crate::woken::{Woken, poll};

#[tokio::test(start_paused = true)]
async fn a_token_is_fetched_once_and_kept_for_two_hours() {
    let provider = Numbered::new();
    let cache = provider.cache();
    assert_eq!(provider.fetches(), 0);
    for _ in 0..3 {
        let token = cache.token().await.unwrap();
        assert_eq!((token.header().to_str().unwrap(), token.generation()), ("Bearer T1", 1));
    }
    assert_eq!(provider.fetches(), 1);
    advance(HOUR * 2).await;
    assert_eq!(cache.token().await.unwrap().generation(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_old_token_is_served_until_its_end_while_it_cannot_be_refreshed() {
    let provider = Numbered::new().living(SECOND * 100);
    let cache = provider.cache();
    cache.token().await.unwrap();
    provider.fail(1_000);
    let start = Instant::now();
    // Once a second somebody asks, of which the last 10 to 20 each try to refresh it, and fail.
    while start.elapsed() < SECOND * 99 {
        advance(SECOND).await;
        assert_eq!(cache.token().await.unwrap().generation(), 1);
    }
    assert!((11..=22).contains(&provider.fetches()), "{}", provider.fetches());
    advance(SECOND).await;
    assert_eq!(cache.token().await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn a_failure_reaches_every_waiter_and_is_tried_again_after_the_pause() {
    let provider = Numbered::new().taking(SECOND);
    let cache = provider.cache();
    provider.fail(1);
    let waiting: Vec<_> = (0..100)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move { cache.token().await })
        })
        .collect();
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap().unwrap_err().kind(), ErrorKind::Unavailable);
    }
    // Within the pause nobody asks the provider, and whoever asks for a token is told how long it is.
    advance(SECOND / 4).await;
    let error = cache.token().await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Unavailable, Some(SECOND * 3 / 4)));
    assert_eq!(provider.fetches(), 1);
    advance(SECOND).await;
    assert_eq!(cache.token().await.unwrap().generation(), 1);
    assert_eq!(provider.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_may_leave_at_any_poll_and_the_fetch_goes_on() {
    // A fetch of 5 steps; the first to wait leaves after so many of its polls.
    for polls in 0..6 {
        let steps = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let cache = TokenCache::new(
            move || {
                let steps = Arc::clone(&steps);
                async move {
                    for _ in 0..5 {
                        steps.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        sleep(SECOND).await;
                    }
                    Token::parse("T")
                }
            },
            Freshness::new(),
        );
        let woken = Arc::new(Woken::default());
        let mut leaves = Box::pin(cache.token());
        let other = tokio::spawn({
            let cache = cache.clone();
            async move { cache.token().await.map(|token| token.generation()) }
        });
        for _ in 0..polls {
            if poll(leaves.as_mut(), &woken).is_ready() {
                break;
            }
            sleep(SECOND).await;
        }
        drop(leaves);
        let generation = timeout(SECOND * 6, other).await.expect("it goes on").unwrap();
        assert_eq!(generation.unwrap(), 1, "after {polls} polls");
    }
}

/// All who waited leave, and nobody polls the fetch until it should have been over.
#[tokio::test(start_paused = true)]
async fn what_nobody_waited_for_is_not_lost_and_its_time_out_is_nobody_s_error() {
    let woken = Arc::new(Woken::default());
    // In time or late: what has come is taken, though nobody has looked in time.
    for seconds in [5, 100] {
        let provider = Numbered::new().taking(SECOND * 3);
        let cache = provider.cache();
        assert!(poll(pin!(cache.token()), &woken).is_pending());
        advance(SECOND * seconds).await;
        assert_eq!(cache.token().await.unwrap().generation(), 1);
        assert_eq!(provider.fetches(), 1);
    }
    // One that takes for ever has its time again when somebody waits for it, and is then given up.
    let provider = Numbered::new().taking(HOUR);
    let cache = provider.cache();
    assert!(poll(pin!(cache.token()), &woken).is_pending());
    advance(SECOND * 100).await;
    let start = Instant::now();
    assert_eq!(cache.token().await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!((provider.fetches(), start.elapsed().as_secs()), (1, 15));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_panics_is_an_error_for_the_others() {
    let cache = TokenCache::new(
        || async {
            sleep(SECOND).await;
            panic!("canary");
            #[expect(unreachable_code, reason = "it says the type")]
            Token::parse("T")
        },
        Freshness::new(),
    );
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move { cache.token().await })
        })
        .collect();
    let mut panics = 0;
    for waiting in waiting {
        match waiting.await {
            Ok(outcome) => {
                let error = outcome.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::System);
                assert!(!format!("{error:?} {error}").contains("canary"));
            }
            Err(_) => panics += 1,
        }
    }
    assert_eq!(panics, 1);
    advance(SECOND).await;
    assert!(tokio::spawn(async move { cache.token().await }).await.is_err(), "it is asked again");
}

/// Of those who wait for a refresh one has a waker that panics: the others are woken.
#[tokio::test(start_paused = true)]
async fn a_waker_that_panics_keeps_nobody_waiting() {
    struct Panics;
    impl std::task::Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("canary");
        }
    }
    let provider = Numbered::new().taking(SECOND);
    let cache = provider.cache();
    let panics = std::task::Waker::from(Arc::new(Panics));
    let mut bad = pin!(cache.token());
    assert!(bad.as_mut().poll(&mut std::task::Context::from_waker(&panics)).is_pending());
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move { cache.token().await.map(|token| token.generation()) })
        })
        .collect();
    for waiting in waiting {
        let outcome = timeout(SECOND * 20, waiting).await.expect("it is woken").unwrap();
        assert_eq!(outcome.unwrap(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_never_changes_is_never_old() {
    let cache = TokenCache::new(StaticToken::new(Token::parse("k").unwrap()), Freshness::new());
    cache.token().await.unwrap();
    advance(HOUR * 100_000).await;
    assert_eq!(cache.token().await.unwrap().generation(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_s_own_wait_is_obeyed() {
    let cache = TokenCache::new(
        async || {
            let wait = SECOND * 10;
            Err::<Token, _>(Error::new(ErrorKind::RateLimited).with_retry_after(wait))
        },
        Freshness::new(),
    );
    let first = cache.token().await.unwrap_err();
    advance(SECOND * 9).await;
    let second = cache.token().await.unwrap_err();
    assert_eq!(first.kind(), second.kind());
}
