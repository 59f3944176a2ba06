//! The events of our layers, as somebody who listens hears them.

use std::{fmt::Debug, sync::mpsc};

use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::{DefaultGuard, set_default},
};

/// Listens to the events of this thread while it lives.
pub(crate) struct Events {
    lines: mpsc::Receiver<String>,
    _listening: DefaultGuard,
    /// While there is only one listener in the process, an event that another test is the first to
    /// reach is held to be of interest to nobody, since nobody listens in that thread.
    _other: Dispatch,
}

impl Events {
    pub(crate) fn listen() -> Self {
        let (sender, lines) = mpsc::channel();
        let other = Dispatch::new(Listener(mpsc::channel().0));
        Self { lines, _listening: set_default(Listener(sender)), _other: other }
    }

    /// Returns what was heard since: of each event its level and its fields.
    pub(crate) fn take(&self) -> Vec<String> {
        self.lines.try_iter().collect()
    }
}

struct Listener(mpsc::Sender<String>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!(" {field}={value:?}");
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("kimi_tower")
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        // Nobody reads any more when a test is over.
        let _ = self.0.send(line.0);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
