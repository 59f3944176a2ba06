//! What a cache knows, and what follows from it at a given time.

use std::time::Duration;

use kimi_errors::Error;
use tokio::time::Instant;

use super::{
    Token,
    freshness::{Freshness, MAX_PAUSE},
};
use crate::random::Random;

/// A token and which of its cache's it is.
#[derive(Clone, Debug)]
pub(super) struct Numbered {
    pub(super) token: Token,
    /// 1 for the first.
    pub(super) generation: u64,
}

/// What a cache knows but for the flight.
#[derive(Debug)]
pub(super) struct State {
    freshness: Freshness,
    random: Random,
    current: Option<Current>,
    /// Of the newest token.
    generation: u64,
    failure: Option<Failure>,
    /// Before then no refusal takes away a token.
    no_refusal_until: Option<Instant>,
}

#[derive(Debug)]
struct Current {
    numbered: Numbered,
    /// `None` for never.
    refresh: Option<Instant>,
    end: Option<Instant>,
}

/// A refresh that has failed.
#[derive(Debug)]
pub(super) struct Failure {
    error: Error,
    until: Instant,
}

/// What whoever asks for a token is told.
#[derive(Debug)]
pub(super) enum Asked {
    Fresh(Numbered),
    /// It is good, and a refresh is due.
    Due(Numbered),
    /// There is none without a refresh.
    None,
    /// There is none, and a refresh has failed just now.
    Failed(Error),
}

/// What becomes of a refusal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Refusal {
    /// The token is not given to anybody from now on.
    Heeded,
    /// It was not the current one.
    Late,
    /// The one before was refused just now.
    TooSoon,
}

impl State {
    pub(super) fn new(freshness: Freshness) -> Self {
        let random = freshness.seed.map_or_else(Random::from_system, Random::new);
        let (current, failure) = (None, None);
        Self { freshness, random, current, generation: 0, failure, no_refusal_until: None }
    }

    #[inline]
    pub(super) fn ask(&self, now: Instant) -> Asked {
        let is_before = |then: Option<Instant>| then.is_none_or(|then| now < then);
        if let Some(current) = &self.current {
            if is_before(current.refresh) {
                return Asked::Fresh(current.numbered.clone());
            }
            if is_before(current.end) {
                let numbered = current.numbered.clone();
                let is_paused = self.failure.as_ref().is_some_and(|it| now < it.until);
                return if is_paused { Asked::Fresh(numbered) } else { Asked::Due(numbered) };
            }
        }
        match &self.failure {
            Some(failure) if now < failure.until => {
                // Whoever comes before then comes in vain.
                let rest = failure.until.saturating_duration_since(now);
                let wait = failure.error.retry_after().map_or(rest, |told| told.max(rest));
                Asked::Failed(failure.error.clone().with_retry_after(wait))
            }
            _ => Asked::None,
        }
    }

    /// Takes notice of a refresh that began at `begun`. What is returned beside its outcome is
    /// forgotten, and to be dropped elsewhere than under a lock: it may be a stranger's.
    pub(super) fn settle(
        &mut self,
        fetched: Result<Token, Error>,
        begun: Instant,
        now: Instant,
    ) -> (Result<Numbered, Error>, Option<Failure>) {
        match fetched {
            Ok(token) => {
                let lifetime = token.lifetime().unwrap_or(self.freshness.lifetime);
                let end = begun.checked_add(lifetime);
                let refresh = end.and(begun.checked_add(self.until_refresh(lifetime)));
                self.generation += 1;
                let numbered = Numbered { token, generation: self.generation };
                self.current = Some(Current { numbered: numbered.clone(), refresh, end });
                (Ok(numbered), self.failure.take())
            }
            Err(error) => {
                let asked = error.retry_after().unwrap_or_default().min(MAX_PAUSE);
                let until = now.checked_add(self.freshness.pause.max(asked));
                let failure = until.map(|until| Failure { error: error.clone(), until });
                (Err(error), std::mem::replace(&mut self.failure, failure))
            }
        }
    }

    /// Returns when there will be something to do, if ever.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        let paused =
            self.failure.as_ref().map(|failure| failure.until).filter(|until| now < *until);
        paused.or(self.current.as_ref().map_or(Some(now), |current| current.refresh))
    }

    /// Takes notice that the token of `generation` was refused.
    pub(super) fn refuse(&mut self, generation: u64, now: Instant) -> Refusal {
        let is_current =
            self.current.as_ref().is_some_and(|it| it.numbered.generation == generation);
        if !is_current {
            return Refusal::Late;
        }
        // A service that refuses whatever it is sent would have each request refresh.
        if self.no_refusal_until.is_some_and(|until| now < until) {
            return Refusal::TooSoon;
        }
        self.current = None;
        self.no_refusal_until = now.checked_add(self.freshness.pause);
        Refusal::Heeded
    }

    /// Returns how long after it was asked for a token is refreshed.
    fn until_refresh(&self, lifetime: Duration) -> Duration {
        let ahead = self.freshness.ahead.unwrap_or(lifetime / 5).min(lifetime / 2);
        let jitter = self.random.up_to(ahead / 2);
        lifetime.saturating_sub(ahead).saturating_add(jitter)
    }
}

#[cfg(test)]
mod tests {
    use kimi_errors::ErrorKind;
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn token(lifetime: Option<Duration>) -> Token {
        let token = Token::parse("T").unwrap();
        lifetime.map_or(token.clone(), |lifetime| token.with_lifetime(lifetime))
    }

