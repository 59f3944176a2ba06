//! Prints what keys take and how long single decisions take at most, beside `governor`.
//!
//! ```sh
//! cargo run --release -p kimi-benches --bin rate_limit_memory
//! ```
//!
//! Bytes are those that the allocator was asked for. Times are the thread's own on the processor, so
//! that it does not matter what else runs, of one machine and one run, and nothing is asked of them.

#![expect(clippy::print_stdout, reason = "this is what the program is for")]
#![expect(clippy::unwrap_used, reason = "the limits are written here, and are some")]

use std::{alloc::System, hint::black_box, num::NonZeroU32, time::Duration};

use cpu_time::ThreadTime;
use governor::{
    RateLimiter,
    clock::{Clock, MonotonicClock},
    middleware::NoOpMiddleware,
    state::keyed::DashMapStateStore,
};
use kimi_benches::finish;
use kimi_tower::{
    key::{Key, KeyHasher},
    rate_limit::{
        Gcra, Quota, Rule, SlidingWindow,
        store::{Ask, MemoryStore, RateStore as _},
    },
};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

type Governor = RateLimiter<
    Key,
    DashMapStateStore<Key>,
    MonotonicClock,
    NoOpMiddleware<<MonotonicClock as Clock>::Instant>,
>;

const KEYS: u64 = 1_000_000;

fn main() {
    println!("1 000 000 keys: bytes a key; the longest decisions; allocations a decision, on hits");
    let bucket = MemoryStore::with_max_keys(bucket(), 2 << 20);
    grow("Gcra", &|key| asks(&bucket, key));
    let window = MemoryStore::with_max_keys(window(), 2 << 20);
    grow("SlidingWindow, 5 in 60 s", &|key| asks(&window, key));
    let quota = governor::Quota::with_period(Duration::from_secs(12)).unwrap();
    let quota = quota.allow_burst(NonZeroU32::new(5).unwrap());
    let states = DashMapStateStore::<Key>::default();
    let governor: Governor = RateLimiter::new(quota, states, MonotonicClock);
    grow("governor", &|key| {
        let _ = black_box(governor.check_key(&key));
    });
    println!("10 000 000 keys that come once, to stores of the default size: peak bytes; keys");
    flood("Gcra", self::bucket());
    flood("SlidingWindow, 5 in 60 s", self::window());
}

fn bucket() -> Rule {
    Rule::requests(Gcra::new(Quota::article()))
}

fn window() -> Rule {
    Rule::requests(SlidingWindow::try_new(Quota::article()).unwrap())
}

fn asks(store: &MemoryStore, key: Key) {
    let ask = Ask::new(key, 0, store.plans().get(0).costs(|| 1));
    let _ = black_box(finish(store.ask(&ask)));
}

fn in_use() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

fn key(hasher: &KeyHasher, number: u64) -> Key {
    hasher.key(&[&number.to_le_bytes()])
}

fn grow(name: &str, ask: &dyn Fn(Key)) {
    let hasher = KeyHasher::new();
    let mut times = vec![Duration::ZERO; usize::try_from(KEYS).unwrap()];
    let before = in_use();
    for (number, time) in (0..KEYS).zip(&mut times) {
        let key = key(&hasher, number);
        let start = ThreadTime::now();
        ask(key);
        *time = start.elapsed();
    }
    let bytes = in_use().saturating_sub(before) as f64 / KEYS as f64;
    let allocations = ALLOCATOR.stats().allocations;
    for number in 0..KEYS {
        ask(key(&hasher, number));
    }
    let allocations = ALLOCATOR.stats().allocations - allocations;
    times.sort_unstable();
    let at = |part: usize| times[times.len() - 1 - times.len() / part];
    println!(
        "{name}: {bytes:.1} bytes; longest {:?}, 99.99 % within {:?}, 99 % within {:?}; {allocations}",
        times[times.len() - 1],
        at(10_000),
        at(100),
    );
}

fn flood(name: &str, rule: Rule) {
    let hasher = KeyHasher::new();
    let before = in_use();
    let store = MemoryStore::new(rule);
    let (mut peak, mut keys) = (0, 0);
    for number in 0..10 * KEYS {
        asks(&store, key(&hasher, number));
        if number % 10_000 == 0 {
            peak = peak.max(in_use() - before);
            keys = keys.max(store.keys());
        }
    }
    println!("{name}: {:.1} MiB; {keys} keys", peak as f64 / f64::from(1 << 20));
}
