use std::{borrow::Cow, fmt, sync::Arc};

use http::Extensions;
use tower_layer::Layer;

use super::{RequestLog, Side, TracingObserver, settings::Settings};

/// Tells an [`Observer`](super::Observer) of each request. See the [module](super).
#[derive(Clone)]
#[must_use]
pub struct RequestLogLayer<O = TracingObserver> {
    settings: Arc<Settings<O>>,
}

impl RequestLogLayer {
    /// Creates the layer of a server, which writes events of `tracing` and nothing of what is said.
    pub fn new() -> Self {
        Self { settings: Arc::new(Settings::new(TracingObserver::new())) }
    }
}

impl<O> RequestLogLayer<O> {
    /// Sets who is told. Default: [`TracingObserver`].
    pub fn with_observer<T>(self, observer: T) -> RequestLogLayer<T> {
        let Settings { side, preview_chars, longest_gap, must_end, ref route, .. } = *self.settings;
        let route = route.clone();
        let settings = Settings { observer, side, preview_chars, longest_gap, must_end, route };
        RequestLogLayer { settings: Arc::new(settings) }
    }

    pub(super) fn into_settings(self) -> Arc<Settings<O>> {
        self.settings
    }
}

impl<O: Clone> RequestLogLayer<O> {
    /// Sets on which side of the wire it stands. Default: [`Side::Server`].
    ///
    /// On the client's side the record says to whom the request was sent, and the id is set neither
    /// on the answer nor on an error that has one, which is then the upstream's.
    pub fn with_side(mut self, side: Side) -> Self {
        self.settings().side = side;
        self
    }

    /// Lets [`validate`](crate#features) tell the first `chars` characters of each message, of the
    /// last 16: content, which belongs to whoever wrote it. Default: 0, which is nothing.
    pub fn with_preview(mut self, chars: usize) -> Self {
        self.settings().preview_chars = chars;
        self
    }

    /// Lets the longest time between two chunks of an answer be measured, for which the clock is
    /// read with every chunk. Default: it is not.
    pub fn with_longest_gap(mut self) -> Self {
        self.settings().longest_gap = true;
        self
    }

    /// Takes a stream of events that ends without saying that it is complete for a success, where
    /// no stream says so. Default: it is [`Truncated`](super::Outcome::Truncated).
    pub fn without_stream_end(mut self) -> Self {
        self.settings().must_end = false;
        self
    }

    /// Sets what says which route a request has found, by its extensions as they come to this layer.
    /// With axum, around a router with routes:
    ///
    /// ```text
    /// |extensions| Some(extensions.get::<MatchedPath>()?.as_str().to_owned().into())
    /// ```
    pub fn with_route(
        mut self,
        route: impl Fn(&Extensions) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    ) -> Self {
        self.settings().route = Some(Arc::new(route));
        self
    }

    fn settings(&mut self) -> &mut Settings<O> {
        Arc::make_mut(&mut self.settings)
    }
}

impl Default for RequestLogLayer {
    /// As [`new`](Self::new) does.
    fn default() -> Self {
        Self::new()
    }
}

impl<S, O> Layer<S> for RequestLogLayer<O> {
    type Service = RequestLog<S, O>;

    fn layer(&self, inner: S) -> RequestLog<S, O> {
        let settings = Arc::clone(&self.settings);
        RequestLog::new(inner, Self { settings })
    }
}

impl<O: fmt::Debug> fmt::Debug for RequestLogLayer<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RequestLogLayer").field(&self.settings).finish()
    }
}
