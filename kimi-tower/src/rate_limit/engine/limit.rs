use super::{Decision, Gcra, Level, Moment, Quota, SlidingWindow};

/// Either engine, over a state of [`words`](Self::words) words.
///
/// ```
/// use kimi_tower::rate_limit::{Gcra, Limit, Moment, Quota};
///
/// let limit = Limit::from(Gcra::new(Quota::article()));
/// let mut state = vec![0; limit.words()];
/// assert!(limit.decide(&mut state, Moment::EPOCH, 5).is_admitted());
/// assert_eq!(limit.level(&state, Moment::EPOCH).remaining(), 0);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Limit {
    /// Burst and rate.
    Gcra(Gcra),
    /// Never more than so many units in any period.
    SlidingWindow(SlidingWindow),
}

impl Limit {
    /// Returns how many words a state has, of 8 bytes each. Zeros are a state of which nothing is
    /// spent.
    #[inline]
    #[must_use]
    pub const fn words(&self) -> usize {
        match self {
            Self::Gcra(_) => 1,
            Self::SlidingWindow(window) => window.words(),
        }
    }

    /// Returns the units and their period.
    #[must_use]
    pub const fn quota(&self) -> Quota {
        match self {
            Self::Gcra(gcra) => gcra.quota(),
            Self::SlidingWindow(window) => window.quota(),
        }
    }

    /// Returns the most units that are admitted at once.
    #[inline]
    #[must_use]
    pub const fn capacity(&self) -> u32 {
        match self {
            Self::Gcra(gcra) => gcra.burst(),
            Self::SlidingWindow(window) => window.quota().units(),
        }
    }

    /// Decides, and spends `cost` units if they are admitted. A slice of another length than
    /// [`words`](Self::words) admits nothing.
    #[inline]
    pub fn decide(&self, state: &mut [u64], now: Moment, cost: u32) -> Decision {
        match (self, state) {
            (Self::SlidingWindow(window), state) => window.decide(state, now, cost),
            (Self::Gcra(gcra), [state]) => {
                let (next, decision) = gcra.decide(*state, now, cost);
                *state = next;
                decision
            }
            (Self::Gcra(_), _) => Decision::Never,
        }
    }

    /// Returns what [`decide`](Self::decide) would say, which spends nothing.
    #[inline]
    pub fn peek(&self, state: &[u64], now: Moment, cost: u32) -> Decision {
        match (self, state) {
            (Self::SlidingWindow(window), state) => window.peek(state, now, cost),
            (Self::Gcra(gcra), &[state]) => gcra.peek(state, now, cost),
            (Self::Gcra(_), _) => Decision::Never,
        }
    }

    /// Gives back `cost` units that were admitted at `at`, as [`Gcra::refund`] or
    /// [`SlidingWindow::refund`] does.
    pub fn refund(&self, state: &mut [u64], now: Moment, at: Moment, cost: u32) {
        match (self, state) {
            (Self::SlidingWindow(window), state) => {
                window.refund(state, now, at, cost);
            }
            (Self::Gcra(gcra), [state]) => *state = gcra.refund(*state, cost),
            (Self::Gcra(_), _) => {}
        }
    }

    /// Returns how much is left at `now`.
    #[must_use]
    pub fn level(&self, state: &[u64], now: Moment) -> Level {
        match (self, state) {
            (Self::SlidingWindow(window), state) => window.level(state, now),
            (Self::Gcra(gcra), &[state]) => gcra.level(state, now),
            (Self::Gcra(_), _) => Level::NONE,
        }
    }
}

impl From<Gcra> for Limit {
    fn from(gcra: Gcra) -> Self {
        Self::Gcra(gcra)
    }
}

impl From<SlidingWindow> for Limit {
    fn from(window: SlidingWindow) -> Self {
        Self::SlidingWindow(window)
    }
}
