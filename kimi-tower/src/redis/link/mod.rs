//! The one connection that all stores of a process share, and whether it is up.

mod call;
mod error;
mod probe;
mod state;

use std::{fmt, sync::Arc, time::Duration};

use ::redis::{Client, IntoConnectionInfo};

pub use self::error::{LinkError, LinkUrlError};
use self::state::{State, Watched};
use crate::key::Key;

/// The longest time-out: what is added to a time stays one.
const DAY: Duration = Duration::from_secs(86_400);

/// How long a call may take, by default: 100 ms, ours. A script takes less than one on loopback, and
/// no request is to wait longer for being counted.
const TIMEOUT: Duration = Duration::from_millis(100);

/// What all names in Redis begin with, by default.
const PREFIX: &str = "kimi:";

/// A connection to Redis or Valkey that is bounded in time. Clones share it.
///
/// Nothing is done before the first call, which connects. A call takes no longer than its time-out,
/// also while connecting. The first that fails finds the link down: all others are then told so at
/// once, and one probe at a time tries again, at first after 10 ms and at most each 100 ms. What
/// changes is told by one event.
///
/// ```
/// use kimi_tower::redis::RedisLink;
///
/// let link = RedisLink::try_new("redis://:secret@127.0.0.1:6379")?;
/// assert!(!format!("{link:?}").contains("secret"));
/// # Ok::<_, kimi_tower::redis::LinkUrlError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct RedisLink {
    shared: Arc<Shared>,
    timeout: Duration,
    prefix: Arc<str>,
}

struct Shared {
    client: Client,
    state: Watched,
}

impl RedisLink {
    /// Creates a link to a URL, as `redis://user:password@host:port/database`; `rediss` is TLS, with
    /// the feature `redis-tls` and the process-wide provider of rustls that the program has installed.
    ///
    /// # Errors
    ///
    /// [`LinkUrlError`] if it is none. It does not say the URL.
    pub fn try_new(url: impl IntoConnectionInfo) -> Result<Self, LinkUrlError> {
        Client::open(url).map(Self::of).map_err(|_| LinkUrlError::new())
    }

    /// Creates a link by a client, for what a URL cannot say.
    pub fn of(client: Client) -> Self {
        let shared = Arc::new(Shared { client, state: Watched::new() });
        Self { shared, timeout: TIMEOUT, prefix: Arc::from(PREFIX) }
    }

    /// Sets how long a call may take, connecting included, a day at most. Default: 100 ms.
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = if timeout.as_secs() < DAY.as_secs() { timeout } else { DAY };
        self
    }

    /// Sets what all names in Redis begin with. Default: `kimi:`. Braces are left out, since what is
    /// in the first pair of a name says its slot in a cluster.
    pub fn with_prefix(mut self, prefix: &str) -> Self {
        self.prefix = prefix.replace(['{', '}'], "").into();
        self
    }

    /// Returns how long a call may take.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Returns the client, as for a connection of one's own that subscribes.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.shared.client
    }

    /// Returns a name in Redis: `kimi:{<32 hex digits>}:<rest>`. All names of one key are in one slot
    /// of a cluster, and none tells whose key it is.
    #[must_use]
    pub fn name(&self, key: Key, rest: impl fmt::Display) -> String {
        let key = u128::from_be_bytes(key.to_bytes());
        format!("{}{{{key:032x}}}:{rest}", self.prefix)
    }

    /// Returns what all names begin with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns whether the last that was heard of Redis is good; true before anything was.
    #[must_use]
    pub fn is_up(&self) -> bool {
        !matches!(*self.shared.state.borrow(), State::Down)
    }

    /// Returns whether it is down, and if so has somebody try again.
    pub(crate) fn is_down(&self) -> bool {
        let is_down = !self.is_up();
        if is_down {
            // Whoever probed may have ended with his runtime, or just before it was lost.
            probe::start(&self.shared);
        }
        is_down
    }

    /// Waits until the link is up, or goes up. Connects if nobody has yet.
    pub async fn up(&self) {
        let mut state = self.shared.state.subscribe();
        loop {
            match &*state.borrow_and_update() {
                State::Up(..) => return,
                State::New | State::Down => {}
            }
            probe::start(&self.shared);
            // The sender is in `self`, so that it cannot be gone.
            if state.changed().await.is_err() {
                return;
            }
        }
    }

    /// Waits until the link goes down, if it is up.
    pub async fn down(&self) {
        let mut state = self.shared.state.subscribe();
        // As above.
        let _ = state.wait_for(|state| matches!(state, State::Down)).await;
    }
}

/// Shows no URL, which may have a password.
impl fmt::Debug for RedisLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLink")
            .field("is_up", &self.is_up())
            .field("timeout", &self.timeout)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
