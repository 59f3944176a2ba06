use std::{error::Error as StdError, fmt};

use kimi_errors::{BoxError, Error, Lang};

use super::Reason;

/// A file that is refused: why, and what has led to it, which is not public.
///
/// `Display` and `Debug` tell the reason alone. The [source](StdError::source) may name hosts and
/// addresses; log it where only the operators read.
pub struct Refused {
    reason: Reason,
    source: Option<BoxError>,
}

impl Refused {
    /// Creates a refusal with its private cause.
    #[must_use]
    pub fn because(reason: Reason, source: impl Into<BoxError>) -> Self {
        Self { reason, source: Some(source.into()) }
    }

    /// Returns why.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// Returns the error to refuse the request with, as [`Reason::into_error`] does. Nothing of the
    /// source is in it.
    #[must_use]
    pub fn into_error(self, lang: Lang) -> Error {
        self.reason.into_error(lang)
    }
}

impl From<Reason> for Refused {
    fn from(reason: Reason) -> Self {
        Self { reason, source: None }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl StdError for Refused {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
