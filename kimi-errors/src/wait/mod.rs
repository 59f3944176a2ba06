//! Every form in which a server says "wait".

mod date;
mod duration;
#[cfg(feature = "http")]
mod fields;
mod text;

#[cfg(feature = "http")]
pub use self::fields::retry_after;
#[cfg(feature = "http")]
pub(crate) use self::fields::{PUSHBACK, asks_for_end, explicit, reset};
pub(crate) use self::{date::http_date, text::in_text};

use std::time::{Duration, SystemTime};

#[cfg(feature = "http")]
use crate::clock;

/// The longest wait that is believed: 365 days. No standard sets a limit; we do, so that no sum
/// of times can overflow. Whoever asks for more is given this.
pub(crate) const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Returns the wait of a text that is nothing else: `33s`, `1.5`, in seconds if no unit is named.
pub(crate) fn in_seconds(text: &str) -> Option<Duration> {
    duration::whole(text, Duration::from_secs(1))
}

/// How long a server asks to wait, as it said it: for a time, or until a time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Wait {
    /// For this long, counted from the arrival of the answer. At most 365 days.
    Delay(Duration),
    /// Until this time of the server's clock; it may lie in the past.
    At(SystemTime),
}

impl Wait {
    /// Returns how long to wait from `now` on: zero for a time that has passed, at most 365 days.
    #[must_use]
    pub fn delay(self, now: SystemTime) -> Duration {
        match self {
            Self::Delay(delay) => delay,
            Self::At(at) => at.duration_since(now).unwrap_or_default().min(LONGEST),
        }
    }

    /// Returns how long to wait from this moment on, by this machine's clock.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn remaining(self) -> Duration {
        self.delay(clock::now())
    }

    /// Returns when the wait is over, if it begins `now`.
    #[must_use]
    pub fn end(self, now: SystemTime) -> SystemTime {
        match self {
            Self::Delay(delay) => now.checked_add(delay).unwrap_or(now),
            Self::At(at) => at,
        }
    }
}

#[cfg(all(test, feature = "http"))]
mod tests;
