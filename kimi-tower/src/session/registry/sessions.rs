//! Who has which session, without threads or a clock.

use std::{collections::HashMap, task::Waker};

use hashbrown::{HashTable, hash_table::Entry};
use tokio::time::Instant;

use super::{
    super::Lost,
    answer::{Answer, Asking, Due, Freed},
    holder::{Holder, IsDue, Left, Patience},
    line::{Called, Gone, Line, Look, Places},
};
use crate::key::Key;

/// How many sessions there is room for, at least, when they have gone: 28, which is what a table of
/// 32 buckets holds. Ours, so that one that comes and goes allocates nothing.
const SPARE: usize = 28;

/// The sessions of one shard. One that nobody holds is not among them.
#[derive(Default)]
pub(super) struct Sessions {
    table: HashTable<Session>,
    places: Places,
    /// The number of the last turn. A turn is known by it, so that one which was taken away cannot
    /// give back another's.
    last_turn: u64,
    /// Turns that were taken away from holders who still have to learn it, and why. A holder that
    /// is dropped leaves.
    taken: HashMap<u64, Lost>,
}

/// A session that is held.
struct Session {
    key: Key,
    holder: Holder,
    line: Line,
}

impl Sessions {
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) const fn waiting(&self) -> usize {
        self.places.waiting()
    }

    /// Gives the turn to one whose session nobody holds, if `counts` finds room for one more, else a
    /// place in the line if there is room. Who supersedes always finds room: whoever waited before
    /// leaves it, and whoever holds it is told to end. That is one step, so that nobody newer can
    /// come between.
    #[inline]
    pub(super) fn ask(
        &mut self,
        key: Key,
        asking: Asking,
        counts: impl FnOnce() -> bool,
    ) -> Answer {
        let Self { table, places, last_turn, .. } = self;
        let mut known = match table.entry(hash(key), |it| it.key == key, |it| hash(it.key)) {
            Entry::Occupied(known) => known,
            Entry::Vacant(vacant) => {
                if !counts() {
                    return Answer::TooMany;
                }
                *last_turn += 1;
                let holder = Holder::new(*last_turn, asking.now);
                vacant.insert(Session { key, holder, line: Line::default() });
                return Answer::Granted(*last_turn);
            }
        };
        let Session { holder, line, .. } = known.get_mut();
        let (mut superseded, mut notice) = (Vec::new(), None);
        if asking.supersedes {
            while let (true, waker) = places.call_first(line, Called::Superseded) {
                superseded.extend(waker);
            }
            if holder.told().is_none() {
                notice = Some(holder.tell(Lost::Superseded, asking.now));
            }
        } else if line.len() >= asking.max_waiting {
            return Answer::Full;
        }
        let ahead = line.len() + 1;
        Answer::Waits { place: places.join(line), ahead, superseded, notice }
    }

    /// See [`Places::look`].
    pub(super) fn look(&mut self, key: Key, place: usize, waker: &mut Option<Waker>) -> Look {
        let look = self.places.look(place, waker);
        if let Look::Called(Called::Granted(turn), _) = look
            && let Some(holder) = self.holder(key, turn)
        {
            holder.has_seen();
        }
        look
    }

    /// Looks whether a holder has had its time, for somebody in its line.
    pub(super) fn due(&mut self, key: Key, patience: Patience, now: Instant) -> Due {
        let Some(session) = self.find(key) else { return Due::At(None) };
        let holder = &mut session.holder;
        match holder.is_due(patience, now) {
            IsDue::At(at) => Due::At(at),
            IsDue::ToBeTold(lost) => Due::Told(holder.tell(lost, now)),
            IsDue::ToBeTaken(lost) => {
                let turn = holder.turn();
                self.taken.insert(turn, lost);
                Due::Taken(self.release(key, turn, now))
            }
        }
    }

    /// Returns why a turn has to end; else leaves a waker to be told by, swapped for the one before.
    pub(super) fn lost(&mut self, key: Key, turn: u64, waker: &mut Option<Waker>) -> Option<Lost> {
        match self.holder(key, turn) {
            Some(holder) => holder.told_or(|holder| holder.swap_waker(waker)),
            None => self.taken.get(&turn).copied(),
        }
    }

    /// Leaves what ends a turn; returns why it has to end already.
    pub(super) fn set_end(&mut self, key: Key, turn: u64, left: &mut Left) -> Option<Lost> {
        match self.holder(key, turn) {
            Some(holder) => holder.told_or(|holder| holder.swap_end(left)),
            None => self.taken.get(&turn).copied(),
        }
    }

    /// Ends a turn, and grants one to the first in the line, unless it was taken away before.
    #[inline]
    pub(super) fn release(&mut self, key: Key, turn: u64, now: Instant) -> Freed {
        let Self { table, places, last_turn, .. } = self;
        let known = table.find_entry(hash(key), |it| it.key == key && it.holder.turn() == turn);
        let Ok(mut known) = known else { return self.forget(turn) };
        let session = known.get_mut();
        let held = Some(session.holder.held(now));
        let left = session.holder.take_left();
        if session.line.len() > 0 {
            *last_turn += 1;
            let woken = places.call_first(&mut session.line, Called::Granted(*last_turn)).1;
            session.holder = Holder::granted(*last_turn, now);
            return Freed { woken, left, held, is_over: false };
        }
        // T3. Nobody holds it, and nobody waits.
        drop(known.remove());
        self.shrink();
        Freed { woken: None, left, held, is_over: true }
    }

    /// Gives up a place, and with it the turn if it was granted.
    pub(super) fn leave(&mut self, key: Key, place: usize, now: Instant) -> (Freed, Gone) {
        let Self { table, places, .. } = self;
        let mut session = table.find_mut(hash(key), |it| it.key == key);
        let line = session.as_mut().map(|it| &mut it.line);
        let (called, gone) = places.leave(line, place);
        let freed = match (called, session) {
            (Some(Called::Granted(turn)), _) => self.release(key, turn, now),
            // It may be the one that had told the holder, and was to take the turn: another looks.
            (None, Some(session)) if session.holder.told().is_some() => {
                Freed { woken: places.waker_of_first(&session.line), ..Freed::default() }
            }
            (Some(Called::Superseded) | None, _) => Freed::default(),
        };
        (freed, gone)
    }

    /// Whoever has had this turn has gone, and does not want to know any more.
    #[cold]
    fn forget(&mut self, turn: u64) -> Freed {
        self.taken.remove(&turn);
        if self.taken.is_empty() {
            self.taken = HashMap::new();
        }
        Freed::default()
    }

    fn find(&mut self, key: Key) -> Option<&mut Session> {
        self.table.find_mut(hash(key), |it| it.key == key)
    }

    fn holder(&mut self, key: Key, turn: u64) -> Option<&mut Holder> {
        self.find(key).map(|session| &mut session.holder).filter(|holder| holder.turn() == turn)
    }

    /// Gives memory back when less than an eighth of it is used, so that it is seldom moved.
    #[inline]
    fn shrink(&mut self) {
        let len = self.table.len();
        if self.table.capacity() > SPARE.max(len * 8) {
            self.table.shrink_to(SPARE.max(len * 2), |it| hash(it.key));
        }
    }
}

/// A key is a hash already, with a secret. Its other half chooses the shard.
#[inline]
const fn hash(key: Key) -> u64 {
    key.0[0]
}

#[cfg(all(test, not(loom)))]
impl Sessions {
    pub(super) fn allocation_size(&self) -> usize {
        self.table.allocation_size() + self.places.allocation_size()
    }

    pub(super) fn taken(&self) -> usize {
        self.taken.len()
    }
}
