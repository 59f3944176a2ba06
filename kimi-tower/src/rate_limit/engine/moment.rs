use std::time::Duration;

/// A point in time: whole nanoseconds since an epoch, which is when the state was made.
///
/// At most [`LAST`](Self::LAST), so that no engine can overflow; what is later counts as that.
///
/// ```
/// use std::time::Duration;
/// use kimi_tower::rate_limit::Moment;
///
/// // From tokio's clock: `Moment::after(epoch.elapsed())`.
/// let now = Moment::after(Duration::from_millis(1_500));
/// assert_eq!(now.as_nanos(), 1_500_000_000);
/// assert_eq!(now + Duration::from_millis(500), Moment::after(Duration::from_secs(2)));
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Moment(u64);

impl Moment {
    /// The epoch itself.
    pub const EPOCH: Self = Self(0);

    /// The end of time: 2^59 - 1 ns, 18 years after the epoch. Ours: it leaves [`Gcra`] four bits
    /// for parts of a nanosecond. Limits that are spent then stay so.
    ///
    /// [`Gcra`]: super::Gcra
    pub const LAST: Self = Self((1 << 59) - 1);

    /// Returns the point in time so many nanoseconds after the epoch.
    #[inline]
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        if nanos < Self::LAST.0 { Self(nanos) } else { Self::LAST }
    }

    /// Returns the point in time so long after the epoch.
    #[inline]
    #[must_use]
    pub fn after(elapsed: Duration) -> Self {
        let seconds = elapsed.as_secs().saturating_mul(1_000_000_000);
        Self::from_nanos(seconds.saturating_add(elapsed.subsec_nanos().into()))
    }

    /// Returns the nanoseconds since the epoch.
    #[inline]
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Returns how long it is since `earlier`, zero if that is later.
    pub(crate) const fn since(self, earlier: Self) -> Duration {
        earlier.until(self.0)
    }

    /// Returns how long it is until `nanos` after the epoch, zero if that has passed.
    #[inline]
    pub(super) const fn until(self, nanos: u64) -> Duration {
        Duration::from_nanos(nanos.saturating_sub(self.0))
    }
}

impl std::ops::Add<Duration> for Moment {
    type Output = Self;

    #[inline]
    fn add(self, wait: Duration) -> Self {
        let wait = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
        Self::from_nanos(self.0.saturating_add(wait))
    }
}
