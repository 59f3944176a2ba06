//! Those of one key who wait.

use std::collections::VecDeque;

use super::{
    super::{Costs, Moment, Rule},
    decide,
    waiting::{Place, Waiting, Woken},
};
use crate::sync::Arc;

/// How many who have left may stay in a row beside as many as wait: 16, ours.
const MAX_LEFT: usize = 16;

/// Those of one key who wait, in the order in which they asked, and until when nobody may go.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiters: VecDeque<Waiter>,
    /// How many of them have not left.
    live: usize,
    /// The number that the next gets.
    next: u64,
    paused_until: Moment,
    forecast: Option<Forecast>,
}

/// What will have been when all who wait have gone, each as soon as may be. Kept until something else
/// happens, so that who comes next need not go through the row again.
#[derive(Debug)]
struct Forecast {
    state: Box<[u64]>,
    /// When the last will have gone.
    at: Moment,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    costs: Costs,
    /// When its turn comes, as far as it was told: that of the first is exact, and another comes
    /// earlier if somebody leaves. Its alarm is set to this or to an earlier time.
    due: Moment,
    /// Whether it has left, and is only still in the row.
    has_left: bool,
    place: Arc<Place>,
}

impl Queue {
    /// Returns how many wait.
    pub(super) const fn len(&self) -> usize {
        self.live
    }

    /// Returns whether nobody waits, and nobody has to.
    pub(super) fn is_over(&self, now: Moment) -> bool {
        self.live == 0 && self.paused_until <= now
    }

    /// Lets nobody go until then.
    pub(super) fn pause(&mut self, until: Moment) {
        self.paused_until = self.paused_until.max(until);
        self.forecast = None;
    }

    /// Takes notice that the state of the key is not what was forecast.
    pub(super) fn forget_forecast(&mut self) {
        self.forecast = None;
    }

    /// Returns what the state of the key will be when all who wait have gone, and when that is, not
    /// before `now`. Whoever goes later than it was told is told.
    pub(super) fn forecast(
        &mut self,
        rules: &[Rule],
        state: &[u64],
        now: Moment,
    ) -> (&[u64], Moment) {
        let forecast = self.forecast.get_or_insert_with(|| {
            let (mut state, mut at) = (Box::from(state), now.max(self.paused_until));
            for waiter in self.waiters.iter_mut().filter(|waiter| !waiter.has_left) {
                at = decide::admit(rules, &mut state, at, &waiter.costs);
                if waiter.due < at {
                    waiter.tell(at);
                }
            }
            Forecast { state, at }
        });
        (&forecast.state, forecast.at.max(now))
    }

    /// Adds one who will be due then.
    pub(super) fn push(&mut self, rules: &[Rule], costs: Costs, due: Moment) -> Waiting {
        if let Some(forecast) = &mut self.forecast {
            forecast.at = decide::admit(rules, &mut forecast.state, due, &costs);
        }
        let number = self.next;
        self.next += 1;
        self.live += 1;
        let place = Arc::new(Place::new(due));
        let waiter = Waiter { number, costs, due, has_left: false, place: Arc::clone(&place) };
        self.waiters.push_back(waiter);
        Waiting::new(number, place)
    }

    /// Returns what the first costs, and until when it may not go in any case.
    pub(super) fn first(&mut self) -> Option<(Costs, Moment)> {
        // Whoever has left is taken out when it would be the first.
        while self.waiters.front().is_some_and(|waiter| waiter.has_left) {
            self.waiters.pop_front();
        }
        self.waiters.front().map(|waiter| (waiter.costs, self.paused_until))
    }

    /// Grants the first its turn.
    pub(super) fn grant_first(&mut self, now: Moment, woken: &mut Woken) {
        let Some(waiter) = self.waiters.pop_front() else { return };
        self.live -= 1;
        let waker = waiter.place.grant(now);
        if waiter.due != now {
            self.forecast = None;
        }
        // S3: once it is due its alarm wakes it, and once is enough.
        if waiter.due > now {
            woken.to_wake.extend(waker);
        } else {
            woken.to_drop.extend(waker);
        }
    }

    /// Tells the first when its turn comes.
    pub(super) fn tell_first(&mut self, due: Moment, woken: &mut Woken) {
        let Some(waiter) = self.waiters.front_mut() else { return };
        if due != waiter.due {
            self.forecast = None;
        }
        // Of a later time its alarm lets it know, by which it looks too early.
        if due < waiter.due {
            woken.to_wake.extend(waiter.place.take_waker());
        }
        waiter.tell(due);
    }

    /// Takes one out who is not granted, and returns whether it was the first.
    pub(super) fn leave(&mut self, number: u64) -> bool {
        // Then whoever is at the front of the row is the first.
        self.first();
        let Some(index) = self.position(number) else { return false };
        self.waiters[index].has_left = true;
        self.forecast = None;
        self.live -= 1;
        // Those who have left are never more than those who wait, and a few.
        if self.waiters.len() > 2 * self.live + MAX_LEFT {
            self.waiters.retain(|waiter| !waiter.has_left);
        }
        index == 0
    }

    fn position(&self, number: u64) -> Option<usize> {
        self.waiters.binary_search_by_key(&number, |waiter| waiter.number).ok()
    }
}

impl Waiter {
    fn tell(&mut self, until: Moment) {
        self.due = until;
        self.place.tell(until);
    }
}
