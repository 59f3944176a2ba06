use std::{collections::HashMap, fmt, sync::Arc as StdArc, time::Duration};

use http::{header::AUTHORIZATION, request::Parts};
use kimi_errors::{Error, ErrorKind};
use tokio::time::Instant;

use super::{
    super::{Freshness, Leased, TokenCache, TokenProvider, TokenSource},
    PoolLease, PoolPolicy, PoolWait,
    choice::Chooser,
    fixed::split,
    lease::lease,
    member::Member,
};
use crate::sync::{Arc, Lock};

/// The tokens that each caller sends: `authorization: Bearer T1,T2,T3`, as kimi-free-api takes them,
/// of which the request is sent on with one, or with what is made of it. A clone has the same.
///
/// The layer must be [`replacing`](super::super::TokenLayer::replacing), since the caller's own
/// credential gives way. What is known of a token, such as that it is dead, counts for all who send
/// it, and nobody is served with the token of another. A request without any is refused with
/// [`InvalidCredentials`](ErrorKind::InvalidCredentials).
///
/// Tokens that nobody has sent for 2 h are forgotten, as are the oldest if there are more than may
/// be. Not so those in use, and those for which something has come that would be lost, such as another
/// refresh token: these are kept for 30 days. If no other is to be had, a new token is refused with
/// [`Overloaded`](ErrorKind::Overloaded); so let there be more tokens than requests at once.
pub struct CallerTokens<P: TokenProvider, M> {
    shared: StdArc<Shared<P, M>>,
}

struct Shared<P: TokenProvider, M> {
    make: M,
    freshness: Freshness,
    chooser: Arc<Chooser>,
    max_tokens: usize,
    /// Nothing is called while it is locked, and no member dropped.
    known: Lock<HashMap<Box<str>, Known<P>>>,
}

struct Known<P: TokenProvider> {
    member: Arc<Member<P>>,
    used: Instant,
}

/// The most tokens that a caller may send at once: 64, ours.
const MAX_OF_CALLER: usize = 64;

/// How long a token is known that nobody sends: 2 h, for which the article takes a token to be good.
const IDLE: Duration = Duration::from_secs(2 * 60 * 60);

/// How long a refresh is kept that nobody waits for, if there is no room: 60 s, ours. Who asks for it
/// has gone, and may come again.
const ABANDONED: Duration = Duration::from_secs(60);

/// How long what would be lost with a token is kept: 30 days, ours. Who has not come by then logs in
/// again.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl<P, M> CallerTokens<P, M>
where
    P: TokenProvider,
    M: Fn(&str) -> Result<P, Error>,
{
    /// Creates the source, which knows at most `max_tokens`, and for each has `make` make a provider:
    /// a [`StaticToken`](super::super::StaticToken) of what was sent, or an
    /// [`HttpTokenProvider`](super::super::HttpTokenProvider) with it as refresh token.
    #[must_use]
    pub fn new(make: M, freshness: Freshness, policy: PoolPolicy, max_tokens: usize) -> Self {
        let chooser = Arc::new(Chooser::new(policy));
        let known = Lock::new(HashMap::new());
        Self { shared: StdArc::new(Shared { make, freshness, chooser, max_tokens, known }) }
    }

    /// Returns the token of that text, and takes notice that it is in use.
    fn member(&self, text: &str, now: Instant) -> Result<Arc<Member<P>>, Error> {
        if let Some(known) = self.shared.known.lock().get_mut(text) {
            known.used = now;
            return Ok(Arc::clone(&known.member));
        }
        let cache = TokenCache::new((self.shared.make)(text)?, self.shared.freshness);
        let made = Arc::new(Member::new(cache));
        let mut forgotten = Vec::new();
        let mut known = self.shared.known.lock();
        // Another may have been faster.
        if let Some(other) = known.get(text) {
            return Ok(Arc::clone(&other.member));
        }
        if known.len() >= self.shared.max_tokens {
            forgotten = forget(&mut known, now);
        }
        let has_room = known.len() < self.shared.max_tokens;
        if has_room {
            known.insert(text.into(), Known { member: Arc::clone(&made), used: now });
        }
        drop(known);
        drop(forgotten);
        // Not served without being remembered: what comes for it would be lost.
        if has_room { Ok(made) } else { Err(Error::new(ErrorKind::Overloaded)) }
    }
}

impl<P: TokenProvider, M> CallerTokens<P, M> {
    /// Returns how many tokens are known.
    #[must_use]
    pub fn known(&self) -> usize {
        self.shared.known.lock().len()
    }
}

/// Takes out what nobody has sent for long, else the one that nobody has sent for the longest, of
/// those that are not in use, and with which nothing is lost.
#[cold]
fn forget<P: TokenProvider>(
    known: &mut HashMap<Box<str>, Known<P>>,
    now: Instant,
) -> Vec<(Box<str>, Known<P>)> {
    let idle = |it: &Known<P>| now.saturating_duration_since(it.used);
    // How long it must be idle at least to be forgotten, and to be so for want of room.
    let times = |it: &Known<P>| match it.member.cache.would_lose() {
        (true, _) => (KEPT, KEPT),
        (false, true) => (IDLE, ABANDONED),
        (false, false) => (IDLE, Duration::ZERO),
    };
    // Nobody can have it but who asks for it, which nobody does while it is locked here.
    let is_free = |it: &Known<P>| Arc::strong_count(&it.member) == 1;
    let forgotten: Vec<_> =
        known.extract_if(|_, it| is_free(it) && idle(it) >= times(it).0).collect();
    if !forgotten.is_empty() {
        return forgotten;
    }
    let oldest = known
        .iter()
        .filter(|(_, it)| is_free(it) && idle(it) >= times(it).1)
        .min_by_key(|(_, it)| it.used);
    let oldest = oldest.map(|(text, _)| text.clone());
    oldest.and_then(|text| known.remove_entry(&text)).into_iter().collect()
}

impl<P, M> TokenSource for CallerTokens<P, M>
where
    P: TokenProvider,
    M: Fn(&str) -> Result<P, Error>,
{
    type Lease = PoolLease<P>;
    type Wait = PoolWait<P>;

    fn lease(&self, head: &Parts) -> Leased<PoolLease<P>, PoolWait<P>> {
        let now = Instant::now();
        let list = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let members: Result<Vec<_>, Error> = split(list.unwrap_or_default())
            .take(MAX_OF_CALLER)
            .map(|text| self.member(text, now))
            .collect();
        match members {
            Ok(members) if members.is_empty() => {
                Leased::Refused(Error::new(ErrorKind::InvalidCredentials))
            }
            Ok(members) => lease(&members, &self.shared.chooser),
            Err(error) => Leased::Refused(error),
        }
    }

    fn heed(&self, lease: &PoolLease<P>, error: &Error) -> bool {
        lease.member.heed(&lease.token, error, &self.shared.chooser.policy)
    }
}

impl<P: TokenProvider, M> Clone for CallerTokens<P, M> {
    fn clone(&self) -> Self {
        Self { shared: StdArc::clone(&self.shared) }
    }
}

impl<P: TokenProvider, M> fmt::Debug for CallerTokens<P, M> {
    /// Shows how many tokens are known, and none of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallerTokens").field("known", &self.known()).finish_non_exhaustive()
    }
}
