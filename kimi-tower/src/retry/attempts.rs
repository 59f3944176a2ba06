//! One request and its attempts: what has become of them, and what is decided after each.

use std::{sync::Arc, time::Duration};

use http::{Method, Request, request::Parts};
use kimi_errors::ErrorKind;
use tokio::time::Instant;

use super::{
    Stop,
    budget::Withdrawal,
    clock::{Clock, earlier},
    cool_down::{Caller, CoolDowns},
    failure::Failed,
    pause::{Next, Pause, Spare, Unbegun, refusal},
    shared::Shared,
};
use crate::{facts::Facts, replay::ReplayBody};

/// What the attempts of one request have in common.
pub(super) struct Attempts<S, B> {
    pub(super) shared: Arc<Shared>,
    pub(super) clock: Clock,
    /// How many have begun.
    count: u32,
    /// What a next attempt is made of. `None` while that is waited for, and when the last has begun.
    spare: Option<Spare<S, B>>,
    /// Known when `spare` is gone.
    caller: Option<Caller>,
    /// What one's own rule is asked about the last attempt. Boxed, since every future is moved.
    last: Option<Box<Parts>>,
    facts: Option<Facts>,
    pub(super) is_head: bool,
    is_idempotent: bool,
}

/// What follows a failed attempt.
pub(super) enum Step<S, B, R> {
    Pause(Box<Pause<S, B, R>>),
    Stop(Failed<R>, Stop),
}

impl<S, B> Attempts<S, B> {
    /// Those of a request whose first has begun.
    #[inline]
    pub(super) fn new(shared: Arc<Shared>, spare: Spare<S, B>) -> Self {
        let facts = spare.head.extensions.get::<Facts>().cloned();
        let is_head = spare.head.method == Method::HEAD;
        // RFC 9110 §9.2.2.
        let is_idempotent = spare.head.method.is_idempotent();
        Self {
            shared,
            clock: Clock::default(),
            count: 1,
            spare: Some(spare),
            caller: None,
            last: None,
            facts,
            is_head,
            is_idempotent,
        }
    }

    /// Takes notice of an answer that is no failure.
    #[inline]
    pub(super) fn succeed(&mut self) {
        if let Some(budget) = &self.shared.policy.budget {
            budget.deposit();
        }
        self.tell(None);
    }

    /// Returns the time by which the running attempt must be over.
    pub(super) fn limit(&mut self) -> Option<Instant> {
        let attempt = self.clock.attempt_deadline(self.shared.policy.attempt_timeout);
        earlier(self.deadline(), attempt)
    }

    /// Returns the time by which all must be over.
    pub(super) fn deadline(&mut self) -> Option<Instant> {
        self.clock.deadline(self.shared.policy.deadline)
    }

    /// Decides what follows a failed attempt.
    #[cold]
    pub(super) fn after<R>(&mut self, failed: Failed<R>) -> Step<S, B, R> {
        // Told of zero is as good as not told.
        let hint = failed.hint().filter(|hint| !hint.is_zero());
        // From here on: what it took to hear of it is not taken off.
        let now = Instant::now();
        self.heed_throttle(&failed, hint, now);
        let stop = match self.next_time(&failed, hint, now) {
            Ok((until, withdrawal)) => match self.spare.take() {
                Some(spare) => {
                    self.log_retry(&failed, until, now);
                    let next = Next::Retry(failed, withdrawal);
                    return Step::Pause(Box::new(Pause { next, until, spare }));
                }
                None => Stop::RetriesUsedUp,
            },
            Err(stop) => stop,
        };
        match stop {
            Stop::Hopeless => Step::Stop(failed, stop),
            _ if self.is_late(now) => Step::Stop(failed, Stop::Deadline),
            Stop::RetriesUsedUp | Stop::BudgetSpent => Step::Stop(failed.discourage(), stop),
            _ => Step::Stop(failed, stop),
        }
    }

    /// Lets a request wait for its first attempt, if there is room and it is not for too long.
    pub(super) fn hold<R>(
        &mut self,
        request: Request<ReplayBody<B>>,
        end: Instant,
    ) -> Result<Box<Pause<S, B, R>>, Unbegun> {
        self.count = 0;
        let until = Some(self.hold_until(end)?);
        let place = self.shared.cool_downs.as_ref().and_then(CoolDowns::hold);
        match place.zip(self.spare.take()) {
            Some((held, spare)) => {
                Ok(Box::new(Pause { next: Next::First(request, held), until, spare }))
            }
            None => Err((Stop::NotReady, refusal(end))),
        }
    }

