use std::num::NonZeroU64;

use super::{
    Decision, Level, Moment, Quota, QuotaError,
    log::{Head, Layout},
};

/// The most entries of an exact log: 8 MiB of state. Ours.
const MAX_LOG: u32 = 1 << 20;

/// The most sub-windows: 128 KiB of state. Ours; ten a second for 27 minutes.
const MAX_SUB_WINDOWS: u32 = 1 << 14;

/// Never more than a quota's units in any period of time, wherever it begins: what is spent at `t`
/// is there again at `t` + period, and not before.
///
/// Its state is a slice of [`words`](Self::words) words, zeros at first, which whoever keeps it
/// hands in. See the [module](super).
///
/// ```
/// use std::time::Duration;
/// use kimi_tower::rate_limit::{Decision, Moment, Quota, SlidingWindow};
///
/// let window = SlidingWindow::try_new(Quota::article())?;
/// let mut state = vec![0; window.words()];
/// let at = |seconds| Moment::after(Duration::from_secs(seconds));
///
/// for second in 0..5 {
///     assert_eq!(window.decide(&mut state, at(second), 1), Decision::Admitted);
/// }
/// // That of the first second is there again after the 60th.
/// let wait = Decision::Wait(Duration::from_secs(50));
/// assert_eq!(window.decide(&mut state, at(10), 1), wait);
/// assert_eq!(window.decide(&mut state, at(60), 1), Decision::Admitted);
/// # Ok::<_, kimi_tower::rate_limit::QuotaError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SlidingWindow {
    quota: Quota,
    /// How long a slot of time is, in nanoseconds: 1 in an exact log.
    slot: NonZeroU64,
    pub(super) layout: Layout,
}

impl SlidingWindow {
    /// Creates an exact log: it refuses nothing that fits. A state has a word for each unit that
    /// can be spent at a time of its own, and two more.
    ///
    /// # Errors
    ///
    /// [`LogTooLong`](QuotaError::LogTooLong) for more than 1 048 576 units, or if their number and
    /// that of the period's nanoseconds do not fit in 64 bits together: 100 000 units fit in a day,
    /// a million in two hours.
    pub const fn try_new(quota: Quota) -> Result<Self, QuotaError> {
        let (units, period) = (quota.units(), quota.period_nanos());
        if units > MAX_LOG {
            return Err(QuotaError::LogTooLong);
        }
        match Layout::new(units, units, period) {
            Some(layout) => Ok(Self { quota, slot: NonZeroU64::MIN, layout }),
            None => Err(QuotaError::LogTooLong),
        }
    }

    /// Creates a log that tells only so many sub-windows of the period apart, for quotas whose exact
    /// log would be long. What is spent in one counts as spent at its end.
    ///
    /// So the quota holds all the same, in every period, and units come back later than in the exact
    /// log by less than a sub-window. A state has a word for each sub-window, and three more.
    ///
    /// # Errors
    ///
    /// [`SubWindows`](QuotaError::SubWindows) for none, for more than 16 384, or if one would be
    /// shorter than a nanosecond.
    pub const fn try_with_sub_windows(quota: Quota, count: u32) -> Result<Self, QuotaError> {
        if count == 0 || count > MAX_SUB_WINDOWS || count as u64 > quota.period_nanos() {
            return Err(QuotaError::SubWindows);
        }
        let (units, slot) = (quota.units(), quota.period_nanos().div_ceil(count as u64));
        // A period that begins and ends within sub-windows touches one more than it is long.
        let entries = if count < units { count + 1 } else { units };
        match (Layout::new(entries, units, count as u64), NonZeroU64::new(slot)) {
            (Some(layout), Some(slot)) => Ok(Self { quota, slot, layout }),
            _ => Err(QuotaError::SubWindows),
        }
    }

    /// Returns the units and their period.
    #[must_use]
    pub const fn quota(&self) -> Quota {
        self.quota
    }

    /// Returns how long a slot of time is, in nanoseconds.
    #[cfg(feature = "redis")]
    pub(crate) const fn slot_nanos(&self) -> u64 {
        self.slot.get()
    }

    /// Returns how many words a state has, of 8 bytes each.
    #[inline]
    #[must_use]
    pub const fn words(&self) -> usize {
        self.layout.words()
    }

    /// Decides, and spends `cost` units if they are admitted. A refusal writes nothing, nor does a
    /// cost of 0, which is admitted.
    ///
    /// If `now` is before that of an earlier call, what is spent counts as spent at the latest time
    /// at which anything was. A slice of another length than [`words`](Self::words) admits nothing.
    #[inline]
    pub fn decide(&self, state: &mut [u64], now: Moment, cost: u32) -> Decision {
        let Some(mut head) = self.live(state, now) else { return Decision::Never };
        let decision = self.judge(state, &head, now, cost);
        if decision.is_admitted() && cost > 0 {
            let slot = self.slot_of(now).max(head.last);
            self.layout.push(state, &mut head, slot, cost.into());
            self.layout.write_head(state, &head);
        }
        decision
    }

