use kimi_errors::{Dialect, Lang};
use kimi_validate::Profile;
use tower_layer::{Identity, Layer};

use super::SetLang;
use crate::{
    catch_error::CatchErrorLayer, request_log::RequestLogLayer, session::SessionLayer,
    validate::ValidateLayer,
};

/// The layers of a server, from the outside in. See the [module](super). Made by [`server`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ServerStack<
    C = CatchErrorLayer,
    L = RequestLogLayer,
    R = Identity,
    V = ValidateLayer,
    N = SessionLayer,
    K = Identity,
    T = Identity,
> {
    catch_error: C,
    request_log: L,
    requests: R,
    validate: V,
    session: N,
    concurrency: K,
    tokens: T,
}

/// Returns the layers of a server: errors are answered, requests are logged and held to the platform's
/// rules, and those of one conversation wait for each other. Nothing is limited yet.
pub fn server() -> ServerStack {
    ServerStack {
        catch_error: CatchErrorLayer::new(),
        request_log: RequestLogLayer::new(),
        requests: Identity::new(),
        validate: ValidateLayer::new(Profile::platform()),
        session: SessionLayer::new(),
        concurrency: Identity::new(),
        tokens: Identity::new(),
    }
}

impl<C, L, R, V, N, K, T> ServerStack<C, L, R, V, N, K, T> {
    /// Sets what answers errors and panics.
    pub fn with_catch_error<P>(self, catch_error: P) -> ServerStack<P, L, R, V, N, K, T> {
        let Self { request_log, requests, validate, session, concurrency, tokens, .. } = self;
        ServerStack { catch_error, request_log, requests, validate, session, concurrency, tokens }
    }

    /// Leaves it out.
    pub fn without_catch_error(self) -> ServerStack<Identity, L, R, V, N, K, T> {
        self.with_catch_error(Identity::new())
    }

    /// Sets what has one record of each request.
    pub fn with_request_log<P>(self, request_log: P) -> ServerStack<C, P, R, V, N, K, T> {
        let Self { catch_error, requests, validate, session, concurrency, tokens, .. } = self;
        ServerStack { catch_error, request_log, requests, validate, session, concurrency, tokens }
    }

    /// Leaves it out.
    pub fn without_request_log(self) -> ServerStack<C, Identity, R, V, N, K, T> {
        self.with_request_log(Identity::new())
    }

    /// Sets what counts requests, before they are read: a `RateLimitLayer`.
    pub fn with_requests<P>(self, requests: P) -> ServerStack<C, L, P, V, N, K, T> {
        let Self { catch_error, request_log, validate, session, concurrency, tokens, .. } = self;
        ServerStack { catch_error, request_log, requests, validate, session, concurrency, tokens }
    }

    /// Leaves it out.
    pub fn without_requests(self) -> ServerStack<C, L, Identity, V, N, K, T> {
        self.with_requests(Identity::new())
    }

    /// Sets what holds chat requests to rules.
    pub fn with_validate<P>(self, validate: P) -> ServerStack<C, L, R, P, N, K, T> {
        let Self { catch_error, request_log, requests, session, concurrency, tokens, .. } = self;
        ServerStack { catch_error, request_log, requests, validate, session, concurrency, tokens }
    }

    /// Leaves it out.
    pub fn without_validate(self) -> ServerStack<C, L, R, Identity, N, K, T> {
        self.with_validate(Identity::new())
    }

    /// Sets what serves the requests of a conversation one at a time.
    pub fn with_session<P>(self, session: P) -> ServerStack<C, L, R, V, P, K, T> {
        let Self { catch_error, request_log, requests, validate, concurrency, tokens, .. } = self;
        ServerStack { catch_error, request_log, requests, validate, session, concurrency, tokens }
    }

    /// Leaves it out.
    pub fn without_session(self) -> ServerStack<C, L, R, V, Identity, K, T> {
        self.with_session(Identity::new())
    }

    /// Sets what counts requests under way: a `ConcurrencyLayer`.
    pub fn with_concurrency<P>(self, concurrency: P) -> ServerStack<C, L, R, V, N, P, T> {
        let Self { catch_error, request_log, requests, validate, session, tokens, .. } = self;
        ServerStack { catch_error, request_log, requests, validate, session, concurrency, tokens }
    }

    /// Leaves it out.
    pub fn without_concurrency(self) -> ServerStack<C, L, R, V, N, Identity, T> {
        self.with_concurrency(Identity::new())
    }

    /// Sets what counts tokens: a `RateLimitLayer`.
    pub fn with_tokens<P>(self, tokens: P) -> ServerStack<C, L, R, V, N, K, P> {
        let Self { catch_error, request_log, requests, validate, session, concurrency, .. } = self;
        ServerStack { catch_error, request_log, requests, validate, session, concurrency, tokens }
    }

    /// Leaves it out.
    pub fn without_tokens(self) -> ServerStack<C, L, R, V, N, K, Identity> {
        self.with_tokens(Identity::new())
    }
}

impl<L, R, V, N, K, T> ServerStack<CatchErrorLayer, L, R, V, N, K, T> {
    /// Sets what errors are answered in. Default: [`Dialect::Errcode`].
    pub fn with_dialect(mut self, dialect: Dialect) -> Self {
        self.catch_error = self.catch_error.with_dialect(dialect);
        self
    }
}

impl<C: SetLang, L, R: SetLang, V: SetLang, N: SetLang, K, T: SetLang>
    ServerStack<C, L, R, V, N, K, T>
{
    /// Sets the language of what callers read, of all parts that there are by now. Default: Chinese.
    pub fn with_lang(self, lang: Lang) -> Self {
        Self {
            catch_error: self.catch_error.set_lang(lang),
            requests: self.requests.set_lang(lang),
            validate: self.validate.set_lang(lang),
            session: self.session.set_lang(lang),
            tokens: self.tokens.set_lang(lang),
            ..self
        }
    }
}

impl Default for ServerStack {
    /// As [`server`] does.
    fn default() -> Self {
        server()
    }
}

impl<S, C, L, R, V, N, K, T> Layer<S> for ServerStack<C, L, R, V, N, K, T>
where
    T: Layer<S>,
    K: Layer<T::Service>,
    N: Layer<K::Service>,
    V: Layer<N::Service>,
    R: Layer<V::Service>,
    L: Layer<R::Service>,
    C: Layer<L::Service>,
{
    type Service = C::Service;

    fn layer(&self, inner: S) -> Self::Service {
        let inner = self.tokens.layer(inner);
        let inner = self.concurrency.layer(inner);
        let inner = self.session.layer(inner);
        let inner = self.validate.layer(inner);
        let inner = self.requests.layer(inner);
        let inner = self.request_log.layer(inner);
        self.catch_error.layer(inner)
    }
}
