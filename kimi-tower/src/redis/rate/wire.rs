//! The rules of plans as the scripts read them, and what they answer.

use std::time::Duration;

use super::said::Said;
use crate::rate_limit::{Costs, Level, Levels, Limit, Plan, Rule, Unit, store::Told};

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
type Amount = (u64, u64);

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
    fn amount(&self, units: u32) -> Amount {
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
    fn most_left(&self, left: u32) -> Amount {
        match *self {
            Self::Gcra { burst, .. } => self.amount(burst.saturating_sub(left)),
            Self::Window { .. } => (left.into(), 0),
        }
    }

    /// Returns in which time so many units come back, at most as many as there can be. What a window
    /// has is not lost when it is full, and comes back as it was spent.
    fn filling(&self, units: u32) -> Option<Duration> {
        match *self {
            Self::Gcra { burst, .. } if units > 0 => {
                Some(Duration::from_micros(self.amount(units.min(burst)).0))
            }
            Self::Gcra { .. } | Self::Window { .. } => None,
        }
    }

    fn level(&self, now: u64, first: u64, second: u64) -> Level {
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

/// The rules of a plan in the server's units.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    rules: Box<[(Wire, Unit)]>,
    /// The shortest period.
    shortest: Duration,
}

/// `full`, `born` and `back` of what is no lease.
const NO_LEASE: [&str; 3] = ["-1", "0", "0"];

/// What is corrected.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Charge<'a> {
    /// When it was charged.
    pub(super) at: u64,
    /// Its place in the queue.
    pub(super) place: Option<u64>,
    /// The states that were told when it was leased.
    pub(super) lease: Option<&'a [u64]>,
}

/// How one asks, beside what it costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// How long one waits, and how many do at most.
    pub(super) patience: Option<(Duration, usize)>,
    /// As many times the cost are taken as there are, at most so many.
    pub(super) batch: u32,
    /// How long what is taken may be used.
    pub(super) lease: Duration,
}

impl Sheet {
    pub(super) fn new(plan: &Plan) -> Self {
        let rules = plan.rules().iter().map(|rule| (Wire::new(rule), rule.unit())).collect();
        let periods = plan.rules().iter().map(|rule| rule.limit().quota().period());
        Self { rules, shortest: periods.min().unwrap_or(Duration::MAX) }
    }

    pub(super) const fn shortest(&self) -> Duration {
        self.shortest
    }

    /// Returns how many rules there are that have a window of their own in Redis.
    pub(super) fn rules(&self) -> usize {
        self.rules.len()
    }

    /// Returns in which time so many times the costs come back by each rule, as far as that is known.
    pub(super) fn filling(&self, costs: Costs, times: u32) -> Duration {
        let rules = self.rules.iter().enumerate();
        let units = |index| costs.of(index).saturating_mul(times);
        rules
            .filter_map(|(index, (wire, _))| wire.filling(units(index)))
            .min()
            .unwrap_or(Duration::MAX)
    }

    /// Returns the arguments of `ask.lua`.
    pub(super) fn ask(
        &self,
        manner: &Manner,
        place: u64,
        costs: Costs,
        debts: Costs,
    ) -> Vec<String> {
        let (wait, queue) = match manner.patience {
            Some((wait, queue)) => (micros(wait).to_string(), (queue as u64).min(1 << 52)),
            None => ("-1".to_owned(), 0),
        };
        let mut args = vec![self.rules.len().to_string(), wait, queue.to_string()];
        args.extend([manner.batch.to_string(), micros(manner.lease).to_string()]);
        args.push(format!("{place:x}"));
        for (index, (wire, _)) in self.rules.iter().enumerate() {
            wire.write(&mut args, [wire.amount(costs.of(index)), wire.amount(debts.of(index))]);
        }
        args
    }

    /// Returns the arguments of `settle.lua`.
    pub(super) fn settle(&self, charge: &Charge<'_>, less: Costs, more: Costs) -> Vec<String> {
        let Charge { at, place, lease } = *charge;
        let place = place.map_or(String::new(), |place| format!("{place:x}"));
        let mut args = vec![self.rules.len().to_string(), at.to_string(), place, "0".to_owned()];
        for (index, (wire, _)) in self.rules.iter().enumerate() {
            wire.write(&mut args, [wire.amount(less.of(index)), wire.amount(more.of(index))]);
            args.extend(["-1".to_owned(), "0".to_owned()]);
            match lease {
                None => args.extend(NO_LEASE.map(str::to_owned)),
                Some(states) => {
                    let state = |at: usize| states.get(at).copied().unwrap_or(0).to_string();
                    let (full, born) = (2 * index, 2 * (self.rules.len() + index));
                    args.extend([state(full), state(born), state(born + 1)]);
                }
            }
        }
        args
    }

    /// Returns the arguments of `settle.lua` for what an upstream says.
    pub(super) fn observe(&self, plan: &Plan, told: &Told) -> Vec<String> {
        let pause = micros(told.pause.unwrap_or_default()).to_string();
        let mut args = vec![self.rules.len().to_string(), "0".to_owned(), String::new(), pause];
        for ((wire, unit), rule) in self.rules.iter().zip(plan.rules()) {
            // It is not said of which period; the shortest is the first to be used up.
            let same = plan.rules().iter().filter(|other| other.unit() == *unit);
            let shortest = same.map(|other| other.limit().quota().period()).min();
            let left = match unit {
                Unit::Requests => told.requests,
                Unit::Tokens => told.tokens,
            };
            let left = left.filter(|_| Some(rule.limit().quota().period()) == shortest);
            wire.write(&mut args, [(0, 0), (0, 0)]);
            let (left, rest) = match left.map(|left| wire.most_left(left)) {
                Some((left, rest)) => (left.to_string(), rest),
                None => ("-1".to_owned(), 0),
            };
            args.extend([left, rest.to_string()]);
            args.extend(NO_LEASE.map(str::to_owned));
        }
        args
    }

    /// Returns how much of each rule is left by an answer.
    pub(super) fn levels(&self, said: &Said) -> Levels {
        let level = |((wire, _), state): (&(Wire, Unit), &[u64])| match *state {
            [first, second] => wire.level(said.now, first, second),
            _ => Level::new(0, Duration::MAX),
        };
        self.rules.iter().zip(said.states.chunks(2)).map(level).collect()
    }
}

impl Wire {
    fn write(&self, args: &mut Vec<String>, amounts: [Amount; 2]) {
        args.push(self.kind().to_owned());
        args.extend(self.head().iter().map(u64::to_string));
        for (first, second) in amounts {
            args.extend([first.to_string(), second.to_string()]);
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
