use tower_layer::{Identity, Layer};

use crate::{
    raise_error::RaiseErrorLayer,
    request_log::{RequestLogLayer, Side},
    retry::RetryLayer,
};

/// The layers of a client, from the outside in. See the [module](super). Made by [`client`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientStack<
    L = RequestLogLayer,
    E = RaiseErrorLayer,
    N = Identity,
    R = RetryLayer,
    T = Identity,
    K = Identity,
> {
    request_log: L,
    raise_error: E,
    session: N,
    retry: R,
    token: T,
    limits: K,
}

/// Returns the layers of a client: calls are logged, answers that are errors become errors, and what
/// fails is tried again when it helps. Make one for each upstream: it has one budget of retries.
pub fn client() -> ClientStack {
    ClientStack {
        request_log: RequestLogLayer::new().with_side(Side::Client),
        raise_error: RaiseErrorLayer::new(),
        session: Identity::new(),
        retry: RetryLayer::default(),
        token: Identity::new(),
        limits: Identity::new(),
    }
}

impl<L, E, N, R, T, K> ClientStack<L, E, N, R, T, K> {
    /// Sets what has one record of each call: a `RequestLogLayer` of [`Side::Client`].
    pub fn with_request_log<P>(self, request_log: P) -> ClientStack<P, E, N, R, T, K> {
        let Self { raise_error, session, retry, token, limits, .. } = self;
        ClientStack { request_log, raise_error, session, retry, token, limits }
    }

    /// Leaves it out.
    pub fn without_request_log(self) -> ClientStack<Identity, E, N, R, T, K> {
        self.with_request_log(Identity::new())
    }

    /// Sets what makes errors of answers that are errors.
    pub fn with_raise_error<P>(self, raise_error: P) -> ClientStack<L, P, N, R, T, K> {
        let Self { request_log, session, retry, token, limits, .. } = self;
        ClientStack { request_log, raise_error, session, retry, token, limits }
    }

    /// Leaves it out.
    pub fn without_raise_error(self) -> ClientStack<L, Identity, N, R, T, K> {
        self.with_raise_error(Identity::new())
    }

    /// Sets what sends the requests of a conversation one at a time: a `SessionLayer`.
    pub fn with_session<P>(self, session: P) -> ClientStack<L, E, P, R, T, K> {
        let Self { request_log, raise_error, retry, token, limits, .. } = self;
        ClientStack { request_log, raise_error, session, retry, token, limits }
    }

    /// Leaves it out.
    pub fn without_session(self) -> ClientStack<L, E, Identity, R, T, K> {
        self.with_session(Identity::new())
    }

    /// Sets what sends requests again.
    pub fn with_retry<P>(self, retry: P) -> ClientStack<L, E, N, P, T, K> {
        let Self { request_log, raise_error, session, token, limits, .. } = self;
        ClientStack { request_log, raise_error, session, retry, token, limits }
    }

    /// Leaves it out.
    pub fn without_retry(self) -> ClientStack<L, E, N, Identity, T, K> {
        self.with_retry(Identity::new())
    }

    /// Sets what gives each attempt its token: a `TokenLayer`.
    pub fn with_token<P>(self, token: P) -> ClientStack<L, E, N, R, P, K> {
        let Self { request_log, raise_error, session, retry, limits, .. } = self;
        ClientStack { request_log, raise_error, session, retry, token, limits }
    }

    /// Leaves it out.
    pub fn without_token(self) -> ClientStack<L, E, N, R, Identity, K> {
        self.with_token(Identity::new())
    }

    /// Sets what counts attempts: a `RateLimitLayer`, or a `ConcurrencyLayer`.
    pub fn with_limits<P>(self, limits: P) -> ClientStack<L, E, N, R, T, P> {
        let Self { request_log, raise_error, session, retry, token, .. } = self;
        ClientStack { request_log, raise_error, session, retry, token, limits }
    }

    /// Leaves it out.
    pub fn without_limits(self) -> ClientStack<L, E, N, R, T, Identity> {
        self.with_limits(Identity::new())
    }
}

impl Default for ClientStack {
    /// As [`client`] does.
    fn default() -> Self {
        client()
    }
}

impl<S, L, E, N, R, T, K> Layer<S> for ClientStack<L, E, N, R, T, K>
where
    K: Layer<S>,
    T: Layer<K::Service>,
    R: Layer<T::Service>,
    N: Layer<R::Service>,
    E: Layer<N::Service>,
    L: Layer<E::Service>,
{
    type Service = L::Service;

    fn layer(&self, inner: S) -> Self::Service {
        let inner = self.limits.layer(inner);
        let inner = self.token.layer(inner);
        let inner = self.retry.layer(inner);
        let inner = self.session.layer(inner);
        let inner = self.raise_error.layer(inner);
        self.request_log.layer(inner)
    }
}
