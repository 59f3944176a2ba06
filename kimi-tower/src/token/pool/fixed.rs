use std::{fmt, future::poll_fn, sync::Arc as StdArc, task::Poll};

use http::request::Parts;
use kimi_errors::Error;

use super::{
    super::{Freshness, Leased, StaticToken, Token, TokenCache, TokenProvider, TokenSource},
    PoolLease, PoolPolicy, PoolWait,
    choice::Chooser,
    lease::lease,
    member::Member,
};
use crate::sync::Arc;

/// Several tokens, of which each request is sent with one that is neither dead nor limited. A clone
/// has the same.
///
/// | an answer, or a refresh | the token |
/// |---|---|
/// | refuses the token | is refreshed; if there is no other, or that is refused within a minute, too, it is dead |
/// | says that the quota is exhausted | is dead |
/// | says that requests, tokens, concurrency or usage are limited | rests until the time it names, at most 24 h |
/// | cannot be refreshed | rests as long as the error says, or is dead if that is for good |
///
/// A request that was limited is not sent again here: `retry`, outside, does that, with the next token.
///
/// The only token of a pool does not rest: there is no other, and its answers and errors are handed on.
/// If all of several rest, a request fails with [`Unavailable`](kimi_errors::ErrorKind::Unavailable), and
/// its [`retry_after`](Error::retry_after) is when the first is back.
pub struct TokenPool<P: TokenProvider> {
    members: StdArc<[Arc<Member<P>>]>,
    chooser: Arc<Chooser>,
}

impl<P: TokenProvider> TokenPool<P> {
    /// Creates a pool of these, which may each be in use elsewhere. One of none refuses every request.
    #[must_use]
    pub fn new(caches: impl IntoIterator<Item = TokenCache<P>>, policy: PoolPolicy) -> Self {
        let members: Vec<_> =
            caches.into_iter().map(|cache| Arc::new(Member::new(cache))).collect();
        Self { members: members.into(), chooser: Arc::new(Chooser::new(policy)) }
    }
}

impl<P: TokenProvider> TokenPool<P> {
    /// Refreshes all of its tokens ahead of their end, as [`TokenCache::keep_fresh`] does.
    pub async fn keep_fresh(&self) {
        let mut all: Vec<_> =
            self.members.iter().map(|member| Box::pin(member.cache.keep_fresh())).collect();
        poll_fn(|cx| {
            for one in &mut all {
                // It has no end.
                let _ = one.as_mut().poll(cx);
            }
            Poll::Pending
        })
        .await
    }
}

impl TokenPool<StaticToken> {
    /// Creates a pool of tokens that never change, as kimi-free-api writes them.
    ///
    /// ```text
    /// T1,T2,T3
    /// Bearer T1, T2
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidCredentials`](kimi_errors::ErrorKind::InvalidCredentials) if one is no token, or there
    /// is none.
    pub fn parse(list: &str, policy: PoolPolicy) -> Result<Self, Error> {
        let caches: Result<Vec<_>, Error> = split(list)
            .map(|text| {
                Ok(TokenCache::new(StaticToken::new(Token::parse(text)?), Freshness::new()))
            })
            .collect();
        let caches = caches?;
        if caches.is_empty() {
            return Err(Error::new(kimi_errors::ErrorKind::InvalidCredentials));
        }
        Ok(Self::new(caches, policy))
    }
}

/// Returns the tokens of a list, with or without the scheme before it.
pub(super) fn split(list: &str) -> impl Iterator<Item = &str> {
    let list = list.trim_ascii();
    // RFC 9110 §11.1: in any case.
    let list = match list.split_at_checked(6) {
        Some((scheme, rest))
            if scheme.eq_ignore_ascii_case("bearer")
                && rest.bytes().next().is_none_or(|it| it == b' ') =>
        {
            rest
        }
        _ => list,
    };
    list.split(',').map(str::trim_ascii).filter(|text| !text.is_empty())
}

impl<P: TokenProvider> TokenSource for TokenPool<P> {
    type Lease = PoolLease<P>;
    type Wait = PoolWait<P>;

    fn lease(&self, _: &Parts) -> Leased<PoolLease<P>, PoolWait<P>> {
        lease(&self.members, &self.chooser)
    }

    fn heed(&self, lease: &PoolLease<P>, error: &Error) -> bool {
        lease.member.heed(&lease.token, error, &self.chooser.policy)
    }
}

impl<P: TokenProvider> Clone for TokenPool<P> {
    fn clone(&self) -> Self {
        Self { members: StdArc::clone(&self.members), chooser: Arc::clone(&self.chooser) }
    }
}

impl<P: TokenProvider> fmt::Debug for TokenPool<P> {
    /// Shows how many tokens there are, and none of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenPool")
            .field("tokens", &self.members.len())
            .field("policy", &self.chooser.policy)
            .finish_non_exhaustive()
    }
}
