/// How finely time is divided. `TICKS` of them are at least one nanosecond.
const FINEST: u64 = 16;

/// A division of time in which a unit of a quota takes whole ticks, so that adding up units never
/// rounds.
///
/// Where a period of P ns for n units is p/q in lowest terms and q is at most 16, a tick is 1/q ns,
/// and every nanosecond is a whole number of ticks, too. For other quotas it is the part of a unit
/// that is nearest above 1/16 ns, and a nanosecond lies between two ticks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Ticks {
    /// So many ticks ..
    ticks: u64,
    /// .. in so many nanoseconds. Both at most 2^59.
    nanos: u64,
}

impl Ticks {
    /// Returns the division for `units` in `period` ns, neither zero nor the first greater, and how
    /// many ticks a unit takes.
    pub(super) const fn new(units: u32, period: u64) -> (Self, u64) {
        let divisor = greatest_common_divisor(units as u64, period);
        let (units, period) = (units as u64 / divisor, period / divisor);
        if units <= FINEST {
            return (Self { ticks: units, nanos: 1 }, period);
        }
        let per_unit = FINEST * period / units;
        (Self { ticks: units * per_unit, nanos: period }, per_unit)
    }

    /// Returns the last tick not after `nanos` and the first not before.
    #[inline]
    pub(super) fn around(&self, nanos: u64) -> (u64, u64) {
        if self.nanos == 1 {
            // At most 2^59 times 16.
            let tick = nanos * self.ticks;
            return (tick, tick);
        }
        let dividend = u128::from(nanos) * u128::from(self.ticks);
        let divisor = u128::from(self.nanos);
        let floor = narrow(dividend / divisor);
        (floor, floor + u64::from(dividend % divisor != 0))
    }

    /// Returns the first nanosecond not before a tick.
    #[inline]
    pub(super) fn nanos(&self, tick: u64) -> u64 {
        if self.nanos == 1 {
            return tick.div_ceil(self.ticks);
        }
        narrow((u128::from(tick) * u128::from(self.nanos)).div_ceil(self.ticks.into()))
    }
}

#[inline]
fn narrow(wide: u128) -> u64 {
    u64::try_from(wide).unwrap_or(u64::MAX)
}

const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}
