use std::time::Duration;

/// What an engine says to a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
#[non_exhaustive]
pub enum Decision {
    /// It may go on; what it costs is spent.
    Admitted,
    /// It may not, and nothing is spent. After this wait, or a longer one, it will be admitted if
    /// nobody else spends meanwhile; after a shorter one it is not. Never zero.
    Wait(Duration),
    /// It may not, whenever it comes: it costs more than there can ever be.
    Never,
}

impl Decision {
    /// Returns whether the request may go on.
    #[inline]
    #[must_use]
    pub const fn is_admitted(self) -> bool {
        matches!(self, Self::Admitted)
    }
}

/// How much of a limit is left: what `RateLimit` fields say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Level {
    remaining: u32,
    /// In nanoseconds.
    reset: u64,
}

impl Level {
    /// That of a state which is none.
    pub(in crate::rate_limit) const NONE: Self = Self { remaining: 0, reset: u64::MAX };

    /// Creates a level, as of a limit that is kept elsewhere. A reset of more than 584 years is none.
    #[must_use]
    pub fn new(remaining: u32, reset: Duration) -> Self {
        Self { remaining, reset: u64::try_from(reset.as_nanos()).unwrap_or(u64::MAX) }
    }

    /// That of a limit of which nothing is spent.
    pub(in crate::rate_limit) const fn whole(capacity: u32) -> Self {
        Self { remaining: capacity, reset: 0 }
    }

    /// Returns the largest cost that would be admitted now.
    #[inline]
    #[must_use]
    pub const fn remaining(&self) -> u32 {
        self.remaining
    }

    /// Returns how long it takes until nothing is spent, if nobody spends meanwhile. Zero says
    /// that the state tells no more than a new one, and may be forgotten.
    #[inline]
    #[must_use]
    pub const fn reset(&self) -> Duration {
        // What is no state is never whole.
        if self.reset == u64::MAX { Duration::MAX } else { Duration::from_nanos(self.reset) }
    }
}
