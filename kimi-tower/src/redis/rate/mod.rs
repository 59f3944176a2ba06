//! Limits that many machines share.
//!
//! A [`RedisRateStore`] is a [`RateStore`](crate::rate_limit::store::RateStore): a
//! [`RateLimitLayer`](crate::rate_limit::RateLimitLayer) is made with it instead of with the store
//! in memory, and nothing else changes. All rules of a plan are decided by one script, at the server's
//! time, which is counted in microseconds.
//!
//! # What is promised
//!
//! S1. All rules of a plan are charged, or none. A refusal names the first microsecond that admits.
//! S2. A [`SlidingWindow`] never admits more than its units in any period, by the server's clock; a
//!     [`Gcra`] never more than burst and rate. Verdicts, waits and levels are those of the engines in
//!     memory, told the server's time; a period that is no whole microseconds is longer by less than one.
//! S3. Who waits has a place in the future, which is charged when he gets it: no second call is made.
//!     Nobody overtakes: whoever asks goes behind him, or is refused.
//! S4. Who leaves, at any point, gives back what he was charged. His place is that of the next who asks if
//!     he was the last; those behind him go when they were told.
//! S5. Corrections of charges are sent while nobody waits for them, at most 1 024 at a time.
//!
//! # When Redis does not answer
//!
//! | | [`Open`](OnError::Open) | [`Closed`](OnError::Closed), the default | [`Local`](OnError::Local) |
//! |---|---|---|---|
//! | requests | pass, uncounted | are refused: `Unavailable`, again in 1 s | are held to the replica's share |
//! | over all | without bound | nothing | the limit, if there are as many replicas as was said; what was admitted before is not known here |
//! | corrections | are lost | are lost | what was used on top is remembered |
//! | when it is back | counted from then on | counted from then on | each replica first tells what its callers have spent meanwhile, so that there is no burst |
//!
//! The request that finds out waits for the time-out of the link; those that are under way are answered
//! with it, and all others at once. A decision takes no longer than one time-out, however many calls it
//! needs and whoever else is waited for.
//!
//! What the callers of up to 65 536 keys have spent is told. Whoever asks for such a key tells it himself,
//! or waits until it is told. Other replicas may not have told theirs yet: what they have admitted counts
//! from then on, at most a whole quota of it, so that it is made up for later.
//!
//! If Redis has forgotten everything, what was spent before is not known: up to a whole limit more is
//! admitted. `Local` counts what it admitted itself.
//!
//! # Leases
//!
//! With [`RedisRateStore::with_lease`] a replica takes as many permits as it is told in one call, or
//! as there are, and decides on them in its memory. A lease lives for a hundredth of the plan's shortest
//! period, 1 s at most. What is left then, or does not suffice for the next, is returned: of a bucket as
//! much as has not come back by itself, so that a late return gives nothing away.
//!
//! | | each asked | leased |
//! |---|---|---|
//! | calls | one a decision | one a batch, or each lease's life; who is refused comes again when a batch, or the most there can be, is back, or after a lease's life if that is sooner: until then Redis is not asked |
//! | a `SlidingWindow` | never over | never over: permits count from the end of their lease, and come back later by that |
//! | a `Gcra` | never over | over by 1 % of the quota's units at most |
//! | among replicas | in order | whoever has permits goes before those who wait |
//! | a replica that dies | loses nothing | its permits come back a period later |
//! | levels | now | when the lease was taken |
//!
//! A batch is to be small beside the limit: one replica can have no more at a time than it takes.
//!
//! # Caveats
//!
//! - Two stores in one Redis, as of a layer that counts requests and one that counts tokens, need a
//!   [prefix](crate::redis::RedisLink::with_prefix) each: by the same, they count the same.
//! - A pause that an upstream asks for stops whoever asks from then on; who has a place goes.
//! - An exact window takes about 100 bytes of Redis for each request that is in it: for more than
//!   some thousands, sub-windows are for that.
//! - A correction that is lost is one to the caller's loss, unless it charged more.
//! - What is given back while a queue is long costs the script a look at each place in it.
//!
//! [`Gcra`]: crate::rate_limit::Gcra
//! [`SlidingWindow`]: crate::rate_limit::SlidingWindow

mod correct;
mod decide;
mod later;
mod lease;
mod local;
mod on_error;
mod said;
mod server;
mod sheet;
mod store;
#[cfg(all(test, not(loom)))]
mod tests;
mod wire;

pub use self::{later::Later, on_error::OnError, store::RedisRateStore};
