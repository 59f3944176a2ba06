//! Prints what a Redis that is frozen or killed costs those who ask, and how soon it is done without.
//!
//! ```sh
//! cargo run --release -p kimi-benches --bin redis_fault -- 20
//! ```
//!
//! It starts a `redis-server` of its own, and breaks it as many times as it is told, in each mode and
//! both ways, while 64 tasks ask about 10 000 times a second. Times are of the clock, of one machine
//! and one run, and nothing is asked of them.

#![expect(clippy::print_stdout, reason = "this is what the program is for")]
#![expect(clippy::unwrap_used, reason = "the limits are written here, and are some")]

use std::{
    env,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use kimi_testkit::redis::RedisServer;
use kimi_tower::{
    key::KeyHasher,
    rate_limit::{
        Gcra, Quota, Rule,
        store::{Ask, Asked, RateStore, Verdict},
    },
    redis::{
        RedisLink,
        rate::{OnError, RedisRateStore},
    },
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

const TIMEOUT: Duration = Duration::from_millis(100);
const TASKS: usize = 64;
/// Between two asks of a task.
const PAUSE: Duration = Duration::from_millis(5);
/// How long Redis is asked, is broken, and is asked again.
const RUN: Duration = Duration::from_millis(300);

/// One ask.
struct Seen {
    begin: Instant,
    end: Instant,
    by_redis: bool,
    /// He did not have to wait for anything.
    at_once: bool,
}

/// What one break has cost, in milliseconds.
#[derive(Default)]
struct Cost {
    asked: usize,
    /// The longest delay beyond the time-out.
    beyond: f64,
    /// From the break to the first answer of the mode; and to the last who has had to wait for it.
    first: f64,
    last: f64,
    /// From the end of the break to the first answer of Redis.
    back: f64,
}

#[tokio::main]
async fn main() {
    let rounds = env::args().nth(1).and_then(|rounds| rounds.parse().ok()).unwrap_or(20);
    let Some(mut redis) = RedisServer::start() else { return };
    println!("time-out 100 ms; each: of {rounds} rounds the median and the most, in ms");
    println!("| mode | Redis is | asks | beyond the time-out | first | last | back |");
    let replicas = NonZeroU32::new(2).unwrap();
    for mode in [OnError::Open, OnError::Closed, OnError::Local { replicas }] {
        for is_killed in [false, true] {
            let mut costs = Vec::new();
            for _ in 0..rounds {
                costs.push(round(&mut redis, mode, is_killed).await);
            }
            let column = |of: fn(&Cost) -> f64| {
                let mut all: Vec<_> = costs.iter().map(of).collect();
                all.sort_unstable_by(f64::total_cmp);
                format!("{:.1} · {:.1}", all[all.len() / 2], all[all.len() - 1])
            };
            println!(
                "| {mode:?} | {} | {} | {} | {} | {} | {} |",
                if is_killed { "killed" } else { "frozen" },
                costs.iter().map(|cost| cost.asked).sum::<usize>(),
                column(|cost| cost.beyond),
                column(|cost| cost.first),
                column(|cost| cost.last),
                column(|cost| cost.back),
            );
        }
    }
}

async fn round(redis: &mut RedisServer, mode: OnError, is_killed: bool) -> Cost {
    let link = RedisLink::try_new(redis.url()).unwrap().with_timeout(TIMEOUT);
    let quota = Quota::try_new(1_000_000_000, Duration::from_secs(60)).unwrap();
    let store = RedisRateStore::new(link, Rule::requests(Gcra::new(quota))).with_on_error(mode);
    store.link().up().await;
    let is_over = Arc::new(AtomicBool::new(false));
    let mut running = JoinSet::new();
    for task in 0..TASKS {
        running.spawn(ask(task, store.clone(), Arc::clone(&is_over)));
    }
    sleep(RUN).await;
    let broken = Instant::now();
    if is_killed {
        redis.kill();
    } else {
        redis.freeze();
    }
    sleep(RUN).await;
    let mended = Instant::now();
    if is_killed {
        redis.restart();
    } else {
        redis.thaw();
    }
    sleep(RUN).await;
    is_over.store(true, Relaxed);
    let seen: Vec<_> = running.join_all().await.into_iter().flatten().collect();
    let ms = |from: Instant, to: Instant| to.saturating_duration_since(from).as_secs_f64() * 1e3;
    let meanwhile = || seen.iter().filter(|seen| seen.end > broken && seen.begin < mended);
    let took = |seen: &Seen| ms(seen.begin + TIMEOUT, seen.end);
    let without = || meanwhile().filter(|seen| !seen.by_redis).map(|seen| seen.end);
    let waited = meanwhile().filter(|seen| !seen.at_once).map(|seen| seen.end);
    let again = seen.iter().filter(|seen| seen.by_redis && seen.end > mended);
    Cost {
        asked: seen.len(),
        beyond: seen.iter().map(took).fold(0.0, f64::max),
        first: ms(broken, without().min().unwrap()),
        last: ms(broken, waited.max().unwrap()),
        back: again.map(|seen| ms(mended, seen.end)).fold(f64::INFINITY, f64::min),
    }
}

async fn ask(task: usize, store: RedisRateStore, is_over: Arc<AtomicBool>) -> Vec<Seen> {
    let key = KeyHasher::with_secret(&[7; 16]).key(&[&task.to_be_bytes()]);
    let ask = Ask::new(key, 0, store.plans().get(0).costs(|| 0));
    let mut seen = Vec::new();
    while !is_over.load(Relaxed) {
        let begin = Instant::now();
        let asked = store.ask(&ask);
        let at_once = matches!(asked, Asked::Now(_));
        // Moments of grants by Redis lie far behind all others.
        let by_redis = match asked.await {
            Ok(Verdict::Admitted(grant)) => grant.at.as_nanos() >= 1 << 58,
            _ => false,
        };
        seen.push(Seen { begin, end: Instant::now(), by_redis, at_once });
        sleep(PAUSE).await;
    }
    seen
}
