//! Four processes on one quota, and a referee that counts what they were admitted.
//!
//! The processes are this test binary again, told by its environment to be one of them. Larger
//! numbers by hand: `KIMI_REFEREE_MS=20000 cargo test -p kimi-testkit --test it referee`.

use std::{
    env, fmt,
    process::{Command, Stdio},
    time::Duration,
};

use kimi_testkit::{redis::RedisServer, wall_clock::WallClock};
use kimi_tower::{
    key::KeyHasher,
    rate_limit::{
        Gcra, Quota, Rule, SlidingWindow,
        store::{Ask, RateStore as _, Verdict},
    },
    redis::{RedisLink, rate::RedisRateStore},
};
use tokio::time::Instant;

const WORKER: &str = "KIMI_REFEREE_WORKER";
const RUN: &str = "KIMI_REFEREE_MS";
const PROCESSES: usize = 4;
/// What all of them decide in a second, unless the machine is busy with something else.
const HIGH_RATE: u128 = 150_000;
/// How long a machine is waited for that is too slow to ask for more than there is.
const SLOWEST: Duration = Duration::from_secs(30);
/// By how much the time of day jumps, in seconds: hours, as when a machine's clock is set.
const JUMP: i64 = 7_200;

/// How long they ask.
fn run_for() -> Duration {
    let ms = env::var(RUN).ok().and_then(|ms| ms.parse::<u64>().ok());
    Duration::from_millis(ms.unwrap_or(800))
}

/// What they share, and how they ask.
#[derive(Clone, Copy, Debug)]
struct Plan {
    is_window: bool,
    batch: u32,
    units: u32,
    period_ms: u32,
}

impl Plan {
    /// Each asked of Redis.
    const fn sync(is_window: bool) -> Self {
        Self { is_window, batch: 1, units: 20, period_ms: 200 }
    }

    /// Leased, at a rate that is high beside what Redis decides. A lease lives for 6 ms.
    const fn leased(is_window: bool) -> Self {
        Self { is_window, batch: 256, units: 2_000, period_ms: 600 }
    }

    fn of(words: &[&str]) -> Self {
        let mut numbers = words.iter().map(|word| word.parse().unwrap());
        let mut next = || numbers.next().unwrap();
        Self { is_window: next() == 1, batch: next(), units: next(), period_ms: next() }
    }

    fn rule(&self) -> Rule {
        let period = Duration::from_millis(self.period_ms.into());
        let quota = Quota::try_new(self.units, period).unwrap();
        match self.is_window {
            true => Rule::requests(SlidingWindow::try_new(quota).unwrap()),
            false => Rule::requests(Gcra::new(quota)),
        }
    }

    /// Returns how many are admitted in so many microseconds, at most. What a window admits is of less
    /// than its period; a bucket has a burst, which is the quota, and what comes back.
    fn most(&self, micros: u64) -> f64 {
        let periods = Duration::from_micros(micros).as_secs_f64() * 1e3 / f64::from(self.period_ms);
        match self.is_window {
            true if periods < 1.0 => f64::from(self.units),
            true => f64::MAX,
            false => f64::from(self.units) * (1.0 + periods),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { is_window, batch, units, period_ms } = *self;
        write!(f, "{} {batch} {units} {period_ms}", u32::from(is_window))
    }
}

/// One of the processes: prints when each request went, by the clock that all processes of the
/// machine share. Does nothing when it is run as a test.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "this is how it tells the referee")]
async fn worker() {
    let Ok(told) = env::var(WORKER) else { return };
    let told: Vec<_> = told.split(' ').collect();
    let plan = Plan::of(&told[1..]);
    let link = RedisLink::try_new(told[0]).unwrap().with_timeout(Duration::from_secs(10));
    let store = RedisRateStore::new(link, plan.rule()).with_lease(plan.batch);
    let key = KeyHasher::with_secret(&[7; 16]).key(&[b"caller"]);
    let ask = Ask::new(key, 0, store.plans().get(0).costs(|| 0));
    let begin = Instant::now();
    let (mut admitted, mut asked, mut jumped) = (Vec::new(), 0_u64, 0);
    // On a busy machine longer, so that there is something to count, and somebody who is refused.
    let is_too_slow = |asked, admitted| {
        asked < u64::from(plan.units) || asked == admitted && begin.elapsed() < SLOWEST
    };
    while begin.elapsed() < run_for() || is_too_slow(asked, admitted.len() as u64) {
        if asked.is_multiple_of(16) {
            WallClock::jump_own(if asked.is_multiple_of(32) { JUMP } else { -JUMP });
            jumped = jumped.max(off());
            tokio::task::yield_now().await;
        }
        // He has gone at some time between these.
        let before = monotonic();
        let verdict = store.ask(&ask).await.unwrap();
        asked += 1;
        if matches!(verdict, Verdict::Admitted(_)) {
            admitted.push((before, monotonic()));
        }
    }
    println!("\nasked {asked}");
    println!("jumped {jumped}");
    for (before, after) in admitted {
        println!("went {before} {after}");
    }
}

/// Returns by how many seconds the time of day is off.
fn off() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "it is shown that this one jumps")]
    let told = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    // Past the library, by the kernel.
    let real = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    told.as_secs().abs_diff(u64::try_from(real.tv_sec).unwrap())
}

