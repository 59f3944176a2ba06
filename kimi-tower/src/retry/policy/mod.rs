mod set;

use std::{error::Error as _, fmt, sync::Arc, time::Duration};

use http::request::Parts;
use kimi_errors::errcode;

use super::{Backoff, Decision, Failure, RetryBudget, Safety, failure::Failed, stop::Stop};
use crate::replay::ReplayLimits;

type Rule = dyn Fn(&Failure<'_>) -> Option<Decision> + Send + Sync;
type Selection = dyn Fn(&Parts) -> bool + Send + Sync;

/// What is tried again, when, and how often. Clones share the budget and the replay limits' one.
///
/// Built from [`standard`](Self::standard), [`article`](Self::article) or [`none`](Self::none);
/// any value is valid. The rest is told on the page of the [module](super).
#[derive(Clone)]
#[must_use]
pub struct RetryPolicy {
    pub(super) max_retries: u32,
    pub(super) fault_backoff: Backoff,
    pub(super) throttle_backoff: Backoff,
    pub(super) hint_cap: Duration,
    pub(super) deadline: Option<Duration>,
    pub(super) attempt_timeout: Option<Duration>,
    pub(super) look_timeout: Duration,
    pub(super) budget: Option<RetryBudget>,
    pub(super) has_cool_down: bool,
    pub(super) has_idempotency_key: bool,
    pub(super) replay: ReplayLimits,
    pub(super) seed: Option<u64>,
    retries_unknown: bool,
    selection: Option<Arc<Selection>>,
    rule: Option<Arc<Rule>>,
}

impl RetryPolicy {
    /// Creates the policy for Kimi's platform and its like: 3 retries, from 0.5 to 8 s apart after
    /// a fault and from 1 to 32 s after a throttle, with full jitter; hints of up to 60 s are
    /// waited for; 900 s for all of it; a budget of 100 retries and one for every second success.
    pub fn standard() -> Self {
        Self {
            max_retries: 3,
            fault_backoff: Backoff::exponential(Duration::from_millis(500), Duration::from_secs(8)),
            throttle_backoff: Backoff::exponential(Duration::from_secs(1), Duration::from_secs(32)),
            hint_cap: Duration::from_secs(60),
            deadline: Some(Duration::from_secs(900)),
            attempt_timeout: None,
            look_timeout: Duration::from_secs(5),
            budget: Some(RetryBudget::new(100, 50)),
            has_cool_down: true,
            has_idempotency_key: false,
            replay: ReplayLimits::new(),
            seed: None,
            retries_unknown: false,
            selection: None,
            rule: None,
        }
    }

    /// Creates the article's policy, to the letter: codes -1000 and -2001 are tried again after
    /// exactly 1, 2 and 4 s, whatever else is known of the error. No budget, no deadline, no
    /// cool-down. A server's hint, of which the article knows none, is the least wait here, too.
    pub fn article() -> Self {
        let second = Duration::from_secs(1);
        let backoff = Backoff::exponential(second, Duration::MAX).without_jitter();
        Self::standard()
            .with_fault_backoff(backoff)
            .with_throttle_backoff(backoff)
            .without_deadline()
            .without_budget()
            .without_cool_down()
            .with_rule(|failure| {
                let codes = [errcode::SYSTEM_ERROR, errcode::API_REQUEST_FAILED];
                let is_retried = code(failure).is_some_and(|code| codes.contains(&code));
                Some(if is_retried { Decision::Retry } else { Decision::GiveUp })
            })
    }

    /// Creates the policy that tries once: requests and answers pass untouched.
    pub fn none() -> Self {
        Self::standard().with_max_retries(0)
    }

    /// Returns whether a request with this head may be tried again.
    #[inline]
    pub(super) fn selects(&self, head: &Parts) -> bool {
        self.selection.as_ref().is_none_or(|selects| selects(head))
    }

    /// Returns whether [`forbids`](Self::forbids) asks for the head.
    pub(super) fn has_rule(&self) -> bool {
        self.rule.is_some()
    }

    /// Returns why a failed attempt must not be followed by another, as far as its error and its
    /// request say.
    pub(super) fn forbids<R>(
        &self,
        failed: &Failed<R>,
        retries: u32,
        head: Option<&Parts>,
        is_idempotent: bool,
    ) -> Option<Stop> {
        let Failed { error, safety, .. } = failed;
        if let Some((rule, head)) = self.rule.as_ref().zip(head) {
            let is_answer = failed.is_answer();
            let failure = Failure { error, safety: *safety, is_answer, retries, head };
            match rule(&failure) {
                Some(Decision::Retry) => return None,
                Some(Decision::GiveUp) => return Some(Stop::Hopeless),
                None => {}
            }
        }
        if !failed.is_hopeful() {
            return Some(Stop::Hopeless);
        }
        let is_safe = *safety != Safety::Unknown
            || self.retries_unknown
            || self.has_idempotency_key
            || is_idempotent;
        (!is_safe).then_some(Stop::OutcomeUnknown)
    }
}

/// Returns the article's code of a failure: the one that came, or the one that stands for the error.
fn code(failure: &Failure<'_>) -> Option<i32> {
    let error = failure.error();
    let received = error.received().and_then(|received| received.code.as_deref());
    let received = received.and_then(|code| code.parse().ok());
    // A failed transport has no code, but one that we lend it.
    let lent = || (failure.is_answer() || error.source().is_none()).then(|| error.errcode());
    received.filter(|code| *code < 0).or_else(lent)
}

impl Default for RetryPolicy {
    /// As [`standard`](Self::standard) does.
    fn default() -> Self {
        Self::standard()
    }
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy")
            .field("max_retries", &self.max_retries)
            .field("fault_backoff", &self.fault_backoff)
            .field("throttle_backoff", &self.throttle_backoff)
            .field("hint_cap", &self.hint_cap)
            .field("deadline", &self.deadline)
            .field("attempt_timeout", &self.attempt_timeout)
            .field("budget", &self.budget)
            .field("has_rule", &self.rule.is_some())
            .finish_non_exhaustive()
    }
}
