//! The same limits, and the same turns, on many machines: through Redis or Valkey.
//!
//! A gateway that runs as several replicas has one limit of each caller, not one a replica, if its
//! layers share a store. A [`RedisLink`] is the connection; the stores stand in modules of their own.
//!
//! # Example
//!
#![cfg_attr(feature = "rate-limit", doc = "```")]
#![cfg_attr(not(feature = "rate-limit"), doc = "```ignore")]
//! use std::num::NonZeroU32;
//! use kimi_tower::{
//!     key::KeyHasher,
//!     rate_limit::{Gcra, Quota, RateLimitLayer, Rule},
//!     redis::{RedisLink, rate::{OnError, RedisRateStore}},
//! };
//!
//! // Nothing is connected yet.
//! let link = RedisLink::try_new("redis://127.0.0.1:6379")?;
//! let store = RedisRateStore::new(link, Rule::requests(Gcra::new(Quota::try_per_minute(100)?)))
//!     .with_on_error(OnError::Local { replicas: NonZeroU32::MIN.saturating_add(2) });
//! // The same secret on every replica, from where its other secrets are.
//! let secret = [7; 16];
//! let layer = RateLimitLayer::in_store(store).with_key_hasher(KeyHasher::with_secret(&secret));
//! # let _ = layer;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is promised
//!
//! R1. No call takes longer than [`RedisLink::with_timeout`], 100 ms by default, connecting included.
//! R2. The first call that fails finds Redis down, and says so by one event; all that are under way
//!     fail with it. While it is down nobody waits for it, and one probe at a time looks for it, at least
//!     each 100 ms when it refuses.
//! R3. Nothing that the stores decide by reads the clock of a replica: points in time are the server's,
//!     and how long something lasts is counted by a clock that does not jump.
//! R4. No credential, and nobody's key, stands in Redis, in an event or in an error: names are made of
//!     the 128 bits of a [`Key`](crate::key::Key), which only who has the secret can make.
//! R5. What is in Redis expires by itself when it says nothing any more.
//!
//! # Keys
//!
//! All replicas need one [`KeyHasher`](crate::key::KeyHasher), by
//! [`with_secret`](crate::key::KeyHasher::with_secret), which each layer is given as
//! `with_key_hasher` says: with hashers of their own,
//! which are the default, they know no caller in common, and have as many limits as there are replicas.
//! All names of a key have the same hash tag, `kimi:{<32 hex digits>}:..`, so that a script finds
//! them in one slot of a cluster.
//!
//! # Servers
//!
//! The tests are run with Redis 7.0. Nothing is asked of it that Redis 6.2 and Valkey do not have as
//! well by their documentation, with which they were not run; `KIMI_REDIS_SERVER` names the program
//! that they start.
//!
//! A link speaks to one server, or to a proxy. It follows no redirections: of a cluster of several
//! servers each answers with an error for the keys that others have (`MOVED`), as if it were away. So a
//! cluster needs a proxy.
//!
//! A user of Redis needs these rights for limits:
//!
//! ```text
//! ~kimi:* +ping +evalsha +script|load +time +hmget +hset +pexpire
//! +zadd +zcard +zrange +zrangebyscore +zrem +zremrangebyscore +zrevrange
//! ```
//!
//! And these for turns, where channels are for who waits to hear at once, and turns go on without:
//!
//! ```text
//! ~kimi:* &kimi:* +ping +evalsha +script|load +time +info +get +set +del +publish +subscribe
//! +hget +hmget +hset +hdel +pexpire +zadd +zcard +zrange +zrank +zrem +zremrangebyscore +zscore
//! ```
//!
//! # Caveats
//!
//! - A script that has no answer in time may have been run: what it charged comes back by itself, a
//!   period later at most.
//! - Redis forgets, when it is restarted, what was spent since its last snapshot, or all if it has none,
//!   and a fail-over may lose what the replica had not yet.
//! - A server's clock that steps back has units come back later by that; one that leaps ahead, earlier.

mod link;
#[cfg(feature = "rate-limit")]
pub mod rate;
#[cfg(feature = "session")]
pub mod session;

pub use self::link::{LinkError, LinkUrlError, RedisLink};
