//! Whether the link is up. Each change is told once.

use std::{
    ops::Deref,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use tokio::sync::watch;

use super::LinkError;

pub(super) type Connection = ::redis::aio::MultiplexedConnection;

pub(super) enum State {
    /// Nobody has connected yet.
    New,
    Up(Connection),
    Down,
}

/// The state, and who waits for its change.
pub(super) struct Watched {
    state: watch::Sender<State>,
    /// Counts connections, so that what befalls an old one says nothing of the present. Written only
    /// while the state is.
    age: AtomicU64,
    /// Whether somebody connects.
    pub(super) is_probing: AtomicBool,
    /// Whether the last answer was an error.
    is_refusing: AtomicBool,
}

impl Watched {
    pub(super) fn new() -> Self {
        Self {
            state: watch::Sender::new(State::New),
            age: AtomicU64::new(0),
            is_probing: AtomicBool::new(false),
            is_refusing: AtomicBool::new(false),
        }
    }

    /// Returns the connection and its age, that there is none, or `None` if nobody knows yet.
    pub(super) fn connection(&self) -> Option<Result<(Connection, u64), LinkError>> {
        match &*self.state.borrow() {
            State::New => None,
            State::Up(connection) => Some(Ok((connection.clone(), self.age.load(Relaxed)))),
            State::Down => Some(Err(LinkError::Down)),
        }
    }

    pub(super) fn found(&self, connection: Connection) {
        self.state.send_modify(|state| {
            self.age.fetch_add(1, Relaxed);
            *state = State::Up(connection);
        });
        tracing::info!("redis is up");
    }

    /// A connection is lost. Returns whether the link is down by it.
    pub(super) fn lost(&self, age: u64, why: &'static str) -> bool {
        self.leave(why, |state| matches!(state, State::Up(_)) && self.age.load(Relaxed) == age)
    }

    /// There is nothing to connect to.
    pub(super) fn unreachable(&self) {
        self.leave("no connection", |state| matches!(state, State::New));
    }

    fn leave(&self, why: &'static str, is_news: impl Fn(&State) -> bool) -> bool {
        let is_down = self.state.send_if_modified(|state| {
            let is_news = is_news(state);
            if is_news {
                *state = State::Down;
            }
            is_news
        });
        if is_down {
            tracing::warn!(why, "redis is down");
        }
        is_down
    }

    /// A call was answered.
    pub(super) fn obeyed(&self) {
        if self.is_refusing.load(Relaxed) && self.is_refusing.swap(false, Relaxed) {
            tracing::info!("redis does as it is told again");
        }
    }

    /// A call was answered with an error.
    pub(super) fn refused(&self, code: &str) {
        if !self.is_refusing.swap(true, Relaxed) {
            tracing::warn!(code, "redis answers with an error");
        }
    }
}

impl Deref for Watched {
    type Target = watch::Sender<State>;

    fn deref(&self) -> &Self::Target {
        &self.state
    }
}
