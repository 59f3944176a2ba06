use std::{fmt, time::Duration};

/// How many powers of two of microseconds are told apart: up to 2^31 µs, 36 minutes.
const BUCKETS: usize = 32;

/// What a store has to say of its sessions.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Gauges {
    /// How many sessions have a request under way.
    pub active: usize,
    /// How many requests wait for their turn.
    pub waiting: usize,
    /// For how long turns were held that have ended.
    pub held: Histogram,
    /// How long those waited that have got their turn after a wait.
    pub waited: Histogram,
}

impl Gauges {
    pub(super) fn add(&mut self, active: usize, waiting: usize, times: &Times) {
        self.active += active;
        self.waiting += waiting;
        self.held.add(&times.held);
        self.waited.add(&times.waited);
    }
}

/// What one shard has measured.
#[derive(Debug, Default)]
pub(super) struct Times {
    pub(super) held: Histogram,
    pub(super) waited: Histogram,
}

/// How often something took how long, by powers of two of a microsecond.
#[derive(Clone, Eq, PartialEq)]
pub struct Histogram {
    counts: [u64; BUCKETS],
}

impl Histogram {
    /// Returns how many were measured.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns, for each class, its upper bound and how many were below it, and not below the one
    /// before. The last class has no upper bound, and [`Duration::MAX`] for it.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        self.counts.iter().zip(0_u32..).map(|(count, power)| {
            let is_last = power as usize + 1 == BUCKETS;
            let bound = if is_last { Duration::MAX } else { Duration::from_micros(1 << power) };
            (bound, *count)
        })
    }

    /// Returns a time that this part of what was measured, between 0 and 1, did not take longer
    /// than: the upper bound of the class where it ends. `None` if nothing was measured.
    #[must_use]
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        let total = self.count();
        let mut seen = 0;
        #[expect(clippy::cast_precision_loss, reason = "a rank may be a little off")]
        let rank = part.clamp(0.0, 1.0) * total as f64;
        #[expect(clippy::cast_precision_loss, reason = "as above")]
        let reaches = |seen: u64| seen > 0 && seen as f64 >= rank;
        self.buckets().find_map(|(bound, count)| {
            seen += count;
            reaches(seen).then_some(bound)
        })
    }

    /// Counts one more that took so long.
    #[inline]
    pub fn record(&mut self, took: Duration) {
        let micros = took.as_micros();
        let power = (u128::BITS - micros.leading_zeros()) as usize;
        self.counts[power.min(BUCKETS - 1)] += 1;
    }

    fn add(&mut self, other: &Self) {
        for (sum, count) in self.counts.iter_mut().zip(other.counts) {
            *sum += count;
        }
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [0; BUCKETS] }
    }
}

/// Shows how many there were and the medians, not each class.
impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histogram")
            .field("count", &self.count())
            .field("p50", &self.quantile(0.5))
            .field("p99", &self.quantile(0.99))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_is_below_the_bound_of_its_class() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        for (took, bound) in [(0, 1), (1, 2), (2, 4), (3, 4), (1_000_000, 1 << 20)] {
            let mut one = Histogram::default();
            one.record(Duration::from_micros(took));
            assert_eq!(one.quantile(0.0), Some(Duration::from_micros(bound)), "{took}");
            histogram.add(&one);
        }
        histogram.record(Duration::MAX);
        assert_eq!(histogram.count(), 6);
        assert_eq!(histogram.quantile(0.5), Some(Duration::from_micros(4)));
        assert_eq!(histogram.quantile(1.0), Some(Duration::MAX));
    }
}
