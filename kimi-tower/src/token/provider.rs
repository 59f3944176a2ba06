use std::{
    fmt,
    future::{Ready, ready},
    time::Duration,
};

use kimi_errors::Error;

use super::Token;

/// Gets a fresh token. Closures of the same shape are providers.
///
/// ```
/// use std::time::Duration;
/// use kimi_errors::Error;
/// use kimi_tower::token::{Freshness, Token, TokenCache};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Error> {
/// let cache = TokenCache::new(
///     async || Ok(Token::parse("T1")?.with_lifetime(Duration::from_secs(900))),
///     Freshness::new(),
/// );
/// assert_eq!(cache.token().await?.header(), "Bearer T1");
/// # Ok(())
/// # }
/// ```
pub trait TokenProvider {
    /// The token to come. It is dropped only when it is done, has taken too long, or the cache is
    /// gone; never because whoever asked has gone.
    type Future: Future<Output = Result<Token, Error>>;

    /// Asks for a token. A cache does it once at a time.
    fn fetch(&self) -> Self::Future;

    /// Returns whether another that is made as this one was is as good, so that nothing is lost when
    /// this one is dropped. Default: it is. Not so if it holds what was given to it later, such as a
    /// refresh token.
    fn is_replaceable(&self) -> bool {
        true
    }
}

impl<P, F> TokenProvider for P
where
    P: Fn() -> F,
    F: Future<Output = Result<Token, Error>>,
{
    type Future = F;

    fn fetch(&self) -> F {
        self()
    }
}

/// The provider of a token that never changes, such as an API key of the platform.
///
/// If it is refused there is no other, and so the request is not sent again.
#[derive(Clone)]
pub struct StaticToken(Token);

impl StaticToken {
    /// Creates the provider of `token`, which is good for ever if its lifetime is not set.
    #[must_use]
    pub const fn new(token: Token) -> Self {
        Self(match token.lifetime() {
            Some(_) => token,
            None => token.with_lifetime(Duration::MAX),
        })
    }
}

impl TokenProvider for StaticToken {
    type Future = Ready<Result<Token, Error>>;

    fn fetch(&self) -> Self::Future {
        ready(Ok(self.0.clone()))
    }
}

impl fmt::Debug for StaticToken {
    /// Shows nothing of the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticToken").finish_non_exhaustive()
    }
}
