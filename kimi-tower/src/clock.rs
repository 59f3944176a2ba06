//! The one place that reads the wall clock, for dates that others read.

use std::time::SystemTime;

/// Returns the present time of day.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
#[inline]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}
