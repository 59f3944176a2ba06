//! Who has which session, without threads or a clock.

use std::{sync::Arc, task::Waker, time::Duration};

use hashbrown::{HashTable, hash_table::Entry};
use tokio::time::Instant;

use super::{
    super::{EndTurn, Lost},
    holder::{Holder, IsDue, Notice, Patience},
    line::{Called, Line, Look, Places},
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
}

/// A session that is held.
struct Session {
    key: Key,
    holder: Holder,
    line: Line,
}

/// How one asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking {
    pub(super) max_waiting: usize,
    /// Whether it wants the session at once, and whoever has it to end.
    pub(super) supersedes: bool,
    pub(super) now: Instant,
}

/// What becomes of one that asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Answer {
    /// It has the turn of this number.
    Granted(u64),
    /// It has a place, and so many are before it, the holder included.
    Waits {
        place: usize,
        ahead: usize,
    },
    Full,
}

/// What the first in a line finds who looks at the holder.
pub(super) enum Due {
    /// Nothing can be done before this time; `None` if never.
    At(Option<Instant>),
    /// It was told to end, by this.
    Told(u64, Notice),
    /// It was told, did not end, and has lost the turn.
    Taken(Freed),
}

/// What is to be done when nothing is locked.
#[derive(Default)]
pub(super) struct Freed {
    /// Who has the turn now is woken.
    pub(super) woken: Option<Waker>,
    /// What the last holder has left is dropped.
    pub(super) left: Notice,
    /// For how long the turn was held, if this has ended it.
    pub(super) held: Option<Duration>,
    /// Whether the session is gone.
    pub(super) is_over: bool,
}

impl Sessions {
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) const fn waiting(&self) -> usize {
        self.places.waiting()
    }

    pub(super) fn is_known(&self, key: Key) -> bool {
        self.table.find(hash(key), |it| it.key == key).is_some()
    }

    /// Gives the turn to one whose session nobody holds, else a place in the line if there is room.
    /// Who supersedes always finds room: whoever waited before leaves it.
    #[inline]
    pub(super) fn ask(&mut self, key: Key, asking: Asking, superseded: &mut Vec<Waker>) -> Answer {
        let Self { table, places, last_turn } = self;
        let mut known = match table.entry(hash(key), |it| it.key == key, |it| hash(it.key)) {
            Entry::Occupied(known) => known,
            Entry::Vacant(vacant) => {
                *last_turn += 1;
                let holder = Holder::new(*last_turn, asking.now);
                vacant.insert(Session { key, holder, line: Line::default() });
                return Answer::Granted(*last_turn);
            }
        };
        let session = known.get_mut();
        if asking.supersedes {
            while let (true, waker) = places.call_first(&mut session.line, Called::Superseded) {
                superseded.extend(waker);
            }
        } else if session.line.len() >= asking.max_waiting {
            return Answer::Full;
        }
        let ahead = session.line.len() + 1;
        Answer::Waits { place: places.join(&mut session.line), ahead }
    }

    /// See [`Places::look`].
    pub(super) fn look(&mut self, place: usize, waker: &mut Option<Waker>) -> Look {
        self.places.look(place, waker)
    }

    /// Tells whoever has the session to end, for somebody newer.
    pub(super) fn supersede(&mut self, key: Key, now: Instant) -> Option<(u64, Notice)> {
        let holder = &mut self.find(key)?.holder;
        if holder.told().is_some() {
            return None;
        }
        Some((holder.turn(), holder.tell(Lost::Superseded, now)))
    }

    /// Looks whether a holder has had its time, for the first in its line.
    pub(super) fn due(&mut self, key: Key, patience: Patience, now: Instant) -> Due {
        let Some(session) = self.find(key) else { return Due::At(None) };
        let holder = &mut session.holder;
        match holder.is_due(patience, now) {
            IsDue::At(at) => Due::At(at),
            IsDue::ToBeTold(lost) => Due::Told(holder.turn(), holder.tell(lost, now)),
            IsDue::ToBeTaken => Due::Taken(self.pass_on(key, now, |_| true)),
        }
    }

    /// Returns why a turn has to end; else leaves a waker to be told by, swapped for the one before.
    ///
    /// A turn that was taken is one that was held for too long.
    pub(super) fn lost(&mut self, key: Key, turn: u64, waker: &mut Option<Waker>) -> Option<Lost> {
        let Some(holder) = self.holder(key, turn) else { return Some(Lost::MaxHold) };
        holder.told_or(|holder| holder.swap_waker(waker))
    }

    /// Leaves what ends a turn; returns why it has to end already.
    pub(super) fn set_end(
        &mut self,
        key: Key,
        turn: u64,
        end: &mut Option<Arc<dyn EndTurn>>,
    ) -> Option<Lost> {
        let Some(holder) = self.holder(key, turn) else { return Some(Lost::MaxHold) };
        holder.told_or(|holder| holder.swap_end(end))
    }

    /// Takes back a turn, unless it was taken away before.
    #[inline]
    pub(super) fn release(&mut self, key: Key, turn: u64, now: Instant) -> Freed {
        self.pass_on(key, now, |holder| holder.turn() == turn)
    }

    /// Gives up a place, and with it the turn if it was granted.
    pub(super) fn leave(&mut self, key: Key, place: usize, now: Instant) -> Freed {
        let session = self.table.find_mut(hash(key), |it| it.key == key);
        let (called, own) = self.places.leave(session.map(|it| &mut it.line), place);
        let mut freed = match called {
            Some(Called::Granted(turn)) => self.release(key, turn, now),
            Some(Called::Superseded) | None => Freed::default(),
        };
        // A place in the line has left a waker, and one that was called has none.
        if own.is_some() {
            freed.left.waker = own;
        }
        freed
    }

    /// Ends the turn that there is, if it is the one, and grants one to the first in the line.
    #[inline]
    fn pass_on(&mut self, key: Key, now: Instant, is_it: impl FnOnce(&Holder) -> bool) -> Freed {
        let Self { table, places, last_turn } = self;
        let known = table.find_entry(hash(key), |it| it.key == key);
        let Some(mut known) = known.ok().filter(|known| is_it(&known.get().holder)) else {
            return Freed::default();
        };
        let session = known.get_mut();
        let held = Some(session.holder.held(now));
        if session.line.len() > 0 {
            *last_turn += 1;
            let woken = places.call_first(&mut session.line, Called::Granted(*last_turn)).1;
            let last = std::mem::replace(&mut session.holder, Holder::new(*last_turn, now));
            return Freed { woken, left: last.into_left(), held, is_over: false };
        }
        // T3. Nobody holds it, and nobody waits.
        let (last, _) = known.remove();
        self.shrink();
        Freed { woken: None, left: last.holder.into_left(), held, is_over: true }
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
}
