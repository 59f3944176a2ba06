//! Whether a request may go.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use http::{HeaderName, Request, request::Parts};
use kimi_errors::{Error, Lang};
use tokio::time::Instant;

use super::{
    fence,
    keep_alive::wants_events,
    lost::Lost,
    nested::Scope,
    policy::Policy,
    refusal::refusal,
    store::{Ask, Asked, EndTurn, Refused, SessionStore, SessionTurn},
};
use crate::{
    deadline::Deadline,
    facts::{Facts, SessionDecision},
    key::{ExtractKey, KeyHasher},
};

/// All that a service needs to decide by.
#[derive(Clone)]
pub(super) struct Admit<K, T> {
    pub(super) store: T,
    pub(super) key: K,
    pub(super) rules: Rules,
}

/// What does not depend on the key or the store.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) hasher: KeyHasher,
    pub(super) policy: Policy,
    pub(super) max_hold: Option<Duration>,
    pub(super) max_idle: Option<Duration>,
    pub(super) max_sessions: usize,
    pub(super) keep_alive: Option<Duration>,
    pub(super) fence_field: Option<HeaderName>,
    pub(super) lang: Lang,
}

/// A request that is not refused.
pub(super) enum Admitted<T: SessionStore> {
    /// It is of no session.
    Free,
    /// It has its turn.
    Now(Holding<T::Turn>),
    /// It goes on if its turn comes in time.
    Later(Later<T::Place>),
}

/// A turn, and what its answer has to know of it.
#[derive(Debug)]
pub(super) struct Holding<T: SessionTurn> {
    /// `None` after all.
    turn: Option<T>,
    pub(super) tells: Tells,
}

impl<T: SessionTurn> Holding<T> {
    pub(super) const fn new(turn: T, tells: Tells) -> Self {
        Self { turn: Some(turn), tells }
    }

    /// Says what is left of the request if it has lost its turn.
    pub(super) fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        let Some(turn) = &mut self.turn else { return Poll::Pending };
        turn.poll_lost(cx).map(|lost| self.tells.lost(lost))
    }

    /// Leaves what ends the turn; fails if it was lost before.
    pub(super) fn set_end(&mut self, end: Arc<dyn EndTurn>) -> Result<(), Error> {
        let lost = self.turn.as_mut().and_then(|turn| turn.set_end(end));
        lost.map_or(Ok(()), |lost| Err(self.tells.lost(lost)))
    }

    /// Leaves the fence of the turn in the request, and that of nobody else.
    pub(super) fn mark<B>(&self, request: &mut Request<B>, field: Option<&HeaderName>) {
        let fence = self.turn.as_ref().and_then(SessionTurn::fence);
        fence::mark(request, fence, field);
    }

    /// Takes the turn out, for who knows what becomes of it.
    pub(super) const fn take(&mut self) -> Option<T> {
        self.turn.take()
    }
}

/// Nobody polls the request any more: it says here that it was lost, if it was.
impl<T: SessionTurn> Drop for Holding<T> {
    fn drop(&mut self) {
        if self.tells.facts.is_some()
            && let Some(turn) = &mut self.turn
            && let Poll::Ready(lost) = turn.poll_lost(&mut Context::from_waker(Waker::noop()))
        {
            self.tells.tell_lost(lost);
        }
    }
}

/// What is there to say of a turn.
#[derive(Clone, Debug)]
pub(super) struct Tells {
    pub(super) scope: Scope,
    pub(super) facts: Option<Facts>,
    pub(super) lang: Lang,
}

impl Tells {
    /// Says what is left of a request that has lost its turn.
    #[cold]
    pub(super) fn lost(&self, lost: Lost) -> Error {
        self.tell_lost(lost);
        lost.error(self.lang)
    }

    /// Says it to all but the client, who has gone.
    #[cold]
    pub(super) fn tell_lost(&self, lost: Lost) {
        tracing::debug!(reason = lost.as_str(), "a turn was taken");
        if let Some(facts) = &self.facts {
            facts.tell_session_lost(lost);
        }
    }
}

