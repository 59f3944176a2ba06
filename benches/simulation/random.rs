//! Numbers that look random and are the same in each run.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use tower::util::rng::Rng;

/// The fraction of the golden ratio, whose multiples are spread evenly over 64 bits.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A sequence of numbers. Clones take turns in one sequence: tower's backoff clones its generator
/// for each request, and all requests would wait alike.
#[derive(Clone, Debug)]
pub(super) struct Random(Arc<AtomicU64>);

impl Random {
    /// Creates the sequence of this seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seed)))
    }

    /// Returns the next number from 0 to 1, without 1.
    pub(super) fn fraction(&mut self) -> f64 {
        self.next_f64()
    }
}

impl Rng for Random {
    fn next_u64(&mut self) -> u64 {
        mixed(self.0.fetch_add(STEP, Relaxed))
    }
}

/// Returns a number that shows nothing of what it was made of (the finalizer of SplitMix64).
pub(super) fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(STEP);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
