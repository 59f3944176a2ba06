use std::fmt;

use http::{HeaderValue, request::Parts};
use kimi_errors::{Error, ErrorKind, RetryAdvice};
use tokio::time::Instant;

use super::{CachedToken, TokenCache, TokenFuture, TokenProvider, cache::Given};

/// Says which token a request is sent with, and hears what became of it: a [`TokenCache`], or a
/// [`TokenPool`](super::TokenPool) of several.
pub trait TokenSource {
    /// A token in use, and which one. It is the value of the field `authorization`.
    type Lease: AsRef<HeaderValue>;

    /// A token to come, or a refresh that others will have the use of. Dropping it stops nothing.
    type Wait: Future<Output = Result<Self::Lease, Error>> + Unpin;

    /// Returns the token for an attempt of the request with this head, which is the caller's own:
    /// what this layer has put into it is not there.
    fn lease(&self, head: &Parts) -> Leased<Self::Lease, Self::Wait>;

    /// Takes notice of the error that an attempt with this token was answered with. Returns whether
    /// it was the token that was refused, so that another may pass.
    fn heed(&self, lease: &Self::Lease, error: &Error) -> bool;
}

/// What a [`TokenSource`] has for an attempt.
#[non_exhaustive]
pub enum Leased<L, W> {
    /// A token. What stands beside it is polled while the request is under way, and not waited for:
    /// a refresh that is due.
    Ready(L, Option<W>),
    /// The token has to be waited for.
    Waiting(W),
    /// There is none.
    Refused(Error),
    /// None is wanted: the request goes as it is, and its answer is not looked at.
    Untouched,
}

impl<P: TokenProvider> TokenSource for TokenCache<P> {
    type Lease = CachedToken;
    type Wait = TokenFuture<P>;

    #[inline]
    fn lease(&self, _: &Parts) -> Leased<CachedToken, TokenFuture<P>> {
        self.lease_any()
    }

    fn heed(&self, lease: &CachedToken, error: &Error) -> bool {
        let is_refused = is_refusal(error);
        if is_refused {
            self.refuse(lease.generation());
        }
        is_refused
    }
}

/// `None` leaves every request as it is.
impl<T: TokenSource> TokenSource for Option<T> {
    type Lease = T::Lease;
    type Wait = T::Wait;

    #[inline]
    fn lease(&self, head: &Parts) -> Leased<T::Lease, T::Wait> {
        self.as_ref().map_or(Leased::Untouched, |source| source.lease(head))
    }

    fn heed(&self, lease: &T::Lease, error: &Error) -> bool {
        self.as_ref().is_some_and(|source| source.heed(lease, error))
    }
}

impl<P: TokenProvider> TokenCache<P> {
    /// The token for any request.
    #[inline]
    pub(super) fn lease_any(&self) -> Leased<CachedToken, TokenFuture<P>> {
        match self.give(Instant::now()) {
            Given::Token(token, None) => Leased::Ready(token, None),
            Given::Token(token, Some(due)) => Leased::Ready(token, Some(TokenFuture::joining(due))),
            Given::Refresh(joined) => Leased::Waiting(TokenFuture::joining(joined)),
            Given::Failed(error) => Leased::Refused(error),
        }
    }
}

/// Returns whether an error says that the credential was not accepted, in whatever dialect: the
/// article's -2002, a bare 401, `auth.token.invalid` of kimi.com, `invalid_authentication_error` of
/// the platform. One that is wrong rather than old is refused as well: nobody outside can tell.
pub(super) fn is_refusal(error: &Error) -> bool {
    error.advice() == RetryAdvice::AfterRefresh || error.kind() == ErrorKind::InvalidCredentials
}

impl AsRef<HeaderValue> for CachedToken {
    #[inline]
    fn as_ref(&self) -> &HeaderValue {
        self.header()
    }
}

impl<L, W> fmt::Debug for Leased<L, W> {
    /// Shows nothing of a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready(..) => "Ready",
            Self::Waiting(_) => "Waiting",
            Self::Refused(_) => "Refused",
            Self::Untouched => "Untouched",
        })
    }
}
