//! Who gives turns beside `kimi_tower::session`, each as one would put it into a service.
//!
//! Ours are asked at once, and need no future where nobody is waited for; the others are `async`. A
//! turn of two of them borrows its lock, so that all locks are made to last.

use std::{
    future::{Future, poll_fn},
    sync::Arc,
    task::{Poll, ready},
};

use dashmap::DashMap;
use kimi_tower::{
    key::{Key, KeyHasher},
    session::store::{
        Ask, Asked, MemoryPlace, MemoryStore, MemoryTurn, SessionPlace as _, SessionStore as _,
    },
};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::finish;

/// A session as a request names it, and its key.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Named {
    /// What the request has.
    pub name: &'static str,
    /// What was made of it.
    pub key: Key,
}

impl Named {
    /// Returns so many, from this number on.
    #[must_use]
    pub fn many(first: usize, count: usize) -> Vec<Self> {
        let hasher = hasher();
        let named = |number: usize| {
            // As long as those of the platform are.
            let name: &'static str = format!("cnm{number:017}").leak();
            Self { name, key: hasher.key(&[name.as_bytes()]) }
        };
        (first..first + count).map(named).collect()
    }
}

fn hasher() -> KeyHasher {
    KeyHasher::with_secret(&[7; 16])
}

/// Gives turns, one of a session at a time.
pub trait Turns: Sized + 'static {
    /// A turn that somebody has; dropping it gives it back.
    type Turn: 'static;

    /// Creates one without sessions.
    fn create() -> Self;

    /// Waits for the turn of this session.
    fn turn(&'static self, of: Named) -> impl Future<Output = Self::Turn> + 'static;

    /// Takes the turn of a session that nobody has.
    #[inline]
    fn turn_now(&'static self, of: Named) -> Self::Turn {
        finish(self.turn(of))
    }

    /// Creates one that lasts.
    #[must_use]
    fn lasting() -> &'static Self {
        Box::leak(Box::new(Self::create()))
    }
}

/// Ours, with keys that are there.
#[derive(Debug)]
pub struct Ours(MemoryStore);

impl Turns for Ours {
    type Turn = MemoryTurn;

    fn create() -> Self {
        Self(MemoryStore::new())
    }

    #[inline]
    fn turn(&'static self, of: Named) -> impl Future<Output = MemoryTurn> + 'static {
        wait(self.0.ask(&Ask::new(of.key)))
    }

    #[inline]
    fn turn_now(&'static self, of: Named) -> Self::Turn {
        ask_now(&self.0, of.key)
    }
}

/// Ours, and the key is made of the name.
#[derive(Debug)]
pub struct OursByName(MemoryStore, KeyHasher);

impl Turns for OursByName {
    type Turn = MemoryTurn;

    fn create() -> Self {
        Self(MemoryStore::new(), hasher())
    }

    #[inline]
    fn turn(&'static self, of: Named) -> impl Future<Output = MemoryTurn> + 'static {
        wait(self.0.ask(&Ask::new(self.1.key(&[of.name.as_bytes()]))))
    }

    #[inline]
    fn turn_now(&'static self, of: Named) -> Self::Turn {
        ask_now(&self.0, self.1.key(&[of.name.as_bytes()]))
    }
}

/// Ours, with the times bounded as `SessionLayer` bounds them by default; asks for a runtime.
#[derive(Debug)]
pub struct OursBounded(MemoryStore);

impl Turns for OursBounded {
    type Turn = MemoryTurn;

    fn create() -> Self {
        Self(MemoryStore::new())
    }

    #[inline]
    fn turn(&'static self, of: Named) -> impl Future<Output = MemoryTurn> + 'static {
        use kimi_tower::session::SessionLayer;

        let mut question = Ask::new(of.key);
        question.max_hold = Some(SessionLayer::DEFAULT_MAX_HOLD);
        question.max_idle = Some(SessionLayer::DEFAULT_MAX_IDLE);
        wait(self.0.ask(&question))
    }
}

/// Waits for the turn. No question is kept meanwhile, and no place after.
#[inline]
fn wait(asked: Asked<MemoryTurn, MemoryPlace>) -> impl Future<Output = MemoryTurn> {
    let mut asked = Some(asked);
    poll_fn(move |cx| {
        if let Some(Asked::Waits { place, .. }) = &mut asked {
            let turn = ready!(place.poll_turn(cx)).expect("nobody supersedes");
            asked = None;
            return Poll::Ready(turn);
        }
        match asked.take() {
            Some(Asked::Granted(turn)) => Poll::Ready(turn),
            Some(Asked::Waits { .. } | Asked::Refused(_)) | None => panic!("nothing is bounded"),
        }
    })
}

#[inline]
fn ask_now(store: &MemoryStore, key: Key) -> MemoryTurn {
    match store.ask(&Ask::new(key)) {
        Asked::Granted(turn) => turn,
        Asked::Waits { .. } | Asked::Refused(_) => panic!("nobody has it"),
    }
}

/// A map of locks from which nothing is ever taken out, as one finds it in most places.
#[derive(Debug, Default)]
pub struct Naive(DashMap<String, Arc<Mutex<()>>>);

impl Naive {
    /// Waits for the turn of the session of this name.
    #[inline]
    pub async fn lock(&self, name: &str) -> OwnedMutexGuard<()> {
        let lock = Arc::clone(&self.0.entry(name.to_owned()).or_default());
        lock.lock_owned().await
    }
}

impl Turns for Naive {
    type Turn = OwnedMutexGuard<()>;

    fn create() -> Self {
        Self::default()
    }

    #[inline]
    async fn turn(&'static self, of: Named) -> Self::Turn {
        self.lock(of.name).await
    }
}

/// The same, which copies the name only if it is not in the map.
#[derive(Debug, Default)]
pub struct NaiveByGet(DashMap<String, Arc<Mutex<()>>>);

impl Turns for NaiveByGet {
    type Turn = OwnedMutexGuard<()>;

    fn create() -> Self {
        Self::default()
    }

    #[inline]
    async fn turn(&'static self, of: Named) -> Self::Turn {
        let known = self.0.get(of.name).map(|lock| Arc::clone(&lock));
        let lock =
            known.unwrap_or_else(|| Arc::clone(&self.0.entry(of.name.to_owned()).or_default()));
        lock.lock_owned().await
    }
}

/// `lockable`.
#[expect(missing_debug_implementations, reason = "it has none")]
pub struct Lockable(lockable::LockPool<String>);

impl Turns for Lockable {
    type Turn = <lockable::LockPool<String> as lockable::Lockable<String, ()>>::Guard<'static>;

    fn create() -> Self {
        Self(lockable::LockPool::new())
    }

    #[inline]
    async fn turn(&'static self, of: Named) -> Self::Turn {
        self.0.async_lock(of.name.to_owned()).await
    }
}
