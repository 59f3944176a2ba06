use std::{
    fmt,
    pin::Pin,
    sync::Arc as StdArc,
    task::{Context, Poll},
    time::Duration,
};

use http::HeaderValue;
use kimi_errors::{Error, ErrorKind};
use tokio::time::{Instant, sleep_until};

use super::{
    Freshness, TokenFuture, TokenProvider,
    fetch::Fetch,
    flight::Flight,
    signal::Place,
    state::{Asked, Numbered, Refusal, State},
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
}

/// A refresh, and when it began.
struct Refresh<P: TokenProvider> {
    flight: Flight<Fetch<P>, Outcome>,
    begun: Instant,
}

type Outcome = Result<Numbered, Error>;

/// A token of a [`TokenCache`], and which one.
#[derive(Clone, Debug)]
pub struct CachedToken(Numbered);

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
        let inner = Inner { state: State::new(freshness), flight: None };
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
        let joined = Joined { cache: self.clone(), refresh, place: None };
        match due {
            Some(numbered) => Given::Token(CachedToken(numbered), Some(joined)),
            None => Given::Refresh(joined),
        }
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
        let begin = || {
            let until = now.checked_add(self.shared.freshness.timeout);
            let fetch = Fetch::new(StdArc::clone(&self.shared.provider), until);
            Arc::new(Refresh { flight: Flight::new(fetch), begun: now })
        };
        Arc::clone(inner.flight.get_or_insert_with(begin))
    }

    /// Takes notice of what became of the refresh under way.
    fn settle(&self, begun: Instant, fetched: Option<Result<super::Token, Error>>) -> Outcome {
        let fetched = fetched.unwrap_or_else(|| Err(Error::new(ErrorKind::System)));
        let ((outcome, forgotten), over) = {
            let mut inner = self.shared.inner.lock();
            (inner.state.settle(fetched, begun, Instant::now()), inner.flight.take())
        };
        drop((forgotten, over));
        match &outcome {
            Ok(Numbered { generation, .. }) => tracing::debug!(generation, "there is a new token"),
            Err(error) => {
                let kind = error.kind().name();
                tracing::warn!(kind, "the token could not be refreshed");
            }
        }
        outcome
    }
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

/// The part that one has in a refresh. Dropping it stops nothing.
pub(super) struct Joined<P: TokenProvider> {
    pub(super) cache: TokenCache<P>,
    refresh: Arc<Refresh<P>>,
    place: Option<Place>,
}

impl<P: TokenProvider> Joined<P> {
    /// Returns whether the refresh should have been over when it began to be waited for, or now.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        let overdue = self.refresh.begun.checked_add(self.cache.shared.freshness.timeout);
        overdue.is_some_and(|overdue| overdue <= now)
    }
}

impl<P: TokenProvider> Future for Joined<P> {
    type Output = Result<CachedToken, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { cache, refresh, place } = &mut *self;
        let begun = refresh.begun;
        let polled = refresh.flight.poll(place, cx, |fetched| cache.settle(begun, fetched));
        polled.map(|outcome| outcome.map(CachedToken))
    }
}

impl<P: TokenProvider> Drop for Joined<P> {
    fn drop(&mut self) {
        self.refresh.flight.leave(&mut self.place);
    }
}
