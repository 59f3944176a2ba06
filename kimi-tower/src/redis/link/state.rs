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
    /// The connection, and its number: what befalls an old one says nothing of the present.
    Up(Connection, u64),
    Down,
}

/// The state, and who waits for its change.
pub(super) struct Watched {
    state: watch::Sender<State>,
    /// Counts connections.
    ages: AtomicU64,
    /// Whether somebody connects.
    pub(super) is_probing: AtomicBool,
    /// Whether the last answer was an error.
    is_refusing: AtomicBool,
}

impl State {
    const fn is_up_by(&self, connection: u64) -> bool {
        matches!(self, Self::Up(_, age) if *age == connection)
    }
}

impl Watched {
    pub(super) fn new() -> Self {
        Self {
            state: watch::Sender::new(State::New),
            ages: AtomicU64::new(0),
            is_probing: AtomicBool::new(false),
            is_refusing: AtomicBool::new(false),
        }
    }

    /// Returns the connection and its age, that there is none, or `None` if nobody knows yet.
    pub(super) fn connection(&self) -> Option<Result<(Connection, u64), LinkError>> {
        match &*self.state.borrow() {
            State::New => None,
            State::Up(connection, age) => Some(Ok((connection.clone(), *age))),
            State::Down => Some(Err(LinkError::Down)),
        }
    }

    pub(super) fn found(&self, connection: Connection) {
        let age = self.ages.fetch_add(1, Relaxed);
        self.state.send_replace(State::Up(connection, age));
        tracing::info!("redis is up");
    }

    /// A connection is lost. Returns whether the link is down by it.
    pub(super) fn lost(&self, age: u64, why: &'static str) -> bool {
        self.leave(why, |state| state.is_up_by(age))
    }

    /// Ends when a connection is the present one no more.
    pub(super) fn lost_since(&self, age: u64) -> impl Future<Output = ()> + use<> {
        let mut state = self.state.subscribe();
        async move {
            // The sender is in the link that is asked, so that it cannot be gone.
            let _ = state.wait_for(|state| !state.is_up_by(age)).await;
        }
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
