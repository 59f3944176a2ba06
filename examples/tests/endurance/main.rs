//! The whole gateway under many streams and all that can go wrong with them: nothing hangs, nothing
//! leaks, and each request is logged once.
//!
//! Clients share sessions and ask without a pause; each asks for a fault with its request, or makes
//! one itself. Small by default; the long run is
//!
//! ```sh
//! KIMI_STREAMS=2000 KIMI_SECONDS=60 cargo test --release -p kimi-examples --test endurance -- --nocapture
//! ```
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![expect(clippy::print_stdout, reason = "what was measured stands in benches/README.md")]

mod client;
mod fault;
mod gateway;
mod log;

use std::{alloc::System, collections::BTreeMap, time::Duration};

use cap::Cap;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use self::{client::Client, gateway::Gateway};

#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

/// Streams of one session, of which one is served and the others wait.
const STREAMS_PER_SESSION: usize = 4;

/// What may be left when all is over: what is made on the first use, and capacity that is kept.
const MAX_KEPT: usize = 64 * 1024;

/// What a gateway that is idle again may keep of each request; the least that could be kept of one
/// is its id, of more bytes.
const MAX_KEPT_OF_EACH: usize = 8;

/// How long a run is.
#[derive(Clone, Copy)]
enum Length {
    Requests(u64),
    Time(Duration),
}

impl Length {
    fn is_over(self, asked: u64, since: Instant) -> bool {
        match self {
            Self::Requests(requests) => asked >= requests,
            Self::Time(time) => since.elapsed() >= time,
        }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|number| number.parse().unwrap())
}

/// Has `streams` clients ask at once, and returns how many requests there were.
async fn load(gateway: &Gateway, run: u64, streams: usize, length: Length) -> usize {
    let mut clients = JoinSet::new();
    for number in 0..streams {
        let session = format!("{run}-{}", number / STREAMS_PER_SESSION);
        clients.spawn(Client::new(gateway, run, number, session).ask(length));
    }
    let (mut ids, mut ends) = (Vec::new(), BTreeMap::new());
    while let Some(asked) = clients.join_next().await {
        for (id, fault, end) in asked.unwrap() {
            ids.push(id);
            *ends.entry((fault, end)).or_insert(0_u64) += 1;
        }
    }
    let requests = ids.len();
    gateway.each_was_logged_once(ids).await;
    gateway.nothing_is_held().await;
    println!("run {run}: {requests} requests of {streams} streams; {ends:?}");
    requests
}

/// Waits until no more than `bytes` are allocated.
async fn memory_is_back_at(bytes: usize) {
    let back = async {
        while MEMORY.allocated() > bytes {
            sleep(Duration::from_millis(10)).await;
        }
    };
    let is_back = timeout(Duration::from_secs(20), back).await.is_ok();
    assert!(is_back, "{} bytes are still allocated, of {bytes}", MEMORY.allocated());
}

/// Runs a gateway from its start to its end: a first load, after which it has the capacity that it
/// needs, and `length` of the same.
fn whole_life(streams: usize, length: Length) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut gateway = Gateway::start(streams).await;
        load(&gateway, 0, streams, Length::Requests(1)).await;
        gateway.restart_upstream().await;
        let before = MEMORY.allocated();
        let requests = load(&gateway, 1, streams, length).await;
        println!(
            "{} bytes before, at most {}, {} after",
            before,
            MEMORY.max_allocated(),
            MEMORY.allocated()
        );
        gateway.restart_upstream().await;
        memory_is_back_at(before + MAX_KEPT + requests * MAX_KEPT_OF_EACH).await;
        println!("{} bytes at last", MEMORY.allocated());
    });
    runtime.shutdown_timeout(Duration::from_secs(10));
}

#[test]
fn nothing_hangs_leaks_or_is_logged_twice() {
    let streams = number("KIMI_STREAMS").map_or(100, |streams| streams.try_into().unwrap());
    // Makes what is made once in a process.
    whole_life(STREAMS_PER_SESSION, Length::Requests(3));
    let before = MEMORY.allocated();
    let length = match number("KIMI_SECONDS") {
        Some(seconds) => Length::Time(Duration::from_secs(seconds)),
        None => Length::Requests(3),
    };
    whole_life(streams, length);
    println!("without the gateway: {before} bytes before, {} after", MEMORY.allocated());
    assert!(MEMORY.allocated() <= before + MAX_KEPT);
}