/// A place in the line.
pub(super) struct Later<P> {
    pub(super) place: P,
    pub(super) scope: Scope,
    pub(super) ahead: usize,
    pub(super) since: Instant,
    /// How long it is waited for; `None` if without end.
    pub(super) until: Option<Instant>,
    /// What it is told if the store says that it may not wait.
    pub(super) busy: Refused,
    /// After what time, and in what times, something is sent meanwhile.
    pub(super) keep_alive: Option<Duration>,
    /// Where its fence is written.
    pub(super) fence_field: Option<HeaderName>,
    pub(super) lang: Lang,
}

impl<K: ExtractKey, T: SessionStore> Admit<K, T> {
    #[inline]
    pub(super) fn admit(&self, head: &Parts) -> Result<Admitted<T>, Error> {
        let Some(key) = self.key.extract(head, &self.rules.hasher)? else {
            return Ok(Admitted::Free);
        };
        Facts::tell_session_hash(&head.extensions, key);
        let Rules { max_hold, max_idle, max_sessions, lang, .. } = self.rules;
        let at_once = |refused| refusal(&head.extensions, refused, Duration::ZERO, lang);
        let scope = Scope { store: self.store.id(), key };
        if scope.is_within() {
            return Err(at_once(Refused::Nested));
        }
        let (max_waiting, supersedes) = match self.rules.policy {
            Policy::Queue { max_waiting, .. } => (max_waiting, false),
            Policy::Reject => (0, false),
            // Nobody is ended for one that is too late itself.
            Policy::Supersede => (0, !is_too_late(head)),
        };
        let ask = Ask { key, max_waiting, supersedes, max_hold, max_idle, max_sessions };
        match self.store.ask(&ask) {
            Asked::Granted(turn) => {
                let facts = head.extensions.get::<Facts>().cloned();
                Facts::tell_session(&head.extensions, SessionDecision::Granted);
                Ok(Admitted::Now(Holding::new(turn, Tells { scope, facts, lang })))
            }
            Asked::Waits { place, ahead } => self.wait(head, place, scope, ahead),
            Asked::Refused(Refused::Busy) => Err(at_once(self.busy())),
            Asked::Refused(refused) => Err(at_once(refused)),
        }
    }

    #[cold]
    fn wait(
        &self,
        head: &Parts,
        place: T::Place,
        scope: Scope,
        ahead: usize,
    ) -> Result<Admitted<T>, Error> {
        let since = Instant::now();
        let max_wait = match self.rules.policy {
            // A wait past the end of the clock has no end.
            Policy::Queue { max_wait, .. } => since.checked_add(max_wait),
            Policy::Reject | Policy::Supersede => None,
        };
        let until = Deadline::of(head).map(Deadline::instant).into_iter().chain(max_wait).min();
        // Who supersedes has looked at its time, and ended others. Where nobody is known to be before
        // it, the turn may be free.
        let is_over = ahead > 0 && until.is_some_and(|until| until <= since);
        if is_over && matches!(self.rules.policy, Policy::Queue { .. }) {
            return Err(refusal(
                &head.extensions,
                Refused::TooLate,
                Duration::ZERO,
                self.rules.lang,
            ));
        }
        let keep_alive = self.rules.keep_alive.filter(|_| wants_events(head));
        let (fence_field, lang) = (self.rules.fence_field.clone(), self.rules.lang);
        let busy = self.busy();
        let later =
            Later { place, scope, ahead, since, until, busy, keep_alive, fence_field, lang };
        Ok(Admitted::Later(later))
    }

    /// What one is told that may not wait.
    const fn busy(&self) -> Refused {
        match self.rules.policy {
            Policy::Queue { .. } | Policy::Reject => Refused::Busy,
            // Only one that is too late itself does not end the others.
            Policy::Supersede => Refused::TooLate,
        }
    }
}

fn is_too_late(head: &Parts) -> bool {
    Deadline::of(head).is_some_and(|deadline| deadline.instant() <= Instant::now())
}

/// Shows neither extractor nor keys.
impl<K, T: fmt::Debug> fmt::Debug for Admit<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Admit");
        shown.field("rules", &self.rules).field("store", &self.store).finish_non_exhaustive()
    }
}
