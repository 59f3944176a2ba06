use std::{fmt, sync::Arc as StdArc, time::Duration};

use http::HeaderValue;
use kimi_errors::{Error, ErrorKind};
use tokio::time::{Instant, sleep_until};

use super::{
    Freshness, TokenFuture, TokenProvider,
    fetch::{Fetch, Fetched},
    flight::Flight,
    joined::Joined,
    state::{Asked, Failure, Numbered, Refusal, State},
};
use crate::sync::{Arc, Lock};

/// One token, always a good one, for all who need it. A clone is the same cache. See the
/// [module](super).
pub struct TokenCache<P: TokenProvider> {
    shared: Arc<Shared<P>>,
}

struct Shared<P: TokenProvider> {
    provider: StdArc<P>,
    freshness: Freshness,
    /// The provider is not called while it is locked, nor anything of it dropped.
    inner: Lock<Inner<P>>,
}

struct Inner<P: TokenProvider> {
    state: State,
    /// The refresh under way.
    flight: Option<Arc<Refresh<P>>>,
    /// How many there have been.
    flights: u64,
    /// Whether nothing is lost with the provider, as it said itself after the last that ended.
    is_replaceable: bool,
}

pub(super) type Refresh<P> = Flight<Fetch<P>, Outcome>;

pub(super) type Outcome = Result<Numbered, Error>;

/// A token of a [`TokenCache`], and which one.
#[derive(Clone, Debug)]
pub struct CachedToken(pub(super) Numbered);

impl CachedToken {
    /// Returns the value of the field `authorization`, marked as sensitive.
    #[must_use]
    pub const fn header(&self) -> &HeaderValue {
        self.0.token.header()
    }

    /// Returns which token of its cache it is: 1 for the first.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.0.generation
    }
}

/// What a cache has for whoever asks.
pub(super) enum Given<P: TokenProvider> {
    /// A token, and if a refresh is due, the part in it.
    Token(CachedToken, Option<Joined<P>>),
    /// The refresh that has to be waited for.
    Refresh(Joined<P>),
    Failed(Error),
}

impl<P: TokenProvider> TokenCache<P> {
    /// Creates a cache without a token: the first who asks has one fetched.
    #[must_use]
    pub fn new(provider: P, freshness: Freshness) -> Self {
        let state = State::new(freshness);
        let inner = Inner { state, flight: None, flights: 0, is_replaceable: true };
        let (provider, inner) = (StdArc::new(provider), Lock::new(inner));
        Self { shared: Arc::new(Shared { provider, freshness, inner }) }
    }

    /// Returns a token. It is there at once but for the first time, after a refusal, and when the
    /// last could not be refreshed before its end.
    ///
    /// If a refresh is due, this begins it, and goes on with it only as long as it waits itself: the
    /// rest is done by the next that ask, by the layer while its requests are under way, and by
    /// [`keep_fresh`](Self::keep_fresh).
    ///
    /// # Errors
    ///
    /// Why the refresh has failed, the same for all who have waited for it;
    /// [`Timeout`](ErrorKind::Timeout) if it took too long, and [`System`](ErrorKind::System) if the
    /// provider has panicked.
    pub fn token(&self) -> TokenFuture<P> {
        TokenFuture::new(self.clone())
    }

    /// Takes notice that the token of that generation was refused. Returns whether it was still the
    /// one that is given to those who ask: they wait for another from now on.
    ///
    /// Of an older one it changes nothing, nor when a token was refused less than a
    /// [pause](Freshness::with_pause) ago.
    #[expect(clippy::must_use_candidate, reason = "it is told for its effect")]
    pub fn refuse(&self, generation: u64) -> bool {
        self.heed_refusal(generation) == Refusal::Heeded
    }

