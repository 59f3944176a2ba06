//! What more than one layer needs of bodies.

#[cfg(feature = "raise-error")]
pub(crate) mod event;
pub(crate) mod holdback;
#[cfg(feature = "raise-error")]
pub(crate) mod peek;
pub(crate) mod sse;
