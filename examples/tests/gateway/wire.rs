//! The two ends of a test: a gateway on a socket, and a client that keeps what it reads.

use std::net::SocketAddr;

use axum::serve::Listener as _;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use kimi_errors::Dialect;
use kimi_examples::gateway::{Limits, Log, Settings, Upstream, listen, router};
use kimi_testkit::{
    mock::{Mock, Recorded},
    script::Script,
    server::MockServer,
};
use kimi_tower::{request_log::RequestLogLayer, retry::RetryPolicy, session::Policy};
use kimi_validate::{Profile, file_url::UrlPolicy};
use tokio::task::JoinSet;

/// The upstream answers each request by itself.
pub(crate) const NO_SCRIPT: &str = r#"{"steps": []}"#;
pub(crate) const CHAT: &str = "/v1/chat/completions";
pub(crate) const QUESTION: &str =
    r#"{"model":"kimi-k3","messages":[{"role":"user","content":"你好"}]}"#;
pub(crate) const STREAMED: &str =
    r#"{"model":"kimi-k3","messages":[{"role":"user","content":"你好"}],"stream":true}"#;

/// A gateway, and the scripted upstream behind it, if there is one. Dropping it ends both.
pub(crate) struct Gateway {
    url: String,
    _tasks: JoinSet<()>,
    scripted: Option<(Mock, MockServer)>,
}

/// An answer, read to its end or to where it broke.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// Whether the body ended as its framing says.
    pub(crate) is_whole: bool,
}

impl Gateway {
    /// Starts one in front of a scripted upstream that does what `script` says.
    pub(crate) async fn scripted(dialect: Dialect, script: &str) -> Self {
        Self::with(dialect, script, |upstream| upstream).await
    }

    /// The same, which tries once: for what becomes of one answer.
    pub(crate) async fn tries_once(dialect: Dialect, script: &str) -> Self {
        let once = |upstream: Upstream| upstream.with_retry(RetryPolicy::none());
        Self::with(dialect, script, once).await
    }

    /// The same, with the options that `set` sets.
    pub(crate) async fn with(
        dialect: Dialect,
        script: &str,
        set: impl FnOnce(Upstream) -> Upstream,
    ) -> Self {
        let mock = Mock::platform().with_script(Script::from_json(script).unwrap());
        let server = MockServer::start(mock.clone()).await.unwrap();
        let upstream = set(server.url().parse().unwrap());
        Self { scripted: Some((mock, server)), ..Self::before(dialect, upstream).await }
    }

    /// Starts one in front of whatever listens at `upstream`.
    pub(crate) async fn to(dialect: Dialect, upstream: &str) -> Self {
        Self::before(dialect, upstream.parse().unwrap()).await
    }

    /// Starts one in front of `upstream`.
    pub(crate) async fn before(dialect: Dialect, upstream: Upstream) -> Self {
        Self::limited(dialect, upstream, Limits::none()).await
    }

    /// The same, whose callers have limits.
    pub(crate) async fn limited(dialect: Dialect, upstream: Upstream, limits: Limits) -> Self {
        Self::serving(upstream, Settings { limits, dialect, ..Settings::default() }).await
    }

    /// Starts one in front of `upstream` whose conversations have this policy, and which tries once.
    pub(crate) async fn of_sessions(upstream: Upstream, session: Option<Policy>) -> Self {
        let upstream = upstream.with_retry(RetryPolicy::none());
        Self::serving(upstream, Settings { session, ..Settings::default() }).await
    }

    /// Starts one in front of `upstream` that tells of each request.
    pub(crate) async fn logging(upstream: Upstream, observer: Log) -> Self {
        let log = RequestLogLayer::new().with_observer(observer).with_preview(100);
        Self::serving(upstream, Settings { log, ..Settings::default() }).await
    }

    /// Starts one in front of `upstream` that takes files as kimi-free-api does, by this policy.
    pub(crate) async fn of_files(upstream: &str, files: UrlPolicy) -> Self {
        let profile = Profile::free_api();
        let settings = Settings { profile, files, session: None, ..Settings::default() };
        Self::serving(upstream.parse().unwrap(), settings).await
    }

    pub(crate) async fn serving(upstream: Upstream, settings: Settings) -> Self {
        let router = router(upstream, settings);
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        Self { url, _tasks: tasks, scripted: None }
    }

    /// Asks for a chat, with the fields `fields` besides.
    pub(crate) async fn chat(&self, body: &'static str, fields: &[(&str, &str)]) -> Answer {
        let mut request = Request::post(CHAT)
            .header("authorization", "Bearer sk-test")
            .header("content-type", "application/json");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::from(body)).unwrap()).await
    }

    pub(crate) async fn empty(&self, method: Method, path: &str) -> Answer {
        let request =
            Request::builder().method(method).uri(path).header("authorization", "Bearer sk-test");
        self.send(request.body(Full::default()).unwrap()).await
    }

    /// Sends a request whose URI is a path, and reads the answer.
    pub(crate) async fn send<B>(&self, request: Request<B>) -> Answer
    where
        B: http_body::Body<Data = Bytes, Error: std::error::Error + Send + Sync>
            + Send
            + Unpin
            + 'static,
    {
        read(self.open(request).await).await
    }

    /// Sends a request whose URI is a path, and returns the answer as soon as its head is there.
    pub(crate) async fn open<B>(&self, request: Request<B>) -> Response<Incoming>
    where
        B: http_body::Body<Data = Bytes, Error: std::error::Error + Send + Sync>
            + Send
            + Unpin
            + 'static,
    {
        let (mut head, body) = request.into_parts();
        head.uri = format!("{}{}", self.url, head.uri).parse().unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        client.request(Request::from_parts(head, body)).await.unwrap()
    }

    /// Returns what the scripted upstream was sent.
    pub(crate) fn sent(&self) -> Vec<Recorded> {
        self.scripted.as_ref().map(|(mock, _)| mock.requests()).unwrap_or_default()
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn authority(&self) -> &str {
        self.url.trim_start_matches("http://")
    }
}

async fn read(answer: Response<Incoming>) -> Answer {
    let (head, mut incoming) = answer.into_parts();
    let (mut body, mut is_whole) = (Vec::new(), true);
    while let Some(frame) = incoming.frame().await {
        match frame {
            Ok(frame) => body.extend_from_slice(frame.data_ref().map_or(&[], |data| &data[..])),
            Err(_) => {
                is_whole = false;
                break;
            }
        }
    }
    let body = String::from_utf8(body).unwrap();
    Answer { status: head.status, headers: head.headers, body, is_whole }
}
