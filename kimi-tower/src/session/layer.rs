use std::{fmt, num::NonZeroUsize, time::Duration};

use http::HeaderName;
use kimi_errors::Lang;
use tower_layer::Layer;

use super::{
    Conversation, Policy, Session,
    admit::{Admit, Rules},
    store::{Gauges, MemoryStore},
};
use crate::key::KeyHasher;

/// Serves one request of a session at a time. See the [module](super).
///
/// Its clones, and all services that they make, share the sessions, also if they are set up
/// differently.
#[derive(Clone)]
#[must_use]
pub struct SessionLayer<K = Conversation, T = MemoryStore> {
    admit: Admit<K, T>,
}

impl SessionLayer {
    /// How long a turn may be held while others wait if nobody says: 600 s. It is the time after
    /// which the OpenAI clients give up.
    pub const DEFAULT_MAX_HOLD: Duration = Duration::from_secs(600);

    /// How long an answer may not be read while others wait if nobody says: 30 s, ours. It is
    /// less than others wait by default, so that they are served and not refused.
    pub const DEFAULT_MAX_IDLE: Duration = Duration::from_secs(30);

    /// Creates the layer with its sessions: those of the [`Conversation`] that the body names, with
    /// the default [`Policy`].
    pub fn new() -> Self {
        Self {
            admit: Admit {
                store: MemoryStore::new(),
                key: Conversation::new(),
                rules: Rules {
                    hasher: KeyHasher::new(),
                    policy: Policy::default(),
                    max_hold: Some(Self::DEFAULT_MAX_HOLD),
                    max_idle: Some(Self::DEFAULT_MAX_IDLE),
                    max_sessions: usize::MAX,
                    keep_alive: None,
                    fence_field: None,
                    lang: Lang::Zh,
                },
            },
        }
    }
}

impl<K, T> SessionLayer<K, T> {
    /// Sets which session a request belongs to: an [`ExtractKey`](crate::key::ExtractKey), or a
    /// closure. Default: [`Conversation::new`].
    pub fn with_key<L>(self, key: L) -> SessionLayer<L, T> {
        let store = self.admit.store;
        let admit = Admit { store, key, rules: self.admit.rules };
        SessionLayer { admit }
    }

    /// Sets where it is kept who has the turn. Default: a [`MemoryStore`] of its own.
    pub fn with_store<U>(self, store: U) -> SessionLayer<K, U> {
        let key = self.admit.key;
        let admit = Admit { store, key, rules: self.admit.rules };
        SessionLayer { admit }
    }

    /// Sets what makes keys of names. Default: one with a secret of its own. Layers that share a
    /// store and mean the same sessions need the same.
    pub fn with_key_hasher(mut self, hasher: KeyHasher) -> Self {
        self.admit.rules.hasher = hasher;
        self
    }

    /// Sets what becomes of a request whose session has another one under way. Default:
    /// [`Policy::Queue`] of 16 for 60 s.
    pub const fn with_policy(mut self, policy: Policy) -> Self {
        self.admit.rules.policy = policy;
        self
    }

    /// Sets how long a turn may be held while others wait for it; after that it ends for them.
    /// Default: 600 s; the least is 1 ms.
    pub const fn with_max_hold(mut self, max_hold: Duration) -> Self {
        self.admit.rules.max_hold = Some(max_hold);
        self
    }

    /// Lets a turn be held for as long as it takes.
    pub const fn without_max_hold(mut self) -> Self {
        self.admit.rules.max_hold = None;
        self
    }

    /// Sets how long the reader of an answer may take to ask for more while others wait for the
    /// turn, 1 ms at least; after that it ends for them. An answer that is itself slow is not meant.
    /// Default: 30 s.
    pub const fn with_max_idle(mut self, max_idle: Duration) -> Self {
        self.admit.rules.max_idle = Some(max_idle);
        self
    }

    /// Lets the reader of an answer take as long as it likes.
    pub const fn without_max_idle(mut self) -> Self {
        self.admit.rules.max_idle = None;
        self
    }

    /// Sets how many sessions may be under way; a request of one more is refused as `Overloaded`,
    /// -2001 with 429. Default: any number, since each has at least one request under way.
    pub const fn with_max_sessions(mut self, max_sessions: NonZeroUsize) -> Self {
        self.admit.rules.max_sessions = max_sessions.get();
        self
    }

    /// Lets a request for a stream that waits be answered after this time, and keeps its connection
    /// open with a comment in each such time, 1 ms at least. See the [module](super). Default: off.
    pub const fn with_keep_alive(mut self, every: Duration) -> Self {
        let least = Duration::from_millis(1);
        let is_less = every.as_nanos() < least.as_nanos();
        self.admit.rules.keep_alive = Some(if is_less { least } else { every });
        self
    }

    /// Names the field of the request in which the service finds the [`Fence`](super::Fence) of its turn, as 1 to 20
    /// digits, such as `x-kimi-fence`; what a client has sent there is removed. Default: none.
    pub fn with_fence_field(mut self, field: HeaderName) -> Self {
        self.admit.rules.fence_field = Some(field);
        self
    }

    /// Sets the language of refusals. Default: Chinese, as on Kimi's own wire.
    pub const fn with_lang(mut self, lang: Lang) -> Self {
        self.admit.rules.lang = lang;
        self
    }

    /// Returns where it is kept who has the turn.
    pub const fn store(&self) -> &T {
        &self.admit.store
    }

    pub(super) fn into_admit(self) -> Admit<K, T> {
        self.admit
    }
}

impl<K> SessionLayer<K> {
    /// Returns how many sessions and waiters there are, of all services together, and how long
    /// turns were held and waited for.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        self.admit.store.gauges()
    }
}

impl Default for SessionLayer {
    /// As [`new`](Self::new) does.
    fn default() -> Self {
        Self::new()
    }
}

impl<S, K, T> Layer<S> for SessionLayer<K, T>
where
    K: Clone,
    T: Clone,
{
    type Service = Session<S, K, T>;

    fn layer(&self, inner: S) -> Session<S, K, T> {
        Session::new(inner, self.clone())
    }
}

impl<K, T: fmt::Debug> fmt::Debug for SessionLayer<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionLayer").field(&self.admit).finish()
    }
}
