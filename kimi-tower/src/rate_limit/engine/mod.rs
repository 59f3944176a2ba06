//! The engines of rate limits: pure functions of a limit, a state, `now` and a cost. They read no
//! clock, take no lock and allocate nothing.
//!
//! | | [`SlidingWindow`] | [`Gcra`] |
//! |---|---|---|
//! | promises | at most `units` in any period | at most `burst` + `units` / period × time |
//! | after a spent burst | all comes back a period later | units come back one by one, evenly |
//! | state | a word a unit and two; or a word a sub-window and three | one word |
//! | the article's 5 in 60 s | 56 bytes | 8 bytes |
//! | a refund | as if it had not been spent | puts units back, at most full |
//! | for | an upstream's limit, which is not to be hit; tokens | one's own limit, of very many keys |
//!
//! With a burst of `units` a `Gcra` admits nearly twice as many in some period: all at first, and
//! nearly as many while the period lasts. One that never admits more than `units` in a period is
//! the `SlidingWindow`, or a `Gcra` whose burst and rate are together as much.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use kimi_tower::rate_limit::{Decision, Gcra, GcraCell, Moment, Quota, SlidingWindow};
//!
//! let at = |seconds| Moment::after(Duration::from_secs(seconds));
//!
//! // The article's 5 in 60 s: the sixth waits until the first is 60 s ago.
//! let window = SlidingWindow::try_new(Quota::article())?;
//! let mut state = vec![0; window.words()];
//! for second in 0..5 {
//!     assert!(window.decide(&mut state, at(second), 1).is_admitted());
//! }
//! let decision = window.decide(&mut state, at(10), 1);
//! assert_eq!(decision, Decision::Wait(Duration::from_secs(50)));
//!
//! // The same quota as a rate: the sixth waits for the next of every 12 s.
//! let gcra = Gcra::new(Quota::article());
//! let cell = GcraCell::new();
//! assert!(cell.check(&gcra, at(0), 5).is_admitted());
//! assert_eq!(cell.check(&gcra, at(10), 1), Decision::Wait(Duration::from_secs(2)));
//!
//! // A limit that cannot be is an error when it is built.
//! assert!(Quota::try_per_minute(0).is_err());
//! # Ok::<_, kimi_tower::rate_limit::QuotaError>(())
//! ```
//!
//! # What is promised
//!
//! E1. Nothing is spent twice, and nothing that was refused: a decision spends all of a cost or none
//!     of it, also where threads share a [`GcraCell`].
//! E2. A `SlidingWindow` never admits more than its units in any `(t - period, t]`. An exact log
//!     refuses nothing that fits; sub-windows refuse for less than one of them too long.
//! E3. A `Gcra` never admits more than burst and rate allow in any stretch of time. It adds up whole
//!     parts of a unit, so that periods which do not divide by their units do not drift. Where a
//!     unit takes p/q ns in lowest terms, it is exact to the nanosecond if q is at most 16, as it is
//!     for every limit of Kimi's platform; else up to 1 ns late.
//! E4. Who waits exactly as long as [`Decision::Wait`] says, or longer, is admitted if nobody else
//!     spends meanwhile. A nanosecond less is not enough, so that no wait is longer than it must be.
//! E5. Limits that are [decided together](decide_together) are charged all or none, and the longest
//!     wait is named, after which all admit.
//!
//! # Cost
//!
//! Every decision takes constant time, but for what a log searches by halves: what has come back
//! since the last decision, if it is neither none nor one nor all, and when a cost above 1 fits.
//! A refund from a log costs the more, the more was admitted since.
//!
//! # Concurrency
//!
//! A `GcraCell` is for any number of threads. A state in a slice is changed by who has it alone.
//!
//!
//! # Caveats
//!
//! - Time that goes backward admits no more than time that stands still: what is spent counts in a
//!   log as spent at the latest time at which anything was, and a bucket gets back nothing. A clock
//!   that once leaps ahead keeps what was spent then spent until it is there again.
//! - A [`Moment`] ends 18 years after its epoch.
//! - What a refund puts back into a `Gcra` may have come back already; see [`Gcra::refund`].
//! - A state is of one limit. Under another it panics nowhere, and says nothing.

mod cell;
mod debit;
mod decision;
mod gcra;
mod limit;
mod log;
mod moment;
mod quota;
mod ticks;
mod together;
mod whole;
mod window;

#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
pub(super) mod tests;

pub use self::{
    cell::GcraCell,
    decision::{Decision, Level},
    gcra::Gcra,
    limit::Limit,
    moment::Moment,
    quota::{Quota, QuotaError},
    together::{Charge, Together, decide_together},
    window::SlidingWindow,
};
