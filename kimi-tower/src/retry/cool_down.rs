//! Who must not be asked before when.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher, Hash, Hasher, RandomState},
    sync::Arc,
};

use http::{HeaderName, HeaderValue, header, request::Parts};
use tokio::time::Instant;

use crate::sync::{
    Lock,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// The most callers that are remembered: 1 024, ours. A caller past it is only not warned by
/// others' failures.
const MAX_CALLERS: usize = 1024;

/// The most requests that wait for their first attempt: 1 024, ours, so that a server which says
/// "later" to everybody does not fill our memory. The next are refused.
const MAX_HELD: usize = 1024;

/// Where a credential may stand: as the platform and its like want it, in their OpenAI and their
/// Anthropic form, as Azure does, and as a browser has it.
const CREDENTIALS: [HeaderName; 4] = [
    header::AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    header::COOKIE,
];

/// Whoever of an upstream's callers has been told to wait, and until when.
///
/// A caller is the authority asked and the credential it is asked with, since limits are the
/// account's: one caller never waits for another's limit.
pub(super) struct CoolDowns {
    hasher: RandomState,
    /// The lock protects this alone, and nothing is locked inside it.
    ends: Lock<Ends>,
    /// How many ends are known, so that nobody locks while there is none. Written under the lock.
    /// `Relaxed`, since it is only a hint: who misses a fresh entry comes a moment too early, as if
    /// it had come before the entry was made.
    count: AtomicUsize,
    held: AtomicUsize,
}

/// When which caller may ask again.
#[derive(Default)]
struct Ends {
    by_caller: HashMap<u64, Instant>,
    /// The last of them: then all are forgotten, also of callers that never come back.
    last: Option<Instant>,
}

/// One caller, hashed with a key of this process, so that nobody can choose whom to collide with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Caller(u64);

impl CoolDowns {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            ends: Lock::new(Ends::default()),
            count: AtomicUsize::new(0),
            held: AtomicUsize::new(0),
        }
    }

    pub(super) fn caller(&self, head: &Parts) -> Caller {
        let mut hasher = self.hasher.build_hasher();
        match head.uri.authority() {
            Some(authority) => authority.as_str().hash(&mut hasher),
            None => head.headers.get(header::HOST).map(HeaderValue::as_bytes).hash(&mut hasher),
        }
        for name in &CREDENTIALS {
            let values = head.headers.get_all(name).iter().map(HeaderValue::as_bytes);
            // In pairs with its field, so that none passes for another's.
            values.for_each(|value| (name, value).hash(&mut hasher));
        }
        Caller(hasher.finish())
    }

    /// Lets nobody ask for the caller before `until`.
    ///
    /// One that is running is not prolonged: those who asked before it began hear of it late, and
    /// would keep everybody waiting for as long as they come back.
    pub(super) fn begin(&self, caller: Caller, until: Instant) {
        let now = Instant::now();
        let mut ends = self.ends.lock();
        let Ends { by_caller, last } = &mut *ends;
        if by_caller.get(&caller.0).is_some_and(|running| *running > now) {
            return;
        }
        if by_caller.len() >= MAX_CALLERS {
            by_caller.retain(|_, until| *until > now);
        }
        if by_caller.len() < MAX_CALLERS {
            by_caller.insert(caller.0, until);
            *last = (*last).max(Some(until));
        }
        self.count.store(by_caller.len(), Relaxed);
    }

    /// Returns whether nobody has to wait: then there is no need to know the caller.
    #[inline]
    pub(super) fn are_over(&self) -> bool {
        self.count.load(Relaxed) == 0
    }

    /// Returns when the caller may ask again; `None` if it may now.
    pub(super) fn end(&self, caller: Caller) -> Option<Instant> {
        if self.are_over() {
            return None;
        }
        let now = Instant::now();
        let mut ends = self.ends.lock();
        if ends.last.is_some_and(|last| last <= now) {
            *ends = Ends::default();
            self.count.store(0, Relaxed);
        }
        ends.by_caller.get(&caller.0).copied().filter(|until| *until > now)
    }

    /// Takes one of the places for requests that wait for their first attempt.
    pub(super) fn hold(self: &Arc<Self>) -> Option<Held> {
        let held = self.held.fetch_update(Relaxed, Relaxed, |held| {
            held.checked_add(1).filter(|held| *held <= MAX_HELD)
        });
        held.ok().map(|_| Held(Arc::clone(self)))
    }
}

/// A place among the requests that wait, given back on drop.
pub(super) struct Held(Arc<CoolDowns>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.held.fetch_sub(1, Relaxed);
    }
}

