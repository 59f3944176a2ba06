//! All layers together, in each host.

use std::num::NonZeroU32;

use axum::{Router, routing::post};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use kimi_errors::{BoxError, Dialect, Error, ErrorKind, Lang};
use kimi_testkit::{
    mock::Mock,
    probe::{Beat, ProbeBody},
    script::{Script, Step},
    server::MockServer,
};
use kimi_tower::{
    catch_error::CatchErrorLayer,
    rate_limit::{Gcra, Plan, Quota, RateLimitLayer, Rule, concurrency::ConcurrencyLayer},
    replay::ReplayBody,
    request_log::{Outcome, RequestLogLayer, Side},
    retry::{RetryLayer, RetryPolicy},
    session::{Conversation, SessionLayer},
    stack::{self, ClientStack, Identity, KimiServiceBuilder as _, ServerStack},
    token::{Freshness, StaticToken, Token, TokenCache, TokenLayer},
    validate::ValidateLayer,
};
use kimi_validate::Profile;
use tonic::transport::{Channel, Server, server::TcpIncoming};
use tower::{Layer, ServiceBuilder, ServiceExt as _, service_fn};

use super::{
    listen, send, serve,
    tonic::{Chat, call_at},
};
use crate::request_log::Log;

/// All the layers of a server. That it can be written down is part of what is promised.
type Full7 = ServerStack<
    CatchErrorLayer,
    RequestLogLayer<Log>,
    RateLimitLayer,
    ValidateLayer,
    SessionLayer<Conversation>,
    ConcurrencyLayer,
    RateLimitLayer,
>;

type Key = TokenCache<StaticToken>;

/// All the layers of a client.
type Full6 = ClientStack<
    RequestLogLayer<Log>,
    kimi_tower::raise_error::RaiseErrorLayer,
    SessionLayer<Conversation>,
    RetryLayer,
    TokenLayer<Key>,
    RateLimitLayer,
>;

const fn is_shared<T: Clone + Send + Sync + 'static>() {}

type Twice = ReplayBody<ReplayBody<Full<Bytes>>>;

/// A transport that takes the requests of reqwest.
type Transport =
    tower::util::BoxCloneSyncService<Request<Twice>, Response<reqwest::Body>, BoxError>;

const _: () = {
    is_shared::<Full7>();
    is_shared::<Full6>();
    is_shared::<<Full7 as Layer<axum::routing::Route>>::Service>();
    is_shared::<<Full7 as Layer<Channel>>::Service>();
    is_shared::<<Full6 as Layer<Transport>>::Service>();
    is_shared::<<Full6 as Layer<reqwest::Client>>::Service>();
    is_shared::<<Full6 as Layer<Channel>>::Service>();
};

const FIELD: http::HeaderName = http::HeaderName::from_static("x-conversation-id");

fn limit(rule: impl Fn(Gcra) -> Rule, units: u32) -> RateLimitLayer {
    RateLimitLayer::new(Plan::new(rule(Gcra::new(Quota::try_per_minute(units).unwrap()))))
}

fn server(log: &Log) -> Full7 {
    stack::server()
        .with_request_log(RequestLogLayer::new().with_observer(log.clone()))
        .with_requests(limit(Rule::requests, 6))
        .with_concurrency(ConcurrencyLayer::new(NonZeroU32::new(2).unwrap()))
        .with_tokens(limit(Rule::tokens, 1_000_000))
        .with_lang(Lang::En)
}

async fn chat(request: axum::extract::Request) -> Result<Response<axum::body::Body>, Error> {
    let body = request.into_body().collect().await.map_err(|it| Error::from(BoxError::from(it)))?;
    let body = String::from_utf8(body.to_bytes().to_vec()).unwrap();
    if body.contains("refuse") {
        // What a handler says with `?`.
        Err(ErrorKind::StreamBusy)?;
    }
    assert!(!body.contains("panic"), "as asked");
    let events = ProbeBody::chunks(["data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n"])
        .then(Beat::Yield)
        .then(Beat::Data("data: [DONE]\n\n".into()));
    let answer = Response::builder().header("content-type", "text/event-stream");
    Ok(answer.body(axum::body::Body::new(events)).unwrap())
}

