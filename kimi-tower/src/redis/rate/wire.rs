//! Rules in the server's units, as the scripts read them, and what they answer.

use std::time::Duration;

use crate::rate_limit::{Level, Limit, Rule};

/// Nanoseconds in the unit of the server's clock.
const MICRO: u64 = 1_000;

/// A rule in the server's units. See `script/limits.lua`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wire {
    /// A unit takes `step` parts to come back, of which `base` are a microsecond: their quotient
    /// is exact.
    Gcra {
        step: u64,
        base: u64,
        burst: u32,
    },
    Window {
        units: u32,
        period: u64,
        slot: u64,
    },
}

/// An amount: microseconds and parts, or units and 0.
pub(super) type Amount = (u64, u64);

impl Wire {
    pub(super) fn new(rule: &Rule) -> Self {
        match rule.limit() {
            Limit::Gcra(gcra) => {
                let period = nanos(gcra.quota().period());
                let units = u64::from(gcra.quota().units());
                let divisor = greatest_common_divisor(units, period);
                let (step, base) = (period / divisor, units / divisor * MICRO);
                Self::Gcra { step, base, burst: gcra.burst() }
            }
            // A period, and a slot, that are no whole microseconds are longer by less than one, so that
            // the limit holds all the same.
            Limit::SlidingWindow(window) => Self::Window {
                units: window.quota().units(),
                period: nanos(window.quota().period()).div_ceil(MICRO),
                slot: window.slot_nanos().div_ceil(MICRO),
            },
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Gcra { .. } => "g",
            Self::Window { .. } => "w",
        }
    }

    fn head(&self) -> [u64; 3] {
        match *self {
            Self::Gcra { base, burst, .. } => {
                let (us, rest) = self.amount(burst);
                [us, rest, base]
            }
            Self::Window { units, period, slot } => [units.into(), period, slot],
        }
    }

    /// Returns what so many units are. Of a bucket at most thrice a burst, which is more than there can
    /// be and than can be owed, and which the doubles of the script hold.
    pub(super) fn amount(&self, units: u32) -> Amount {
        match *self {
            Self::Gcra { step, base, burst } => {
                let units = u64::from(units).min(3 * u64::from(burst));
                let (parts, base) = (u128::from(units) * u128::from(step), u128::from(base));
                (narrow(parts / base), narrow(parts % base))
            }
            Self::Window { .. } => (units.into(), 0),
        }
    }

    /// Returns the amount that says that no more than this is left.
    pub(super) fn most_left(&self, left: u32) -> Amount {
        match *self {
            Self::Gcra { burst, .. } => self.amount(burst.saturating_sub(left)),
            Self::Window { .. } => (left.into(), 0),
        }
    }

    /// Adds the arguments of the rule, and these amounts.
    pub(super) fn write(&self, args: &mut Vec<String>, amounts: [Amount; 2]) {
        args.push(self.kind().to_owned());
        args.extend(self.head().iter().map(u64::to_string));
        for (first, second) in amounts {
            args.extend([first.to_string(), second.to_string()]);
        }
    }

    /// Returns in which time so many units come back, at most as many as there can be. What a window
    /// has is not lost when it is full, and comes back as it was spent.
    pub(super) fn filling(&self, units: u32) -> Option<Duration> {
        match *self {
            Self::Gcra { burst, .. } if units > 0 => {
                Some(Duration::from_micros(self.amount(units.min(burst)).0))
            }
            Self::Gcra { .. } | Self::Window { .. } => None,
        }
    }

    pub(super) fn level(&self, now: u64, first: u64, second: u64) -> Level {
        match *self {
            Self::Gcra { step, base, burst } => {
                let base = u128::from(base);
                let full = u128::from(first) * base + u128::from(second);
                let spent = full.saturating_sub(u128::from(now) * base);
                let all = u128::from(burst) * u128::from(step);
                let left = all.saturating_sub(spent) / u128::from(step);
                let reset = (spent * u128::from(MICRO)).div_ceil(base);
                Level::new(
                    u32::try_from(left).unwrap_or(burst),
                    Duration::from_nanos(narrow(reset)),
                )
            }
            Self::Window { units, period, .. } => {
                let left = u64::from(units).saturating_sub(first);
                let reset = (second + period).saturating_sub(now);
                let reset = if first == 0 { 0 } else { reset };
                Level::new(u32::try_from(left).unwrap_or(units), Duration::from_micros(reset))
            }
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Returns whole microseconds, at most as many as a double tells apart from the next.
pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).min(1 << 51)
}

fn narrow(wide: u128) -> u64 {
    u64::try_from(wide).unwrap_or(u64::MAX)
}

const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}
