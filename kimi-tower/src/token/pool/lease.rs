use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::HeaderValue;
use kimi_errors::{Error, ErrorKind};
use tokio::time::Instant;

use super::{
    super::{CachedToken, Leased, TokenFuture, TokenProvider},
    choice::Chooser,
    member::Member,
};
use crate::sync::Arc;

/// A token of several, in use.
pub struct PoolLease<P: TokenProvider> {
    pub(super) token: CachedToken,
    pub(super) member: Arc<Member<P>>,
}

/// A token of several, to come. Of one that cannot be had the next is waited for, until there is none.
#[must_use = "futures do nothing unless polled"]
pub struct PoolWait<P: TokenProvider> {
    token: TokenFuture<P>,
    member: Arc<Member<P>>,
    candidates: Vec<Arc<Member<P>>>,
    chooser: Arc<Chooser>,
    /// A refresh that is not waited for does not go on to another token.
    is_ahead: bool,
}

/// Chooses one of the candidates.
pub(super) fn lease<P: TokenProvider>(
    candidates: &[Arc<Member<P>>],
    chooser: &Arc<Chooser>,
) -> Leased<PoolLease<P>, PoolWait<P>> {
    let now = Instant::now();
    // Ends, since each turn lets one of them rest.
    loop {
        let is_only = candidates.len() == 1;
        // The only one does not rest: there is no other, and what is wrong with it others say better.
        let chosen = match is_only {
            true => Some(0),
            false => chooser.choose(candidates.len(), |at| candidates[at].limited(now)),
        };
        let Some(at) = chosen else {
            return Leased::Refused(exhausted(candidates, now));
        };
        let member = &candidates[at];
        let wait = |token, is_ahead| PoolWait {
            token,
            member: Arc::clone(member),
            candidates: if is_ahead { Vec::new() } else { candidates.to_vec() },
            chooser: Arc::clone(chooser),
            is_ahead,
        };
        match member.cache.lease_any() {
            Leased::Ready(token, ahead) => {
                let ahead = ahead.map(|ahead| wait(ahead, true));
                return Leased::Ready(PoolLease { token, member: Arc::clone(member) }, ahead);
            }
            Leased::Waiting(token) => return Leased::Waiting(wait(token, false)),
            Leased::Refused(error) if is_only => return Leased::Refused(error),
            Leased::Refused(error) => failed(member, &error, chooser, now),
            // A cache has no such answer.
            Leased::Untouched => return Leased::Untouched,
        }
    }
}

/// Lets a token rest that could not be refreshed: as long as the error says, or its advice.
fn failed<P: TokenProvider>(member: &Member<P>, error: &Error, chooser: &Chooser, now: Instant) {
    if error.kind() == ErrorKind::InvalidCredentials {
        member.die(&chooser.policy, now);
    } else {
        // At least so long that it is not chosen again at once.
        let wait = error.retry_after().unwrap_or_default();
        member.rest(wait.max(chooser.policy.limited).max(Duration::from_millis(1)), now);
    }
}

#[cold]
fn exhausted<P: TokenProvider>(candidates: &[Arc<Member<P>>], now: Instant) -> Error {
    let first = candidates.iter().filter_map(|member| member.until(now)).min();
    let wait = first.map(|first| first.saturating_duration_since(now));
    let error = Error::new(ErrorKind::Unavailable);
    let Some(wait) = wait else {
        return Error::new(ErrorKind::InvalidCredentials);
    };
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    error
        .with_message(format!(
            "全部 {count} 个 token 均不可用，最早 {seconds} 秒后恢复 (all {count} tokens rest; the first is back in {seconds} s)",
            count = candidates.len(),
        ))
        .with_retry_after(Duration::from_secs(seconds))
}

impl<P: TokenProvider> Future for PoolWait<P> {
    type Output = Result<PoolLease<P>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let this = &mut *self;
            let outcome = ready!(Pin::new(&mut this.token).poll(cx));
            let now = Instant::now();
            let is_only = this.candidates.len() == 1;
            match outcome {
                // There is no other in its place.
                Ok(token) if !is_only && this.member.was_refused(&token) => {
                    this.member.die(&this.chooser.policy, now);
                }
                Ok(token) => {
                    let member = Arc::clone(&this.member);
                    return Poll::Ready(Ok(PoolLease { token, member }));
                }
                // What is refreshed ahead is still good for a while.
                Err(error) if is_only || this.is_ahead => return Poll::Ready(Err(error)),
                Err(error) => failed(&this.member, &error, &this.chooser, now),
            }
            match lease(&this.candidates, &this.chooser) {
                Leased::Ready(lease, _) => return Poll::Ready(Ok(lease)),
                Leased::Waiting(wait) => *this = wait,
                Leased::Refused(error) => return Poll::Ready(Err(error)),
                Leased::Untouched => return Poll::Ready(Err(Error::new(ErrorKind::System))),
            }
        }
    }
}

impl<P: TokenProvider> AsRef<HeaderValue> for PoolLease<P> {
    fn as_ref(&self) -> &HeaderValue {
        self.token.header()
    }
}

impl<P: TokenProvider> fmt::Debug for PoolLease<P> {
    /// Shows nothing of the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolLease").finish_non_exhaustive()
    }
}

impl<P: TokenProvider> fmt::Debug for PoolWait<P> {
    /// Shows nothing of a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolWait").finish_non_exhaustive()
    }
}
