use std::{num::NonZeroU32, sync::Arc};

use kimi_errors::Dialect;
use kimi_validate::Profile;
use tower::ServiceBuilder;
use tower_layer::Stack;

use crate::{
    catch_error::CatchErrorLayer,
    raise_error::RaiseErrorLayer,
    rate_limit::{Plans, RateLimitLayer, concurrency::ConcurrencyLayer},
    request_log::RequestLogLayer,
    retry::{RetryLayer, RetryPolicy},
    session::{Policy, SessionLayer},
    token::{TokenLayer, TokenSource},
    validate::ValidateLayer,
};

/// A method of tower's [`ServiceBuilder`] for each layer, with its defaults. What else a layer can be
/// told, it is told where it is made: `.layer(RetryLayer::new(policy))`.
///
/// ```
/// use kimi_errors::Dialect;
/// use kimi_tower::{session::Policy, stack::KimiServiceBuilder};
/// use kimi_validate::Profile;
/// use tower::ServiceBuilder;
///
/// let layers = ServiceBuilder::new()
///     .kimi_catch_error(Dialect::OpenAi)
///     .kimi_request_log()
///     .kimi_validate(Profile::platform())
///     .kimi_session(Policy::Reject);
/// # let _ = layers;
/// ```
pub trait KimiServiceBuilder<L>: Sized {
    /// Adds [`catch_error`](crate::catch_error), which answers in that dialect.
    fn kimi_catch_error(self, dialect: Dialect) -> ServiceBuilder<Stack<CatchErrorLayer, L>>;

    /// Adds [`request_log`](crate::request_log), of a server, with events of `tracing`.
    fn kimi_request_log(self) -> ServiceBuilder<Stack<RequestLogLayer, L>>;

    /// Adds [`rate_limit`](crate::rate_limit), for each API key.
    fn kimi_rate_limit(self, plans: impl Into<Plans>) -> ServiceBuilder<Stack<RateLimitLayer, L>>;

    /// Adds [`concurrency`](crate::rate_limit::concurrency), of so many requests of each API key.
    fn kimi_concurrency(self, max: NonZeroU32) -> ServiceBuilder<Stack<ConcurrencyLayer, L>>;

    /// Adds [`validate`](crate::validate).
    fn kimi_validate(
        self,
        profile: impl Into<Arc<Profile>>,
    ) -> ServiceBuilder<Stack<ValidateLayer, L>>;

    /// Adds [`session`](crate::session).
    fn kimi_session(self, policy: Policy) -> ServiceBuilder<Stack<SessionLayer, L>>;

    /// Adds [`raise_error`](crate::raise_error).
    fn kimi_raise_error(self) -> ServiceBuilder<Stack<RaiseErrorLayer, L>>;

    /// Adds [`retry`](crate::retry).
    fn kimi_retry(self, policy: RetryPolicy) -> ServiceBuilder<Stack<RetryLayer, L>>;

    /// Adds [`token`](crate::token).
    fn kimi_token<T: TokenSource>(self, source: T) -> ServiceBuilder<Stack<TokenLayer<T>, L>>;
}

impl<L> KimiServiceBuilder<L> for ServiceBuilder<L> {
    fn kimi_catch_error(self, dialect: Dialect) -> ServiceBuilder<Stack<CatchErrorLayer, L>> {
        self.layer(CatchErrorLayer::new().with_dialect(dialect))
    }

    fn kimi_request_log(self) -> ServiceBuilder<Stack<RequestLogLayer, L>> {
        self.layer(RequestLogLayer::new())
    }

    fn kimi_rate_limit(self, plans: impl Into<Plans>) -> ServiceBuilder<Stack<RateLimitLayer, L>> {
        self.layer(RateLimitLayer::new(plans))
    }

    fn kimi_concurrency(self, max: NonZeroU32) -> ServiceBuilder<Stack<ConcurrencyLayer, L>> {
        self.layer(ConcurrencyLayer::new(max))
    }

    fn kimi_validate(
        self,
        profile: impl Into<Arc<Profile>>,
    ) -> ServiceBuilder<Stack<ValidateLayer, L>> {
        self.layer(ValidateLayer::new(profile))
    }

    fn kimi_session(self, policy: Policy) -> ServiceBuilder<Stack<SessionLayer, L>> {
        self.layer(SessionLayer::new().with_policy(policy))
    }

    fn kimi_raise_error(self) -> ServiceBuilder<Stack<RaiseErrorLayer, L>> {
        self.layer(RaiseErrorLayer::new())
    }

    fn kimi_retry(self, policy: RetryPolicy) -> ServiceBuilder<Stack<RetryLayer, L>> {
        self.layer(RetryLayer::new(policy))
    }

    fn kimi_token<T: TokenSource>(self, source: T) -> ServiceBuilder<Stack<TokenLayer<T>, L>> {
        self.layer(TokenLayer::new(source))
    }
}
