use std::{fmt, num::NonZeroU32, sync::Arc as StdArc};

use http::request::Parts;
use tower_layer::Layer;

use super::{Concurrency, Occupancy, limit::Limit, permits::Permits};
use crate::{
    key::{ApiKey, KeyHasher},
    rate_limit::Admission,
    sync::Arc,
};

/// Admits so many requests of one caller at a time. See the [module](super).
///
/// Its clones, and all services that they make, share the permits, also if they are set up
/// differently.
#[derive(Clone)]
#[must_use]
pub struct ConcurrencyLayer<K = ApiKey> {
    limit: Limit<K>,
}

impl ConcurrencyLayer {
    /// Creates the layer with its permits: at most `max` for each API key, and who has to wait is
    /// refused.
    pub fn new(max: NonZeroU32) -> Self {
        Self {
            limit: Limit {
                permits: Arc::new(Permits::new()),
                max,
                max_for: None,
                admission: Admission::Reject,
                hasher: KeyHasher::new(),
                key: ApiKey::new(),
            },
        }
    }
}

impl<K> ConcurrencyLayer<K> {
    /// Sets which caller a request belongs to: an [`ExtractKey`](crate::key::ExtractKey), or a
    /// closure. Default: [`ApiKey`].
    pub fn with_key<T>(self, key: T) -> ConcurrencyLayer<T> {
        let Limit { permits, max, max_for, admission, hasher, key: _ } = self.limit;
        ConcurrencyLayer { limit: Limit { permits, max, max_for, admission, hasher, key } }
    }

    /// Sets what makes keys of credentials. Default: one with a secret of its own.
    pub fn with_key_hasher(mut self, hasher: KeyHasher) -> Self {
        self.limit.hasher = hasher;
        self
    }

    /// Sets what becomes of a request that finds no permit. Default: [`Admission::Reject`].
    pub const fn with_admission(mut self, admission: Admission) -> Self {
        self.limit.admission = admission;
        self
    }

    /// Sets how many requests the caller of one may have at a time, by its head: for plans. It
    /// takes the place of the number the layer was made with.
    ///
    /// If a caller's requests differ in it, each is admitted when fewer than its own number are
    /// under way and it is the first in the line.
    pub fn with_max_for(
        mut self,
        max_for: impl Fn(&Parts) -> NonZeroU32 + Send + Sync + 'static,
    ) -> Self {
        self.limit.max_for = Some(StdArc::new(max_for));
        self
    }

    /// Returns how many requests have permits and how many wait, of all services together.
    ///
    /// Counted in 16 parts, one after another: while requests come and go it is no one moment's.
    #[must_use]
    pub fn occupancy(&self) -> Occupancy {
        self.limit.permits.occupancy()
    }

    pub(super) fn into_limit(self) -> Limit<K> {
        self.limit
    }
}

impl<S, K> Layer<S> for ConcurrencyLayer<K>
where
    K: Clone,
{
    type Service = Concurrency<S, K>;

    fn layer(&self, inner: S) -> Concurrency<S, K> {
        Concurrency::new(inner, self.clone())
    }
}

impl<K> fmt::Debug for ConcurrencyLayer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConcurrencyLayer").field(&self.limit).finish()
    }
}