/// Returns microseconds since the machine was started, by the kernel.
fn monotonic() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    u64::try_from(now.tv_sec * 1_000_000 + now.tv_nsec / 1_000).unwrap()
}

/// What four processes were admitted.
struct Counted {
    /// When each request went: between these.
    went: Vec<(u64, u64)>,
    asked: u64,
    /// By how many seconds each process has seen the time of day jump.
    jumped: Vec<u64>,
    /// How many scripts Redis has run.
    calls: u64,
}

impl Counted {
    /// Returns by how many more have surely gone in some stretch of time than are admitted in it.
    fn over(&self, plan: Plan) -> f64 {
        let mut begins: Vec<_> = self.went.iter().map(|(before, _)| *before).collect();
        let mut ends: Vec<_> = self.went.iter().map(|(_, after)| *after).collect();
        begins.sort_unstable();
        ends.sort_unstable();
        let mut over = f64::MIN;
        for (first, start) in begins.iter().enumerate().step_by(1 + begins.len() / 2_000) {
            for end in ends.iter().step_by(1 + ends.len() / 2_000).filter(|end| *end > start) {
                // All that have ended by then, without all that have begun before.
                let ended = ends.partition_point(|it| it <= end);
                let count = f64::from(u32::try_from(ended.saturating_sub(first)).unwrap());
                over = over.max(count - plan.most(end - start));
            }
        }
        over
    }
}

fn name_of_worker() -> String {
    let (_, module) = module_path!().split_once("::").unwrap();
    format!("{module}::worker")
}

#[expect(clippy::print_stdout, reason = "what was measured is worth a line")]
fn count(redis: &RedisServer, plan: Plan, clocks: &[WallClock]) -> Counted {
    let workers: Vec<_> = (0..PROCESSES)
        .map(|process| {
            let mut worker = Command::new(env::current_exe().unwrap());
            worker
                .args(["--exact", &name_of_worker(), "--nocapture"])
                .env(WORKER, format!("{} {plan}", redis.url()))
                .stdout(Stdio::piped());
            if let Some(clock) = clocks.get(process) {
                clock.give_to(&mut worker);
            }
            worker.spawn().unwrap()
        })
        .collect();
    let (mut went, mut asked, mut jumped) = (Vec::new(), 0, Vec::new());
    for worker in workers {
        let output = worker.wait_with_output().unwrap();
        assert!(output.status.success());
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let numbers: Vec<u64> =
                line.split(' ').skip(1).filter_map(|word| word.parse().ok()).collect();
            match (line.split(' ').next(), numbers.as_slice()) {
                (Some("asked"), [count]) => asked += count,
                (Some("jumped"), [seconds]) => jumped.push(*seconds),
                (Some("went"), [before, after]) => went.push((*before, *after)),
                _ => {}
            }
        }
    }
    let counted = Counted { went, asked, jumped, calls: calls(redis) };
    println!(
        "{plan:?}: {asked} asked, {} admitted, {} calls, over by {}",
        counted.went.len(),
        counted.calls,
        counted.over(plan)
    );
    // The collision has happened: they have asked for more than there was, and were admitted in
    // more than one period.
    let admitted = u32::try_from(counted.went.len()).unwrap();
    assert!(admitted > plan.units && asked > admitted.into());
    counted
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
fn four_processes_are_never_over_one_quota() {
    for plan in [Plan::sync(true), Plan::sync(false)] {
        let Some(redis) = RedisServer::start() else { return };
        let over = count(&redis, plan, &[]).over(plan);
        assert!(over <= 0.0, "{plan:?} {over}");
    }
}

/// A window is never over. At a high rate at least a hundred are decided by one call.
#[test]
fn four_processes_that_lease_are_over_by_one_percent_at_most() {
    for plan in [Plan::leased(true), Plan::leased(false)] {
        let Some(redis) = RedisServer::start() else { return };
        let counted = count(&redis, plan, &[]);
        let most = if plan.is_window { 0.0 } else { f64::from(plan.units) / 100.0 };
        let over = counted.over(plan);
        assert!(over <= most, "{plan:?} {over}");
        let rate = u128::from(counted.asked) * 1_000 / run_for().as_millis();
        let is_high = rate >= HIGH_RATE;
        assert!(!is_high || counted.calls * 100 <= counted.asked, "{plan:?} {}", counted.calls);
    }
}

/// R3. Two have right clocks, and those of two jump back and forth by hours all the time.
#[test]
fn clocks_that_jump_change_nothing() {
    let Some(redis) = RedisServer::start() else { return };
    let (Some(first), Some(second)) = (WallClock::start(), WallClock::start()) else { return };
    let plan = Plan::sync(true);
    let counted = count(&redis, plan, &[first, second]);
    let over = counted.over(plan);
    assert!(over <= 0.0, "{over}");
    // They have seen it.
    let hour = counted.jumped.iter().filter(|seconds| **seconds > 3_600).count();
    assert_eq!(hour, 2, "{:?}", counted.jumped);
}
