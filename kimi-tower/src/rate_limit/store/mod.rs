//! Where the states of all keys are kept, and who waits for them.
//!
//! A [`MemoryStore`] has a table for each plan, which has shards, each under its own lock. A shard
//! has the states of its keys one after the other in one piece of memory, and a row for each key
//! for which somebody waits. What a shard does is pure logic: it is told the time.
//!
//! # What is promised
//!
//! S1. All rules of a plan are charged, or none; who is refused, or leaves, is charged nothing. A
//!     refusal names the first instant that admits, as does whoever waits, with those who wait
//!     taken into account.
//! S2. Those of one key go in the order in which they asked. Nobody overtakes: not who costs less,
//!     nor who would not wait, nor who costs nothing.
//! S3. Who waits is woken once, at the instant at which it goes, if nobody leaves and nothing is
//!     given back. If it goes earlier than it was told it is woken for that; if later, as after a
//!     pause, it looks at the time that it was told and learns the new one.
//! S4. Dropping one who waits, at any point, gives back what it was granted and gives its place to
//!     the next.
//! S5. Memory is bounded. A key of which nothing is spent vanishes by itself; one of which half or
//!     more is spent, or for which somebody waits, is never forgotten.
//! S6. No key waits for another, unless there is no room for either.
//!
//! # Concurrency
//!
//! A lock of a shard is held for one decision, or as long as a row takes to be gone through. Inside
//! it the locks of places are locked, which those who wait share with their row, and nothing else;
//! a place is locked alone, too. Wakers are woken and dropped when no lock is held, since they run
//! others' code.

mod asked;
mod decide;
mod later;
#[cfg(all(test, loom))]
mod loom_tests;
mod memory;
mod queue;
mod shard;
mod slab;
mod states;
mod table;
#[cfg(all(test, not(loom)))]
mod tests;
mod told;
mod turns;
mod waiting;

use std::{future::Future, time::Duration};

use kimi_errors::Error;

pub use self::{asked::Asked, later::Later, memory::MemoryStore};
use super::{Costs, Levels, Moment, Plans};
use crate::key::Key;

/// Keeps the states of all keys and decides, here or elsewhere.
///
/// The layer asks it once for each request, all rules of a plan at once; whoever must wait waits in
/// the future that it returns. [`MemoryStore`] is the default. One that many machines share asks
/// another service, and brings its own bounds of time for that.
pub trait RateStore: Clone + Send + Sync + 'static {
    /// What is said later.
    ///
    /// Dropping it before it is ready leaves every count as it was, and gives a place among those who
    /// wait to the next.
    type Later: Future<Output = Result<Verdict, Error>> + Send + Sync + Unpin + 'static;

    /// Returns the plans that it decides by.
    fn plans(&self) -> &Plans;

    /// Asks for a request: all rules of its plan are charged, or none.
    ///
    /// What can be said at once is, and then the layer waits for nothing. The verdict is an `Err` only if there can be none, as when the service behind does not answer.
    fn ask(&self, ask: &Ask) -> Asked<Self::Later>;

    /// Corrects what a request was charged to `costs`, when they are known: less is given back,
    /// more is charged on top. Called at most once for each grant, and never waits.
    fn settle(&self, grant: &Grant, costs: Costs);

    /// Takes notice of what an upstream says of the limits that `key` has there.
    fn observe(&self, key: Key, plan: usize, told: &Told);
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Ask {
    /// Whose limits.
    pub key: Key,
    /// By which plan: its place among [`RateStore::plans`], which is one.
    pub plan: usize,
    /// What it costs by each rule.
    pub costs: Costs,
    /// How it may wait; `None` if it may not.
    pub patience: Option<Patience>,
    /// Whether the verdict is to tell the levels.
    pub wants_levels: bool,
}

/// How a request may wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Patience {
    /// Who would have to wait longer is refused at once.
    pub max_wait: Duration,
    /// How many of one key wait at a time, at most.
    pub max_queue: usize,
}

impl Ask {
    /// Creates a question without patience, and without interest in levels.
    #[must_use]
    pub const fn new(key: Key, plan: usize, costs: Costs) -> Self {
        Self { key, plan, costs, patience: None, wants_levels: false }
    }
}

impl Patience {
    /// Creates a patience.
    #[must_use]
    pub const fn new(max_wait: Duration, max_queue: usize) -> Self {
        Self { max_wait, max_queue }
    }
}

/// What a store says to a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// It may go on, and has been charged.
    Admitted(Grant),
    /// It may not, and has been charged nothing.
    Refused(Refused),
}

/// What an admitted request was charged, and when.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Grant {
    /// Whose limits were charged.
    pub key: Key,
    /// By which plan.
    pub plan: usize,
    /// How much.
    pub costs: Costs,
    /// When, by the store's time.
    pub at: Moment,
    /// How long it has waited.
    pub waited: Duration,
    /// How much is left, if that was asked.
    pub levels: Levels,
}

impl Grant {
    /// Creates the grant of what was asked for.
    #[must_use]
    pub const fn new(ask: &Ask, at: Moment, waited: Duration, levels: Levels) -> Self {
        Self { key: ask.key, plan: ask.plan, costs: ask.costs, at, waited, levels }
    }
}

/// Why a request is refused.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refused {
    /// Which rule of the plan says so: that with the longest wait; the first if only others who wait,
    /// or a pause, stand in the way.
    pub rule: usize,
    /// After which wait it is admitted if nobody else spends meanwhile; `None` if it costs more
    /// than there can ever be.
    pub wait: Option<Duration>,
    /// How much is left, if that was asked.
    pub levels: Levels,
}

impl Refused {
    /// Creates a refusal.
    #[must_use]
    pub const fn new(rule: usize, wait: Option<Duration>, levels: Levels) -> Self {
        Self { rule, wait, levels }
    }
}

/// What an upstream says of its limits.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Told {
    /// How long nothing is to be sent.
    pub pause: Option<Duration>,
    /// How many requests are left there, in the shortest of their periods.
    pub requests: Option<u32>,
    /// How many tokens are left there, in the shortest of their periods.
    pub tokens: Option<u32>,
}
