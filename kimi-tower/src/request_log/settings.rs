use std::{borrow::Cow, fmt, sync::Arc};

use http::Extensions;

use super::Side;

/// Says which route a request has found.
pub(super) type Route = Arc<dyn Fn(&Extensions) -> Option<Cow<'static, str>> + Send + Sync>;

/// What the layer was told.
#[derive(Clone)]
pub(super) struct Settings<O> {
    pub(super) observer: O,
    pub(super) side: Side,
    /// How many characters of each message are asked for; 0 is none.
    pub(super) preview_chars: usize,
    pub(super) longest_gap: bool,
    /// Whether a stream of events must say that it is complete.
    pub(super) must_end: bool,
    pub(super) route: Option<Route>,
}

impl<O> Settings<O> {
    pub(super) const fn new(observer: O) -> Self {
        Self {
            observer,
            side: Side::Server,
            preview_chars: 0,
            longest_gap: false,
            must_end: true,
            route: None,
        }
    }
}

impl<O: fmt::Debug> fmt::Debug for Settings<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("observer", &self.observer)
            .field("side", &self.side)
            .field("preview_chars", &self.preview_chars)
            .finish_non_exhaustive()
    }
}
