//! Prints what sessions and waiters take in memory, beside a map of locks and keyed-lock crates.
//!
//! ```sh
//! cargo run --release -p kimi-benches --bin session_memory
//! ```
//!
//! Bytes are those that the allocator was asked for. Of a session they include the turn, of a waiter
//! its future, whose own size is also printed, and not the name, which the request has. *Left* is
//! what is still there when all have gone.

#![expect(clippy::print_stdout, reason = "this is what the program is for")]

use std::{
    alloc::System,
    convert::Infallible,
    future::{Future, Ready, ready},
    pin::Pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Request, Response, request::Parts};
use http_body_util::Full;
use kimi_benches::{
    finish,
    keyed_locks::{KeyMutex, KeyedLock},
    locks::{Lockable, Naive, Named, Ours, OursBounded, Turns},
};
use kimi_errors::Error;
use kimi_tower::{
    key::{Key, KeyHasher},
    session::{Policy, SessionLayer},
};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::runtime::Builder;
use tower::{Layer, Service};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const COUNT: usize = 100_000;

fn main() {
    let runtime = Builder::new_current_thread().enable_time().build().expect("there can be one");
    let _entered = runtime.enter();
    let named = Named::many(0, COUNT);
    println!(
        "100 000 sessions: bytes each while held, left; 100 000 waiters: bytes each, of these the future, left"
    );
    of::<Ours>("MemoryStore", &named);
    of::<OursBounded>("MemoryStore, times bounded", &named);
    of::<Naive>("naive", &named);
    of::<Lockable>("lockable", &named);
    of::<KeyedLock>("keyed-lock", &named);
    of::<KeyMutex>("key-mutex", &named);
    println!("100 000 requests that wait: bytes each, of these the future; of the request itself");
    let bounded = SessionLayer::new();
    through("SessionLayer", bounded.clone());
    through("SessionLayer, times not bounded", bounded.without_max_hold().without_max_idle());
}

fn in_use() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

fn each(bytes: usize) -> f64 {
    bytes as f64 / COUNT as f64
}

fn of<S: Turns>(name: &str, named: &[Named]) {
    let (held, left) = sessions::<S>(named);
    let (waiter, future, left_of_waiters) = waiters::<S>(named[0]);
    println!("{name}: {held:.1}, {left:.1} left; {waiter:.1}, {future}, {left_of_waiters:.1} left");
}

/// Returns how many bytes a session takes while it is held, and after.
fn sessions<S: Turns>(named: &[Named]) -> (f64, f64) {
    let store = S::lasting();
    // What a store of no sessions has is not of any of them.
    drop(finish(store.turn(named[0])));
    let mut turns = Vec::with_capacity(COUNT);
    let before = in_use();
    turns.extend(named.iter().map(|it| finish(store.turn(*it))));
    let held = in_use() - before + COUNT * size_of::<S::Turn>();
    drop(turns);
    let after = in_use() + COUNT * size_of::<S::Turn>();
    (each(held), each(after.saturating_sub(before)))
}

/// Returns how many bytes one takes that waits, its future, and what is left of it after.
fn waiters<S: Turns>(of: Named) -> (f64, usize, f64) {
    let store = S::lasting();
    let holder = finish(store.turn(of));
    let mut waiters = Vec::with_capacity(COUNT);
    let before = in_use();
    waiters.extend((0..COUNT).map(|_| Box::pin(store.turn(of))));
    let future = future_size(&waiters);
    for waiter in &mut waiters {
        assert!(is_pending(waiter.as_mut()), "somebody has the turn");
    }
    let taken = in_use() - before;
    waiters.clear();
    drop(holder);
    let after = in_use();
    (each(taken), future, each(after.saturating_sub(before)))
}

const fn future_size<F>(_: &[Pin<Box<F>>]) -> usize {
    size_of::<F>()
}

fn is_pending(future: Pin<&mut impl Future>) -> bool {
    future.poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

#[derive(Clone)]
struct Handler;

impl Service<Request<()>> for Handler {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Full<Bytes>>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(Full::from("你好"))))
    }
}

/// Requests have no fields, so that nothing of them is in memory of its own.
fn through(name: &str, layer: SessionLayer) {
    let key = Named::many(0, 1)[0].key;
    let of = move |_: &Parts, _: &KeyHasher| Ok::<Option<Key>, Error>(Some(key));
    let queue = Policy::Queue { max_waiting: usize::MAX, max_wait: Policy::DEFAULT_MAX_WAIT };
    let mut service = layer.with_key(of).with_policy(queue).layer(Handler);
    let mut call = || service.call(Request::new(()));
    let holder = finish(call()).expect("nobody else is there");
    let mut waiters = Vec::with_capacity(COUNT);
    let before = in_use();
    waiters.extend((0..COUNT).map(|_| Box::pin(call())));
    let future = future_size(&waiters);
    for waiter in &mut waiters {
        assert!(is_pending(waiter.as_mut()), "somebody has the turn");
    }
    let taken = in_use() - before;
    drop(waiters);
    drop(holder);
    println!("{name}: {:.1}, {future}; {}", each(taken), size_of::<Request<()>>());
}
