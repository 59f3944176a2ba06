//! What a limit is, without any thought of what it costs to know.

/// Never more than `units` in any `(t - period, t]`.
pub(super) struct Log {
    pub(super) units: u64,
    pub(super) period: u64,
    /// When what was spent, in order of time.
    pub(super) spent: Vec<(u64, u64)>,
}

impl Log {
    pub(super) fn in_use(&self, now: u64) -> u64 {
        let is_live = |at: u64| at + self.period > now;
        self.spent.iter().filter(|(at, _)| is_live(*at)).map(|(_, units)| units).sum()
    }

    pub(super) fn admits(&self, now: u64, cost: u64) -> bool {
        self.in_use(now) + cost <= self.units
    }

    pub(super) fn spend(&mut self, now: u64, cost: u64) {
        self.spent.push((now, cost));
    }

    pub(super) fn refund(&mut self, at: u64, units: u64) {
        take_back(&mut self.spent, at, units);
    }

    /// The first nanosecond from `now` on that admits, looked for at every instant at which
    /// something comes back.
    pub(super) fn ready(&self, now: u64, cost: u64) -> u64 {
        let back = self.spent.iter().map(|(at, _)| at + self.period).filter(|back| *back > now);
        let mut instants: Vec<_> = back.chain([now]).collect();
        instants.sort_unstable();
        instants.into_iter().find(|at| self.admits(*at, cost)).unwrap()
    }

    pub(super) fn forget(&mut self, now: u64) {
        self.spent.retain(|(at, _)| at + self.period > now);
    }
}

/// Takes back some of what was spent at one time.
pub(super) fn take_back(spent: &mut [(u64, u64)], at: u64, units: u64) {
    let mut left = units;
    for (_, units) in spent.iter_mut().filter(|(time, _)| *time == at) {
        let taken = left.min(*units);
        *units -= taken;
        left -= taken;
    }
    assert_eq!(left, 0);
}

/// A bucket in exact fractions: a unit is `period` parts, and every nanosecond adds `units` parts.
pub(super) struct Bucket {
    pub(super) units: u128,
    pub(super) period: u128,
    pub(super) burst: u128,
    pub(super) parts: u128,
    pub(super) at: u64,
}

impl Bucket {
    pub(super) fn full(units: u32, period: u64, burst: u32) -> Self {
        let (period, burst) = (u128::from(period), u128::from(burst));
        Self { units: units.into(), period, burst, parts: burst * period, at: 0 }
    }

    pub(super) fn parts(&self, now: u64) -> u128 {
        let grown = self.parts + u128::from(now - self.at) * self.units;
        grown.min(self.burst * self.period)
    }

    pub(super) fn admits(&self, now: u64, cost: u32) -> bool {
        u128::from(cost) * self.period <= self.parts(now)
    }

    pub(super) fn spend(&mut self, now: u64, cost: u32) {
        self.parts = self.parts(now) - u128::from(cost) * self.period;
        self.at = now;
    }

    pub(super) fn refund(&mut self, now: u64, cost: u32) {
        let grown = self.parts(now) + u128::from(cost) * self.period;
        self.parts = grown.min(self.burst * self.period);
        self.at = now;
    }

    /// How long until it admits.
    pub(super) fn wait(&self, now: u64, cost: u32) -> u64 {
        let missing = (u128::from(cost) * self.period).saturating_sub(self.parts(now));
        u64::try_from(missing.div_ceil(self.units)).unwrap()
    }
}
