use std::time::Duration;

use super::{Decision, Limit, Moment};

/// What one limit is asked for, one of several.
#[derive(Debug)]
pub struct Charge<'a> {
    limit: &'a Limit,
    state: &'a mut [u64],
    cost: u32,
}

impl<'a> Charge<'a> {
    /// Asks `limit` for `cost` units of `state`.
    #[must_use]
    pub const fn new(limit: &'a Limit, state: &'a mut [u64], cost: u32) -> Self {
        Self { limit, state, cost }
    }
}

/// What several limits say together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
#[non_exhaustive]
pub enum Together {
    /// All admit it; each has been charged.
    Admitted,
    /// Some do not; none has been charged.
    Refused {
        /// Which charge says so: the first of those that ask for the longest wait.
        binding: usize,
        /// What it says: [`Wait`](Decision::Wait) or [`Never`](Decision::Never), which is longer
        /// than any wait.
        decision: Decision,
    },
}

impl Together {
    /// Returns whether the request may go on.
    #[inline]
    #[must_use]
    pub const fn is_admitted(self) -> bool {
        matches!(self, Self::Admitted)
    }
}

/// Decides on several limits, all or none: either all are charged, or the one that binds is named.
///
/// After the wait that it names all of them admit, if nobody else spends meanwhile. No charge at all
/// is admitted.
///
/// ```
/// use kimi_tower::rate_limit::{
///     Charge, Decision, Gcra, Limit, Moment, Quota, SlidingWindow, Together, decide_together,
/// };
///
/// // 3 requests and 500 000 tokens a minute.
/// let requests = Limit::from(SlidingWindow::try_new(Quota::try_per_minute(3)?)?);
/// let tokens = Limit::from(Gcra::new(Quota::try_per_minute(500_000)?));
/// let mut used = (vec![0; requests.words()], vec![0; tokens.words()]);
///
/// let mut ask = |cost| {
///     let request = Charge::new(&requests, &mut used.0, 1);
///     decide_together(&mut [request, Charge::new(&tokens, &mut used.1, cost)], Moment::EPOCH)
/// };
/// assert_eq!(ask(300_000), Together::Admitted);
/// assert!(matches!(ask(300_000), Together::Refused { binding: 1, decision: Decision::Wait(_) }));
/// assert!(matches!(ask(600_000), Together::Refused { binding: 1, decision: Decision::Never }));
/// // The two that were refused have cost no request.
/// assert_eq!((ask(0), ask(0)), (Together::Admitted, Together::Admitted));
/// # Ok::<_, kimi_tower::rate_limit::QuotaError>(())
/// ```
pub fn decide_together(charges: &mut [Charge<'_>], now: Moment) -> Together {
    let mut refused = Together::Admitted;
    let mut longest = Duration::ZERO;
    for (binding, charge) in charges.iter().enumerate() {
        let decision = charge.limit.peek(charge.state, now, charge.cost);
        let wait = match decision {
            Decision::Admitted => continue,
            Decision::Wait(wait) => wait,
            Decision::Never => Duration::MAX,
        };
        if wait > longest {
            longest = wait;
            refused = Together::Refused { binding, decision };
        }
    }
    if refused.is_admitted() {
        for charge in charges {
            // It cannot refuse: it is what it was when it was asked, for nobody else has it.
            let _ = charge.limit.decide(charge.state, now, charge.cost);
        }
    }
    refused
}