    fn shown(asked: &Asked) -> String {
        match asked {
            Asked::Fresh(it) => format!("fresh {}", it.generation),
            Asked::Due(it) => format!("due {}", it.generation),
            Asked::None => "none".to_owned(),
            Asked::Failed(error) => format!("failed {}", error.kind().name()),
        }
    }

    fn filled(freshness: Freshness, lifetime: Option<Duration>, now: Instant) -> State {
        let mut state = State::new(freshness);
        state.settle(Ok(token(lifetime)), now, now).0.unwrap();
        state
    }

    #[test]
    fn a_token_is_fresh_then_due_then_gone() {
        let now = Instant::now();
        let freshness = Freshness::new().with_seed(1);
        assert_eq!(shown(&State::new(freshness).ask(now)), "none");
        // Of 2 h a fifth is 24 min, of which up to 12 are taken off.
        let state = filled(freshness, None, now);
        assert_eq!(shown(&state.ask(now + SECOND * 96 * 60 - SECOND)), "fresh 1");
        assert_eq!(shown(&state.ask(now + SECOND * 108 * 60)), "due 1");
        assert_eq!(shown(&state.ask(now + SECOND * 7_200 - SECOND)), "due 1");
        assert_eq!(shown(&state.ask(now + SECOND * 7_200)), "none");
    }

    #[test]
    fn the_lifetime_counts_from_the_question_and_is_the_provider_s() {
        let now = Instant::now();
        let mut state = State::new(Freshness::new());
        state.settle(Ok(token(Some(SECOND * 9))), now, now + SECOND * 5).0.unwrap();
        // Of 9 s a fifth is 1.8, of which up to a half is taken off: it is due at 8.1 s, whatever
        // was drawn.
        assert_eq!(shown(&state.ask(now + SECOND * 81 / 10)), "due 1");
        assert_eq!(shown(&state.ask(now + SECOND * 9)), "none");
        let state = filled(Freshness::new(), Some(Duration::MAX), now);
        assert_eq!(shown(&state.ask(now + SECOND * 1_000_000_000)), "fresh 1");
    }

    #[test]
    fn a_failure_counts_for_a_while_and_leaves_a_token_that_is_good() {
        let now = Instant::now();
        let mut state = filled(Freshness::new(), Some(SECOND * 10), now);
        let due = now + SECOND * 9;
        assert_eq!(shown(&state.ask(due)), "due 1");
        let failed = Err(Error::new(ErrorKind::Unavailable));
        assert!(state.settle(failed, due, due).0.is_err());
        assert_eq!(shown(&state.ask(due)), "fresh 1");
        assert_eq!(shown(&state.ask(now + SECOND * 10)), "none");
        let failed = Err(Error::new(ErrorKind::Unavailable).with_retry_after(SECOND * 5));
        assert!(state.settle(failed, due, due).0.is_err());
        assert_eq!(shown(&state.ask(now + SECOND * 10)), "failed unavailable");
        assert_eq!(shown(&state.ask(due + SECOND * 5)), "none");
        // Nobody is let wait for a day.
        let failed = Err(Error::new(ErrorKind::Unavailable).with_retry_after(SECOND * 86_400));
        assert!(state.settle(failed, due, due).0.is_err());
        assert_eq!(shown(&state.ask(due + MAX_PAUSE)), "none");
    }

    #[test]
    fn there_is_something_to_do_unless_the_token_is_good_for_ever() {
        let now = Instant::now();
        let mut state = State::new(Freshness::new());
        assert_eq!(state.next(now), Some(now));
        let failed = Err(Error::new(ErrorKind::Unavailable));
        assert!(state.settle(failed, now, now).0.is_err());
        assert_eq!(state.next(now), Some(now + SECOND));
        assert_eq!(state.next(now + SECOND), Some(now + SECOND));
        state.settle(Ok(token(Some(Duration::MAX))), now, now).0.unwrap();
        assert_eq!(state.next(now), None);
        assert_eq!(state.refuse(1, now), Refusal::Heeded);
        assert_eq!(state.next(now), Some(now));
    }

    #[test]
    fn only_the_current_token_is_refused_and_not_twice_in_a_moment() {
        let now = Instant::now();
        let mut state = filled(Freshness::new(), None, now);
        assert_eq!([0, 2].map(|it| state.refuse(it, now)), [Refusal::Late; 2]);
        assert_eq!(state.refuse(1, now), Refusal::Heeded);
        assert_eq!(shown(&state.ask(now)), "none");
        assert_eq!(state.refuse(1, now), Refusal::Late);
        state.settle(Ok(token(None)), now, now).0.unwrap();
        assert_eq!(state.refuse(1, now + SECOND), Refusal::Late);
        assert_eq!(state.refuse(2, now), Refusal::TooSoon);
        assert_eq!(shown(&state.ask(now)), "fresh 2");
        assert_eq!(state.refuse(2, now + SECOND), Refusal::Heeded);
    }

    proptest! {
        #[test]
        fn prop_a_refresh_comes_within_its_bounds(
            lifetime in 0..100_000_000_u64, ahead in proptest::option::of(0..100_000_000_u64),
            seed: u64,
        ) {
            let lifetime = Duration::from_micros(lifetime);
            let mut freshness = Freshness::new().with_seed(seed);
            if let Some(ahead) = ahead {
                freshness = freshness.with_ahead(Duration::from_micros(ahead));
            }
            let due = State::new(freshness).until_refresh(lifetime);
            prop_assert!(due >= lifetime / 2 && due <= lifetime);
            let ahead = ahead.map_or(lifetime / 5, Duration::from_micros).min(lifetime / 2);
            prop_assert!(due >= lifetime - ahead && due <= lifetime - ahead / 2);
        }
    }
}
