//! The mock itself: how it is set up, what it can be asked, and the tower service.

use std::{
    convert::Infallible,
    error::Error as StdError,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use kimi_errors::Dialect;
use tokio::time::Instant;
use tower_service::Service;

use super::{MockBody, Recorded, exchange::Exchange, state::State, style::Style};
use crate::script::{Script, ScriptError, Step};

/// A scripted Kimi upstream. The [module page](super) says how it behaves.
///
/// Clones share everything that happens: script, records, tokens, conversations. What is set by
/// `with_*` belongs to the clone, so set it before you clone.
#[derive(Clone, Debug)]
pub struct Mock {
    config: Config,
    state: Arc<State>,
}

/// What is set before the first request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Config {
    pub(super) style: Style,
    pub(super) dialect: Dialect,
    pub(super) needs_auth: bool,
    pub(super) token_lifetime: Duration,
    pub(super) max_body_bytes: usize,
    pub(super) history: usize,
}

impl Mock {
    /// Creates a mock of the Kimi platform. Its own errors are in [`Dialect::Errcode`].
    #[must_use]
    pub fn platform() -> Self {
        Self::new(Style::Platform, Dialect::Errcode)
    }

    /// Creates a mock of kimi-free-api. Its own errors are in [`Dialect::FreeApi`].
    #[must_use]
    pub fn free_api() -> Self {
        Self::new(Style::FreeApi, Dialect::FreeApi)
    }

    fn new(style: Style, dialect: Dialect) -> Self {
        let config = Config {
            style,
            dialect,
            needs_auth: true,
            // The article assumes two hours.
            token_lifetime: Duration::from_secs(2 * 60 * 60),
            // The platform's limit of a request body.
            max_body_bytes: 100 << 20,
            history: 10_000,
        };
        Self { config, state: Arc::default() }
    }

    /// Sets the script, in place of all that is left of another.
    #[must_use]
    pub fn with_script(self, script: Script) -> Self {
        self.state.set_script(script);
        self
    }

    /// Sets the wire form of the mock's own errors, and of those that a script names by their kind;
    /// those that it names by a fault have the form of that.
    #[must_use]
    pub fn with_dialect(mut self, dialect: Dialect) -> Self {
        self.config.dialect = dialect;
        self
    }

    /// Looks at no credentials.
    #[must_use]
    pub fn without_auth(mut self) -> Self {
        self.config.needs_auth = false;
        self
    }

    /// Sets how long a token of `/api/token` lives, in tokio's time. Default: 2 h, as the article
    /// assumes.
    #[must_use]
    pub fn with_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.config.token_lifetime = lifetime;
        self
    }

    /// Sets the longest request body. Default: 100 MiB, as on the platform.
    #[must_use]
    pub fn with_max_body_bytes(mut self, bytes: usize) -> Self {
        self.config.max_body_bytes = bytes;
        self
    }

    /// Sets how many requests are kept for [`requests`](Self::requests), the latest ones. Default:
    /// 10 000, more than a test looks at.
    #[must_use]
    pub fn with_history(mut self, requests: usize) -> Self {
        self.config.history = requests;
        self
    }

    /// Adds a step at the end of the script.
    ///
    /// # Errors
    ///
    /// A step that contradicts itself or names an unknown fault; the script is as it was.
    pub fn push(&self, step: Step) -> Result<(), ScriptError> {
        self.state.push(step.checked()?);
        Ok(())
    }

    /// Returns what is left of the script, each with the repetitions it has left.
    #[must_use]
    pub fn pending_steps(&self) -> Vec<Step> {
        self.state.pending()
    }

    /// Returns the requests received, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.state.requests()
    }

    /// Returns how many requests were received, also those no longer kept.
    #[must_use]
    pub fn request_count(&self) -> u64 {
        self.state.received()
    }

    /// Returns how many requests are in flight: called, and their body neither ended nor dropped.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.state.present.in_flight()
    }

    /// Returns the most requests that were ever in flight at once.
    #[must_use]
    pub fn max_in_flight(&self) -> usize {
        self.state.present.max_in_flight()
    }

    /// Returns the most requests of a conversation that were ever in flight at once.
    #[must_use]
    pub fn max_overlap(&self, conversation: &str) -> usize {
        self.state.present.max_overlap(conversation)
    }

    /// Waits until nothing is in flight.
    pub async fn idle(&self) {
        self.state.present.idle().await;
    }

    /// Returns how many tokens `/api/token` has handed out.
    #[must_use]
    pub fn issued_tokens(&self) -> u64 {
        self.state.tokens.lock().issued()
    }

    /// Expires every token handed out so far.
    pub fn expire_tokens(&self) {
        self.state.tokens.lock().expire_all(Instant::now());
    }
}

impl<B> Service<Request<B>> for Mock
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Response = Response<MockBody>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        // Here, not at the first poll: a request is in flight from its call.
        let presence = self.state.present.enter();
        let exchange = Exchange::new(self.config, Arc::clone(&self.state), presence);
        ResponseFuture { exchange: Box::pin(exchange.run(request)) }
    }
}

/// The answer to come of a [`Mock`].
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture {
    exchange: Pin<Box<dyn Future<Output = Response<MockBody>> + Send>>,
}

impl Future for ResponseFuture {
    type Output = Result<Response<MockBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.exchange.as_mut().poll(cx).map(Ok)
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
