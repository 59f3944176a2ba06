//! Processes that are stopped, killed, and left without Redis, and a referee to whom they write with
//! the fences of their turns.
//!
//! The test is short: each of what can happen once, and a few more. The whole proof, in which also the
//! time is asserted after which the next has the turn, is
//! `KIMI_REFEREE_ROUNDS=1000 cargo test --release -p kimi-testkit --test it redis::session::referee -- --nocapture`.

use std::{
    env,
    future::poll_fn,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use kimi_tower::{
    redis::session::RedisSessionStore,
    session::store::{Ask, SessionTurn as _},
};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::{Mutex, Notify},
    time::{Instant, sleep, timeout},
};

use super::{LONG, RedisServer, key, link, turn};

const ROUNDS: &str = "KIMI_REFEREE_ROUNDS";
const WORK: &str = "KIMI_REFEREE_WORK";
const WORKERS: usize = 3;
/// What can happen, in the first rounds one of each.
const EACH: [u64; 4] = [0, 4, 6, 7];
const ROUNDS_BY_DEFAULT: u64 = 7;
/// How much longer than a lease the next waits at most, of which half is that who is not the first in
/// the line looks up to 50 ms later.
const LATER: Duration = Duration::from_millis(100);
/// 10 s by default, scaled by 25; 60 s are 2.4 s.
const LEASE: Duration = Duration::from_millis(400);
const LONGEST_STOP: Duration = Duration::from_millis(2_400);

/// SplitMix64, for all that is random here.
struct Random(AtomicU64);

impl Random {
    fn below(&self, end: u64) -> u64 {
        let mut mixed = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn up_to(&self, longest: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(longest.as_micros()).unwrap()))
    }
}

/// What a referee has seen.
#[derive(Debug, Default)]
struct Seen {
    /// The greatest fence of a write that was accepted, whose it was, and when its first came.
    last: Option<(u64, u64, Instant)>,
    turns: u64,
    accepted: u64,
    /// Writes with a lesser fence, of connections that were stopped, and of others.
    refused: u64,
    unexplained: u64,
    /// Turns of two that had the same fence.
    overlaps: u64,
    /// Connections of each worker, and whether it was stopped since its last turn began.
    workers: [(u64, bool); WORKERS],
}

#[derive(Default)]
struct Referee {
    seen: Mutex<Seen>,
    news: Notify,
}

impl Referee {
    /// One writes `<worker> <fence>`, and is answered with a line when it was judged.
    async fn judge(self: Arc<Self>, stream: TcpStream, connection: u64) {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        while matches!(stream.read_line(&mut line).await, Ok(1..)) {
            let (worker, fence) = line.trim().split_once(' ').unwrap();
            self.write(worker.parse().unwrap(), fence.parse().unwrap(), connection).await;
            line.clear();
            if stream.write_all(b"\n").await.is_err() {
                return;
            }
        }
    }

    async fn write(&self, worker: usize, fence: u64, connection: u64) {
        let mut seen = self.seen.lock().await;
        let was_stopped = seen.workers[worker].1;
        match seen.last {
            Some((last, ..)) if fence < last => {
                seen.refused += 1;
                seen.unexplained += u64::from(!was_stopped);
                return;
            }
            Some((last, whose, _)) if fence == last => {
                seen.overlaps += u64::from(whose != connection);
            }
            _ => {
                seen.last = Some((fence, connection, Instant::now()));
                seen.workers[worker] = (connection, false);
                seen.turns += 1;
                self.news.notify_waiters();
            }
        }
        seen.accepted += 1;
    }

    /// Waits for a turn that begins after this one, of another than this connection.
    async fn next(&self, after: u64, but: u64) -> Instant {
        loop {
            let news = self.news.notified();
            if let Some((fence, whose, at)) = self.seen.lock().await.last
                && fence > after
                && whose != but
            {
                return at;
            }
            // What has come in between is looked for again.
            let _ = timeout(Duration::from_millis(20), news).await;
        }
    }
}

/// Takes turns and writes, in a process of its own, if a referee has started it.
#[tokio::test]
async fn works_for_a_referee() {
    let Ok(work) = env::var(WORK) else { return };
    let [worker, referee, url] = work.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let random = Random(AtomicU64::new(u64::from(std::process::id())));
    let mut stream = BufReader::new(TcpStream::connect(referee).await.unwrap());
    let store = RedisSessionStore::new(link(url)).with_lease(LEASE);
    let mut line = String::new();
    loop {
        let Ok(mut turn) = turn(&store, &Ask::new(key("c-1"))).await else {
            sleep(Duration::from_millis(5)).await;
            continue;
        };
        let fence = turn.fence().unwrap();
        for _ in 0..=random.below(4) {
            let pause = sleep(random.up_to(LEASE / 8));
            let lost = tokio::select! {
                _ = poll_fn(|cx| turn.poll_lost(cx)) => true,
                () = pause => false,
            };
            if lost {
                break;
            }
            let written = stream.write_all(format!("{worker} {fence}\n").as_bytes()).await;
            if written.is_err() || stream.read_line(&mut line).await.is_err() {
                return;
            }
        }
    }
}

