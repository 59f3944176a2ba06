use std::time::Duration;

use http::HeaderValue;
use kimi_errors::{Error, ErrorKind, RetryAdvice, Wait};
use tokio::time::Instant;

use super::{
    super::{CachedToken, TokenCache, TokenProvider, source::is_refusal, state::Refusal},
    PoolPolicy,
};
use crate::sync::Lock;

/// One of several tokens, and whether it rests.
pub(super) struct Member<P: TokenProvider> {
    pub(super) cache: TokenCache<P>,
    /// Nothing is called while it is locked.
    rest: Lock<Rest>,
}

#[derive(Debug, Default)]
struct Rest {
    until: Option<Instant>,
    limited: Option<Instant>,
    refused: Option<Refused>,
}

/// The token that was refused last.
#[derive(Debug)]
struct Refused {
    /// If the next is the same, there is no other.
    header: HeaderValue,
    generation: u64,
    at: Instant,
}

/// If so soon after a token the next is refused, whoever it belongs to is not served, whatever the
/// token: 60 s, ours. None is good for less.
const SOON: Duration = Duration::from_secs(60);

/// The longest that a token rests which is limited, whatever the answer says: 24 h, ours, the
/// longest that the platform counts for.
const MAX_REST: Duration = Duration::from_secs(24 * 60 * 60);

impl<P: TokenProvider> Member<P> {
    pub(super) fn new(cache: TokenCache<P>) -> Self {
        Self { cache, rest: Lock::new(Rest::default()) }
    }

    /// Returns when it was last limited, if it does not rest.
    pub(super) fn limited(&self, now: Instant) -> Option<Option<Instant>> {
        let rest = self.rest.lock();
        rest.until.is_none_or(|until| until <= now).then_some(rest.limited)
    }

    /// Returns until when it rests.
    pub(super) fn until(&self, now: Instant) -> Option<Instant> {
        self.rest.lock().until.filter(|until| now < *until)
    }

    /// Lets it rest for so long, and not less if it does.
    pub(super) fn rest(&self, time: Duration, now: Instant) {
        // What no clock can show is for ever, as nearly as it can be.
        let until = now.checked_add(time).or_else(|| now.checked_add(Duration::from_secs(1 << 31)));
        let mut rest = self.rest.lock();
        rest.until = rest.until.max(until);
    }

    /// Returns whether the token is the one that was refused.
    pub(super) fn was_refused(&self, token: &CachedToken) -> bool {
        self.rest.lock().refused.as_ref().is_some_and(|it| it.header == *token.header())
    }

    /// Takes notice of the error that a request with this token was answered with. Returns whether
    /// it was refused.
    pub(super) fn heed(&self, token: &CachedToken, error: &Error, policy: &PoolPolicy) -> bool {
        let now = Instant::now();
        if is_refusal(error) {
            match self.cache.heed_refusal(token.generation()) {
                Refusal::Heeded if self.is_second_soon(token, now) => self.die(policy, now),
                Refusal::Heeded => {}
                // Its successor was refused, too.
                Refusal::TooSoon => self.die(policy, now),
                Refusal::Late => {}
            }
            return true;
        }
        match error.kind() {
            ErrorKind::QuotaExhausted => self.die(policy, now),
            ErrorKind::RateLimited | ErrorKind::ConcurrencyLimited => {
                self.limit(error, policy.limited, now);
            }
            // Hours or days, though nobody may have said how many.
            ErrorKind::UsageLimited | ErrorKind::ResearchLimit => {
                self.limit(error, policy.dead, now);
            }
            _ => {}
        }
        false
    }

    /// Takes notice that a token was refused. Returns whether so was the one before, just now.
    fn is_second_soon(&self, token: &CachedToken, now: Instant) -> bool {
        let (header, generation) = (token.header().clone(), token.generation());
        let before = self.rest.lock().refused.replace(Refused { header, generation, at: now });
        before.is_some_and(|it| {
            it.generation + 1 == generation && now.saturating_duration_since(it.at) < SOON
        })
    }

    /// Lets a token rest until the time that the error names, or for so long.
    fn limit(&self, error: &Error, otherwise: Duration, now: Instant) {
        let hint = match error.advice() {
            RetryAdvice::AfterReset { at: Some(at) } => Some(Wait::At(at).remaining()),
            _ => error.retry_after(),
        };
        // Told of zero is as good as not told.
        let hint = hint.filter(|hint| !hint.is_zero());
        self.rest(hint.map_or(otherwise, |hint| hint.min(MAX_REST)), now);
        self.rest.lock().limited = Some(now);
        tracing::debug!(kind = error.kind().name(), "a token is limited, and rests");
    }

    /// Lets a token rest that nothing but somebody else's help brings back.
    pub(super) fn die(&self, policy: &PoolPolicy, now: Instant) {
        // For a moment at least, or who looks for another would find it again, and again.
        self.rest(policy.dead.max(Duration::from_millis(1)), now);
        tracing::warn!("a token is dead, and rests");
    }
}
