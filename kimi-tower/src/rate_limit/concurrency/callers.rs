//! Who holds how many permits, without threads.

use std::{num::NonZeroU32, task::Waker};

use hashbrown::{HashTable, hash_table::Entry};

use super::{
    occupancy::Occupancy,
    places::{Left, Line, Places},
};
use crate::key::Key;

/// How many callers there is room for, at least, when they have gone: 28, which is what a table of
/// 32 buckets holds. Ours, so that one who comes and goes allocates nothing.
const SPARE: usize = 28;

/// The callers of one shard. Whoever neither holds nor waits is not among them.
#[derive(Default)]
pub(super) struct Callers {
    table: HashTable<Caller>,
    places: Places,
    held: usize,
}

struct Caller {
    key: Key,
    /// The permits that are held, or granted and not yet seen. Never 0, but while it is decided
    /// whether the caller is to be forgotten.
    held: u32,
    line: Line,
}

/// What becomes of one that asks.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Answer {
    /// It has its permit.
    Granted,
    /// It has a place in the line.
    Waits(usize),
    /// There is no room for it in the line.
    Full,
}

impl Callers {
    /// Gives a permit to one of whose caller fewer than `max` hold one and nobody waits, else a
    /// place in the line if fewer than `max_queue` wait.
    pub(super) fn ask(&mut self, key: Key, max: NonZeroU32, max_queue: usize) -> Answer {
        let Self { table, places, held } = self;
        let mut known = match table.entry(hash(key), |it| it.key == key, |it| hash(it.key)) {
            Entry::Occupied(known) => known,
            Entry::Vacant(vacant) => {
                vacant.insert(Caller { key, held: 1, line: Line::default() });
                *held += 1;
                return Answer::Granted;
            }
        };
        let caller = known.get_mut();
        // C2. Not past those that wait, even if it has the greater limit.
        if caller.held < max.get() && caller.line.len() == 0 {
            caller.held += 1;
            *held += 1;
            Answer::Granted
        } else if caller.line.len() < max_queue {
            Answer::Waits(places.join(&mut caller.line, max))
        } else {
            Answer::Full
        }
    }

    /// See [`Places::poll`].
    pub(super) fn poll(&mut self, place: usize, waker: &mut Option<Waker>) -> bool {
        self.places.poll(place, waker)
    }

    /// Takes back a permit, and returns whom to wake when nothing is locked.
    pub(super) fn release(&mut self, key: Key) -> Vec<Waker> {
        self.change(key, |caller, _| {
            caller.held -= 1;
            1
        })
    }

    /// Takes back a place, and with it the permit if it was granted. Returns whom to wake when
    /// nothing is locked, and a waker to be dropped then.
    pub(super) fn leave(&mut self, key: Key, place: usize) -> (Vec<Waker>, Option<Waker>) {
        let mut own = None;
        let woken =
            self.change(key, |caller, places| match places.leave(&mut caller.line, place) {
                Left::Line(waker) => {
                    own = waker;
                    0
                }
                Left::Permit => {
                    caller.held -= 1;
                    1
                }
            });
        (woken, own)
    }

    pub(super) fn occupancy(&self) -> Occupancy {
        let (held, waiting) = (self.held, self.places.waiting());
        Occupancy { held, waiting, keys: self.table.len() }
    }

    /// Applies a change that frees some permits, and settles what follows from it.
    fn change(
        &mut self,
        key: Key,
        change: impl FnOnce(&mut Caller, &mut Places) -> usize,
    ) -> Vec<Waker> {
        let Self { table, places, held } = self;
        let mut woken = Vec::new();
        let Ok(mut known) = table.find_entry(hash(key), |it| it.key == key) else {
            // Who has something to give back is known. But this runs in `drop`, where to panic is
            // worse than to do nothing.
            return woken;
        };
        let caller = known.get_mut();
        *held -= change(caller, places);
        // C4. Whatever has changed, whoever is first by now and may go goes. That is more than one
        // if those behind one that has left have a greater limit than it had.
        while let Some(max) = places.first_max(&caller.line)
            && caller.held < max.get()
        {
            caller.held += 1;
            *held += 1;
            woken.extend(places.grant_first(&mut caller.line));
        }
        // C3. If nobody holds nobody waits: the first would just have been granted a permit.
        if caller.held == 0 {
            known.remove();
            self.shrink();
        }
        woken
    }

    /// Gives memory back when less than an eighth of it is used, so that it is seldom moved.
    fn shrink(&mut self) {
        let len = self.table.len();
        if self.table.capacity() > SPARE.max(len * 8) {
            self.table.shrink_to(SPARE.max(len * 2), |it| hash(it.key));
        }
    }
}

/// A key is a hash already, with a secret. Its other half chooses the shard.
const fn hash(key: Key) -> u64 {
    key.0[0]
}

#[cfg(all(test, not(loom)))]
impl Callers {
    pub(super) fn allocation_size(&self) -> usize {
        self.table.allocation_size() + self.places.allocation_size()
    }
}
