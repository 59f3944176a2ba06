use std::time::Duration;

use crate::replay::ReplayLimits;

/// What one layer was told, and where its tokens come from.
#[derive(Clone, Debug)]
pub(super) struct Shared<T> {
    pub(super) source: T,
    pub(super) replay: ReplayLimits,
    pub(super) look_timeout: Duration,
    /// Whether a credential of the caller's own gives way to the token.
    pub(super) replaces: bool,
}
