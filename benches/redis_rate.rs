//! Prints how many decisions a second a store makes, and how long one takes, over loopback.
//!
//! ```sh
//! cargo run --release -p kimi-benches --bin redis_rate
//! ```
//!
//! It starts a `redis-server` of its own. Times are of the clock, of one machine and one run, and
//! nothing is asked of them.

#![expect(clippy::print_stdout, reason = "this is what the program is for")]
#![expect(clippy::unwrap_used, reason = "the limits are written here, and are some")]

use std::time::Duration;

use kimi_testkit::redis::RedisServer;
use kimi_tower::{
    key::KeyHasher,
    rate_limit::{
        Gcra, Plan, Quota, Rule, SlidingWindow,
        store::{Ask, MemoryStore, RateStore, Verdict},
    },
    redis::{RedisLink, rate::RedisRateStore},
};
use tokio::{task::JoinSet, time::Instant};

const RUN: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() {
    let Some(redis) = RedisServer::start() else { return };
    let quota = |units| Quota::try_new(units, Duration::from_secs(60)).unwrap();
    let gcra = Plan::new(Rule::requests(Gcra::new(quota(100_000_000))));
    let window = Plan::new(Rule::requests(SlidingWindow::try_new(quota(1_000_000)).unwrap()));
    let two = window.clone().try_with(Rule::tokens(Gcra::new(quota(100_000_000)))).unwrap();
    println!("plan, store, tasks: decisions/s; µs at 50 %, 99 %, 99.9 %");
    for (name, plan) in [("Gcra", gcra), ("SlidingWindow", window), ("both", two)] {
        for tasks in [1, 64] {
            let link = || {
                let link = RedisLink::try_new(redis.url()).unwrap();
                link.with_timeout(Duration::from_secs(1))
            };
            let sync = RedisRateStore::new(link(), plan.clone());
            run(name, "redis", tasks, &sync).await;
            let lease = RedisRateStore::new(link(), plan.clone()).with_lease(256);
            run(name, "redis, lease of 256", tasks, &lease).await;
            run(name, "memory", tasks, &MemoryStore::new(plan.clone())).await;
        }
    }
}

async fn run(plan: &str, name: &str, tasks: usize, store: &impl RateStore) {
    let hasher = KeyHasher::with_secret(&[7; 16]);
    // A key of its own, so that no run begins with what another has spent.
    let key = hasher.key(&[plan.as_bytes(), name.as_bytes(), &tasks.to_be_bytes()]);
    let mut running = JoinSet::new();
    let begin = Instant::now();
    for _ in 0..tasks {
        let store = store.clone();
        running.spawn(async move {
            let ask = Ask::new(key, 0, store.plans().get(0).costs(|| 1));
            let (mut times, mut admitted) = (Vec::new(), 0_usize);
            let mut round = 0_u32;
            while begin.elapsed() < RUN {
                let asked_at = Instant::now();
                admitted += usize::from(matches!(store.ask(&ask).await, Ok(Verdict::Admitted(_))));
                times.push(asked_at.elapsed());
                round = round.wrapping_add(1);
                if round.is_multiple_of(256) {
                    tokio::task::yield_now().await;
                }
            }
            (times, admitted)
        });
    }
    let (mut times, mut admitted) = (Vec::new(), 0);
    while let Some(done) = running.join_next().await {
        let (more, also) = done.unwrap();
        times.extend(more);
        admitted += also;
    }
    let took = begin.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 1_000].as_secs_f64() * 1e6;
    println!(
        "{plan}, {name}, {tasks}: {:.0}/s, {:.0} % admitted; {:.1}, {:.1}, {:.1}",
        f64::from(u32::try_from(times.len()).unwrap()) / took,
        100.0 * f64::from(u32::try_from(admitted).unwrap())
            / f64::from(u32::try_from(times.len()).unwrap()),
        at(500),
        at(990),
        at(999),
    );
}
