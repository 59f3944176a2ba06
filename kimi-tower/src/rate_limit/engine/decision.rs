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
    pub(super) remaining: u32,
    pub(super) reset: Duration,
}

impl Level {
    /// That of a state which is none.
    pub(super) const NONE: Self = Self { remaining: 0, reset: Duration::MAX };

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
        self.reset
    }
}
