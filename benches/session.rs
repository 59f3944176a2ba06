//! What a turn and a hand-off cost, beside a map of locks and the crates of keyed locks.
//!
//! Others hold as many sessions as stands at a benchmark's end, and nobody contends for those that
//! are asked for. *Again*: each was asked for before, so that a map which forgets nothing has it.
//! *First*: none was.

#![expect(
    clippy::exit,
    missing_docs,
    unused_qualifications,
    reason = "of what the macros of the harness expand to"
)]

use std::{
    future::Future,
    hint::black_box,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake, Waker},
};

use gungraun::{Dhat, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use kimi_benches::{
    ROUNDS,
    keyed_locks::{KeyMutex, KeyedLock},
    locks::{Lockable, Naive, NaiveByGet, Named, Ours, OursBounded, OursByName, Turns},
};
use tokio::runtime::Builder;

/// A store in which others hold sessions, and those that are going to be asked for.
struct Sessions<S: Turns> {
    store: &'static S,
    asked: Vec<Named>,
}

fn sessions<S: Turns>(others: usize, asked: Vec<Named>) -> Sessions<S> {
    let store = S::lasting();
    let others: Vec<_> = Named::many(0, others).into_iter().map(|it| store.turn_now(it)).collect();
    // Giving back 100 000 of them is no part of a turn.
    others.leak();
    Sessions { store, asked }
}

/// Each has been asked for before; there is one alone if there are no others.
fn again<S: Turns>(others: usize) -> Sessions<S> {
    let asked = if others == 0 {
        vec![Named::many(1_000_000, 1)[0]; ROUNDS]
    } else {
        Named::many(1_000_000, ROUNDS)
    };
    let sessions = sessions::<S>(others, asked);
    turns(&sessions);
    sessions
}

/// None has been asked for before.
fn first<S: Turns>(others: usize) -> Sessions<S> {
    let sessions = sessions::<S>(others, Named::many(1_000_000, ROUNDS));
    // What only the first call of all pays.
    Named::many(2_000_000, 64).into_iter().for_each(|it| drop(sessions.store.turn_now(it)));
    sessions
}

#[inline]
fn turns<S: Turns>(sessions: &Sessions<S>) {
    for asked in &sessions.asked {
        drop(black_box(sessions.store.turn_now(*black_box(asked))));
    }
}

#[library_benchmark]
#[bench::ours_0(again::<Ours>(0))]
#[bench::ours_10_000(again::<Ours>(10_000))]
#[bench::ours_100_000(again::<Ours>(100_000))]
#[bench::by_name_0(again::<OursByName>(0))]
#[bench::by_name_100_000(again::<OursByName>(100_000))]
#[bench::naive_0(again::<Naive>(0))]
#[bench::naive_10_000(again::<Naive>(10_000))]
#[bench::naive_100_000(again::<Naive>(100_000))]
#[bench::naive_by_get_0(again::<NaiveByGet>(0))]
#[bench::naive_by_get_100_000(again::<NaiveByGet>(100_000))]
#[bench::lockable_0(again::<Lockable>(0))]
#[bench::lockable_100_000(again::<Lockable>(100_000))]
#[bench::keyed_lock_0(again::<KeyedLock>(0))]
#[bench::keyed_lock_100_000(again::<KeyedLock>(100_000))]
#[bench::key_mutex_0(again::<KeyMutex>(0))]
#[bench::key_mutex_100_000(again::<KeyMutex>(100_000))]
fn turn_again<S: Turns>(sessions: Sessions<S>) -> Sessions<S> {
    turns(&sessions);
    sessions
}

#[library_benchmark]
#[bench::ours_100_000(first::<Ours>(100_000))]
#[bench::by_name_100_000(first::<OursByName>(100_000))]
#[bench::naive_100_000(first::<Naive>(100_000))]
#[bench::naive_by_get_100_000(first::<NaiveByGet>(100_000))]
#[bench::lockable_100_000(first::<Lockable>(100_000))]
#[bench::keyed_lock_100_000(first::<KeyedLock>(100_000))]
#[bench::key_mutex_100_000(first::<KeyMutex>(100_000))]
fn turn_first<S: Turns>(sessions: Sessions<S>) -> Sessions<S> {
    turns(&sessions);
    sessions
}

/// Counts how often it was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// A session that is held, and [`ROUNDS`] who wait for it and have been polled once.
struct Line<S: Turns, F> {
    sessions: Sessions<S>,
    holder: S::Turn,
    waiters: Vec<Pin<Box<F>>>,
    woken: Arc<Woken>,
}

fn line<S: Turns>(others: usize) -> Line<S, impl Future<Output = S::Turn>> {
    // Timers are made of it, and never run.
    let runtime = Builder::new_current_thread().enable_time().build().expect("there can be one");
    let runtime = Box::leak(Box::new(runtime));
    let _entered = runtime.enter();
    let hot = Named::many(1_000_000, 1)[0];
    let sessions = sessions::<S>(others, vec![hot; ROUNDS]);
    let holder = sessions.store.turn_now(hot);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut waiters: Vec<_> =
        sessions.asked.iter().map(|it| Box::pin(sessions.store.turn(*it))).collect();
    for waiter in &mut waiters {
        assert!(waiter.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    Line { sessions, holder, waiters, woken }
}

#[library_benchmark]
#[bench::ours_0(line::<Ours>(0))]
#[bench::ours_100_000(line::<Ours>(100_000))]
#[bench::bounded_0(line::<OursBounded>(0))]
#[bench::naive_0(line::<Naive>(0))]
#[bench::naive_100_000(line::<Naive>(100_000))]
#[bench::lockable_0(line::<Lockable>(0))]
#[bench::lockable_100_000(line::<Lockable>(100_000))]
#[bench::keyed_lock_0(line::<KeyedLock>(0))]
#[bench::keyed_lock_100_000(line::<KeyedLock>(100_000))]
#[bench::key_mutex_0(line::<KeyMutex>(0))]
#[bench::key_mutex_100_000(line::<KeyMutex>(100_000))]
fn hand_off<S: Turns, F: Future<Output = S::Turn>>(line: Line<S, F>) -> impl Sized {
    let Line { sessions, mut holder, mut waiters, woken } = line;
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    for (before, waiter) in waiters.iter_mut().enumerate() {
        drop(holder);
        assert_eq!(woken.0.load(Relaxed), before + 1, "the next is woken, and nobody else");
        holder = match waiter.as_mut().poll(&mut context) {
            Poll::Ready(turn) => turn,
            Poll::Pending => panic!("it has the turn"),
        };
    }
    (sessions, holder, waiters)
}

library_benchmark_group!(name = store_beside_locks; benchmarks = turn_again, turn_first, hand_off);

main!(
    config = LibraryBenchmarkConfig::default().tool(Dhat::default());
    library_benchmark_groups = store_beside_locks
);
