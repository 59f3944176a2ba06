use kimi_errors::Error;

use super::RefreshToken;

/// Keeps the refresh token that came in place of another, which is good no more. Closures of the
/// same shape do.
///
/// It is called before the new one is used, and before the token that came with it is given to
/// anybody. If it fails, so does the refresh; the next begins with calling it again, and asks for no
/// other token: nothing that came is lost as long as the process lives.
pub trait Persist {
    /// Is ready when the token is kept.
    type Future: Future<Output = Result<(), Error>>;

    /// Keeps it.
    fn persist(&self, token: &RefreshToken) -> Self::Future;
}

impl<T, F> Persist for T
where
    T: Fn(&RefreshToken) -> F,
    F: Future<Output = Result<(), Error>>,
{
    type Future = F;

    fn persist(&self, token: &RefreshToken) -> F {
        self(token)
    }
}

/// Keeps a new refresh token in memory alone: with the process it is lost. The default.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct InMemory;

impl Persist for InMemory {
    type Future = std::future::Ready<Result<(), Error>>;

    fn persist(&self, _: &RefreshToken) -> Self::Future {
        std::future::ready(Ok(()))
    }
}