/// A process, and whether it is stopped.
struct Worker(Child, Arc<AtomicBool>);

impl Worker {
    fn start(index: usize, referee: &str, url: &str) -> Self {
        let name = format!("{}::works_for_a_referee", module_path!().split_once("::").unwrap().1);
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", &name])
            .env(WORK, format!("{index} {referee} {url}"))
            .stdout(Stdio::null())
            .spawn();
        Self(child.unwrap(), Arc::default())
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "what was measured is worth a line")]
async fn of_processes_that_stop_and_die_no_two_are_accepted_at_once() {
    let Some(mut server) = RedisServer::start() else { return };
    let asked = env::var(ROUNDS).ok().map(|rounds| rounds.parse::<u64>().unwrap());
    let rounds = asked.unwrap_or(ROUNDS_BY_DEFAULT);
    let random = Random(AtomicU64::new(u64::from(std::process::id())));
    let referee = Arc::<Referee>::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, url) = (listener.local_addr().unwrap().to_string(), server.url());
    let judge = Arc::clone(&referee);
    let judging = tokio::spawn(async move {
        for connection in 1.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(Arc::clone(&judge).judge(stream, connection));
        }
    });
    let start = |index| Worker::start(index, &address, &url);
    let mut workers: [Worker; WORKERS] = std::array::from_fn(start);
    timeout(LONG, referee.next(0, 0)).await.expect("the first turn comes");

    let mut waits = Vec::new();
    for round in 0..rounds {
        let (fence, whose, _) = referee.seen.lock().await.last.unwrap();
        let now = Instant::now();
        let mut seen = referee.seen.lock().await;
        // Mostly whoever has the turn.
        let owner = seen.workers.iter().position(|(it, _)| *it == whose);
        let victim = owner.filter(|_| random.below(4) > 0);
        let index = victim.unwrap_or(usize::try_from(random.below(3)).unwrap());
        // Else nobody can have the turn before one is let go on.
        let may_go = (0..WORKERS).any(|it| it != index && !workers[it].1.load(Relaxed));
        let each = usize::try_from(round).ok().and_then(|round| EACH.get(round));
        match each.copied().unwrap_or_else(|| random.below(8)) {
            0..=3 => {
                seen.workers[index].1 = true;
                let pid = workers[index].pid();
                kill_process(pid, Signal::STOP).unwrap();
                drop(seen);
                let (stop, is_stopped) = (random.up_to(LONGEST_STOP), workers[index].1.clone());
                is_stopped.store(true, Relaxed);
                tokio::spawn(async move {
                    sleep(stop).await;
                    is_stopped.store(false, Relaxed);
                    // It may have been killed meanwhile.
                    let _ = kill_process(pid, Signal::CONT);
                });
                let next = timeout(LONG, referee.next(fence, whose)).await;
                let waited = next.expect("another has its turn") - now;
                waits.extend(victim.filter(|_| may_go).map(|_| waited));
            }
            4 | 5 => {
                drop(seen);
                workers[index] = start(index);
                let next = timeout(LONG, referee.next(fence, whose)).await;
                let waited = next.expect("another has its turn") - now;
                waits.extend(victim.filter(|_| may_go).map(|_| waited));
            }
            6 => {
                drop(seen);
                server.restart();
                timeout(LONG, referee.next(fence, 0)).await.expect("turns go on");
            }
            _ => {
                drop(seen);
                server.freeze();
                sleep(random.up_to(LEASE * 2)).await;
                server.thaw();
                timeout(LONG, referee.next(fence, 0)).await.expect("turns go on");
            }
        }
    }
    judging.abort();
    let seen = referee.seen.lock().await;
    assert_eq!(seen.overlaps, 0, "{seen:?}");
    waits.sort_unstable();
    let share = |percent: usize| waits.get(waits.len() * percent / 100);
    let last = waits.last();
    let within = waits.iter().filter(|it| **it <= LEASE + LATER).count();
    println!("{within} of {} within lease + 100 ms", waits.len());
    println!("{rounds} rounds: {seen:?}");
    println!(
        "until the next had the turn: 50 % {:?}, 90 % {:?}, 99 % {:?}, 100 % {last:?}",
        share(50),
        share(90),
        share(99)
    );
    if asked.is_some() {
        assert_eq!(within, waits.len(), "the next has the turn in time");
        // Who was stopped has written too late, and nobody else has.
        assert!(seen.refused > 0 && seen.unexplained == 0, "{seen:?}");
    }
}
