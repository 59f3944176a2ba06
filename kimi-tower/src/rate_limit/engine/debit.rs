//! What was spent without being asked for: an answer that has cost more than was reserved for it, or
//! what an upstream says that others have spent.

use super::{Gcra, Limit, Moment, SlidingWindow};

impl Gcra {
    /// Returns the state after `cost` units were spent at `now`, whether they were there or not.
    ///
    /// What was not there is owed, at most a burst, and nothing is admitted before it has come back.
    #[must_use]
    pub fn debit(&self, state: u64, now: Moment, cost: u32) -> u64 {
        let (floor, ceil) = self.ticks.around(now.as_nanos());
        let from = if state <= floor { ceil } else { state };
        let owed = from.saturating_add(self.interval.saturating_mul(cost.into()));
        // No more is added to what is owed already, and nothing of that is let off.
        owed.min(ceil + 2 * self.capacity).max(state)
    }
}

impl SlidingWindow {
    /// Spends `cost` units at `now`, whether they are there or not.
    ///
    /// What is not there is owed: the units that come back next are spent again as they do, so that
    /// at most a quota's worth is owed, and at most a period from now. The log is then stricter than
    /// an exact one, and over a long time no more is spent than comes back.
    pub fn debit(&self, state: &mut [u64], now: Moment, cost: u32) {
        let there = self.level(state, now).remaining().min(cost);
        if there > 0 {
            // It cannot refuse what it says is there.
            let _ = self.decide(state, now, there);
        }
        let Some(mut head) = self.live(state, now) else { return };
        let mut owed = u64::from(cost - there);
        // What is owed already stands after now, and is not owed a second time.
        while owed > 0 && head.len > 0 && self.layout.time(state, &head, 0) <= self.slot_of(now) {
            let back = Moment::from_nanos(self.back_at(self.layout.time(state, &head, 0)));
            let taken = self.layout.take_first(state, &mut head, owed);
            // No slots lie farther apart than the first and this, so that there is room for it.
            let slot = self.slot_of(back).max(head.last);
            self.layout.push(state, &mut head, slot, taken);
            owed -= taken;
        }
        self.layout.write_head(state, &head);
    }
}

impl Limit {
    /// Spends `cost` units at `now`, whether they are there or not, as [`Gcra::debit`] or
    /// [`SlidingWindow::debit`] does.
    pub fn debit(&self, state: &mut [u64], now: Moment, cost: u32) {
        match (self, state) {
            (Self::SlidingWindow(window), state) => window.debit(state, now, cost),
            (Self::Gcra(gcra), [state]) => *state = gcra.debit(*state, now, cost),
            (Self::Gcra(_), _) => {}
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use std::time::Duration;

    use super::*;
    use crate::rate_limit::{Decision, Quota};

    fn limits() -> [Limit; 3] {
        let quota = Quota::try_new(5, Duration::from_secs(60)).unwrap();
        [
            Gcra::new(quota).into(),
            SlidingWindow::try_new(quota).unwrap().into(),
            SlidingWindow::try_with_sub_windows(quota, 60).unwrap().into(),
        ]
    }

    fn at(seconds: u64) -> Moment {
        Moment::after(Duration::from_secs(seconds))
    }

    #[test]
    fn what_is_there_is_spent() {
        for limit in limits() {
            let mut state = vec![0; limit.words()];
            limit.debit(&mut state, at(100), 3);
            assert_eq!(limit.level(&state, at(100)).remaining(), 2, "{limit:?}");
            limit.debit(&mut state, at(100), 0);
            assert_eq!(limit.level(&state, at(100)).remaining(), 2, "{limit:?}");
        }
    }

    #[test]
    fn what_is_not_there_comes_back_later() {
        for limit in limits() {
            let mut state = vec![0; limit.words()];
            assert!(limit.decide(&mut state, at(100), 5).is_admitted());
            limit.debit(&mut state, at(100), 5);
            let Decision::Wait(wait) = limit.peek(&state, at(100), 5) else { panic!("{limit:?}") };
            assert_eq!(wait.as_secs(), 120, "{limit:?}");
            assert!(limit.decide(&mut state, at(220), 5).is_admitted());
        }
    }

    /// It once let go of all units that would have come back by the time at which it owed.
    #[test]
    fn what_is_owed_takes_the_place_of_no_more_than_it_is() {
        for limit in limits() {
            let mut state = vec![0; limit.words()];
            assert!(limit.decide(&mut state, at(100), 5).is_admitted());
            limit.debit(&mut state, at(100), 1);
            assert!(!limit.peek(&state, at(101), 1).is_admitted(), "{limit:?}");
            assert!(limit.peek(&state, at(220), 5).is_admitted(), "{limit:?}");
        }
    }

    /// What was spent after that once counted from when it would have been owed, and owed nothing.
    #[test]
    fn what_is_owed_and_given_back_leaves_nothing_behind() {
        let window = SlidingWindow::try_new(Quota::try_new(1, Duration::from_secs(60)).unwrap());
        let limit = Limit::from(window.unwrap());
        let mut state = vec![0; limit.words()];
        assert!(limit.decide(&mut state, at(100), 1).is_admitted());
        limit.debit(&mut state, at(110), 1);
        limit.refund(&mut state, at(110), at(100), 1);
        assert!(limit.is_whole(&state, at(110)));
        limit.debit(&mut state, at(130), 2);
        assert_eq!(limit.level(&state, at(130)).reset().as_secs(), 120);
    }

    #[test]
    fn no_more_is_owed_than_a_whole_quota() {
        for limit in limits() {
            let mut state = vec![0; limit.words()];
            for _ in 0..10 {
                limit.debit(&mut state, at(100), u32::MAX);
            }
            let Decision::Wait(wait) = limit.peek(&state, at(100), 5) else { panic!("{limit:?}") };
            assert!(wait.as_secs() <= 120, "{limit:?} {wait:?}");
            assert!(limit.decide(&mut state, at(100) + wait, 5).is_admitted());
        }
    }
}
