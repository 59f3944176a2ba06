//! What the clock of the server says, for whoever cannot look at it: no clock of the machine's own
//! is read for it but the monotonic one.

use std::time::Duration;

use tokio::time::Instant;

use crate::sync::Lock;

/// For how long it is known from one answer: 60 s, ours. Clocks that go apart by 200 µs a second, more
/// than quartz does, are 12 ms apart by then.
const KNOWN: Duration = Duration::from_secs(60);

/// What was last heard of the server's clock, which may have gone on since.
pub(super) struct ServerClock(Lock<Option<Heard>>);

#[derive(Clone, Copy)]
struct Heard {
    /// In µs since 1970.
    server: u64,
    /// When it was received, which is after it was read.
    at: Instant,
}

impl ServerClock {
    pub(super) fn new() -> Self {
        Self(Lock::new(None))
    }

    /// Returns what it says now, in µs since 1970, or a little less; `None` if that is not known.
    pub(super) fn at_least(&self, now: Instant) -> Option<u64> {
        let heard = (*self.0.lock())?;
        heard
            .age(now)
            .filter(|age| *age < KNOWN)
            .map(|age| heard.server.saturating_add(micros(age)))
    }

    /// It said this to a question that was sent, and answered, then.
    pub(super) fn hear(&self, server: u64, sent: Instant, received: Instant) {
        let mut heard = self.0.lock();
        // What took less time on its way back says more.
        let is_better = heard.is_some_and(|it| {
            let at = |now| it.age(now).map(|age| it.server.saturating_add(micros(age)));
            // Else the clock was set back, or it is another server.
            at(sent).is_some_and(|at_least| at_least <= server)
                && at(received).is_some_and(|at_least| at_least > server)
                // Soon enough that it is never unknown to who asks often.
                && it.age(received).is_some_and(|age| age < KNOWN / 2)
        });
        if !is_better {
            *heard = Some(Heard { server, at: received });
        }
    }
}

impl Heard {
    fn age(self, now: Instant) -> Option<Duration> {
        now.checked_duration_since(self.at)
    }
}

pub(super) fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn it_is_never_told_later_than_it_is() {
        let (clock, start) = (ServerClock::new(), Instant::now());
        // The server's clock says this much more than ours.
        let ahead = 7_000_000;
        let read = |since: Duration| ahead + micros(since);
        let mut lag = 0;
        for (at, there, back) in [(0, 1, 90), (200, 30, 5), (300, 5, 60), (400, 1, 1)] {
            let at = at * MS;
            let (there, back) = (at + there * MS, at + (there + back) * MS);
            clock.hear(read(there), start + at, start + back);
            let now = clock.at_least(start + back).unwrap();
            assert!(now <= read(back));
            lag = read(back) - now;
        }
        // What is known best is kept.
        assert_eq!(lag, 1_000);
    }

    #[test]
    fn it_is_unknown_before_it_was_heard_and_long_after() {
        let (clock, start) = (ServerClock::new(), Instant::now());
        assert_eq!(clock.at_least(start), None);
        clock.hear(40, start, start);
        assert_eq!(clock.at_least(start + MS), Some(1_040));
        assert_eq!(clock.at_least(start + KNOWN), None);
    }

    /// What time of day it is on a machine is nothing to its turns: neither here, nor in what sends.
    #[test]
    fn nobody_here_reads_the_time_of_day() {
        let mut folders = vec![concat!(env!("CARGO_MANIFEST_DIR"), "/src/redis").into()];
        let mut count = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir::<std::path::PathBuf>(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                // The one module that reads it.
                assert!(!text.contains(concat!("crate::", "clock")), "{}", path.display());
                assert!(!text.contains(concat!("System", "Time")), "{}", path.display());
                count += 1;
            }
        }
        assert!(count > 20, "{count}");
    }

    #[test]
    fn one_that_was_set_is_believed() {
        for set in [1_000, 90_000_000] {
            let (clock, start) = (ServerClock::new(), Instant::now());
            clock.hear(9_000_000, start, start);
            clock.hear(set, start + MS, start + 2 * MS);
            assert_eq!(clock.at_least(start + 3 * MS), Some(set + 1_000));
        }
    }

    #[test]
    fn what_was_heard_long_ago_gives_way() {
        let (clock, start) = (ServerClock::new(), Instant::now());
        clock.hear(0, start, start);
        // It took longer on its way back.
        let half = KNOWN / 2;
        clock.hear(micros(half), start + half, start + half + MS);
        assert_eq!(clock.at_least(start + KNOWN), Some(micros(KNOWN - MS)));
    }
}
