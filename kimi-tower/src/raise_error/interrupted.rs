use std::{error::Error as StdError, fmt};

use kimi_errors::{BoxError, Error, ErrorKind, chain};

/// How far an answer had come when it failed: the source of the error that its body fails with.
///
/// ```
/// # use kimi_errors::{Error, ErrorKind, chain};
/// use kimi_tower::raise_error::Interrupted;
///
/// fn events_read(error: &Error) -> Option<u64> {
///     chain::find::<Interrupted>(error).map(Interrupted::events)
/// }
/// # assert_eq!(events_read(&Error::new(ErrorKind::StreamTruncated)), None);
/// ```
#[derive(Debug)]
pub struct Interrupted {
    bytes: u64,
    events: u64,
    cause: Option<BoxError>,
}

impl Interrupted {
    /// Creates one of an answer of which nothing was handed on.
    pub(super) const fn new(cause: Option<BoxError>) -> Self {
        Self { bytes: 0, events: 0, cause }
    }

    pub(super) const fn at(mut self, bytes: u64, events: u64) -> Self {
        self.bytes = bytes;
        self.events = events;
        self
    }

    /// Returns how many bytes of the body were handed on.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns how many events with data were handed on whole; 0 if it is no event stream.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// The error of an answer that was cut: the one that its cause already is, if that is one of
    /// ours.
    #[cold]
    pub(super) fn truncated(self) -> Error {
        self.known(ErrorKind::StreamTruncated)
    }

    /// The error of an answer that broke before any of it was handed on.
    #[cold]
    pub(super) fn before_the_answer(self) -> Error {
        self.known(ErrorKind::BadGateway)
    }

    fn known(self, otherwise: ErrorKind) -> Error {
        let ours = self.cause.as_deref().and_then(|cause| {
            let cause: &(dyn StdError + 'static) = cause;
            chain::find::<Error>(cause).cloned()
        });
        ours.unwrap_or_else(|| Error::new(otherwise)).with_source(self)
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "interrupted after {} events, {} bytes", self.events, self.bytes)
    }
}

impl StdError for Interrupted {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let cause = self.cause.as_deref()?;
        Some(cause)
    }
}
