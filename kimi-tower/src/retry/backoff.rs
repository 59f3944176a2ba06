use std::time::Duration;

use crate::random::Random;

/// How long to wait before a retry: twice as long before each, up to a cap.
///
/// With full jitter, the default, a wait is any time from zero up to that, so that requests which
/// failed together do not come back together.
///
/// ```
/// use std::time::Duration;
/// use kimi_tower::retry::Backoff;
///
/// // Up to 0.5, 1, 2, 4, 8, 8, .. seconds.
/// let jittered = Backoff::exponential(Duration::from_millis(500), Duration::from_secs(8));
/// // 1, 2, 4, 8, .. seconds, as the article waits.
/// let exact = Backoff::exponential(Duration::from_secs(1), Duration::MAX).without_jitter();
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    is_jittered: bool,
}

impl Backoff {
    /// Creates a backoff that begins with `base` and doubles up to `cap`, with full jitter. A base
    /// above the cap is the cap.
    #[must_use]
    pub const fn exponential(base: Duration, cap: Duration) -> Self {
        Self { base, cap, is_jittered: true }
    }

    /// Waits exactly as long as the steps say.
    #[must_use]
    pub const fn without_jitter(mut self) -> Self {
        self.is_jittered = false;
        self
    }

    /// Returns the longest wait before the retry that follows `retries` others.
    fn step(self, retries: u32) -> Duration {
        let factor = 1_u32.checked_shl(retries).unwrap_or(u32::MAX);
        self.base.checked_mul(factor).unwrap_or(Duration::MAX).min(self.cap)
    }

    /// Returns the wait before the retry that follows `retries` others. What the server asked for
    /// is the least: jitter comes on top of it.
    pub(super) fn wait(self, retries: u32, hint: Option<Duration>, random: &Random) -> Duration {
        let step = self.step(retries);
        match hint {
            None if self.is_jittered => random.up_to(step),
            None => step,
            Some(hint) if self.is_jittered => hint.saturating_add(random.up_to(step)),
            Some(hint) => hint.max(step),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn steps_double_up_to_the_cap() {
        let backoff = Backoff::exponential(SECOND, SECOND * 10).without_jitter();
        let random = Random::new(1);
        let waits = [0, 1, 2, 3, 4, 31, 32, u32::MAX].map(|it| backoff.wait(it, None, &random));
        assert_eq!(waits, [1, 2, 4, 8, 10, 10, 10, 10].map(Duration::from_secs));
        let most = Backoff::exponential(Duration::MAX, Duration::MAX).without_jitter();
        assert_eq!(most.wait(7, None, &random), Duration::MAX);
        let nothing = Backoff::exponential(Duration::ZERO, SECOND);
        assert_eq!(nothing.wait(9, None, &random), Duration::ZERO);
    }

    #[test]
    fn full_jitter_takes_any_time_up_to_the_step() {
        let backoff = Backoff::exponential(SECOND, SECOND * 10);
        let random = Random::new(7);
        let waits: Vec<_> = (0..1_000).map(|_| backoff.wait(1, None, &random)).collect();
        assert!(waits.iter().all(|wait| *wait <= SECOND * 2));
        for tenth in 0..10 {
            let from = SECOND * 2 / 10 * tenth;
            let within = waits.iter().filter(|wait| (from..from + SECOND / 5).contains(wait));
            assert!((60..140).contains(&within.count()), "{tenth}");
        }
    }

    proptest! {
        #[test]
        fn prop_a_hint_is_the_least(
            base in any::<Duration>(),
            cap in any::<Duration>(),
            hint in any::<Duration>(),
            retries in any::<u32>(),
            seed in any::<u64>(),
        ) {
            let (backoff, random) = (Backoff::exponential(base, cap), Random::new(seed));
            prop_assert!(backoff.wait(retries, Some(hint), &random) >= hint);
            prop_assert!(backoff.without_jitter().wait(retries, Some(hint), &random) >= hint);
            prop_assert!(backoff.wait(retries, None, &random) <= cap);
        }
    }
}
