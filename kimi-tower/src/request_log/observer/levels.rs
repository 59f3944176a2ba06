use tracing::Level;

use super::super::{Outcome, Record};

/// How loud each outcome is.
///
/// | outcome | level |
/// |---|---|
/// | `success`, `client_gone`, `superseded` | info |
/// | `client_error`, `timeout`, `truncated`, `stream_error` | warn |
/// | `server_error`, `body_error`, `panic` | error |
/// | that a request has come | debug |
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Levels {
    of: [Level; Outcome::ALL.len()],
    start: Level,
}

impl Levels {
    /// Creates the levels of the table.
    pub const fn new() -> Self {
        let levels = Self { of: [Level::WARN; Outcome::ALL.len()], start: Level::DEBUG };
        levels
            .with(Outcome::Success, Level::INFO)
            .with(Outcome::ClientGone, Level::INFO)
            .with(Outcome::Superseded, Level::INFO)
            .with(Outcome::ServerError, Level::ERROR)
            .with(Outcome::BodyError, Level::ERROR)
            .with(Outcome::Panic, Level::ERROR)
    }

    /// Sets the level of an outcome.
    pub const fn with(mut self, outcome: Outcome, level: Level) -> Self {
        self.of[outcome as usize] = level;
        self
    }

    /// Sets the level of the record that a request has come.
    pub const fn with_start(mut self, level: Level) -> Self {
        self.start = level;
        self
    }

    /// Returns the level of a record.
    #[must_use]
    pub const fn of(&self, record: &Record<'_>) -> Level {
        self.of[record.outcome as usize]
    }

    /// Returns the level of the record that a request has come.
    #[must_use]
    pub const fn of_start(&self) -> Level {
        self.start
    }

    /// Returns the loudest of an end.
    pub(super) fn loudest(&self) -> Level {
        // The louder, the less.
        self.of.into_iter().min().unwrap_or(Level::ERROR)
    }
}

impl Default for Levels {
    /// As [`new`](Self::new) does.
    fn default() -> Self {
        Self::new()
    }
}
