//! `HttpTokenProvider` against the scripted upstream, and against endpoints of kimi.com's forms.
#![expect(clippy::disallowed_types, reason = "a test of time is not what loom looks at")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use kimi_errors::{BoxError, Error, ErrorKind};
use kimi_testkit::{mock::Mock, script::Step};
use kimi_tower::token::{
    Freshness, HttpTokenProvider, RefreshToken, TokenCache, TokenLayer, TokenProvider,
};
use serde_json::json;
use tokio::time::{advance, sleep};
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

use super::SECOND;

pub(super) fn article(mock: &Mock) -> TokenCache<HttpTokenProvider<Mock, Full<Bytes>>> {
    let uri = Uri::from_static("http://upstream/api/token");
    TokenCache::new(HttpTokenProvider::article(mock.clone(), uri), Freshness::new().with_seed(1))
}

pub(super) fn hello() -> Request<Full<Bytes>> {
    let body = json!({"model": "kimi", "messages": [{"role": "user", "content": "x"}]});
    Request::post("http://upstream/api/chat")
        .header("content-type", "application/json")
        .body(Full::from(body.to_string()))
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_article_s_endpoint_gives_a_token_for_two_hours() {
    let mock = Mock::platform();
    let cache = article(&mock);
    let service = TokenLayer::new(cache.clone()).layer(mock.clone());
    for _ in 0..2 {
        assert_eq!(service.clone().oneshot(hello()).await.unwrap().status(), 200);
    }
    let token = &mock.requests()[0];
    assert_eq!((token.method().as_str(), mock.issued_tokens()), ("POST", 1));
    // The upstream forgets it: refused, refreshed, sent again.
    mock.expire_tokens();
    assert_eq!(service.clone().oneshot(hello()).await.unwrap().status(), 200);
    assert_eq!((mock.issued_tokens(), cache.token().await.unwrap().generation()), (2, 2));
    // And so it does by itself, 2 h later.
    advance(Duration::from_secs(7_200)).await;
    assert_eq!(service.oneshot(hello()).await.unwrap().status(), 200);
    assert_eq!(mock.issued_tokens(), 3);
}

/// The scripted upstream refuses in each of its dialects.
#[tokio::test(start_paused = true)]
async fn an_expired_token_is_replaced_whatever_the_dialect() {
    use kimi_errors::Dialect;
    for dialect in [Dialect::Errcode, Dialect::FreeApi, Dialect::OpenAi, Dialect::Compat] {
        let mock = Mock::platform().with_dialect(dialect);
        let service = TokenLayer::new(article(&mock)).layer(mock.clone());
        service.clone().oneshot(hello()).await.unwrap();
        mock.expire_tokens();
        let answer = service.oneshot(hello()).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&body).contains("choices"), "{dialect:?}");
        assert_eq!(mock.issued_tokens(), 2, "{dialect:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_endpoint_says_is_the_error_of_who_waits() {
    let mock = Mock::platform();
    mock.push(Step::fault("plat.overloaded")).unwrap();
    let service = TokenLayer::new(article(&mock)).layer(mock.clone());
    let error = service.clone().oneshot(hello()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    assert_eq!(error.retry_after(), Some(SECOND));
    advance(SECOND).await;
    assert_eq!(service.oneshot(hello()).await.unwrap().status(), 200);
}

/// An endpoint of kimi.com: a refresh token is good once, and another comes in its place.
#[derive(Clone, Default)]
struct Rotating {
    seen: Arc<Mutex<Vec<(String, String, String)>>>,
    issued: Arc<AtomicU32>,
}

impl Rotating {
    async fn answer(
        self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Full<Bytes>>, BoxError> {
        let (head, body) = request.into_parts();
        let body = String::from_utf8(body.collect().await?.to_bytes().to_vec())?;
        let credential =
            head.headers.get("authorization").map(|it| it.to_str().unwrap().to_owned());
        let method = head.method.to_string();
        self.seen.lock().unwrap().push((method, credential.unwrap_or_default(), body));
        let number = self.issued.fetch_add(1, SeqCst) + 1;
        sleep(SECOND / 10).await;
        let answer = json!({
            "access_token": format!("T{number}"),
            "refresh_token": format!("R{number}"),
            "expires_in": 900,
        });
        Ok(Response::new(Full::from(answer.to_string())))
    }
}

fn uri() -> Uri {
    Uri::from_static("http://auth/refresh")
}

#[tokio::test(start_paused = true)]
async fn each_form_is_asked_as_it_wants_to_be_and_with_the_newest_refresh_token() {
    let cases = [
        ("web", ("GET", "Bearer R0", ""), ("GET", "Bearer R1", "")),
        (
            "connect",
            ("POST", "", r#"{"refreshToken":"R0"}"#),
            ("POST", "", r#"{"refreshToken":"R1"}"#),
        ),
        (
            "oauth",
            ("POST", "", "grant_type=refresh_token&client_id=a%20b&refresh_token=R0"),
            ("POST", "", "grant_type=refresh_token&client_id=a%20b&refresh_token=R1"),
        ),
    ];
    for (form, first, second) in cases {
        let endpoint = Rotating::default();
        let answering = endpoint.clone();
        let client = service_fn(move |request| answering.clone().answer(request));
        let refresh = RefreshToken::new("R0");
        let provider = match form {
            "web" => HttpTokenProvider::web(client, uri(), refresh),
            "connect" => HttpTokenProvider::connect(client, uri(), refresh),
            _ => HttpTokenProvider::oauth(client, uri(), "a b", refresh),
        };
        for _ in 0..2 {
            provider.fetch().await.unwrap();
        }
        let seen = endpoint.seen.lock().unwrap();
        let seen: Vec<_> =
            seen.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str())).collect();
        assert_eq!(seen, [first, second], "{form}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_refresh_token_is_kept_before_its_token_is_used_and_is_never_lost() {
    let endpoint = Rotating::default();
    let answering = endpoint.clone();
    let client = service_fn(move |request| answering.clone().answer(request));
    let kept: Arc<Mutex<Vec<String>>> = Arc::default();
    let is_full = Arc::new(AtomicBool::new(true));
    let keep = {
        let (kept, is_full) = (kept.clone(), is_full.clone());
        move |token: &RefreshToken| {
            let token = token.expose().to_owned();
            let (kept, is_full) = (kept.clone(), is_full.clone());
            async move {
                if is_full.load(SeqCst) {
                    return Err(Error::new(ErrorKind::System));
                }
                kept.lock().unwrap().push(token);
                Ok(())
            }
        }
    };
    let provider =
        HttpTokenProvider::web(client, uri(), RefreshToken::new("R0")).with_persist(keep);
    // The disk is full: the token is not given to anybody, nor another asked for.
    for _ in 0..3 {
        assert!(provider.fetch().await.is_err());
        assert_eq!((endpoint.issued.load(SeqCst), kept.lock().unwrap().len()), (1, 0));
    }
    is_full.store(false, SeqCst);
    assert_eq!(provider.fetch().await.unwrap().header(), "Bearer T1");
    assert_eq!(
        (endpoint.issued.load(SeqCst), kept.lock().unwrap().join(",")),
        (1, "R1".to_owned())
    );
    assert_eq!(provider.fetch().await.unwrap().header(), "Bearer T2");
    assert_eq!(kept.lock().unwrap().last().unwrap(), "R2");
}

/// Whoever asked goes in the midst of it, at any of its polls.
#[tokio::test(start_paused = true)]
async fn a_refresh_token_that_comes_when_nobody_waits_is_not_lost() {
    use crate::woken::{Woken, poll};
    let endpoint = Rotating::default();
    let answering = endpoint.clone();
    let client = service_fn(move |request| answering.clone().answer(request));
    let cache = TokenCache::new(
        HttpTokenProvider::web(client, uri(), RefreshToken::new("R0")),
        Freshness::new(),
    );
    let woken = Arc::new(Woken::default());
    assert!(poll(std::pin::pin!(cache.token()), &woken).is_pending());
    advance(SECOND).await;
    assert_eq!(cache.token().await.unwrap().header(), "Bearer T1");
    cache.refuse(1);
    assert_eq!(cache.token().await.unwrap().header(), "Bearer T2");
    let seen = endpoint.seen.lock().unwrap();
    assert_eq!(seen.iter().map(|it| it.1.as_str()).collect::<Vec<_>>(), ["Bearer R0", "Bearer R1"]);
}

/// A client that gets to send long after it was asked to, when nobody had waited for it: the refresh
/// token has gone out then, and the answer is waited for.
#[tokio::test(start_paused = true)]
async fn a_refresh_token_that_is_sent_late_is_not_given_up_at_once() {
    use crate::woken::{Woken, poll};
    let endpoint = Rotating::default();
    let answering = endpoint.clone();
    let client = service_fn(move |request| {
        let answering = answering.clone();
        async move {
            // The connection.
            sleep(SECOND).await;
            answering.answer(request).await
        }
    });
    let refresh = RefreshToken::new("R0");
    let cache = TokenCache::new(HttpTokenProvider::web(client, uri(), refresh), Freshness::new());
    let woken = Arc::new(Woken::default());
    for _ in 0..2 {
        assert_eq!(endpoint.issued.load(SeqCst), 0);
        assert!(poll(std::pin::pin!(cache.token()), &woken).is_pending());
        advance(SECOND * 100).await;
    }
    assert_eq!(endpoint.issued.load(SeqCst), 1, "it has been sent");
    assert_eq!(cache.token().await.unwrap().header(), "Bearer T1");
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_an_end_is_given_up() {
    use kimi_testkit::probe::ProbeBody;
    let endless = || ProbeBody::chunks((0..70).map(|_| vec![b' '; 1024]));
    let client = service_fn(move |_: Request<Full<Bytes>>| async move {
        Ok::<_, BoxError>(Response::new(endless()))
    });
    let provider = HttpTokenProvider::article(client, uri());
    assert_eq!(provider.fetch().await.unwrap_err().kind(), ErrorKind::BadGateway);
}
