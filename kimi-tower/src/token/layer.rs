use std::{fmt, sync::Arc, time::Duration};

use tower_layer::Layer;

use super::{TokenService, TokenSource, shared::Shared};
use crate::replay::ReplayLimits;

/// Sends each request with a valid token. See the [module](super).
#[must_use]
pub struct TokenLayer<T> {
    shared: Arc<Shared<T>>,
}

impl<T: TokenSource> TokenLayer<T> {
    /// Creates a layer that takes its tokens from `source`: a [`TokenCache`](super::TokenCache), or a
    /// [`TokenPool`](super::TokenPool) of several.
    pub fn new(source: T) -> Self {
        let (replay, look_timeout) = (ReplayLimits::new(), Duration::from_secs(5));
        Self { shared: Arc::new(Shared { source, replay, look_timeout, replaces: false }) }
    }
}

impl<T: Clone> TokenLayer<T> {
    /// Sends the token also in place of an `authorization` that the request has already. Default:
    /// such a request is left alone, and so is its answer.
    pub fn replacing(self) -> Self {
        self.with(|shared| shared.replaces = true)
    }

    /// Sets how much is kept of a request's body, to be sent again. Default: 2 MiB of one and 64 MiB
    /// of all, as [`ReplayLimits::new`] has it.
    pub fn with_replay(self, replay: ReplayLimits) -> Self {
        self.with(|shared| shared.replay = replay)
    }

    /// Sets how long the beginning of an answer is waited for, to see whether it is an error.
    /// Default: 5 s, as in `raise_error` and `retry`.
    pub fn with_look_timeout(self, timeout: Duration) -> Self {
        self.with(|shared| shared.look_timeout = timeout)
    }

    fn with(mut self, set: impl FnOnce(&mut Shared<T>)) -> Self {
        set(Arc::make_mut(&mut self.shared));
        self
    }
}

impl<T> TokenLayer<T> {
    pub(super) fn shared(&self) -> Arc<Shared<T>> {
        Arc::clone(&self.shared)
    }
}

impl<S, T> Layer<S> for TokenLayer<T> {
    type Service = TokenService<S, T>;

    fn layer(&self, inner: S) -> TokenService<S, T> {
        TokenService::new(inner, self)
    }
}

impl<T> Clone for TokenLayer<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared() }
    }
}

impl<T: fmt::Debug> fmt::Debug for TokenLayer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenLayer").field("shared", &self.shared).finish()
    }
}
