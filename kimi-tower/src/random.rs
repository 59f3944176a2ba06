//! Numbers for jitter and for keys, from one word of state that threads share.

#[cfg(any(
    test,
    feature = "retry",
    feature = "token",
    all(feature = "redis", feature = "session")
))]
use std::time::Duration;
use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// The step of the sequence: 2^64 divided by the golden ratio, as SplitMix64 has it (Steele, Lea
/// and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64. Good enough to spread waits, and no source of secrets.
pub(crate) struct Random {
    /// `Relaxed`, since it orders nothing: each number is drawn by one thread.
    state: AtomicU64,
}

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed) }
    }

    /// Creates one whose numbers differ from those of any other.
    pub(crate) fn from_system() -> Self {
        // The keys of the standard library's hashers come from the system's source.
        Self::new(RandomState::new().hash_one(STEP))
    }

    pub(crate) fn next(&self) -> u64 {
        let mut mixed = self.state.fetch_add(STEP, Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns any time from zero to `longest`.
    #[cfg(any(
        test,
        feature = "retry",
        feature = "token",
        all(feature = "redis", feature = "session")
    ))]
    pub(crate) fn up_to(&self, longest: Duration) -> Duration {
        // A wait of more than 584 years is one of 584 years.
        let nanos = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX);
        let drawn = (u128::from(self.next()) * (u128::from(nanos) + 1)) >> 64;
        Duration::from_nanos(u64::try_from(drawn).unwrap_or(nanos))
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Random").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        let random = Random::new(1_234_567);
        let numbers = [0; 3].map(|_| random.next());
        let known =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(numbers, known);
    }

    #[test]
    fn two_of_them_do_not_draw_the_same() {
        assert_ne!(Random::from_system().next(), Random::from_system().next());
    }

    #[test]
    fn a_time_is_within_its_bounds() {
        let random = Random::new(3);
        assert_eq!(random.up_to(Duration::ZERO), Duration::ZERO);
        let drawn: Vec<_> = (0..100).map(|_| random.up_to(Duration::from_nanos(3))).collect();
        for nanos in 0..4 {
            assert!(drawn.contains(&Duration::from_nanos(nanos)));
        }
        assert!(drawn.iter().all(|it| it.as_nanos() <= 3));
        assert!(random.up_to(Duration::MAX) <= Duration::from_nanos(u64::MAX));
    }
}
