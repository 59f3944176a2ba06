use super::{Decision, Level, Moment, Quota, QuotaError, quota::MAX_NANOS, ticks::Ticks};

/// Burst and rate, by the generic cell rate algorithm: a bucket of `burst` units into which they
/// come back one by one, evenly, a quota's worth in its period.
///
/// Its state is one word, the tick in which the bucket will be full; 0 is a full one. All functions
/// are pure: who keeps the words, and how they are shared, is another's part, [`GcraCell`]'s for
/// one. See the [module](super).
///
/// ```
/// use std::time::Duration;
/// use kimi_tower::rate_limit::{Decision, Gcra, Moment, Quota};
///
/// // Two at once, then one every 12 s.
/// let gcra = Gcra::new(Quota::article()).try_with_burst(2)?;
/// let (state, decision) = gcra.decide(0, Moment::EPOCH, 2);
/// assert_eq!(decision, Decision::Admitted);
///
/// let (state, decision) = gcra.decide(state, Moment::EPOCH, 1);
/// assert_eq!(decision, Decision::Wait(Duration::from_secs(12)));
/// # Ok::<_, kimi_tower::rate_limit::QuotaError>(())
/// ```
///
/// [`GcraCell`]: super::GcraCell
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Gcra {
    quota: Quota,
    /// Never 0.
    burst: u32,
    pub(super) ticks: Ticks,
    /// What a unit takes to come back, in ticks.
    pub(super) interval: u64,
    /// What `burst` units take to come back, in ticks. At most 2^59.
    pub(super) capacity: u64,
}

impl Gcra {
    /// Creates a limit with the quota's units as burst.
    #[must_use]
    pub const fn new(quota: Quota) -> Self {
        let (ticks, interval) = Ticks::new(quota.units(), quota.period_nanos());
        let burst = quota.units();
        Self { quota, burst, ticks, interval, capacity: interval * burst as u64 }
    }

    /// Admits so many units at once, when nothing was spent for long. 1 spaces them evenly.
    /// Default: the quota's units.
    ///
    /// # Errors
    ///
    /// [`NoUnits`](QuotaError::NoUnits) for a burst of 0, [`TooLong`](QuotaError::TooLong) if the
    /// burst takes more than 365 days to come back.
    pub const fn try_with_burst(mut self, burst: u32) -> Result<Self, QuotaError> {
        let whole = self.quota.period_nanos() as u128 * burst as u128;
        if burst == 0 {
            return Err(QuotaError::NoUnits);
        }
        if whole > MAX_NANOS as u128 * self.quota.units() as u128 {
            return Err(QuotaError::TooLong);
        }
        self.burst = burst;
        self.capacity = self.interval * burst as u64;
        Ok(self)
    }

    /// Returns the rate.
    #[must_use]
    pub const fn quota(&self) -> Quota {
        self.quota
    }

    /// Returns the most units that are admitted at once.
    #[inline]
    #[must_use]
    pub const fn burst(&self) -> u32 {
        self.burst
    }

    /// Returns the new state and whether `cost` units are admitted at `now`. The state is the old
    /// one where they are not, or where they are none. Any `u64` is a state.
    #[inline]
    pub fn decide(&self, state: u64, now: Moment, cost: u32) -> (u64, Decision) {
        if cost > self.burst {
            return (state, Decision::Never);
        }
        if cost == 0 {
            return (state, Decision::Admitted);
        }
        let price = u64::from(cost) * self.interval;
        let (floor, ceil) = self.ticks.around(now.as_nanos());
        if state <= floor {
            // It was full, and begins to come back no sooner than now.
            return (ceil + price, Decision::Admitted);
        }
        let spent = state.saturating_add(price);
        if spent <= floor + self.capacity {
            return (spent, Decision::Admitted);
        }
        let ready = self.ticks.nanos(spent - self.capacity);
        (state, Decision::Wait(now.until(ready)))
    }

    /// Returns what [`decide`](Self::decide) would say, which spends nothing.
    #[inline]
    pub fn peek(&self, state: u64, now: Moment, cost: u32) -> Decision {
        self.decide(state, now, cost).1
    }

    /// Returns the state after `cost` units were given back, at most full.
    ///
    /// A refund counts when it is made: in any window, what is admitted less what is given back is
    /// never over burst and rate. One word cannot know whether the units of long ago have come back
    /// by themselves meanwhile; where that matters, a [`SlidingWindow`] knows.
    ///
    /// [`SlidingWindow`]: super::SlidingWindow
    #[inline]
    #[must_use]
    pub const fn refund(&self, state: u64, cost: u32) -> u64 {
        state.saturating_sub(self.interval.saturating_mul(cost as u64))
    }

    /// Returns how much is left at `now`.
    #[must_use]
    pub fn level(&self, state: u64, now: Moment) -> Level {
        let (floor, _) = self.ticks.around(now.as_nanos());
        let left = match state.checked_sub(floor) {
            None | Some(0) => self.capacity,
            Some(spent) => self.capacity.saturating_sub(spent),
        };
        let remaining = u32::try_from(left / self.interval).unwrap_or(self.burst);
        Level::new(remaining, now.until(self.ticks.nanos(state)))
    }
}
