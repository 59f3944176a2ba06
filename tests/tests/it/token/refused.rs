//! What follows a refusal: one refresh, one more attempt, and no third.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::SeqCst},
};

use bytes::Bytes;
use http::{HeaderName, Request, Response, header::AUTHORIZATION};
use http_body_util::BodyExt as _;
use kimi_errors::{BoxError, Dialect, Error, ErrorKind};
use kimi_testkit::probe::{Act, Beat, Probe, ProbeBody, Seen};
use kimi_tower::{
    replay::ReplayLimits,
    token::{Freshness, ResponseBody, TokenLayer},
};
use tokio::time::sleep;
use tower::ServiceExt as _;
use tower_layer::Layer as _;

use super::{Numbered, SECOND, answer, chat, error, refusal};

type Answer = Result<Response<ResponseBody<ProbeBody>>, Error>;

async fn send(acts: impl IntoIterator<Item = Act>) -> (Answer, Seen, u32) {
    let provider = Numbered::new();
    let (probe, seen) = Probe::new(acts);
    let sent = TokenLayer::new(provider.cache()).layer(probe).oneshot(chat()).await;
    (sent, seen, provider.fetches())
}

/// The same error, whatever the service is.
#[tokio::test(start_paused = true)]
async fn every_form_of_a_refusal_has_the_token_refreshed_and_the_request_sent_again() {
    const JSON: &str = "application/json";
    let forms = [
        (401, "text/plain", ""),
        (401, "text/html", "<html>401 Authorization Required</html>"),
        (401, JSON, r#"{"errcode":-2002,"errmsg":"Token已失效","data":null}"#),
        (200, JSON, r#"{"code":-2002,"message":"Token已失效","data":null}"#),
        (200, JSON, r#"{"errcode":-2002,"errmsg":"Token已失效","data":null}"#),
        (200, JSON, r#"{"code":-2001,"message":"请求失败","data":null}"#),
        (200, "text/event-stream", "data: {\"code\":-2002,\"message\":\"Token已失效\"}\n\n"),
        (
            401,
            JSON,
            r#"{"error_type":"auth.token.invalid","message":"您的授权已过期，请重新登录"}"#,
        ),
        (
            401,
            JSON,
            r#"{"error":{"type":"invalid_authentication_error","message":"Invalid Authentication"}}"#,
        ),
        (
            401,
            JSON,
            r#"{"error":{"type":"incorrect_api_key_error","message":"Incorrect API key provided"}}"#,
        ),
        (401, JSON, r#"{"code":"unauthenticated","message":"invalid user token: token expired"}"#),
    ];
    for (status, content_type, body) in forms {
        let (sent, seen, fetches) = send([Act::Answer(answer(status, content_type, body))]).await;
        assert_eq!(sent.unwrap().status(), 200, "{status} {body}");
        let requests = seen.take_requests();
        let credentials: Vec<_> =
            requests.iter().map(|it| it.head.headers[AUTHORIZATION].to_str().unwrap()).collect();
        assert_eq!(credentials, ["Bearer T1", "Bearer T2"], "{status} {body}");
        assert!(requests.iter().all(|it| it.body == "{}"));
        assert_eq!((fetches, seen.unready_calls()), (2, 0));
    }
    // A layer within may have read the answer.
    let (sent, seen, _) = send([Act::Fail(Error::new(ErrorKind::TokenExpired).into())]).await;
    assert_eq!((sent.unwrap().status().as_u16(), seen.calls()), (200, 2));
}

#[tokio::test(start_paused = true)]
async fn a_second_refusal_is_the_caller_s_and_nothing_loops() {
    let (sent, seen, fetches) = send((0..10).map(|_| refusal())).await;
    let refused = sent.unwrap();
    assert_eq!((refused.status().as_u16(), seen.calls(), fetches), (401, 2, 2));
    let body = refused.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, Dialect::Errcode.response(&Error::new(ErrorKind::TokenExpired)).into_body());
}

/// A service that refuses whatever it is sent has one refresh a second, not one a request.
#[tokio::test(start_paused = true)]
async fn a_service_that_refuses_everything_does_not_have_every_request_refresh() {
    let provider = Numbered::new();
    let (probe, seen) = Probe::new((0..1_000).map(|_| refusal()));
    let service = TokenLayer::new(provider.cache()).layer(probe);
    for _ in 0..100 {
        let refused = service.clone().oneshot(chat()).await.unwrap();
        assert_eq!(refused.status(), 401);
        tokio::time::advance(SECOND / 10).await;
    }
    assert!((10..=12).contains(&provider.fetches()), "{}", provider.fetches());
    assert!(seen.calls() <= 112, "{}", seen.calls());
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_fails_leaves_the_answer_as_it_came() {
    let provider = Numbered::new();
    let (probe, seen) =
        Probe::new([Act::Answer(answer(200, "text/plain", "")), refusal(), refusal()]);
    let service = TokenLayer::new(provider.cache()).layer(probe);
    service.clone().oneshot(chat()).await.unwrap();
    provider.fail(1);
    let refused = service.clone().oneshot(chat()).await.unwrap();
    assert_eq!((refused.status().as_u16(), seen.calls()), (401, 2));
    let body = refused.into_body().collect().await.unwrap().to_bytes();
    let said = error(ErrorKind::TokenExpired).into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, said);
    // Whoever comes next within the pause is not sent with a token that was refused.
    let error = service.clone().oneshot(chat()).await.unwrap_err();
    assert_eq!((error.kind(), seen.calls()), (ErrorKind::Unavailable, 2));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_again_is_answered_and_the_next_has_a_new_token() {
    let provider = Numbered::new();
    let (probe, seen) = Probe::new([refusal()]);
    let limits = ReplayLimits::new().with_max_bytes(3);
    let service = TokenLayer::new(provider.cache()).with_replay(limits).layer(probe);
    let long = Request::post("/").body(ProbeBody::chunks(["four", "more"])).unwrap();
    let refused = service.clone().oneshot(long).await.unwrap();
    assert_eq!((refused.status().as_u16(), seen.calls()), (401, 1));
    // Begun by the one that has no use of it.
    assert_eq!(provider.fetches(), 2);
    service.oneshot(chat()).await.unwrap();
    assert_eq!(seen.take_requests()[1].head.headers[AUTHORIZATION], "Bearer T2");
}

#[tokio::test(start_paused = true)]
async fn the_request_is_the_same_but_for_its_token() {
    let provider = Numbered::new();
    let (probe, seen) = Probe::new([refusal()]);
    let service = TokenLayer::new(provider.cache()).layer(probe);
    let field = HeaderName::from_static("x-caller");
    let request = Request::put("http://upstream/a?b=c")
        .header(&field, "one")
        .extension(7_u8)
        .body(ProbeBody::chunks([Bytes::from("a"), Bytes::from("bc")]))
        .unwrap();
    service.oneshot(request).await.unwrap();
    let requests = seen.take_requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert_eq!(request.head.uri, "http://upstream/a?b=c");
        assert_eq!((request.head.method.as_str(), &*request.body), ("PUT", &b"abc"[..]));
        assert_eq!(request.head.headers[&field], "one");
        assert_eq!(request.head.extensions.get::<u8>(), Some(&7));
    }
}

/// The answer that is kept meanwhile may hold what the service is waiting for.
#[tokio::test(start_paused = true)]
async fn a_refusal_whose_body_is_not_over_is_handed_on_rather_than_waiting_for_the_service() {
    use kimi_testkit::probe::Readiness;
    let provider = Numbered::new();
    let mut endless = error(ErrorKind::TokenExpired);
    *endless.body_mut() = ProbeBody::chunks(["{\"errcode\":-2002}"]).then(Beat::Hang);
    let (probe, seen) = Probe::new([Act::Answer(endless)]);
    // Once by the caller, once after the token came.
    let probe = probe.with_readiness([Readiness::Ready, Readiness::Ready, Readiness::Pending]);
    let service = TokenLayer::new(provider.cache()).layer(probe);
    let sent = tokio::time::timeout(SECOND * 60, service.oneshot(chat()));
    let refused = sent.await.expect("it does not wait").unwrap();
    assert_eq!((refused.status().as_u16(), seen.calls()), (401, 1));
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_service_is_not_a_refusal() {
    let boom: BoxError = "boom".into();
    let (sent, seen, fetches) = send([Act::Fail(boom)]).await;
    assert_eq!(sent.unwrap_err().kind(), ErrorKind::System);
    assert_eq!((seen.calls(), fetches), (1, 1));
}

/// Every order in which late refusals of old tokens can come in: 10^5 of them.
#[tokio::test(start_paused = true)]
async fn a_late_refusal_of_an_old_token_never_takes_away_the_new() {
    let provider = Numbered::new();
    let cache = provider.cache_with(Freshness::new().with_pause(std::time::Duration::ZERO));
    let mut newest = cache.token().await.unwrap().generation();
    let mut random = 1_u64;
    let mut taken = 0;
    for _ in 0..100_000 {
        // SplitMix's multiplier; any sequence will do.
        random = random.wrapping_mul(0xbf58_476d_1ce4_e5b9).wrapping_add(11);
        let refused = newest.saturating_sub(random >> 62).max(1);
        let is_taken = cache.refuse(refused);
        assert_eq!(is_taken, refused == newest);
        taken += u64::from(is_taken);
        let token = cache.token().await.unwrap();
        assert_eq!(token.generation(), newest + u64::from(is_taken));
        newest = token.generation();
    }
    assert_eq!(u64::from(provider.fetches()), taken + 1);
    assert!(taken > 10_000, "{taken}");
}

/// The same, but the refusals come in while refreshes are under way, from tasks that hold tokens of
/// any age.
#[tokio::test(start_paused = true)]
async fn late_refusals_that_meet_a_refresh_take_nothing_away() {
    let provider = Numbered::new().taking(SECOND / 10);
    let cache = provider.cache_with(Freshness::new().with_pause(std::time::Duration::ZERO));
    let newest = Arc::new(AtomicU64::new(0));
    let (taken, late) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let tasks: Vec<_> = (0..100_u64)
        .map(|task| {
            let (cache, newest) = (cache.clone(), newest.clone());
            let (taken, late) = (taken.clone(), late.clone());
            tokio::spawn(async move {
                let mut random = task;
                for _ in 0..1_000 {
                    let token = cache.token().await.unwrap();
                    // Nobody is ever given an older one than somebody was.
                    let before = newest.fetch_max(token.generation(), SeqCst);
                    assert!(token.generation() >= before);
                    // SplitMix's multiplier; any sequence will do. Up to half a second late.
                    random = random.wrapping_mul(0xbf58_476d_1ce4_e5b9).wrapping_add(11);
                    sleep(SECOND * u32::try_from(random >> 55).unwrap() / 1_000).await;
                    let is_taken = cache.refuse(token.generation());
                    taken.fetch_add(is_taken.into(), SeqCst);
                    late.fetch_add((!is_taken).into(), SeqCst);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    // Each refusal that counted had one token fetched, but for the last if nobody asked again.
    let (taken, fetches) = (taken.load(SeqCst), u64::from(provider.fetches()));
    assert!(fetches == taken + 1 || fetches == taken, "{fetches} {taken}");
    assert!(late.load(SeqCst) > 50_000 && taken > 500, "{taken} {late:?}");
}
