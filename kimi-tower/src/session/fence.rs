use std::fmt;

use http::{HeaderName, HeaderValue, Request};

/// The number of a turn, greater than those of all turns that its session had before, on whatever
/// machine. In the extensions of a request.
///
/// Whoever keeps something for a session can refuse what comes with a lesser one: it is of a process
/// that was stopped, and does not know yet that another has the turn.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Fence(u64);

impl Fence {
    /// Creates one of the number of a turn.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// As decimal digits.
impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Leaves a fence in a request, in place of what was there.
#[inline]
pub(super) fn mark<B>(request: &mut Request<B>, fence: Option<Fence>, field: Option<&HeaderName>) {
    if let Some(field) = field {
        request.headers_mut().remove(field);
    }
    let Some(fence) = fence else { return };
    request.extensions_mut().insert(fence);
    if let Some(field) = field {
        request.headers_mut().insert(field, HeaderValue::from(fence.get()));
    }
}
