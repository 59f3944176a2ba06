//! One key for all.

use http::request::Parts;
use kimi_errors::Error;

use super::{ExtractKey, Key, KeyHasher};

/// One key for all requests: a limit of the whole service, or of its one account upstream.
///
/// ```
/// use http::Request;
/// use kimi_tower::key::{Everyone, ExtractKey, KeyHasher};
///
/// let hasher = KeyHasher::new();
/// let (one, ()) = Request::get("/a").header("authorization", "Bearer sk-1").body(())?.into_parts();
/// let (other, ()) = Request::get("/b").body(())?.into_parts();
/// let key = Everyone::new().extract(&one, &hasher)?;
/// assert!(key.is_some() && key == Everyone::new().extract(&other, &hasher)?);
/// # Ok::<_, kimi_errors::BoxError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Everyone(());

impl Everyone {
    /// Creates the extractor.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }
}

impl ExtractKey for Everyone {
    #[inline]
    fn extract(&self, _: &Parts, _: &KeyHasher) -> Result<Option<Key>, Error> {
        // There is nothing to hide.
        Ok(Some(Key([0; 2])))
    }
}
