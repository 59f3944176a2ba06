//! What more than one layer needs of bodies.

#[cfg(any(
    feature = "raise-error",
    feature = "rate-limit",
    feature = "request-log",
    feature = "retry",
    feature = "token"
))]
pub(crate) mod described;
#[cfg(any(feature = "raise-error", feature = "request-log", feature = "retry", feature = "token"))]
pub(crate) mod event;
#[cfg(any(feature = "raise-error", feature = "request-log", feature = "retry", feature = "token"))]
mod event_error;
#[cfg(any(feature = "catch-error", feature = "raise-error"))]
pub(crate) mod holdback;
#[cfg(any(feature = "raise-error", feature = "request-log", feature = "retry", feature = "token"))]
pub(crate) mod nesting;
#[cfg(any(feature = "request-log", feature = "retry"))]
mod opening;
#[cfg(any(feature = "raise-error", feature = "retry", feature = "token"))]
pub(crate) mod peek;
#[cfg(any(
    feature = "catch-error",
    feature = "raise-error",
    feature = "request-log",
    feature = "retry",
    feature = "token"
))]
pub(crate) mod sse;
#[cfg(any(feature = "raise-error", feature = "request-log", feature = "retry"))]
pub(crate) mod stream_end;
#[cfg(any(feature = "rate-limit", feature = "request-log"))]
pub(crate) mod usage;
