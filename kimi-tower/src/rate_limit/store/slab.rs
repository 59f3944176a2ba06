//! The states of many keys in one piece of memory, at most so many.

use hashbrown::HashTable;

use crate::key::Key;

/// Words of a slot that hold its key.
const KEY_WORDS: usize = 2;

/// Of how many slots the best is given away: 8, ours.
const SAMPLE: usize = 8;

/// How many slots are looked at, at most, to find one that can be given away: 64, ours.
const MAX_LOOKS: usize = 64;

/// Fewer slots than this are never given back to the system.
const MIN_SLOTS: usize = 32;

/// A state for each key.
///
/// Slots lie one after the other without gaps, so that a hand can go round them; where one is given
/// up, the last moves into its place.
#[derive(Debug)]
pub(super) struct Slab {
    /// Of a slot: its key and its state.
    stride: usize,
    max_slots: usize,
    len: usize,
    slots: Vec<u64>,
    /// The numbers of the slots, by their keys.
    index: HashTable<u32>,
    /// The slot that is looked at next.
    hand: usize,
}

impl Slab {
    pub(super) fn new(words: usize, max_slots: usize) -> Self {
        Self {
            stride: KEY_WORDS + words,
            max_slots: max_slots.min(u32::MAX as usize),
            len: 0,
            slots: Vec::new(),
            index: HashTable::new(),
            hand: 0,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn is_full(&self) -> bool {
        self.len >= self.max_slots
    }

    /// Returns the slot of a key.
    #[inline]
    pub(super) fn find(&self, key: Key) -> Option<usize> {
        let is_it = |slot: &u32| self.key(*slot as usize) == key;
        self.index.find(hash(key), is_it).map(|slot| *slot as usize)
    }

    /// Returns the state in a slot.
    #[inline]
    pub(super) fn state(&mut self, slot: usize) -> &mut [u64] {
        let start = slot * self.stride;
        &mut self.slots[start + KEY_WORDS..start + self.stride]
    }

    /// Makes a slot of zeros for a key that has none. Only if it [is not full](Self::is_full).
    pub(super) fn insert(&mut self, key: Key) -> usize {
        let slot = self.len;
        if self.slots.len() == self.slots.capacity() {
            // A quarter, so that less lies idle than where it is doubled.
            let more = (self.len / 4).max(MIN_SLOTS).min(self.max_slots - self.len).max(1);
            self.slots.reserve_exact(more * self.stride);
        }
        self.slots.extend_from_slice(&key.0);
        self.slots.resize((slot + 1) * self.stride, 0);
        self.len += 1;
        let (slots, stride) = (&self.slots, self.stride);
        // `find` and `max_slots` make sure that it is a number of 32 bits.
        #[expect(clippy::cast_possible_truncation, reason = "see above")]
        self.index.insert_unique(hash(key), slot as u32, |slot| slots[*slot as usize * stride]);
        slot
    }

    /// Looks at the next slot, and gives it up if `is_over`.
    #[inline]
    pub(super) fn sweep(&mut self, is_over: impl FnOnce(Key, &[u64]) -> bool) {
        if self.len == 0 {
            return;
        }
        let slot = self.step();
        if is_over(self.key(slot), self.state(slot)) {
            self.remove(slot);
        }
    }

    /// Gives up the slot of which most is `left`, of the next few, or of some more if those are all
    /// kept, for which it is `None`. Returns whether there was one.
    pub(super) fn evict(&mut self, left: impl Fn(Key, &[u64]) -> Option<u64>) -> bool {
        let mut most: Option<(u64, usize)> = None;
        for looked in 0..MAX_LOOKS.min(self.len) {
            if looked >= SAMPLE && most.is_some() {
                break;
            }
            let slot = self.step();
            let left = left(self.key(slot), self.state(slot));
            most = most.max(left.map(|left| (left, slot)));
        }
        if let Some((_, slot)) = most {
            self.remove(slot);
        }
        most.is_some()
    }

    fn step(&mut self) -> usize {
        let slot = if self.hand < self.len { self.hand } else { 0 };
        self.hand = slot + 1;
        slot
    }

    #[inline]
    fn key(&self, slot: usize) -> Key {
        let start = slot * self.stride;
        Key([self.slots[start], self.slots[start + 1]])
    }

    fn remove(&mut self, slot: usize) {
        let (key, last) = (self.key(slot), self.len - 1);
        self.forget(key, slot);
        if slot < last {
            let moved = self.key(last);
            if let Some(number) =
                self.index.find_mut(hash(moved), |number| *number as usize == last)
            {
                #[expect(clippy::cast_possible_truncation, reason = "it is less than another")]
                let slot = slot as u32;
                *number = slot;
            }
            self.slots.copy_within(last * self.stride.., slot * self.stride);
        }
        self.len = last;
        self.slots.truncate(last * self.stride);
        if self.slots.capacity() / 4 > self.slots.len().max(MIN_SLOTS * self.stride) {
            self.shrink();
        }
    }

    fn forget(&mut self, key: Key, slot: usize) {
        let entry = self.index.find_entry(hash(key), |number| *number as usize == slot);
        if let Ok(entry) = entry {
            entry.remove();
        }
    }

    #[cold]
    fn shrink(&mut self) {
        self.slots.shrink_to(2 * self.slots.len());
        let (slots, stride) = (&self.slots, self.stride);
        self.index.shrink_to(2 * self.len, |slot| slots[*slot as usize * stride]);
    }
}

/// Half of a key tells the slot; the other tells the shard.
#[inline]
const fn hash(key: Key) -> u64 {
    key.0[0]
}