    /// Refreshes the token ahead of its end, for ever and also while nobody asks for one, at most
    /// once a second. For a task of its own, where requests are rare and none is to wait.
    pub async fn keep_fresh(&self) {
        loop {
            let given = self.give(Instant::now());
            if let Given::Token(_, Some(joined)) | Given::Refresh(joined) = given {
                // Whoever asks for a token hears of the failure.
                let _ = joined.await;
            }
            let now = Instant::now();
            let next = self.shared.inner.lock().state.next(now);
            match next {
                Some(next) => sleep_until(next.max(now + Duration::from_secs(1))).await,
                // It is good for ever. If it is refused, whoever needs another fetches it.
                None => std::future::pending().await,
            }
        }
    }

    /// Returns a token, if there is one, and the refresh that is due.
    #[inline]
    pub(super) fn give(&self, now: Instant) -> Given<P> {
        let mut inner = self.shared.inner.lock();
        let asked = inner.state.ask(now);
        let due = match asked {
            Asked::Fresh(numbered) => return Given::Token(CachedToken(numbered), None),
            Asked::Failed(error) => return Given::Failed(error),
            Asked::Due(numbered) => Some(numbered),
            Asked::None => None,
        };
        let refresh = self.join(&mut inner, now);
        drop(inner);
        let joined = Joined::new(self.clone(), refresh);
        match due {
            Some(numbered) => Given::Token(CachedToken(numbered), Some(joined)),
            None => Given::Refresh(joined),
        }
    }

    /// Returns whether something that its provider holds would be lost with it; and whether a refresh is under
    /// way, from which something may come.
    pub(super) fn would_lose(&self) -> (bool, bool) {
        let inner = self.shared.inner.lock();
        (!inner.is_replaceable, inner.flight.is_some())
    }

    pub(super) fn heed_refusal(&self, generation: u64) -> Refusal {
        let refusal = self.shared.inner.lock().state.refuse(generation, Instant::now());
        if refusal == Refusal::Heeded {
            tracing::debug!(generation, "the token was refused");
        }
        refusal
    }

    /// Joins the refresh under way, or begins one. Nothing is called before it is polled.
    #[cold]
    fn join(&self, inner: &mut Inner<P>, now: Instant) -> Arc<Refresh<P>> {
        if let Some(flight) = &inner.flight {
            return Arc::clone(flight);
        }
        let provider = StdArc::clone(&self.shared.provider);
        let fetch = Fetch::new(provider, self.shared.freshness.timeout, now);
        let flight = Arc::new(Flight::new(fetch));
        inner.flights += 1;
        inner.flight = Some(Arc::clone(&flight));
        flight
    }

    /// Takes notice of what became of the refresh under way; `None` if it has panicked.
    pub(super) fn settle(&self, fetched: Option<Fetched>) -> (Outcome, Settled<P>) {
        let now = Instant::now();
        let mut inner = self.shared.inner.lock();
        // Whatever it was doing may be half done.
        inner.is_replaceable &= fetched.is_some();
        let (fetched, begun) = fetched.unwrap_or_else(|| (Err(ErrorKind::System.into()), now));
        let (outcome, failure) = inner.state.settle(fetched, begun, now);
        let (flight, number) = (inner.flight.take(), inner.flights);
        (outcome, Settled { _failure: failure, _flight: flight, number })
    }

    /// Asks the provider whether it can be replaced, after that refresh.
    pub(super) fn after(&self, settled: Settled<P>) {
        let (number, is_replaceable) = (settled.number, self.shared.provider.is_replaceable());
        drop(settled);
        let mut inner = self.shared.inner.lock();
        // Another that has begun since asks itself.
        if inner.flights == number {
            inner.is_replaceable = is_replaceable;
        }
    }
}

/// What a settled refresh leaves, whose drop is a stranger's code: to be dropped when all have been
/// told.
pub(super) struct Settled<P: TokenProvider> {
    _failure: Option<Failure>,
    _flight: Option<Arc<Refresh<P>>>,
    /// Which it was.
    number: u64,
}

impl<P: TokenProvider> Clone for TokenCache<P> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<P: TokenProvider> fmt::Debug for TokenCache<P> {
    /// Shows nothing of provider and token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("freshness", &self.shared.freshness)
            .finish_non_exhaustive()
    }
}
