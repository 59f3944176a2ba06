//! Four processes on one quota, and a referee that counts what they were admitted.
//!
//! The processes are this test binary again, told by its environment to be one of them. Larger
//! numbers by hand: `KIMI_REFEREE_MS=20000 cargo test -p kimi-testkit --test it referee`.

use std::{
    env,
    process::{Command, Stdio},
    time::Duration,
};

use kimi_testkit::redis::RedisServer;
use kimi_tower::{
    key::KeyHasher,
    rate_limit::{
        Quota, Rule, SlidingWindow,
        store::{Ask, RateStore as _, Verdict},
    },
    redis::{RedisLink, rate::RedisRateStore},
};
use tokio::time::Instant;

const WORKER: &str = "KIMI_REFEREE_WORKER";
const RUN: &str = "KIMI_REFEREE_MS";
const PERIOD: Duration = Duration::from_millis(500);

fn run_for() -> Duration {
    let ms = env::var(RUN).ok().and_then(|ms| ms.parse::<u64>().ok());
    Duration::from_millis(ms.unwrap_or(1_500))
}

/// One of the processes: prints when each request went, by the clock that all processes of the
/// machine share. Does nothing when it is run as a test.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "this is how it tells the referee")]
async fn worker() {
    let Ok(told) = env::var(WORKER) else { return };
    let told: Vec<_> = told.split(' ').collect();
    let [url, batch, units] = told[..] else { panic!("{told:?}") };
    let link = RedisLink::try_new(url).unwrap().with_timeout(Duration::from_secs(10));
    let rule = Rule::requests(
        SlidingWindow::try_new(Quota::try_new(units.parse().unwrap(), PERIOD).unwrap()).unwrap(),
    );
    let store = RedisRateStore::new(link, rule).with_lease(batch.parse().unwrap());
    let key = KeyHasher::with_secret(&[7; 16]).key(&[b"caller"]);
    let ask = Ask::new(key, 0, store.plans().get(0).costs(|| 0));
    let begin = Instant::now();
    let (mut admitted, mut asked) = (Vec::new(), 0_u64);
    while begin.elapsed() < run_for() {
        // He has gone at some time between these.
        let before = monotonic();
        let verdict = store.ask(&ask).await.unwrap();
        asked += 1;
        if matches!(verdict, Verdict::Admitted(_)) {
            admitted.push((before, monotonic()));
        }
        if asked.is_multiple_of(64) {
            tokio::task::yield_now().await;
        }
    }
    println!("\nasked {asked}");
    for (before, after) in admitted {
        println!("went {before} {after}");
    }
}

fn name_of_worker() -> String {
    let (_, module) = module_path!().split_once("::").unwrap();
    format!("{module}::worker")
}

/// Returns microseconds since the machine was started.
fn monotonic() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    u64::try_from(now.tv_sec * 1_000_000 + now.tv_nsec / 1_000).unwrap()
}

/// What four processes were admitted.
struct Counted {
    /// The most in any period, for certain: of those that have begun and ended in it.
    most: usize,
    admitted: usize,
    asked: u64,
    /// How many scripts Redis has run.
    calls: u64,
}

fn count(redis: &RedisServer, batch: u32, units: u32) -> Counted {
    let workers: Vec<_> = (0..4)
        .map(|_| {
            Command::new(env::current_exe().unwrap())
                .args(["--exact", &name_of_worker(), "--nocapture"])
                .env(WORKER, format!("{} {batch} {units}", redis.url()))
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let (mut went, mut asked) = (Vec::new(), 0);
    for worker in workers {
        let output = worker.wait_with_output().unwrap();
        assert!(output.status.success());
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let numbers: Vec<u64> =
                line.split(' ').skip(1).filter_map(|word| word.parse().ok()).collect();
            match (line.split(' ').next(), numbers.as_slice()) {
                (Some("asked"), [count]) => asked += count,
                (Some("went"), [before, after]) => went.push((*before, *after)),
                _ => {}
            }
        }
    }
    went.sort_unstable();
    let period = u64::try_from(PERIOD.as_micros()).unwrap();
    let mut ends: Vec<_> = went.iter().map(|(_, after)| *after).collect();
    ends.sort_unstable();
    // Of a window (start, start + period) those that have surely gone in it.
    let most = went.iter().enumerate().map(|(first, (start, _))| {
        went[first..]
            .iter()
            .take_while(|(before, _)| *before < start + period)
            .filter(|(_, after)| *after < start + period)
            .count()
    });
    // Windows that begin with each hundredth are enough, and counted in time.
    let most = most.step_by(1 + went.len() / 2_000).max().unwrap_or(0);
    Counted { most, admitted: went.len(), asked, calls: calls(redis) }
}

fn calls(redis: &RedisServer) -> u64 {
    let client = RedisLink::try_new(redis.url()).unwrap().client().clone();
    let mut connection = client.get_connection().unwrap();
    let stats: String = redis::cmd("INFO").arg("commandstats").query(&mut connection).unwrap();
    let scripts = stats.lines().filter(|line| line.starts_with("cmdstat_eval"));
    let calls = scripts
        .filter_map(|line| line.split("calls=").nth(1)?.split(',').next()?.parse::<u64>().ok());
    calls.sum()
}

#[test]
#[expect(clippy::print_stdout, reason = "what was measured is worth a line")]
fn four_processes_are_never_over_one_quota() {
    for (batch, units) in [(1, 50), (256, 5_000)] {
        let Some(redis) = RedisServer::start() else { return };
        let counted = count(&redis, batch, units);
        println!(
            "batch {batch}: {} asked, {} admitted, most in a period {} of {units}, {} calls",
            counted.asked, counted.admitted, counted.most, counted.calls
        );
        let over = if batch == 1 { 0 } else { units / 100 };
        assert!(counted.most <= usize::try_from(units + over).unwrap(), "{}", counted.most);
        // The collision has happened: they have asked for more than there was.
        assert!(counted.admitted > 0 && counted.asked > u64::try_from(counted.admitted).unwrap());
    }
}
