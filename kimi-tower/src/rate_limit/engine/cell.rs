use super::{Decision, Gcra, Level, Moment};
use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The state of a [`Gcra`], shared by threads without a lock. 8 bytes; a new one is full.
///
/// The limit is handed in, so that a million cells share one. All calls to a cell are to name the
/// same limit.
///
/// ```
/// use kimi_tower::rate_limit::{Decision, Gcra, GcraCell, Moment, Quota};
///
/// let gcra = Gcra::new(Quota::article());
/// let cell = GcraCell::new();
/// assert_eq!(cell.check(&gcra, Moment::EPOCH, 5), Decision::Admitted);
/// assert!(!cell.check(&gcra, Moment::EPOCH, 1).is_admitted());
///
/// cell.refund(&gcra, 1);
/// assert_eq!(cell.level(&gcra, Moment::EPOCH).remaining(), 1);
/// ```
#[derive(Debug, Default)]
pub struct GcraCell {
    /// `Relaxed`, since it orders nothing but itself.
    state: AtomicU64,
}

impl GcraCell {
    /// Creates a cell of which nothing is spent.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Decides, and spends `cost` units if they are admitted. A refusal writes nothing.
    #[inline]
    pub fn check(&self, gcra: &Gcra, now: Moment, cost: u32) -> Decision {
        let mut state = self.state.load(Relaxed);
        loop {
            let (next, decision) = gcra.decide(state, now, cost);
            if next == state {
                return decision;
            }
            match self.state.compare_exchange_weak(state, next, Relaxed, Relaxed) {
                Ok(_) => return decision,
                Err(changed) => state = changed,
            }
        }
    }

    /// Returns what [`check`](Self::check) would say, which spends nothing.
    #[inline]
    pub fn peek(&self, gcra: &Gcra, now: Moment, cost: u32) -> Decision {
        gcra.peek(self.state.load(Relaxed), now, cost)
    }

    /// Gives `cost` units back, as [`Gcra::refund`] does.
    #[inline]
    pub fn refund(&self, gcra: &Gcra, cost: u32) {
        let refunded = |state| Some(gcra.refund(state, cost));
        // It cannot fail: the closure never declines.
        let _ = self.state.fetch_update(Relaxed, Relaxed, refunded);
    }

    /// Returns how much is left at `now`.
    #[must_use]
    pub fn level(&self, gcra: &Gcra, now: Moment) -> Level {
        gcra.level(self.state.load(Relaxed), now)
    }
}
