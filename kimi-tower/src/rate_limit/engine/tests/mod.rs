//! The engines beside others that are slow and plain, and beside `governor`.
//!
//! A run makes half a million decisions in each property. The long one makes ten million, and a
//! million waits:
//!
//! ```sh
//! DECISIONS=10000000 cargo test --release -p kimi-tower --features rate-limit engine
//! ```

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod gcra;
mod limit;
mod oracle;
mod quota;
mod ready;
mod together;
mod window;

use std::cell::Cell;

use super::{Decision, Gcra, GcraCell, Limit, Moment, Quota, QuotaError, SlidingWindow};

/// Returns how many decisions a test makes.
pub(in crate::rate_limit) fn decisions() -> u64 {
    let asked = std::env::var("DECISIONS").ok();
    asked.map_or(500_000, |asked| asked.parse().unwrap())
}

/// Chance from a seed: splitmix64.
pub(in crate::rate_limit) struct Random(Cell<u64>);

impl Random {
    pub(in crate::rate_limit) fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    pub(in crate::rate_limit) fn next(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(state);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Any number from `low` to `high`.
    pub(in crate::rate_limit) fn within(&self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    pub(in crate::rate_limit) fn units(&self, low: u32, high: u32) -> u32 {
        u32::try_from(self.within(low.into(), high.into())).unwrap()
    }

    pub(in crate::rate_limit) fn one_in(&self, count: u64) -> bool {
        self.next().is_multiple_of(count)
    }

    /// Small numbers as often as great ones.
    pub(in crate::rate_limit) fn scaled(&self, low: u64, high: u64) -> u64 {
        let bits = self.within(0, 63 - u64::from(high.leading_zeros()));
        self.within(low, (2 << bits).clamp(low, high))
    }

    /// A quota: some of Kimi's and of the article's kind, and any other.
    pub(in crate::rate_limit) fn quota(&self, max_units: u32) -> Quota {
        let minute = std::time::Duration::from_secs(60);
        loop {
            let units = u32::try_from(self.scaled(1, max_units.into())).unwrap();
            let period = match self.within(0, 3) {
                0 => minute,
                1 => std::time::Duration::from_nanos(self.scaled(1, 1_000)),
                _ => std::time::Duration::from_nanos(self.scaled(1, 1 << 45)),
            };
            if let Ok(quota) = Quota::try_new(units, period) {
                return quota;
            }
        }
    }

    /// Lets time pass, mostly to an instant at which something is about to change.
    fn pass(&self, now: &mut u64, period: u64, last: Decision) {
        let wait = match last {
            Decision::Wait(wait) => u64::try_from(wait.as_nanos()).unwrap(),
            _ => period,
        };
        *now += match self.within(0, 9) {
            0..=2 => 0,
            3 => 1,
            4 => wait,
            5 => wait - 1,
            6 => wait + 1,
            7 => self.within(0, period),
            8 => self.within(0, period / 4 + 1),
            _ => period * self.within(0, 2),
        };
    }
}
