use std::time::Duration;

use tokio::time::Instant;

use crate::{
    random::Random,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// Which of several tokens a request is sent with, of those that do not rest.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Choice {
    /// Any of them, as kimi-free-api does. The default.
    #[default]
    Random,
    /// One after another.
    RoundRobin,
    /// The one that was limited the longest time ago, or never; of several such, one after another.
    LeastLimited,
}

/// How a pool chooses, and for how long a token rests.
#[derive(Clone, Copy, Debug)]
pub struct PoolPolicy {
    pub(super) choice: Choice,
    pub(super) dead: Duration,
    pub(super) limited: Duration,
    pub(super) seed: Option<u64>,
}

impl PoolPolicy {
    /// Creates the defaults, each of which is told where it is set.
    #[must_use]
    pub const fn new() -> Self {
        let (dead, limited) = (Duration::from_secs(10 * 60), Duration::from_secs(1));
        Self { choice: Choice::Random, dead, limited, seed: None }
    }

    /// Sets which token is chosen. Default: any.
    #[must_use]
    pub const fn with_choice(mut self, choice: Choice) -> Self {
        self.choice = choice;
        self
    }

    /// Sets for how long a token rests that is refused and has no successor, or whose quota is used
    /// up until somebody pays, or until a time that nobody told. Default: 10 min, ours: after that
    /// requests find out.
    #[must_use]
    pub const fn with_dead_rest(mut self, rest: Duration) -> Self {
        self.dead = rest;
        self
    }

    /// Sets for how long a token rests that has too many requests, tokens or concurrent requests, if
    /// the answer does not say. Default: 1 s, as long as the platform asks for at least. What the
    /// answer says is obeyed up to 24 h.
    #[must_use]
    pub const fn with_limited_rest(mut self, rest: Duration) -> Self {
        self.limited = rest;
        self
    }

    /// Draws from this which token is chosen, for tests. Default: from the system.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }
}

impl Default for PoolPolicy {
    /// As [`new`](Self::new) does.
    fn default() -> Self {
        Self::new()
    }
}

/// Chooses, one time after another.
#[derive(Debug)]
pub(super) struct Chooser {
    pub(super) policy: PoolPolicy,
    random: Random,
    /// `Relaxed`, since it orders nothing: that two choose the same does no harm.
    turn: AtomicUsize,
}

impl Chooser {
    pub(super) fn new(policy: PoolPolicy) -> Self {
        let random = policy.seed.map_or_else(Random::from_system, Random::new);
        Self { policy, random, turn: AtomicUsize::new(0) }
    }

    /// Chooses one of so many, by when each was limited; `None` for one that cannot be had.
    pub(super) fn choose(
        &self,
        count: usize,
        limited: impl Fn(usize) -> Option<Option<Instant>>,
    ) -> Option<usize> {
        let start = match self.policy.choice {
            Choice::Random => self.random.next(),
            Choice::RoundRobin | Choice::LeastLimited => self.turn.fetch_add(1, Relaxed) as u64,
        };
        let start = usize::try_from(start % count.max(1) as u64).unwrap_or(0);
        let mut those = (start..count).chain(0..start).filter_map(|at| Some((at, limited(at)?)));
        match self.policy.choice {
            Choice::RoundRobin => those.next(),
            // Not the first behind any place: who stands behind one that rests would be chosen twice
            // as often.
            Choice::Random => {
                let those: Vec<_> = those.collect();
                let drawn = self.random.next() % those.len().max(1) as u64;
                those.get(usize::try_from(drawn).unwrap_or(0)).copied()
            }
            Choice::LeastLimited => those.min_by_key(|(_, limited)| *limited),
        }
        .map(|(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chooser(choice: Choice) -> Chooser {
        Chooser::new(PoolPolicy::new().with_choice(choice).with_seed(1))
    }

    #[test]
    fn one_after_another() {
        let chooser = chooser(Choice::RoundRobin);
        let chosen = [(); 6].map(|()| chooser.choose(3, |_| Some(None)));
        assert_eq!(chosen, [0, 1, 2, 0, 1, 2].map(Some));
        // Whoever rests is passed over.
        let chosen = [(); 3].map(|()| chooser.choose(3, |at| (at != 1).then_some(None)));
        assert_eq!(chosen, [0, 2, 2].map(Some));
    }

    #[test]
    fn any_with_the_same_chance() {
        let chooser = chooser(Choice::Random);
        let mut counts = [0; 4];
        for _ in 0..3_000 {
            // Place 1 rests.
            counts[chooser.choose(4, |at| (at != 1).then_some(None)).unwrap()] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!([0, 2, 3].iter().all(|at| (900..1_100).contains(&counts[*at])), "{counts:?}");
    }

    #[test]
    fn the_one_that_was_limited_the_longest_time_ago() {
        let now = Instant::now();
        let chooser = chooser(Choice::LeastLimited);
        let later = now + Duration::from_secs(1);
        let times = [Some(later), Some(now), None];
        assert_eq!(chooser.choose(3, |at| Some(times[at])), Some(2));
        assert_eq!(chooser.choose(2, |at| Some(times[at])), Some(1));
        assert_eq!(chooser.choose(3, |_| None), None);
        assert_eq!(chooser.choose(0, |_| None), None);
    }
}
