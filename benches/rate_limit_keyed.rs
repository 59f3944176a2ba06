//! What one decision of a store costs, among few keys and many, beside `governor`.
//!
//! Keys are asked for in no order. Both read the clock of the system, ours through tokio. *By name*
//! the key is made anew each time of a credential of 48 bytes, which `governor` has as it is.

#![expect(
    clippy::exit,
    missing_docs,
    unused_qualifications,
    reason = "of what the macros of the harness expand to"
)]
#![expect(clippy::unwrap_used, reason = "the limits are written here, and are some")]

use std::{hint::black_box, mem::ManuallyDrop, num::NonZeroU32, time::Duration};

use governor::{
    RateLimiter, clock::MonotonicClock, middleware::NoOpMiddleware, state::keyed::DashMapStateStore,
};
use gungraun::{Dhat, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use kimi_benches::ROUNDS;
use kimi_tower::{
    key::{Key, KeyHasher},
    rate_limit::{
        Gcra, Quota, Rule, SlidingWindow,
        store::{Ask, Asked, MemoryStore, RateStore as _, Verdict},
    },
};

/// A limiter of which [`ROUNDS`] decisions are asked.
trait Decides {
    fn decides(&mut self) -> bool;
}

/// Callers as they name themselves, and their keys.
struct Callers {
    hasher: KeyHasher,
    names: Vec<String>,
    keys: Vec<Key>,
    next: usize,
}

impl Callers {
    /// So many have come before, and [`ROUNDS`] of them come again.
    fn new(count: usize, come: &mut dyn FnMut(&str, Key)) -> Self {
        let hasher = KeyHasher::with_secret(&[7; 16]);
        let name = |number: usize| format!("sk-{number:045}");
        let key = |name: &String| hasher.key(&[name.as_bytes()]);
        for number in 0..count {
            let name = name(number);
            come(&name, key(&name));
        }
        // A prime number of steps goes all ways around.
        let again = (0..ROUNDS).map(|round| name(round * 7_919 % count));
        let names: Vec<_> = again.collect();
        let keys = names.iter().map(key).collect();
        Self { hasher, names, keys, next: 0 }
    }

    fn next(&mut self) -> usize {
        let next = self.next;
        self.next = (next + 1) % ROUNDS;
        next
    }
}

/// By their keys, or by what these are made of.
enum By {
    Key,
    Name,
}

struct Store {
    store: MemoryStore,
    callers: Callers,
    by: By,
}

fn store(rule: Rule, count: usize, by: By) -> Store {
    let store = MemoryStore::with_max_keys(rule, 2 << 20);
    let callers = Callers::new(count, &mut |_, key| {
        assert!(asks(&store, key));
    });
    Store { store, callers, by }
}

#[inline]
fn asks(store: &MemoryStore, key: Key) -> bool {
    let ask = Ask::new(key, 0, store.plans().get(0).costs(|| 1));
    matches!(store.ask(&ask), Asked::Now(Ok(Verdict::Admitted(_))))
}

impl Decides for Store {
    fn decides(&mut self) -> bool {
        let next = self.callers.next();
        let key = match self.by {
            By::Key => self.callers.keys[next],
            By::Name => self.callers.hasher.key(&[self.callers.names[next].as_bytes()]),
        };
        asks(&self.store, key)
    }
}

type Keyed<K> = RateLimiter<
    K,
    DashMapStateStore<K>,
    MonotonicClock,
    NoOpMiddleware<<MonotonicClock as governor::clock::Clock>::Instant>,
>;

struct GovernorByKey(Keyed<Key>, Callers);

impl Decides for GovernorByKey {
    fn decides(&mut self) -> bool {
        let next = self.1.next();
        self.0.check_key(&self.1.keys[next]).is_ok()
    }
}

struct GovernorByName(Keyed<String>, Callers);

impl Decides for GovernorByName {
    fn decides(&mut self) -> bool {
        let next = self.1.next();
        self.0.check_key(&self.1.names[next]).is_ok()
    }
}

fn keyed<K: Clone + Eq + std::hash::Hash>() -> Keyed<K> {
    let quota = governor::Quota::with_period(PERIOD / 10_000).unwrap();
    let quota = quota.allow_burst(NonZeroU32::new(10_000).unwrap());
    RateLimiter::new(quota, DashMapStateStore::default(), MonotonicClock)
}

fn governor_by_key(count: usize) -> GovernorByKey {
    let limiter = keyed();
    let callers = Callers::new(count, &mut |_, key| assert!(limiter.check_key(&key).is_ok()));
    GovernorByKey(limiter, callers)
}

fn governor_by_name(count: usize) -> GovernorByName {
    let limiter = keyed::<String>();
    let callers = Callers::new(count, &mut |name, _| {
        assert!(limiter.check_key(&name.to_owned()).is_ok());
    });
    GovernorByName(limiter, callers)
}

/// So slow that no key is whole again, and forgotten, before it is asked for.
const PERIOD: Duration = Duration::from_secs(300 * 24 * 60 * 60);

fn by_bucket(count: usize) -> Store {
    let quota = Quota::try_new(10_000, PERIOD).unwrap();
    store(Rule::requests(Gcra::new(quota)), count, By::Key)
}

fn by_window(count: usize) -> Store {
    let quota = Quota::try_new(5, PERIOD).unwrap();
    store(Rule::requests(SlidingWindow::try_new(quota).unwrap()), count, By::Key)
}

#[library_benchmark]
#[bench::ours_1(by_bucket(1))]
#[bench::ours_10_000(by_bucket(10_000))]
#[bench::ours_1_000_000(by_bucket(1_000_000))]
#[bench::window_10_000(by_window(10_000))]
#[bench::by_name_10_000(Store { by: By::Name, ..by_bucket(10_000) })]
#[bench::governor_1(governor_by_key(1))]
#[bench::governor_10_000(governor_by_key(10_000))]
#[bench::governor_1_000_000(governor_by_key(1_000_000))]
#[bench::governor_by_name_10_000(governor_by_name(10_000))]
fn keyed_decision<L: Decides>(limiter: L) -> usize {
    // What a million keys take to be dropped is no part of a decision.
    let mut limiter = ManuallyDrop::new(limiter);
    (0..ROUNDS).filter(|_| black_box(&mut *limiter).decides()).count()
}

library_benchmark_group!(name = store_beside_governor; benchmarks = keyed_decision);

main!(
    config = LibraryBenchmarkConfig::default().tool(Dhat::default());
    library_benchmark_groups = store_beside_governor
);
