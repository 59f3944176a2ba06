//! What one process has and awaits, without Redis or a clock.

mod held;

use std::{collections::HashMap, sync::Arc, task::Waker, time::Duration};

use tokio::{sync::Notify, time::Instant};

use self::held::{Held, Stage};
use super::said::Seat;
use crate::{
    key::Key,
    session::{
        EndTurn, Lost,
        notice::{GRACE, Notice},
    },
};

/// The turns and places of one process.
#[derive(Debug, Default)]
pub(super) struct Table {
    turns: HashMap<u64, Held>,
    /// Whom to wake for which place.
    places: HashMap<u64, Arc<Notify>>,
    /// How many turns and places each session has here.
    sessions: HashMap<Key, usize>,
}

/// What is to be done at a time.
#[derive(Default)]
pub(super) struct Due {
    pub(super) notices: Vec<Notice>,
    /// These are to be given back for their holders.
    pub(super) taken: Vec<Seat>,
    /// When to look again; `None` if there is nothing to look for.
    pub(super) next: Option<Instant>,
}

impl Table {
    /// Counts one more of a session, unless that is one session more than may be.
    pub(super) fn enter(&mut self, key: Key, max_sessions: usize) -> bool {
        let len = self.sessions.len();
        match self.sessions.get_mut(&key) {
            Some(count) => *count += 1,
            None if len >= max_sessions => return false,
            None => drop(self.sessions.insert(key, 1)),
        }
        true
    }

    pub(super) fn exit(&mut self, key: Key) {
        if let Some(count) = self.sessions.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                self.sessions.remove(&key);
                shrink(&mut self.sessions);
            }
        }
    }

    /// Whether Redis has to know that the process is alive.
    pub(super) fn is_busy(&self) -> bool {
        !self.turns.is_empty() || !self.places.is_empty()
    }

    pub(super) fn await_turn(&mut self, ticket: u64, wake: Arc<Notify>) {
        self.places.insert(ticket, wake);
    }

    /// Makes a place a turn.
    pub(super) fn hold(&mut self, seat: Seat, number: u64, until: Instant) {
        self.leave_line(seat.ticket);
        let Seat { key, ticket } = seat;
        let held = Held { key, number, until, stage: Stage::Held, waker: None, end: None };
        self.turns.insert(ticket, held);
    }

    pub(super) fn leave_line(&mut self, ticket: u64) {
        self.places.remove(&ticket);
        shrink(&mut self.places);
    }

    /// Forgets a turn. What is left of it is to be dropped when nothing is locked.
    pub(super) fn release(&mut self, ticket: u64) -> impl Sized + use<> {
        let held = self.turns.remove(&ticket);
        shrink(&mut self.turns);
        held
    }

    /// Whether it has this turn or place.
    pub(super) fn knows(&self, ticket: u64) -> bool {
        self.turns.contains_key(&ticket) || self.places.contains_key(&ticket)
    }

    /// Returns whom to wake for a place; `None` if there is no such place.
    pub(super) fn place(&self, ticket: u64) -> Option<&Notify> {
        self.places.get(&ticket).map(|it| &**it)
    }

    pub(super) fn places(&self) -> impl Iterator<Item = &Notify> {
        self.places.values().map(|it| &**it)
    }

    /// Returns why a turn has to end; else leaves a waker, swapped for the one before, which is to be
    /// dropped when nothing is locked.
    pub(super) fn lost(
        &mut self,
        ticket: u64,
        waker: &mut Option<Waker>,
        now: Instant,
    ) -> Option<Lost> {
        let held = self.turns.get_mut(&ticket)?;
        let lost = held.lost(now);
        if lost.is_none() {
            std::mem::swap(&mut held.waker, waker);
        }
        lost
    }

    /// Leaves what ends a turn, swapped for the one before; returns why it has to end already.
    pub(super) fn set_end(
        &mut self,
        ticket: u64,
        end: &mut Option<Arc<dyn EndTurn>>,
        now: Instant,
    ) -> Option<Lost> {
        let held = self.turns.get_mut(&ticket)?;
        let lost = held.lost(now);
        if lost.is_none() {
            std::mem::swap(&mut held.end, end);
        }
        lost
    }

    /// Tells a turn to end, if it is there and was not told.
    pub(super) fn tell(&mut self, ticket: u64, lost: Lost, now: Instant) -> Option<Notice> {
        self.turns.get_mut(&ticket)?.tell(lost, now)
    }

    /// Tells a turn to end if its answer was not read for this long.
    pub(super) fn tell_idle(
        &mut self,
        ticket: u64,
        max_idle: Duration,
        now: Instant,
    ) -> Option<Notice> {
        let held = self.turns.get_mut(&ticket)?;
        let since = held.end.as_ref()?.idle_since()?;
        let is_idle = now.saturating_duration_since(since) >= max_idle;
        if is_idle { held.tell(Lost::Idle, now) } else { None }
    }

    /// Returns the turns that are to be leased again, each with its number.
    pub(super) fn leases(&self, now: Instant) -> Vec<(Seat, u64)> {
        let held = self
            .turns
            .iter()
            .filter(|(_, held)| held.until > now && !matches!(held.stage, Stage::Taken(_)));
        held.map(|(ticket, it)| (Seat { key: it.key, ticket: *ticket }, it.number)).collect()
    }

    /// A turn was leased again until this time, or was not because it is another's.
    pub(super) fn leased(
        &mut self,
        ticket: u64,
        until: Option<Instant>,
        now: Instant,
    ) -> Option<Notice> {
        let held = self.turns.get_mut(&ticket)?;
        match until {
            // It is not leased again after it was told that it is not.
            Some(_) if matches!(held.stage, Stage::Told(Lost::Lease, _) | Stage::Taken(_)) => None,
            Some(until) => {
                held.until = held.until.max(until);
                None
            }
            None => held.tell(Lost::Lease, now),
        }
    }

    /// Looks which turns have had their time.
    pub(super) fn due(&mut self, now: Instant) -> Due {
        let mut due = Due::default();
        for (ticket, held) in &mut self.turns {
            if held.until <= now {
                due.notices.extend(held.tell(Lost::Lease, now));
            }
            let next = match held.stage {
                Stage::Held => held.until,
                Stage::Told(lost, told) if told + GRACE <= now => {
                    held.stage = Stage::Taken(lost);
                    due.taken.push(Seat { key: held.key, ticket: *ticket });
                    continue;
                }
                Stage::Told(_, told) => told + GRACE,
                Stage::Taken(_) => continue,
            };
            due.next = Some(due.next.map_or(next, |it| it.min(next)));
        }
        due
    }

    /// Returns how many turns and places there are.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.turns.len(), self.places.len())
    }
}

/// Gives memory back when less than an eighth of it is used, so that it is seldom moved.
fn shrink<K: Eq + std::hash::Hash, V>(map: &mut HashMap<K, V>) {
    let len = map.len();
    if map.capacity() > 32.max(len * 8) {
        map.shrink_to(len * 2);
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