    /// Returns what [`decide`](Self::decide) would say, which spends nothing.
    #[inline]
    pub fn peek(&self, state: &[u64], now: Moment, cost: u32) -> Decision {
        let Some(head) = self.live(state, now) else { return Decision::Never };
        self.judge(state, &head, now, cost)
    }

    /// Gives back `cost` of the units that were admitted at `at`, as if they had not been, and
    /// returns how many: fewer where they have come back by themselves.
    ///
    /// Units of one time are alike, so that of which request they were does not matter. To be given
    /// back at most once; what was not admitted is taken from others of that time. If time went
    /// backward before they were admitted, they may be looked for in vain, or earlier ones be given
    /// back in their place, so that the quota holds. Costs the more, the more was admitted since.
    pub fn refund(&self, state: &mut [u64], now: Moment, at: Moment, cost: u32) -> u32 {
        let Some(mut head) = self.live(state, now) else { return 0 };
        let slot = self.slot_of(at);
        if cost == 0 || self.back_at(slot) <= now.as_nanos() {
            return 0;
        }
        let index = first(0, head.len, |index| self.layout.time(state, &head, index) >= slot);
        if index == head.len {
            return 0;
        }
        let taken = self.layout.take(state, &mut head, index, cost.into());
        // What was owed stood after now, and what comes next does not if that is gone.
        head.last = match head.len.checked_sub(1) {
            Some(last) => self.layout.time(state, &head, last),
            None => head.last.min(self.slot_of(now)),
        };
        self.layout.write_head(state, &head);
        u32::try_from(taken).unwrap_or(cost)
    }

    /// Returns how much is left at `now`.
    #[must_use]
    pub fn level(&self, state: &[u64], now: Moment) -> Level {
        let Some(head) = self.live(state, now) else { return Level::NONE };
        let left = u64::from(self.quota.units()).saturating_sub(head.units);
        let full = match head.len.checked_sub(1) {
            Some(last) => self.back_at(self.layout.time(state, &head, last)),
            None => 0,
        };
        Level::new(u32::try_from(left).unwrap_or(u32::MAX), now.until(full))
    }

    /// Returns the slot of time as spent in which something counts.
    #[inline]
    pub(super) fn slot_of(&self, at: Moment) -> u64 {
        at.as_nanos().div_ceil(self.slot.get())
    }

    /// Returns the nanosecond in which units of a slot of time are there again.
    #[inline]
    pub(super) fn back_at(&self, slot: u64) -> u64 {
        slot.saturating_mul(self.slot.get()).saturating_add(self.quota.period_nanos())
    }

    /// Returns what the log is without what has come back by `now`, or `None` for no state.
    #[inline]
    pub(super) fn live(&self, state: &[u64], now: Moment) -> Option<Head> {
        let mut head = self.layout.head(state)?;
        let expired = self.expired(state, &head, now);
        self.layout.pop(state, &mut head, expired);
        Some(head)
    }

    /// Returns how many entries have come back by `now`.
    #[inline]
    fn expired(&self, state: &[u64], head: &Head, now: Moment) -> usize {
        let Some(start) = now.as_nanos().checked_sub(self.quota.period_nanos()) else { return 0 };
        let last = start / self.slot;
        let is_live = |index| self.layout.time(state, head, index) > last;
        // Mostly it is none or one; after a pause it is all.
        if head.len == 0 || is_live(0) {
            return 0;
        }
        if head.len == 1 || is_live(1) {
            return 1;
        }
        if !is_live(head.len - 1) {
            return head.len;
        }
        let (mut low, mut high) = (2, 2);
        while !is_live(high) {
            low = high + 1;
            high = (2 * high).min(head.len - 1);
        }
        first(low, high, is_live)
    }

    /// Decides on a log of which all is live.
    #[inline]
    fn judge(&self, state: &[u64], head: &Head, now: Moment, cost: u32) -> Decision {
        let (units, cost) = (u64::from(self.quota.units()), u64::from(cost));
        let wanted = head.units + cost;
        if cost > units {
            return Decision::Never;
        }
        if wanted <= units || cost == 0 {
            return Decision::Admitted;
        }
        // It fits when so many units have come back, which the last of these entries decides.
        let missing = wanted - units;
        let has_enough = |index| self.layout.units_before(state, head, index + 1) >= missing;
        let entry = if has_enough(0) { 0 } else { first(1, head.len.max(1) - 1, has_enough) };
        Decision::Wait(now.until(self.back_at(self.layout.time(state, head, entry))))
    }
}

/// Returns the first index in `low..high` of which something is true that is true of all that
/// follow, or `high`.
#[inline]
fn first(mut low: usize, mut high: usize, is_true: impl Fn(usize) -> bool) -> usize {
    while low < high {
        let middle = low + (high - low) / 2;
        if is_true(middle) { high = middle } else { low = middle + 1 }
    }
    low
}
