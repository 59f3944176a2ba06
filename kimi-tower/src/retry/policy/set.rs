//! What can be set.

use std::{sync::Arc, time::Duration};

use http::request::Parts;

use super::RetryPolicy;
use crate::{
    replay::ReplayLimits,
    retry::{Backoff, Decision, Failure, RetryBudget},
};

impl RetryPolicy {
    /// Sets how many retries one request may have, on top of the first try. Default: 3, the
    /// article's.
    pub const fn with_max_retries(mut self, retries: u32) -> Self {
        self.max_retries = retries;
        self
    }

    /// Sets the waits after a fault: an answer of 5xx, a failed transport. Default: up to 0.5 s,
    /// doubling up to 8 s, the base and cap of the OpenAI SDKs, with full jitter.
    pub const fn with_fault_backoff(mut self, backoff: Backoff) -> Self {
        self.fault_backoff = backoff;
        self
    }

    /// Sets the waits after a throttle: a rate limit, an overloaded engine, a running stream.
    /// Default: up to 1 s, the article's, doubling up to 32 s, Kimi Code's, with full jitter.
    pub const fn with_throttle_backoff(mut self, backoff: Backoff) -> Self {
        self.throttle_backoff = backoff;
        self
    }

    /// Sets the longest wait that a server may ask for. Default: 60 s, the window of the platform's
    /// limits. With a longer one the caller gets the answer at once.
    pub const fn with_hint_cap(mut self, cap: Duration) -> Self {
        self.hint_cap = cap;
        self
    }

    /// Sets how long all attempts and the waits between them may take, until the head of the
    /// answer and its look. Default: 900 s, the platform's own limit.
    ///
    /// No attempt begins after it. One that is under way is broken off, as with
    /// [`with_attempt_timeout`](Self::with_attempt_timeout).
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sets no deadline.
    pub const fn without_deadline(mut self) -> Self {
        self.deadline = None;
        self
    }

    /// Sets how long one attempt may take until the head of its answer, after which it is broken
    /// off and its outcome is unknown. Default: none, since a model may think for minutes before
    /// the first byte.
    pub const fn with_attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = Some(timeout);
        self
    }

    /// Sets no limit for one attempt.
    pub const fn without_attempt_timeout(mut self) -> Self {
        self.attempt_timeout = None;
        self
    }

    /// Sets how long a look at the beginning of a body may wait, from the head on; what came by
    /// then decides. Default: 5 s, as with `raise_error`.
    pub const fn with_look_timeout(mut self, timeout: Duration) -> Self {
        self.look_timeout = timeout;
        self
    }

    /// Sets how many retries all requests together may have. Default: 100, and one for every second
    /// success, for all that is made with this value and its clones.
    ///
    /// Ours: in an outage of a minute at 100 requests a second that is less than 1.02 attempts for
    /// each, and retries of a service that fails every third time are still paid for.
    pub fn with_budget(mut self, budget: RetryBudget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Sets no budget: in an outage every request is sent as often as it may be.
    pub fn without_budget(mut self) -> Self {
        self.budget = None;
        self
    }

    /// Lets nobody ask an upstream with a credential of which it has said, by a throttle with a
    /// hint, when to come back, before that. The default.
    pub const fn with_cool_down(mut self) -> Self {
        self.has_cool_down = true;
        self
    }

    /// Lets each request find out for itself.
    pub const fn without_cool_down(mut self) -> Self {
        self.has_cool_down = false;
        self
    }

    /// Sets how much is kept of request bodies. Default: 2 MiB of one and 64 MiB of all, see
    /// [`ReplayLimits`].
    pub fn with_replay(mut self, limits: ReplayLimits) -> Self {
        self.replay = limits;
        self
    }

    /// Gives each request an `idempotency-key`, if it has none, which is the same for all its
    /// attempts. Off by default.
    ///
    /// Only for an upstream that honors it: what may have been done is then tried again.
    pub const fn with_idempotency_key(mut self) -> Self {
        self.has_idempotency_key = true;
        self
    }

    /// Adds no key. The default.
    pub const fn without_idempotency_key(mut self) -> Self {
        self.has_idempotency_key = false;
        self
    }

    /// Also tries again what may have been done, for requests of which a second effect does no
    /// harm. Off by default.
    pub const fn with_unknown_outcomes(mut self) -> Self {
        self.retries_unknown = true;
        self
    }

    /// Does not try again what may have been done. The default.
    pub const fn without_unknown_outcomes(mut self) -> Self {
        self.retries_unknown = false;
        self
    }

    /// Sets which requests may be tried again. The others pass untouched: nothing of them is
    /// cloned or kept, and their answers are not looked at. Default: all.
    pub fn with_selection(
        mut self,
        selection: impl Fn(&Parts) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.selection = Some(Arc::new(selection));
        self
    }

    /// Sets one's own rule. Where it returns `None` the usual ones decide.
    ///
    /// ```
    /// use kimi_errors::ErrorKind;
    /// use kimi_tower::retry::{Decision, RetryPolicy};
    ///
    /// // This upstream hides a passing fault behind a 403.
    /// let policy = RetryPolicy::standard().with_rule(|failure| {
    ///     (failure.error().kind() == ErrorKind::PermissionDenied).then_some(Decision::Retry)
    /// });
    /// ```
    pub fn with_rule(
        mut self,
        rule: impl Fn(&Failure<'_>) -> Option<Decision> + Send + Sync + 'static,
    ) -> Self {
        self.rule = Some(Arc::new(rule));
        self
    }

    /// Makes the jitter repeatable, for tests and simulations. Default: another for each layer.
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }
}
