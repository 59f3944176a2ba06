use std::{error::Error as StdError, fmt, time::Duration};

const SECOND: u64 = 1_000_000_000;

/// How many units may be spent in which time. A unit is a request, or a token.
///
/// | field | unit | range | default |
/// |---|---|---|---|
/// | units | requests or tokens | 1 to 4 294 967 295 | none |
/// | period | time | 1 ns to 365 days, and at least 1 ns a unit | none |
///
/// Units of a year and of a nanosecond are the bounds of what 64 bits hold exactly, and ours. The
/// limits of Kimi's platform, by tier, which goes by what an account has paid in all; they are the
/// organization's, not the key's, and shared by all models:
///
/// | tier | requests a minute | tokens a minute | tokens a day | at a time |
/// |---|---:|---:|---:|---:|
/// | 0 | 3 | 500 000 | 1 500 000 | 1 |
/// | 1 | 100 | 2 000 000 | | 15 |
/// | 2 | 100 | 3 000 000 | | 40 |
/// | 3 | 200 | 3 000 000 | | 50 |
/// | 4 | 200 | 4 000 000 | | 60 |
/// | 5 | 300 | 5 000 000 | | 100 |
///
/// ```
/// use std::time::Duration;
/// use kimi_tower::rate_limit::{Quota, QuotaError};
///
/// let tier_0 = Quota::try_per_minute(3)?;
/// assert_eq!(Quota::article(), Quota::try_new(5, Duration::from_secs(60))?);
/// assert_eq!(Quota::try_per_minute(0), Err(QuotaError::NoUnits));
/// # Ok::<_, QuotaError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Quota {
    /// Never 0.
    units: u32,
    /// In nanoseconds. At least `units`, at most [`MAX_NANOS`].
    period: u64,
}

/// The longest period, and the longest time that a burst may take to come back: 365 days.
pub(super) const MAX_NANOS: u64 = 365 * 24 * 60 * 60 * SECOND;

impl Quota {
    /// Returns the quota of so many units in each period.
    ///
    /// # Errors
    ///
    /// [`NoUnits`](QuotaError::NoUnits), [`NoPeriod`](QuotaError::NoPeriod),
    /// [`TooLong`](QuotaError::TooLong) or [`TooFast`](QuotaError::TooFast), if one is out of the
    /// range above.
    pub const fn try_new(units: u32, period: Duration) -> Result<Self, QuotaError> {
        // As `try_from` would, which is not const. The cast is right after the comparison.
        if period.as_secs() > MAX_NANOS / SECOND {
            return Err(QuotaError::TooLong);
        }
        let period = period.as_secs() * SECOND + period.subsec_nanos() as u64;
        match (units, period) {
            (0, _) => Err(QuotaError::NoUnits),
            (_, 0) => Err(QuotaError::NoPeriod),
            _ if period > MAX_NANOS => Err(QuotaError::TooLong),
            _ if period < units as u64 => Err(QuotaError::TooFast),
            _ => Ok(Self { units, period }),
        }
    }

    /// Returns the quota of so many units a minute, as RPM and TPM are.
    ///
    /// # Errors
    ///
    /// As [`try_new`](Self::try_new).
    pub const fn try_per_minute(units: u32) -> Result<Self, QuotaError> {
        Self::try_new(units, Duration::from_secs(60))
    }

    /// Returns the quota of so many units a day, as TPD is.
    ///
    /// # Errors
    ///
    /// As [`try_new`](Self::try_new).
    pub const fn try_per_day(units: u32) -> Result<Self, QuotaError> {
        Self::try_new(units, Duration::from_secs(24 * 60 * 60))
    }

    /// Returns the article's quota: 5 requests in 60 s.
    #[must_use]
    pub const fn article() -> Self {
        Self { units: 5, period: 60 * SECOND }
    }

    /// Returns how many units there are in a period.
    #[inline]
    #[must_use]
    pub const fn units(&self) -> u32 {
        self.units
    }

    /// Returns the period.
    #[inline]
    #[must_use]
    pub const fn period(&self) -> Duration {
        Duration::from_nanos(self.period)
    }

    #[inline]
    pub(super) const fn period_nanos(&self) -> u64 {
        self.period
    }
}

/// Why there is no such limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum QuotaError {
    /// It admits nothing: 0 units, or a burst of 0.
    NoUnits,
    /// Its period is zero.
    NoPeriod,
    /// Its period, or the time in which its burst comes back, is longer than 365 days.
    TooLong,
    /// It has more than one unit a nanosecond, which is as good as no limit.
    TooFast,
    /// An exact log of it has more than 1 048 576 entries, or has to tell too many nanoseconds
    /// apart: 64 bits have to hold a count of its units and one of its period's nanoseconds.
    /// Sub-windows are for that.
    LogTooLong,
    /// There are none, more than 16 384, or one is shorter than a nanosecond.
    SubWindows,
}

impl fmt::Display for QuotaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoUnits => "a limit of 0 units admits nothing",
            Self::NoPeriod => "the period is zero",
            Self::TooLong => "it takes longer than 365 days until all units are back",
            Self::TooFast => "more than one unit a nanosecond is no limit",
            Self::LogTooLong => "an exact log of it would be too long; use sub-windows",
            Self::SubWindows => "there must be 1 to 16384 sub-windows of at least 1 ns each",
        })
    }
}

impl StdError for QuotaError {}