impl fmt::Debug for CoolDowns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoolDowns").field("callers", &self.count).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Request;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn head(uri: &str, authorization: &str) -> Parts {
        let request = Request::get(uri).header("authorization", authorization);
        request.body(()).unwrap().into_parts().0
    }

    #[tokio::test(start_paused = true)]
    async fn a_cool_down_lasts_as_long_as_was_said_and_is_not_prolonged() {
        let cool_downs = CoolDowns::new();
        let caller = cool_downs.caller(&head("http://a/x", "k"));
        assert!(cool_downs.are_over() && cool_downs.end(caller).is_none());
        let now = Instant::now();
        cool_downs.begin(caller, now + SECOND * 2);
        cool_downs.begin(caller, now + SECOND * 3);
        assert_eq!(cool_downs.end(caller), Some(now + SECOND * 2));
        tokio::time::advance(SECOND * 2).await;
        assert!(!cool_downs.are_over());
        assert_eq!(cool_downs.end(caller), None);
        assert!(cool_downs.are_over());
    }

    #[tokio::test(start_paused = true)]
    async fn one_caller_does_not_wait_for_another() {
        let cool_downs = CoolDowns::new();
        let heads = [("http://a/x", "k"), ("http://a/x", "j"), ("http://b/x", "k"), ("/x", "k")];
        let callers = heads.map(|(uri, key)| cool_downs.caller(&head(uri, key)));
        cool_downs.begin(callers[0], Instant::now() + SECOND);
        for caller in &callers[1..] {
            assert_eq!(cool_downs.end(*caller), None);
        }
        // The path is none of its business.
        let same = cool_downs.caller(&head("http://a/y", "k"));
        assert!(cool_downs.end(same).is_some());
    }

    /// The bug: only `authorization` was looked at, so that all who came with another credential
    /// were one caller.
    #[tokio::test(start_paused = true)]
    async fn each_credential_is_a_caller_in_whatever_field_it_stands() {
        let cool_downs = CoolDowns::new();
        let caller = |fields: &[(&str, &str)]| {
            let mut request = Request::get("http://a/x");
            for (name, value) in fields {
                request = request.header(*name, *value);
            }
            cool_downs.caller(&request.body(()).unwrap().into_parts().0)
        };
        let mut callers = vec![caller(&[])];
        for name in ["authorization", "x-api-key", "api-key", "cookie"] {
            callers.push(caller(&[(name, "k")]));
            callers.push(caller(&[(name, "j")]));
            callers.push(caller(&[(name, "k"), (name, "j")]));
            assert_eq!(caller(&[(name, "k"), ("accept", "*/*")]), caller(&[(name, "k")]));
        }
        callers.push(caller(&[("authorization", "k"), ("x-api-key", "j")]));
        for (number, one) in callers.iter().enumerate() {
            assert!(!callers[number + 1..].contains(one), "{number}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn hostile_keys_take_bounded_memory_and_do_not_free_anybody() {
        let cool_downs = CoolDowns::new();
        let first = cool_downs.caller(&head("http://a/x", "first"));
        cool_downs.begin(first, Instant::now() + SECOND * 9);
        for key in 0..MAX_CALLERS * 2 {
            let caller = cool_downs.caller(&head("http://a/x", &format!("{key}")));
            cool_downs.begin(caller, Instant::now() + SECOND);
        }
        assert_eq!(cool_downs.ends.lock().by_caller.len(), MAX_CALLERS);
        assert!(cool_downs.end(first).is_some());
        // Those whose time is over make room.
        tokio::time::advance(SECOND).await;
        let last = cool_downs.caller(&head("http://a/x", "last"));
        cool_downs.begin(last, Instant::now() + SECOND);
        assert!(cool_downs.end(last).is_some() && cool_downs.end(first).is_some());
        assert_eq!(cool_downs.ends.lock().by_caller.len(), 2);
    }

    /// The bug: an end was forgotten only when its own caller came again, and until then all others
    /// asked for theirs.
    #[tokio::test(start_paused = true)]
    async fn a_caller_that_never_comes_back_is_forgotten_with_the_last() {
        let cool_downs = CoolDowns::new();
        let callers = ["one", "two", "other"].map(|key| cool_downs.caller(&head("/x", key)));
        cool_downs.begin(callers[0], Instant::now() + SECOND * 2);
        cool_downs.begin(callers[1], Instant::now() + SECOND);
        tokio::time::advance(SECOND).await;
        assert_eq!(cool_downs.end(callers[2]), None);
        assert!(cool_downs.end(callers[0]).is_some() && !cool_downs.are_over());
        tokio::time::advance(SECOND).await;
        assert_eq!(cool_downs.end(callers[2]), None);
        assert!(cool_downs.are_over());
    }

    #[test]
    fn so_many_wait_and_no_more() {
        let cool_downs = Arc::new(CoolDowns::new());
        let mut held: Vec<_> = (0..MAX_HELD).map(|_| cool_downs.hold().unwrap()).collect();
        assert!(cool_downs.hold().is_none());
        held.pop();
        assert!(cool_downs.hold().is_some());
    }
}
