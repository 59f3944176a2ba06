//! What to do about an error: try again or not, and when.

use std::time::{Duration, SystemTime};

/// Whether and when the same request may be sent again.
///
/// Every Kimi 429 is told apart:
///
/// | upstream says | advice |
/// |---|---|
/// | `engine_overloaded_error` | `Backoff`, after the head's `Retry-After` if there is one |
/// | RPM, TPM or concurrency, 「please try again after 1 seconds」 | `Backoff`, after the text's wait |
/// | TPD, weekly or monthly usage | `AfterReset` |
/// | `exceeded_current_quota_error`, no balance | `Never` |
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum RetryAdvice {
    /// The same request fails again: change it, or the account.
    Never,
    /// Try again, waiting longer each time.
    Backoff {
        /// The least time to wait, if the server named one.
        after: Option<Duration>,
    },
    /// Get a fresh token, then try once more.
    AfterRefresh,
    /// Wait for the running stream of the conversation to end, then try again.
    AfterStream,
    /// Wait for the quota to refill: hours or days, longer than any retry loop should live.
    AfterReset {
        /// When it refills, if the server said so.
        at: Option<SystemTime>,
    },
}

impl RetryAdvice {
    /// [`RetryAdvice::Never`], for symmetry.
    pub const NEVER: Self = Self::Never;
    /// [`RetryAdvice::Backoff`] of which no time is known.
    pub const BACKOFF: Self = Self::Backoff { after: None };
    /// [`RetryAdvice::AfterRefresh`], for symmetry.
    pub const AFTER_REFRESH: Self = Self::AfterRefresh;
    /// [`RetryAdvice::AfterStream`], for symmetry.
    pub const AFTER_STREAM: Self = Self::AfterStream;
    /// [`RetryAdvice::AfterReset`] of which no time is known.
    pub const AFTER_RESET: Self = Self::AfterReset { at: None };

    /// Returns the stable name: `never`, `backoff`, `after_refresh`, `after_stream` or
    /// `after_reset`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Backoff { .. } => "backoff",
            Self::AfterRefresh => "after_refresh",
            Self::AfterStream => "after_stream",
            Self::AfterReset { .. } => "after_reset",
        }
    }

    /// Returns the advice of a [`name`](Self::name), of which no time is known.
    #[cfg(feature = "http")]
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let all = [
            Self::NEVER,
            Self::BACKOFF,
            Self::AFTER_REFRESH,
            Self::AFTER_STREAM,
            Self::AFTER_RESET,
        ];
        all.into_iter().find(|advice| advice.name() == name)
    }
}