fn ask(content: &str) -> Request<&'static str> {
    let body = format!(
        r#"{{"model":"kimi-k3","conversation_id":"c-1","messages":[{{"role":"user","content":"{content}"}}]}}"#
    );
    Request::post("/v1/chat/completions")
        .header("content-type", "application/json")
        .header("authorization", "Bearer sk-1")
        .body(&*body.leak())
        .unwrap()
}

fn outcomes(log: &Log) -> Vec<Outcome> {
    log.take().iter().map(|kept| kept.outcome).collect()
}

#[tokio::test]
async fn axum_has_it_all_around_all_routes_and_around_each() {
    for is_route_layer in [false, true] {
        let log = Log::default();
        let routes = Router::new().route("/v1/chat/completions", post(chat));
        let app = match is_route_layer {
            false => routes.layer(server(&log)),
            true => routes.route_layer(server(&log)),
        };
        let (listener, address) = listen().await;
        tokio::spawn(async move { axum::serve(listener, app).await });

        let read = send(address, ask("hello")).await;
        assert!(read.is_whole && read.body.ends_with("data: [DONE]\n\n"), "{}", read.body);
        let read = send(address, ask("refuse")).await;
        assert_eq!(read.head.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(read.body.contains(r#""errcode":-2005"#), "{}", read.body);
        let read = send(address, ask("panic")).await;
        assert!(read.body.contains(r#""errcode":-1000"#), "{}", read.body);
        let invalid = ask("").map(|_| r#"{"model":1}"#);
        let read = send(address, invalid).await;
        assert_eq!(read.head.status, StatusCode::BAD_REQUEST);
        assert!(read.body.contains(r#""errcode":-1001"#), "{}", read.body);
        let lost = Request::get("/other").header("authorization", "Bearer sk-1").body("").unwrap();
        assert_eq!(send(address, lost.clone()).await.head.status, StatusCode::NOT_FOUND);
        // The sixth, unless what no route takes is not counted; and one more than there may be.
        assert_eq!(send(address, ask("hello")).await.head.status, StatusCode::OK);
        if is_route_layer {
            assert_eq!(send(address, ask("hello")).await.head.status, StatusCode::OK);
        }
        let read = send(address, ask("hello")).await;
        assert_eq!(read.head.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(read.head.headers.contains_key("retry-after"), "{:?}", read.head);
        let mut expected = vec![
            Outcome::Success,
            Outcome::ClientError,
            Outcome::Panic,
            Outcome::ClientError,
            Outcome::ClientError,
            Outcome::Success,
            Outcome::ClientError,
        ];
        if is_route_layer {
            expected[4] = Outcome::Success;
        }
        assert_eq!(outcomes(&log), expected, "{is_route_layer}");
    }
}

#[tokio::test]
async fn hyper_has_it_all() {
    let log = Log::default();
    let handler = service_fn(async |request: Request<_>| {
        let body = http_body_util::BodyExt::collect(request.into_body()).await?.to_bytes();
        Ok::<_, BoxError>(Response::new(Full::<Bytes>::from(body)))
    });
    let address = serve(server(&log).layer(handler)).await;
    let read = send(address, ask("hello")).await;
    assert_eq!(read.head.status, StatusCode::OK);
    assert!(read.body.contains("hello"));
    assert_eq!(outcomes(&log), [Outcome::Success]);
}

#[tokio::test]
async fn tonic_has_it_all() {
    let log = Log::default();
    let session = SessionLayer::new().with_key(Conversation::in_field(FIELD));
    let layers = server(&log).with_session(session);
    let (listener, address) = listen().await;
    let server = Server::builder().layer(layers).add_service(Chat);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));

    let (messages, end) = call_at(address, "/kimi.Chat/Talk").await;
    assert_eq!((messages, end.is_ok()), (vec!["one".to_owned(), "two".to_owned()], true));
    let (_, end) = call_at(address, "/kimi.Chat/FailLater").await;
    assert_eq!(end.unwrap_err().code(), tonic::Code::Aborted);
    let (_, end) = call_at(address, "/kimi.Chat/Panic").await;
    assert_eq!(end.unwrap_err().code(), tonic::Code::Internal);
    assert_eq!(outcomes(&log), [Outcome::Success, Outcome::StreamError, Outcome::Panic]);
}

fn reqwest() -> Transport {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    Transport::new(service_fn(move |request: Request<Twice>| {
        let client = client.clone();
        async move {
            let request = reqwest::Request::try_from(request.map(reqwest::Body::wrap))?;
            Ok::<_, BoxError>(Response::from(client.execute(request).await?))
        }
    }))
}

#[tokio::test]
async fn a_client_of_reqwest_has_it_all() {
    let log = Log::default();
    let key = TokenCache::new(StaticToken::new(Token::parse("sk-1").unwrap()), Freshness::new());
    let client: Full6 = stack::client()
        .with_request_log(RequestLogLayer::new().with_side(Side::Client).with_observer(log.clone()))
        .with_session(SessionLayer::new().with_key(Conversation::in_field(FIELD)))
        .with_retry(RetryLayer::new(RetryPolicy::standard()))
        .with_token(TokenLayer::new(key))
        .with_limits(limit(Rule::requests, 60));
    let client = client.layer(reqwest());
    // The first is refused once, the second in the end.
    let failing = Step::fault("plat.overloaded").with_header("retry-after", "0");
    let mock = Mock::platform()
        .with_script(Script::try_new([failing, Step::fault("plat.content_filter")]).unwrap());
    let server = MockServer::start(mock.clone()).await.unwrap();
    let ask = || {
        let body = r#"{"model":"kimi-k3","messages":[{"role":"user","content":"你好"}]}"#;
        Request::post(format!("{}/v1/chat/completions", server.url()))
            .header("content-type", "application/json")
            .header(FIELD, "c-1")
            .body(Full::<Bytes>::from(body))
            .unwrap()
    };
    let refused = client.clone().oneshot(ask()).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ContentFiltered);
    let answer = client.oneshot(ask()).await.unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(str::from_utf8(&body).unwrap().contains("你说：你好"));
    let sent = mock.requests();
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|it| it.headers()["authorization"] == "Bearer sk-1"));
    assert_eq!(outcomes(&log), [Outcome::ClientError, Outcome::Success]);
}

/// Each part can be left out, of either stack, and what is left is a stack.
#[tokio::test]
async fn each_part_can_be_left_out() {
    let handler = || service_fn(async |_: Request<()>| Err::<Response<Full<Bytes>>, _>("failed"));
    let none: ServerStack<Identity, Identity, Identity, Identity, Identity, Identity, Identity> =
        stack::server()
            .without_catch_error()
            .without_request_log()
            .without_requests()
            .without_validate()
            .without_session()
            .without_concurrency()
            .without_tokens();
    assert_eq!(none.layer(handler()).oneshot(Request::new(())).await.unwrap_err(), "failed");
    let none: ClientStack<Identity, Identity, Identity, Identity, Identity, Identity> =
        stack::client()
            .without_request_log()
            .without_raise_error()
            .without_session()
            .without_retry()
            .without_token()
            .without_limits();
    assert_eq!(none.layer(handler()).oneshot(Request::new(())).await.unwrap_err(), "failed");
    let answers =
        stack::server().without_validate().without_session().with_dialect(Dialect::OpenAi);
    let answer = answers.layer(handler()).oneshot(Request::new(())).await.unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(body.starts_with(br#"{"error":"#), "{body:?}");
}

/// The same, put together one by one.
#[tokio::test]
async fn a_service_builder_has_a_method_for_each_layer() {
    let plan = Plan::new(Rule::requests(Gcra::new(Quota::try_per_minute(1).unwrap())));
    let key = TokenCache::new(StaticToken::new(Token::parse("sk-1").unwrap()), Freshness::new());
    let service = ServiceBuilder::new()
        .kimi_catch_error(Dialect::Errcode)
        .kimi_request_log()
        .kimi_rate_limit(plan)
        .kimi_validate(Profile::platform())
        .kimi_session(kimi_tower::session::Policy::Reject)
        .kimi_concurrency(NonZeroU32::MIN)
        .kimi_raise_error()
        .kimi_retry(RetryPolicy::standard())
        .kimi_token(key)
        .service(service_fn(|_: Request<_>| async {
            Ok::<_, BoxError>(Response::new(Full::<Bytes>::from("{}")))
        }));
    let ask = || ask("hello").map(Full::<Bytes>::from);
    assert_eq!(service.clone().oneshot(ask()).await.unwrap().status(), StatusCode::OK);
    let refused = service.oneshot(ask()).await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
}
