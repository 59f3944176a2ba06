//! Canaries: no token is in an event, an error or a `Debug`.

use bytes::Bytes;
use http::{Request, Response, Uri, header::AUTHORIZATION};
use http_body_util::Full;
use kimi_errors::{BoxError, Error};
use kimi_testkit::probe::{Act, Probe};
use kimi_tower::token::{
    CallerTokens, Freshness, HttpTokenProvider, PoolPolicy, RefreshToken, StaticToken, Token,
    TokenCache, TokenLayer, TokenPool,
};
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;
use tower_service::Service as _;

use super::{answer, chat, refusal};
use crate::events::Events;

const CANARY: &str = "CaNaRy0";

fn assert_clean(what: impl std::fmt::Debug) {
    let shown = format!("{what:?} {what:#?}");
    assert!(!shown.contains(CANARY), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn no_debug_shows_a_token() {
    let token = Token::parse(CANARY).unwrap();
    let fixed = StaticToken::new(token.clone());
    let cache = TokenCache::new(fixed.clone(), Freshness::new());
    let pool = TokenPool::parse(&format!("{CANARY}1,{CANARY}2"), PoolPolicy::new()).unwrap();
    let make = |text: &str| Ok::<_, Error>(StaticToken::new(Token::parse(text)?));
    let callers = CallerTokens::new(make, Freshness::new(), PoolPolicy::new(), 10);
    let client = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, BoxError>(Response::new(Full::<Bytes>::default()))
    });
    let uri: Uri = format!("http://u:{CANARY}@h/?{CANARY}").parse().unwrap();
    let refresh = RefreshToken::new(CANARY);
    assert_clean((&token, &fixed, &refresh));
    assert_clean(HttpTokenProvider::<_, Full<Bytes>>::oauth(client, uri, CANARY, refresh));
    assert_clean(cache.token());
    assert_clean(cache.token().await.unwrap());
    assert_clean((&cache, &pool, &callers));
    let (probe, _) = Probe::new([Act::Answer(answer(200, "text/plain", ""))]);
    let mut request = chat();
    let own = format!("Bearer {CANARY}").parse().unwrap();
    request.headers_mut().insert(AUTHORIZATION, own);
    let layer = TokenLayer::new(callers.clone()).replacing();
    assert_clean(&layer);
    let mut service = layer.layer(probe);
    std::future::poll_fn(|cx| {
        tower_service::Service::<Request<kimi_testkit::probe::ProbeBody>>::poll_ready(
            &mut service,
            cx,
        )
    })
    .await
    .unwrap();
    let future = service.call(request);
    assert_clean(&future);
    future.await.unwrap();
    assert_clean(&callers);
}

#[tokio::test(start_paused = true)]
async fn no_event_and_no_error_shows_a_token() {
    let events = Events::listen();
    // Refused, refreshed, refused again; of a pool one after another; and an endpoint that repeats
    // what it was sent.
    let cache = TokenCache::new(async || Token::parse(CANARY), Freshness::new());
    let pool = TokenPool::parse(&format!("{CANARY}1,{CANARY}2"), PoolPolicy::new()).unwrap();
    let (probe, _) = Probe::new((0..9).map(|_| refusal()));
    TokenLayer::new(cache).layer(probe.clone()).oneshot(chat()).await.unwrap();
    let service = TokenLayer::new(pool).layer(probe);
    for _ in 0..3 {
        if let Err(error) = service.clone().oneshot(chat()).await {
            assert_clean((&error, error.to_string()));
        }
    }
    for said in [
        format!(r#"{{"errcode":-2002,"errmsg":"refresh_token={CANARY}"}}"#),
        format!(r#"{{"error":"invalid_grant","error_description":"{CANARY}"}}"#),
        format!(r#"{{"errcode":0,"data":{{"token":"{CANARY} x"}}}}"#),
        CANARY.to_owned(),
    ] {
        let said = Bytes::from(said);
        let client = service_fn(move |_: Request<Full<Bytes>>| {
            let said = said.clone();
            async { Ok::<_, BoxError>(Response::new(Full::from(said))) }
        });
        let uri = Uri::from_static("http://auth/");
        let refresh = RefreshToken::new(CANARY);
        let cache = TokenCache::new(
            HttpTokenProvider::<_, Full<Bytes>>::web(client, uri, refresh),
            Freshness::new(),
        );
        let error = cache.token().await.unwrap_err();
        assert_clean((&error, error.to_string()));
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            assert_clean((cause, cause.to_string()));
            source = cause.source();
        }
    }
    let heard = events.take();
    assert!(heard.iter().any(|line| line.contains("sent again with another token")), "{heard:?}");
    assert!(heard.iter().any(|line| line.contains("dead")), "{heard:?}");
    assert!(heard.iter().any(|line| line.contains("could not be refreshed")), "{heard:?}");
    assert_clean(heard);
}
