use std::{fmt, sync::Arc, time::Duration};

use kimi_errors::BoxError;
use kimi_tower::{
    key::{ApiKey, KeyHasher},
    rate_limit::{Plans, RateLimitLayer},
    redis::{
        RedisLink,
        rate::{self, RedisRateStore},
        session::{self, RedisSessionStore},
    },
    session::SessionLayer,
};
use sha2::{Digest as _, Sha256};

/// What the replicas of a gateway share: a Redis, and the secret by which they know the same callers.
#[derive(Clone)]
pub struct Shared {
    link: RedisLink,
    secret: Arc<[u8; 16]>,
}

impl Shared {
    /// Creates it. Nothing is connected yet. The secret is the same for all replicas, and nobody else's.
    ///
    /// # Errors
    ///
    /// If the URL is none of a Redis, or the secret has not 16 to 256 bytes.
    pub fn try_new(url: &str, secret: &str) -> Result<Self, BoxError> {
        if !(16..=256).contains(&secret.len()) {
            return Err("the secret has to have 16 to 256 bytes".into());
        }
        // All of it counts, in the length that keys are hashed with.
        let hash = Sha256::digest(secret);
        let secret = std::array::from_fn(|index| hash[index]);
        Ok(Self { link: RedisLink::try_new(url)?, secret: Arc::new(secret) })
    }

    /// Sets how long Redis may take to answer. Default: 100 ms, the link's.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.link = self.link.with_timeout(timeout);
        self
    }

    fn hasher(&self) -> KeyHasher {
        KeyHasher::with_secret(&self.secret)
    }

    /// Returns a limit of the callers of all replicas. While Redis does not answer, nobody is limited: the
    /// upstream's own limit holds. What two layers count has a name of its own.
    pub(super) fn limit(&self, name: &str, plans: Plans) -> RateLimitLayer<ApiKey, RedisRateStore> {
        let link = self.link.clone().with_prefix(&format!("{}{name}:", self.link.prefix()));
        let store = RedisRateStore::new(link, plans).with_on_error(rate::OnError::Open);
        RateLimitLayer::in_store(store).with_key_hasher(self.hasher())
    }

    /// Lets the requests of a conversation take turns on all replicas; while Redis does not answer, on each.
    pub(super) fn turns<K>(&self, session: SessionLayer<K>) -> SessionLayer<K, RedisSessionStore> {
        let store =
            RedisSessionStore::new(self.link.clone()).with_on_error(session::OnError::Local);
        session.with_store(store).with_key_hasher(self.hasher())
    }
}

/// Shows no secret.
impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("link", &self.link).finish_non_exhaustive()
    }
}
