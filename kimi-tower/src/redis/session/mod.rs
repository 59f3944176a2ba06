//! Turns of sessions, one at a time on all machines.
//!
//! A [`RedisSessionStore`] is a [`SessionStore`](crate::session::store::SessionStore): with it, the
//! layer [`session`](crate::session) serves one request of a session at a time, whichever process
//! it comes to. Who waits stands in one line in Redis, in the order in which they have come to it.
//!
//! # Example
//!
//! ```
//! use kimi_tower::{
//!     key::KeyHasher,
//!     redis::{RedisLink, session::{OnError, RedisSessionStore}},
//!     session::SessionLayer,
//! };
//!
//! // Nothing is connected yet.
//! let link = RedisLink::try_new("redis://127.0.0.1:6379")?;
//! let store = RedisSessionStore::new(link).with_on_error(OnError::Local);
//! // The same secret on every replica, from where its other secrets are.
//! let secret = [7; 16];
//! let layer = SessionLayer::new()
//!     .with_store(store)
//!     .with_key_hasher(KeyHasher::with_secret(&secret))
//!     .with_fence_field("x-kimi-fence".parse()?);
//! # let _ = layer;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is promised
//!
//! S1. A turn is leased, for 10 s by default, and leased again each third of that, by one task for all
//!     turns of a process. Whoever could not lease it again ends its answer when nine tenths of the
//!     lease are over, counted by a monotonic clock from before the call that was the last to succeed:
//!     with [`Lost::Lease`](crate::session::Lost::Lease), which is an error at the end of the stream.
//! S2. A process that runs, and whose clock is not a tenth slower than the server's, is never at work
//!     at the same time as another. One that was stopped does not know that its lease is over. For
//!     what it writes then there is the [`Fence`](crate::session::Fence): each turn's is greater than
//!     those of all turns that its session had before, also after Redis has forgotten everything,
//!     since it is the server's time in microseconds, or one more than the last.
//! S3. When a process dies, the next has the turn of its sessions a lease later at most, and all its
//!     places in lines are left out from then on, however many. A place that had its turn just before
//!     has it no longer than that.
//! S4. A request waits for no call that takes longer than the link's time-out. See below for what
//!     becomes of it. It waits for the first, which says whether its turn is free, also past its
//!     deadline. What Redis comes to later, as when it was stopped, changes nothing there: what asks
//!     for a turn, or leases one, says until when it is waited for, in the time of Redis.
//! S5. A Redis that has restarted, and forgotten everything, gives no new turn before a lease has
//!     passed; by then who had turns has said so. Their answers go on if it is back within a lease.
//! S6. What was given back is given back in Redis only by whoever has it. A session of which nobody
//!     has or awaits a turn is forgotten three leases and five seconds later.
//!
//! | | on all machines | what it may be off by |
//! |---|---|---|
//! | one at a time, `max_waiting`, [`Policy::Supersede`](crate::session::Policy::Supersede) | yes | |
//! | order | as they have come to Redis | one who was forgotten keeps its place |
//! | `max_hold`, `max_idle` | yes | seen a second later at most, and a third of a lease more if a word gets lost |
//! | `max_sessions` | of each process | |
//!
//! # When Redis does not answer
//!
//! | | [`OnError::Closed`], the default | [`OnError::Local`] | [`OnError::Open`] |
//! |---|---|---|---|
//! | a new request, and who waits | `Unavailable`, -2001 with 503 | takes its turn among those of its process | goes at once |
//! | who has a turn | goes on for nine tenths of a lease | the same | the same |
//! | when it is back | asks again | one that has its turn in Redis also waits for those of its process that have theirs without | those that went are beside others until they end |
//! | [`Fence`](crate::session::Fence) of those without Redis | | none | none |
//!
//! # How others are woken
//!
//! Whoever gives back a turn gives it to the next, and tells its process by publish and subscribe, on
//! one channel of each process. So is told who has to end. What is not heard is found: each that waits
//! looks once a second, up to a quarter less, and when the lease of the one before it is over; and each
//! that has a turn is told with the next beat. A subscription on which a lease long not even the beats
//! of the process itself are heard is made anew.
//!
//! # Caveats
//!
//! - The lease has to be the same for all processes. One of less than three time-outs of the link does
//!   not outlive one call that has failed.
//! - A lease is as long as a machine may be stopped without losing turns. The monotonic clock of Linux
//!   stands while a machine is suspended; the fence does not.
//! - A fail-over may forget the last turns, and so may a server that is restarted with an older snapshot
//!   of itself: then two may be at work, of which only the later has the greater fence, if the clock of
//!   the new server is not behind. The same holds for `FLUSHALL`.
//! - Redis is asked `INFO` once after it has started empty, to know that it has; where that is not
//!   allowed, the first turn of all comes a lease later. Until then who does not wait is told that the
//!   session is busy.
//! - All names are in one slot, `kimi:{session}:..`: a cluster does not spread them.
//! - A future that nobody polls does not hear of its turn, which is the next one's when its process was
//!   not heard of for a lease, or else a lease later; it keeps its place.
//! - Each turn costs two calls, one before it and one after it, which no request waits for; who waits,
//!   one more each second. A process that has not heard for a minute what time Redis has asks twice.

mod clock;
mod hearing;
mod keeper;
mod on_error;
mod place;
mod said;
mod shared;
mod store;
mod table;
mod turn;
mod wire;

pub use self::{on_error::OnError, place::RedisPlace, store::RedisSessionStore, turn::RedisTurn};
