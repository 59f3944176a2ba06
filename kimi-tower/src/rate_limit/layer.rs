use std::{sync::Arc, time::Duration};

use http::request::Parts;
use kimi_errors::Lang;
use tower_layer::Layer;

use super::{
    Admission, EstimateTokens, Plans, Quota, RateLimit, Rule, SlidingWindow,
    limiter::Limiter,
    store::{MemoryStore, RateStore},
};
use crate::key::{ApiKey, Everyone, KeyHasher};

/// Holds requests to limits. See the [module](super).
///
/// Its clones, and all services that it makes, share one store: one limit is one limit, whichever
/// route or connection a request comes by.
#[derive(Clone, Debug)]
#[must_use]
pub struct RateLimitLayer<K = ApiKey, R = MemoryStore> {
    key: K,
    limiter: Limiter<R>,
}

impl RateLimitLayer {
    /// Creates the layer with a store in this process: each API key has the limits of the first
    /// plan, and who is over them is refused.
    ///
    /// A [`Rule`](super::Rule) is a plan, and a [`Plan`](super::Plan) is the plan of all callers.
    pub fn new(plans: impl Into<Plans>) -> Self {
        Self::in_store(MemoryStore::new(plans))
    }
}

impl RateLimitLayer<Everyone> {
    /// Creates the article's limiter, for a client: of all its requests 5 begin in 60 s, and the next
    /// wait for their turn, however long that is.
    ///
    /// The article waits 100 ms longer than it has to, since not every request takes equally long to
    /// get there. So does this: its period is 60.1 s.
    ///
    /// # Panics
    ///
    /// Never: the limit is one.
    pub fn article() -> Self {
        let (quota, margin) = (Quota::article(), Duration::from_millis(100));
        let quota = Quota::try_new(quota.units(), quota.period() + margin);
        let window = SlidingWindow::try_new(quota.expect("60.1 s is a period"));
        let rule = Rule::requests(window.expect("a log of 5 is short"));
        RateLimitLayer::new(rule)
            .with_key(Everyone::new())
            .with_admission(Admission::Wait { max_wait: Duration::MAX, max_queue: usize::MAX })
            .without_fields()
    }
}

impl<R: RateStore> RateLimitLayer<ApiKey, R> {
    /// Creates the layer with the limits of a store.
    pub fn in_store(store: R) -> Self {
        Self { key: ApiKey::new(), limiter: Limiter::new(store) }
    }
}

impl<K, R> RateLimitLayer<K, R> {
    /// Sets whose limits a request counts toward: an [`ExtractKey`](crate::key::ExtractKey), or a
    /// closure. Default: [`ApiKey`].
    pub fn with_key<L>(self, key: L) -> RateLimitLayer<L, R> {
        RateLimitLayer { key, limiter: self.limiter }
    }

    /// Sets the secret of the keys. Default: one of this process, the same for all its layers;
    /// machines that share a store need the same.
    pub fn with_key_hasher(mut self, hasher: KeyHasher) -> Self {
        self.limiter.hasher = hasher;
        self
    }

    /// Sets which plan a request has, by its place among the [`Plans`]; one that is past the last is
    /// the last. Default: the first.
    ///
    /// What a caller has spent by one plan does not count by another.
    pub fn with_plan_of(
        mut self,
        plan_of: impl Fn(&Parts) -> usize + Send + Sync + 'static,
    ) -> Self {
        self.limiter.plan_of = Some(Arc::new(plan_of));
        self
    }

    /// Sets what becomes of who is over a limit. Default: [`Admission::Reject`].
    pub const fn with_admission(mut self, admission: Admission) -> Self {
        self.limiter.admission = admission;
        self
    }

    /// Sets how many tokens are reserved for a request. Default:
    /// [`ChatTokens::upper_bound`](super::ChatTokens::upper_bound), so that what is spent in truth is
    /// never over.
    pub fn with_tokens(mut self, tokens: impl EstimateTokens + Send + Sync + 'static) -> Self {
        self.limiter.tokens = Arc::new(tokens);
        self
    }

    /// Sets the language of refusals. Default: Chinese, as on Kimi's own wire.
    pub const fn with_lang(mut self, lang: Lang) -> Self {
        self.limiter.lang = lang;
        self
    }

    /// Writes nothing of limits into the heads of answers but `Retry-After`. What a client does, whose
    /// answers are its upstream's.
    pub fn without_fields(mut self) -> Self {
        self.limiter.policies = None;
        self
    }

    /// Also goes by what the upstream says of its limits: sends nothing of a key before the time
    /// that it names with a 429, and no more than it says are left. For clients.
    pub const fn with_upstream_hints(mut self) -> Self {
        self.limiter.follows_upstream = true;
        self
    }

    /// Returns the store, as for gauges.
    #[must_use]
    pub const fn store(&self) -> &R {
        &self.limiter.store
    }

    pub(super) fn into_parts(self) -> (K, Arc<Limiter<R>>) {
        (self.key, Arc::new(self.limiter))
    }
}

impl<S, K, R> Layer<S> for RateLimitLayer<K, R>
where
    K: Clone,
    R: Clone,
{
    type Service = RateLimit<S, K, R>;

    fn layer(&self, inner: S) -> RateLimit<S, K, R> {
        RateLimit::new(inner, self.clone())
    }
}
