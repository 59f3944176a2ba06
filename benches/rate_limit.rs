//! What one decision costs, beside `governor` and the article's limiter.
//!
//! No clock is read: `now` is handed in, and `governor` has its fake one. A bucket admits while no
//! time passes, and refuses when it is spent. A log is full; one unit comes back before each
//! decision that admits, and none before one that refuses.

#![expect(
    clippy::exit,
    missing_docs,
    unused_qualifications,
    reason = "of what the macros of the harness expand to"
)]
#![expect(clippy::unwrap_used, reason = "the limits are written here, and are some")]

use std::{hint::black_box, num::NonZeroU32, time::Duration};

use governor::{
    RateLimiter,
    clock::FakeRelativeClock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use gungraun::{Dhat, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use kimi_benches::ROUNDS;
use kimi_tower::rate_limit::{
    Charge, Gcra, GcraCell, Limit, Moment, Quota, SlidingWindow, decide_together,
};

const MINUTE: Duration = Duration::from_secs(60);
const NOW: Moment = Moment::from_nanos(1 << 50);

/// A limiter of which [`ROUNDS`] decisions are asked.
trait Decides {
    fn decides(&mut self) -> bool;
}

fn ask(mut limiter: impl Decides, rounds: usize) -> usize {
    (0..rounds).filter(|_| black_box(&mut limiter).decides()).count()
}

fn quota(units: u32) -> Quota {
    Quota::try_new(units, MINUTE).unwrap()
}

/// The word is kept by whoever asks.
struct Word(Gcra, u64, Moment);

impl Decides for Word {
    fn decides(&mut self) -> bool {
        let (state, decision) = self.0.decide(self.1, self.2, 1);
        self.1 = state;
        decision.is_admitted()
    }
}

struct Cell(Gcra, GcraCell, Moment);

impl Decides for Cell {
    fn decides(&mut self) -> bool {
        self.1.check(&self.0, self.2, 1).is_admitted()
    }
}

type Clock = FakeRelativeClock;
type Direct = RateLimiter<
    NotKeyed,
    InMemoryState,
    Clock,
    NoOpMiddleware<<Clock as governor::clock::Clock>::Instant>,
>;

struct Governor(Direct);

impl Decides for Governor {
    fn decides(&mut self) -> bool {
        self.0.check().is_ok()
    }
}

fn word(units: u32) -> Word {
    Word(Gcra::new(quota(units)), 0, NOW)
}

fn cell(units: u32) -> Cell {
    Cell(Gcra::new(quota(units)), GcraCell::new(), NOW)
}

fn governor(units: u32) -> Governor {
    let interval = MINUTE / units;
    let quota = governor::Quota::with_period(interval).unwrap();
    let quota = quota.allow_burst(NonZeroU32::new(units).unwrap());
    Governor(RateLimiter::direct_with_clock(quota, Clock::default()))
}

/// Spends what there is.
fn spent<L: Decides>(mut limiter: L) -> L {
    while limiter.decides() {}
    limiter
}

/// A log that is full, and time that goes on by `step` before each decision.
struct Log {
    window: SlidingWindow,
    state: Vec<u64>,
    now: Duration,
    step: Duration,
    cost: u32,
}

impl Decides for Log {
    fn decides(&mut self) -> bool {
        self.now += self.step;
        self.window.decide(&mut self.state, Moment::after(self.now), self.cost).is_admitted()
    }
}

fn full(window: SlidingWindow, steps: u32) -> Log {
    let mut log = Log {
        window,
        state: vec![0; window.words()],
        now: Duration::ZERO,
        step: MINUTE / steps,
        cost: window.quota().units() / steps,
    };
    assert_eq!(ask_all(&mut log, steps), steps);
    log
}

fn log(units: u32) -> Log {
    full(SlidingWindow::try_new(quota(units)).unwrap(), units)
}

/// 5 000 000 tokens a minute in 60 sub-windows.
fn tokens() -> Log {
    full(SlidingWindow::try_with_sub_windows(quota(5_000_000), 60).unwrap(), 1_000)
}

fn refusing(log: Log) -> Log {
    Log { step: Duration::ZERO, ..log }
}

/// Asks for half of all, so that its wait is in the middle of the log.
fn asking_for_half(log: Log) -> Log {
    Log { cost: log.window.quota().units() / 2, ..refusing(log) }
}

/// The article's `RateLimiter`: a list of the times of requests, filtered anew by each.
struct Article {
    limit: usize,
    timestamps: Vec<u64>,
    now: u64,
    step: u64,
}

impl Decides for Article {
    fn decides(&mut self) -> bool {
        self.now += self.step;
        let is_live = |at: &u64| self.now - at < 60_000_000_000;
        self.timestamps = self.timestamps.iter().copied().filter(is_live).collect();
        let is_admitted = self.timestamps.len() < self.limit;
        if is_admitted {
            self.timestamps.push(self.now);
        }
        is_admitted
    }
}

fn article(units: u32) -> Article {
    let mut article = Article {
        limit: units as usize,
        timestamps: Vec::new(),
        now: 0,
        step: 60_000_000_000 / u64::from(units),
    };
    assert_eq!(ask_all(&mut article, 0), 0);
    let (now, step) = (article.step * u64::from(units), article.step);
    article.timestamps = (1..=u64::from(units)).map(|index| index * step).collect();
    article.now = now;
    article
}

fn ask_all(limiter: &mut impl Decides, rounds: u32) -> u32 {
    (0..rounds).map(|_| u32::from(limiter.decides())).sum()
}

/// Requests and tokens of one caller, decided together.
struct Both([Limit; 2], [Vec<u64>; 2], Moment);

impl Decides for Both {
    fn decides(&mut self) -> bool {
        let [requests, tokens] = &mut self.1;
        let requests = Charge::new(&self.0[0], requests, 1);
        let mut charges = [requests, Charge::new(&self.0[1], tokens, 1_000)];
        decide_together(&mut charges, self.2).is_admitted()
    }
}

fn both() -> Both {
    let limits = [10_000, 5_000_000].map(|units| Limit::from(Gcra::new(quota(units))));
    Both(limits, [vec![0], vec![0]], NOW)
}

#[library_benchmark]
#[bench::word(word(10_000))]
#[bench::cell(cell(10_000))]
#[bench::governor(governor(10_000))]
#[bench::uneven(word(10_007))]
#[bench::together(both())]
#[bench::word_refuses(spent(word(5)))]
#[bench::cell_refuses(spent(cell(5)))]
#[bench::governor_refuses(spent(governor(5)))]
fn bucket<L: Decides>(limiter: L) -> usize {
    ask(limiter, ROUNDS)
}

#[library_benchmark]
#[bench::ours_5(log(5))]
#[bench::ours_1_000(log(1_000))]
#[bench::ours_100_000(log(100_000))]
#[bench::sub_windows(tokens())]
#[bench::refuses_5(refusing(log(5)))]
#[bench::refuses_100_000(refusing(log(100_000)))]
#[bench::refuses_half_of_100_000(asking_for_half(log(100_000)))]
#[bench::article_5(article(5))]
#[bench::article_1_000(article(1_000))]
fn window<L: Decides>(limiter: L) -> usize {
    ask(limiter, ROUNDS)
}

// Ten decisions, each of which copies the list: divide by that.
#[library_benchmark]
#[bench::article_100_000(article(100_000))]
fn ten(limiter: Article) -> usize {
    ask(limiter, 10)
}

library_benchmark_group!(name = rate_limit_beside_governor; benchmarks = bucket, window, ten);

main!(
    config = LibraryBenchmarkConfig::default().tool(Dhat::default());
    library_benchmark_groups = rate_limit_beside_governor
);
