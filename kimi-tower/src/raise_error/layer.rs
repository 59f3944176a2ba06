use std::time::Duration;

use tower_layer::Layer;

use super::{RaiseError, StreamEnd, answer::Rules};

/// Turns answers that are errors into errors. See the [module](super).
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct RaiseErrorLayer {
    rules: Rules,
}

impl RaiseErrorLayer {
    /// Creates the layer: looks of at most 5 s, streams that must have their end.
    pub const fn new() -> Self {
        Self { rules: Rules::new() }
    }

    /// Sets how long a look at the beginning of a body may wait, from the head on; what came by
    /// then decides. Default: 5 s, ours: an error's body follows its head at once, and an upstream
    /// that keeps a body open must not keep the answer.
    pub const fn with_look_timeout(mut self, limit: Duration) -> Self {
        self.rules.look_timeout = limit;
        self
    }

    /// Sets whether an event stream must have its end. Default: [`StreamEnd::Required`].
    pub const fn with_stream_end(mut self, end: StreamEnd) -> Self {
        self.rules.stream_end = end;
        self
    }
}

impl<S> Layer<S> for RaiseErrorLayer {
    type Service = RaiseError<S>;

    fn layer(&self, inner: S) -> RaiseError<S> {
        RaiseError::new(inner, *self)
    }
}

impl From<RaiseErrorLayer> for Rules {
    fn from(layer: RaiseErrorLayer) -> Self {
        layer.rules
    }
}
