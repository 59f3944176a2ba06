use std::sync::Arc;

use tower_layer::Layer;

use super::{Retry, RetryPolicy, shared::Shared};

/// Tries requests again when it helps. See the [module](super).
///
/// Its clones, and all services that it makes, share budget and cool-downs: make one for each
/// upstream.
#[derive(Clone, Debug)]
#[must_use]
pub struct RetryLayer {
    shared: Arc<Shared>,
}

impl RetryLayer {
    /// Creates the layer with its budget and its cool-downs.
    pub fn new(policy: RetryPolicy) -> Self {
        Self { shared: Arc::new(Shared::new(policy)) }
    }
}

impl Default for RetryLayer {
    /// Creates the layer with [`RetryPolicy::standard`].
    fn default() -> Self {
        Self::new(RetryPolicy::standard())
    }
}

impl<S> Layer<S> for RetryLayer {
    type Service = Retry<S>;

    fn layer(&self, inner: S) -> Retry<S> {
        Retry::new(inner, self)
    }
}

impl RetryLayer {
    pub(super) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }
}