    /// Returns when a first attempt may begin that must not before `end`; or why it never may.
    pub(super) fn hold_until(&mut self, end: Instant) -> Result<Instant, Unbegun> {
        let until = self.shared.after_cool_down(end);
        if self.is_late(until) { Err((Stop::Deadline, refusal(end))) } else { Ok(until) }
    }

    /// Takes notice that an attempt begins. Returns how many have begun, and whether another may.
    pub(super) fn begin(&mut self) -> (u32, bool) {
        self.clock.begin_attempt();
        self.count = self.count.saturating_add(1);
        (self.count, self.count <= self.shared.policy.max_retries)
    }

    /// Keeps what a next attempt is made of.
    pub(super) fn keep(&mut self, spare: Spare<S, B>) {
        self.spare = Some(spare);
    }

    /// Keeps what is asked about the last attempt.
    pub(super) fn keep_of_last(&mut self, head: &Parts) {
        let cool_downs = self.shared.cool_downs.as_ref();
        self.caller = cool_downs.map(|cool_downs| cool_downs.caller(head));
        self.last = self.shared.policy.has_rule().then(|| Box::new(head.clone()));
    }

    /// Takes notice that the caller gets what there is.
    pub(super) fn stop(&mut self, stop: Stop) {
        tracing::debug!(attempts = self.count, reason = stop.name(), "not tried again");
        self.tell(Some(stop));
    }

    /// Returns when the next attempt may begin, `None` if now, and what it costs; or why there is
    /// none.
    fn next_time<R>(
        &mut self,
        failed: &Failed<R>,
        hint: Option<Duration>,
        now: Instant,
    ) -> Result<(Option<Instant>, Withdrawal), Stop> {
        let policy = &self.shared.policy;
        let retries = self.count.saturating_sub(1);
        let head = self.spare.as_ref().map(|spare| &spare.head).or(self.last.as_deref());
        if let Some(stop) = policy.forbids(failed, retries, head, self.is_idempotent) {
            return Err(stop);
        }
        if hint.is_some_and(|hint| hint > policy.hint_cap) {
            return Err(Stop::HintTooLong);
        }
        let Some(spare) = &self.spare else { return Err(Stop::RetriesUsedUp) };
        if !spare.replay.is_possible() {
            return Err(Stop::BodyNotKept);
        }
        let backoff =
            if failed.is_throttled() { policy.throttle_backoff } else { policy.fault_backoff };
        let wait = backoff.wait(retries, hint, &self.shared.random);
        // A time that no clock can show lies behind every deadline.
        let mut until = now.checked_add(wait).ok_or(Stop::Deadline)?;
        if let Some(end) = self.shared.cool_down_end(&spare.head).filter(|end| *end > until) {
            until = self.shared.after_cool_down(end);
        }
        if self.is_late(until) {
            return Err(Stop::Deadline);
        }
        let withdrawal = match &self.shared.policy.budget {
            Some(budget) => budget.withdraw().ok_or(Stop::BudgetSpent)?,
            None => Withdrawal::FREE,
        };
        Ok((Some(until).filter(|until| *until > now), withdrawal))
    }

    /// Lets nobody of the same caller come before the server's time.
    fn heed_throttle<R>(&self, failed: &Failed<R>, hint: Option<Duration>, now: Instant) {
        let Some(cool_downs) = &self.shared.cool_downs else { return };
        let Some(hint) = hint.filter(|hint| *hint <= self.shared.policy.hint_cap) else { return };
        let is_about_everybody =
            failed.is_throttled() && failed.error.kind() != ErrorKind::StreamBusy;
        if !is_about_everybody {
            return;
        }
        if let Some((caller, until)) = self.caller().zip(now.checked_add(hint)) {
            cool_downs.begin(caller, until);
        }
    }

    fn caller(&self) -> Option<Caller> {
        let cool_downs = self.shared.cool_downs.as_ref()?;
        self.spare.as_ref().map(|spare| cool_downs.caller(&spare.head)).or(self.caller)
    }

    /// Returns whether the deadline has come by then.
    pub(super) fn is_late(&mut self, then: Instant) -> bool {
        self.deadline().is_some_and(|deadline| then >= deadline)
    }

    fn log_retry<R>(&self, failed: &Failed<R>, until: Option<Instant>, now: Instant) {
        let wait = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let kind = failed.error.kind().name();
        tracing::debug!(attempts = self.count, kind, ?wait, "to be tried again");
    }

    /// Tells how it went, once.
    fn tell(&mut self, stop: Option<Stop>) {
        if let Some(facts) = self.facts.take() {
            facts.tell_attempts(self.count, stop);
        }
    }
}

impl<S, B> Drop for Attempts<S, B> {
    /// Tells of an attempt that nobody waited for to its end.
    fn drop(&mut self) {
        self.tell(None);
    }
}
