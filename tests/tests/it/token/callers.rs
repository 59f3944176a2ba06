//! The tokens that callers send: whose they are, how many are known, and which are forgotten.

use std::{future::pending, pin::Pin, sync::Arc, time::Duration};

use http::{Request, header::AUTHORIZATION};
use kimi_errors::{Error, ErrorKind};
use kimi_testkit::probe::{Probe, ProbeBody};
use kimi_tower::token::{CallerTokens, Freshness, StaticToken, Token, TokenLayer, TokenProvider};
use tokio::time::advance;
use tower::ServiceExt as _;
use tower_layer::Layer as _;

use super::{
    SECOND, chat,
    pool::{in_turn, sent},
    refusal,
};
use crate::woken::{Woken, poll};

fn callers(
    max_tokens: usize,
) -> CallerTokens<StaticToken, impl Fn(&str) -> Result<StaticToken, Error> + Clone> {
    let make = |text: &str| Ok(StaticToken::new(Token::parse(text)?));
    CallerTokens::new(make, Freshness::new(), in_turn(), max_tokens)
}

fn from(list: &str) -> Request<ProbeBody> {
    let mut request = chat();
    request.headers_mut().insert(AUTHORIZATION, list.parse().unwrap());
    request
}

#[tokio::test(start_paused = true)]
async fn a_caller_s_tokens_are_its_own_and_one_of_them_is_sent() {
    let (probe, seen) = Probe::new([refusal()]);
    let service = TokenLayer::new(callers(10)).replacing().layer(probe);
    service.clone().oneshot(from("Bearer T1,T2")).await.unwrap();
    // T1 is dead, which counts for the next caller, too, unless it has no other.
    service.clone().oneshot(from("bearer T1, T3")).await.unwrap();
    service.clone().oneshot(from("Bearer T1")).await.unwrap();
    assert_eq!(sent(&seen), ["T1", "T2", "T3", "T1"]);
    for none in [chat(), from("Bearer"), from("Bearer ,")] {
        let error = service.clone().oneshot(none).await.unwrap_err();
        assert_eq!((error.kind(), seen.calls()), (ErrorKind::InvalidCredentials, 4));
    }
}

#[tokio::test(start_paused = true)]
async fn the_tokens_of_callers_take_bounded_memory_and_idle_ones_leave() {
    let source = callers(100);
    let (probe, _) = Probe::new([]);
    let service = TokenLayer::new(source.clone()).replacing().layer(probe);
    for number in 0..1_000 {
        let list = format!("Bearer T{number},U{number}");
        service.clone().oneshot(from(&list)).await.unwrap();
        assert!(source.known() <= 100);
        advance(SECOND).await;
    }
    assert_eq!(source.known(), 100);
    // All are idle for so long that the next that comes has them forgotten.
    advance(Duration::from_secs(7_200)).await;
    service.clone().oneshot(from("Bearer N")).await.unwrap();
    assert_eq!(source.known(), 1);
}

/// A provider of tokens whose loss could not be made good, and one of which nothing ever comes.
#[derive(Clone)]
struct Kept(Option<&'static str>);

impl TokenProvider for Kept {
    type Future = Pin<Box<dyn Future<Output = Result<Token, Error>> + Send>>;

    fn fetch(&self) -> Self::Future {
        match self.0 {
            Some(text) => Box::pin(async move { Token::parse(text) }),
            None => Box::pin(pending()),
        }
    }

    fn is_replaceable(&self) -> bool {
        self.0.is_none()
    }
}

#[tokio::test(start_paused = true)]
async fn strangers_push_out_no_token_whose_loss_could_not_be_made_good() {
    let make = |text: &str| Ok(Kept(text.starts_with("good").then_some("T")));
    let source = CallerTokens::new(make, Freshness::new(), in_turn(), 3);
    let (probe, _) = Probe::new([]);
    let service = TokenLayer::new(source.clone()).replacing().layer(probe);
    for good in ["Bearer good1", "Bearer good2"] {
        service.clone().oneshot(from(good)).await.unwrap();
    }
    // A stranger's refresh hangs, and those of more cannot begin; then it has gone, which is as long.
    let woken = Arc::new(Woken::default());
    let mut stranger = Box::pin(service.clone().oneshot(from("Bearer bad1")));
    assert!(poll(stranger.as_mut(), &woken).is_pending());
    for is_gone in [false, true] {
        let error = service.clone().oneshot(from("Bearer good3")).await.unwrap_err();
        assert_eq!((error.kind(), source.known()), (ErrorKind::Overloaded, 3), "{is_gone}");
        if !is_gone {
            stranger = Box::pin(service.clone().oneshot(from("Bearer good1")));
        }
    }
    drop(stranger);
    // A minute later the stranger's gives way, but to one token, and not to another after it.
    advance(SECOND * 60).await;
    service.clone().oneshot(from("Bearer good3")).await.unwrap();
    advance(Duration::from_secs(29 * 24 * 60 * 60)).await;
    let error = service.clone().oneshot(from("Bearer good4")).await.unwrap_err();
    assert_eq!((error.kind(), source.known()), (ErrorKind::Overloaded, 3));
    advance(Duration::from_secs(24 * 60 * 60)).await;
    service.clone().oneshot(from("Bearer good4")).await.unwrap();
    assert_eq!(source.known(), 1);
}
