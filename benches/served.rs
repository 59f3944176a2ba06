//! The chat that `stack.rs` and `throughput.rs` serve: bare, within our layers, and within those of
//! our peers.

use std::{io, time::Duration};

use axum::{Router, body::Bytes, http::header, routing::post};
use http::{HeaderName, Request};
use kimi_tower::{
    rate_limit::{Gcra, Quota, RateLimitLayer, Rule},
    request_log::{JsonObserver, Observer, RequestLogLayer, TracingObserver},
    session::{Conversation, SessionLayer},
    stack,
};
use tower::{ServiceBuilder, layer::util::Identity};
use tower_governor::{
    GovernorError, GovernorLayer, governor::GovernorConfigBuilder, key_extractor::KeyExtractor,
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    trace::{DefaultMakeSpan, DefaultOnResponse, TraceLayer},
};
use tracing::Level;

use crate::bodies;

/// An answer of 260 bytes.
pub const ANSWER: &str = r#"{"id":"chatcmpl-6745a1e0c5f1b2d3e4f5","object":"chat.completion","created":1732600000,"model":"kimi-k3","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":1,"total":9}}"#;

const PATH: &str = "/v1/chat/completions";

const CONVERSATION: HeaderName = HeaderName::from_static("x-conversation-id");

/// More than anybody sends here: every request is counted, and none is refused.
const AN_HOUR: u32 = 1_000_000_000;

/// Who serves the chat.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Server {
    /// A router of axum.
    Bare,
    /// The same within a layer that does nothing: what axum itself takes for any.
    Layered,
    /// All layers: errors caught, a line of JSON for each request, a limit for each API key, the
    /// platform's rules, one request of a conversation at a time.
    Ours,
    /// The same, and nobody listens to the log.
    OursUnheard,
    /// The same as [`Self::Ours`], and answers do not say how much of the limit is left.
    OursWithoutFields,
    /// What tower-http has instead, and `tower_governor`, with the JSON formatter of
    /// `tracing-subscriber`; they know nothing of rules and conversations.
    Peers,
    /// The same without a subscriber.
    PeersUnheard,
}

impl Server {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Bare,
        Self::Layered,
        Self::Ours,
        Self::OursUnheard,
        Self::OursWithoutFields,
        Self::Peers,
        Self::PeersUnheard,
    ];

    /// Returns the name under which its numbers stand.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Layered => "layered",
            Self::Ours => "ours",
            Self::OursUnheard => "ours_unheard",
            Self::OursWithoutFields => "ours_without_fields",
            Self::Peers => "peers",
            Self::PeersUnheard => "peers_unheard",
        }
    }

    /// Returns the one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|server| server.name() == name)
    }

    /// Returns what serves. [`Self::Peers`] sets the subscriber of the process.
    ///
    /// # Panics
    ///
    /// If the process has a subscriber already.
    pub fn router(self) -> Router {
        // As `axum::serve` does: it makes services of all layers now, and not for each request.
        self.layered().with_state(())
    }

    fn layered(self) -> Router {
        let bare = Router::new().route(PATH, post(chat));
        let lines = || RequestLogLayer::new().with_observer(JsonObserver::new(io::sink()));
        match self {
            Self::Bare => bare,
            Self::Layered => bare.layer(Identity::new()),
            Self::Ours => ours(bare, lines(), limit()),
            Self::OursUnheard => {
                let unheard = RequestLogLayer::new().with_observer(TracingObserver::new());
                ours(bare, unheard, limit())
            }
            Self::OursWithoutFields => ours(bare, lines(), limit().without_fields()),
            Self::Peers => {
                let subscriber = tracing_subscriber::fmt().json().with_writer(io::sink).finish();
                tracing::subscriber::set_global_default(subscriber).expect("it is the first");
                peers(bare)
            }
            Self::PeersUnheard => peers(bare),
        }
    }
}

/// What the service does of its own: as little as can be.
async fn chat(request: Bytes) -> ([(HeaderName, &'static str); 1], &'static str) {
    drop(request);
    ([(header::CONTENT_TYPE, "application/json")], ANSWER)
}

fn limit() -> RateLimitLayer {
    let hour = Quota::try_new(AN_HOUR, Duration::from_secs(3600)).expect("it is some");
    RateLimitLayer::new(Rule::requests(Gcra::new(hour)))
}

fn ours(
    router: Router,
    log: RequestLogLayer<impl Observer + Clone + Send + Sync + 'static>,
    limit: RateLimitLayer,
) -> Router {
    let session = SessionLayer::new().with_key(Conversation::in_field(CONVERSATION));
    let layers = stack::server().with_request_log(log).with_requests(limit).with_session(session);
    router.layer(layers)
}

fn peers(router: Router) -> Router {
    let trace = TraceLayer::new_for_http()
        .make_span_with(DefaultMakeSpan::new().level(Level::INFO))
        .on_response(DefaultOnResponse::new().level(Level::INFO));
    let mut limit = GovernorConfigBuilder::default();
    limit.period(Duration::from_nanos(3_600)).burst_size(AN_HOUR);
    let limit = limit.key_extractor(Credential).finish().expect("it is some");
    let layers = ServiceBuilder::new()
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(trace)
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(CatchPanicLayer::new())
        .layer(GovernorLayer::new(limit));
    router.layer(layers)
}

/// The API key, as ours is keyed.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing in it")]
pub struct Credential;

impl KeyExtractor for Credential {
    type Key = String;

    fn extract<T>(&self, request: &Request<T>) -> Result<String, GovernorError> {
        let credential = request.headers().get(header::AUTHORIZATION);
        let text = credential.and_then(|credential| credential.to_str().ok());
        text.map(str::to_owned).ok_or(GovernorError::UnableToExtractKey)
    }
}

/// Returns a request of this conversation as a client puts it on the wire: seven head fields, and a
/// body of 400 bytes.
///
/// # Panics
///
/// Never: the body is a text.
#[must_use]
pub fn request(conversation: usize) -> Bytes {
    let body = bodies::Body::Message.text();
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nhost: 127.0.0.1:8000\r\ncontent-type: application/json\r\n\
         accept: application/json\r\nuser-agent: kimi-benches/1\r\n\
         authorization: Bearer sk-0123456789abcdef0123456789abcdef\r\n\
         {CONVERSATION}: cs{conversation:018}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    Bytes::from([head.as_bytes(), &body].concat())
}
