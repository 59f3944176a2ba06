//! Who is told of requests.

use std::sync::Arc;

use super::{
    Record, Start,
    tell::{ask, tell},
};

mod levels;
mod lines;
#[cfg(feature = "metrics")]
mod metrics;
mod sampled;
mod tracing;

#[cfg(feature = "metrics")]
pub use self::metrics::MetricsObserver;
pub use self::{
    levels::Levels,
    lines::{JsonObserver, TextObserver},
    sampled::Sampled,
    tracing::TracingObserver,
};

/// Is told of each request, once when it comes and once when it is over.
///
/// A closure that takes a `&Record` is one, and so are two in a pair, one in an [`Arc`] and one that
/// may be missing. It is called where the request is at work, and should not block. If it panics, that
/// is the end of its record and of nothing else.
pub trait Observer {
    /// Returns whether it wants to be told of a request that comes now. If not, that request costs
    /// next to nothing. Default: yes.
    fn is_enabled(&self) -> bool {
        true
    }

    /// Takes notice that a request has come. Default: nothing.
    fn on_start(&self, start: &Start<'_>) {
        let _ = start;
    }

    /// Takes notice that a request is over.
    fn on_end(&self, record: &Record<'_>);
}

impl<F> Observer for F
where
    F: Fn(&Record<'_>),
{
    fn on_end(&self, record: &Record<'_>) {
        self(record);
    }
}

/// Both are told, one after the other, also if one of them panics.
impl<A, B> Observer for (A, B)
where
    A: Observer,
    B: Observer,
{
    fn is_enabled(&self) -> bool {
        let is_enabled = ask(|| self.0.is_enabled()) == Some(true);
        is_enabled || self.1.is_enabled()
    }

    fn on_start(&self, start: &Start<'_>) {
        tell(|| self.0.on_start(start));
        self.1.on_start(start);
    }

    fn on_end(&self, record: &Record<'_>) {
        tell(|| self.0.on_end(record));
        self.1.on_end(record);
    }
}

/// `None` is not enabled.
impl<O> Observer for Option<O>
where
    O: Observer,
{
    fn is_enabled(&self) -> bool {
        self.as_ref().is_some_and(Observer::is_enabled)
    }

    fn on_start(&self, start: &Start<'_>) {
        self.iter().for_each(|inner| inner.on_start(start));
    }

    fn on_end(&self, record: &Record<'_>) {
        self.iter().for_each(|inner| inner.on_end(record));
    }
}

impl<O> Observer for Arc<O>
where
    O: Observer + ?Sized,
{
    fn is_enabled(&self) -> bool {
        (**self).is_enabled()
    }

    fn on_start(&self, start: &Start<'_>) {
        (**self).on_start(start);
    }

    fn on_end(&self, record: &Record<'_>) {
        (**self).on_end(record);
    }
}
