use std::time::Duration;

/// When a token is refreshed, and for how long a failure to do so counts. See the
/// [module](super).
#[derive(Clone, Copy, Debug)]
pub struct Freshness {
    pub(super) lifetime: Duration,
    pub(super) ahead: Option<Duration>,
    pub(super) timeout: Duration,
    pub(super) pause: Duration,
    pub(super) seed: Option<u64>,
}

/// The most that a failure's own wait is heeded: 60 s, as long as `retry` waits for a server.
pub(super) const MAX_PAUSE: Duration = Duration::from_secs(60);

impl Freshness {
    /// Creates the defaults, each of which is told where it is set.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            lifetime: Duration::from_secs(2 * 60 * 60),
            ahead: None,
            timeout: Duration::from_secs(15),
            pause: Duration::from_secs(1),
            seed: None,
        }
    }

    /// Sets how long a token is good for whose provider does not say. Default: 2 h, as the article
    /// assumes.
    #[must_use]
    pub const fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Sets how long before its end a token is refreshed, at most half of its lifetime. Default: a
    /// fifth of it. A random time of up to half of this is taken off, so that many processes do
    /// not refresh at once.
    ///
    /// Ours. Of kimi.com's 15 min it is 90 to 180 s, in which a refresh that fails can be tried
    /// again many times.
    #[must_use]
    pub const fn with_ahead(mut self, ahead: Duration) -> Self {
        self.ahead = Some(ahead);
        self
    }

    /// Sets how long a refresh may take. Default: 15 s, as kimi-free-api has it.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets for how long the error of a failed refresh is given to whoever asks, instead of trying
    /// again; and how much time there is at least between two refusals that have a token
    /// refreshed. Default: 1 s, ours: a token endpoint that is down is asked once a second, however
    /// many ask for tokens.
    ///
    /// An error that itself asks for a longer wait is obeyed, up to 60 s.
    #[must_use]
    pub const fn with_pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Draws the random times from this, for tests. Default: from the system.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }
}

impl Default for Freshness {
    /// As [`new`](Self::new) does.
    fn default() -> Self {
        Self::new()
    }
}
