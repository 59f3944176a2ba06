/// Words of a state that are no slots.
pub(super) const HEADER_WORDS: usize = 2;

/// How the state of a [`SlidingWindow`](super::SlidingWindow) lies in its words.
///
/// ```text
/// word 0     the slot of time in which was last spent, counted from the epoch
/// word 1     units in the log | number of entries | where the first entry is
/// word 2..   a ring of entries: slot of time | units in the log before it
/// ```
///
/// Of an entry's time only the low bits are kept, which tell how long before word 0 it was; of the
/// units only those that tell the entries of one log apart. Zeros are an empty log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Layout {
    /// At most so many entries.
    entries: u32,
    /// For a number of entries.
    entry_bits: u32,
    /// For a number of units.
    unit_bits: u32,
}

impl Layout {
    /// Returns the layout for logs of at most so many `entries` and `units`, over at most so many
    /// slots of time; or `None` if they cannot lie in words.
    pub(super) const fn new(entries: u32, units: u32, slots: u64) -> Option<Self> {
        let (entry_bits, unit_bits) =
            (u32::BITS - entries.leading_zeros(), u32::BITS - units.leading_zeros());
        let time_bits = u64::BITS - slots.leading_zeros();
        if 2 * entry_bits + unit_bits > u64::BITS || time_bits + unit_bits > u64::BITS {
            return None;
        }
        Some(Self { entries, entry_bits, unit_bits })
    }

    pub(super) const fn words(&self) -> usize {
        HEADER_WORDS + self.entries as usize
    }

    const fn unit_mask(&self) -> u64 {
        u64::MAX >> (u64::BITS - self.unit_bits)
    }

    const fn entry_mask(&self) -> u64 {
        u64::MAX >> (u64::BITS - self.entry_bits)
    }

    /// Returns what stands before the ring, or `None` if the words are no state of this layout.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "no number of entries has 32 bits")]
    pub(super) fn head(&self, state: &[u64]) -> Option<Head> {
        let &[last, counts, ref ring @ ..] = state else { return None };
        let head = Head {
            last,
            first: (counts & self.entry_mask()) as usize,
            len: (counts >> self.entry_bits & self.entry_mask()) as usize,
            units: counts >> (2 * self.entry_bits),
        };
        let size = self.entries as usize;
        (ring.len() == size && head.first < size && head.len <= size).then_some(head)
    }

    #[inline]
    pub(super) fn write_head(&self, state: &mut [u64], head: &Head) {
        if let [last, counts, ..] = state {
            *last = head.last;
            let entries = (head.len as u64) << self.entry_bits | head.first as u64;
            *counts = head.units << (2 * self.entry_bits) | entries;
        }
    }

    /// Where in the state the entry `index` of the log is.
    #[inline]
    fn place(&self, head: &Head, index: usize) -> usize {
        let (place, size) = (head.first + index, self.entries as usize);
        HEADER_WORDS + if place < size { place } else { place - size }
    }

    #[inline]
    fn entry(&self, state: &[u64], head: &Head, index: usize) -> u64 {
        state.get(self.place(head, index)).copied().unwrap_or(0)
    }

    /// Returns the slot of time of an entry.
    #[inline]
    pub(super) fn time(&self, state: &[u64], head: &Head, index: usize) -> u64 {
        let time = self.entry(state, head, index) >> self.unit_bits;
        let before_last = head.last.wrapping_sub(time) & (u64::MAX >> self.unit_bits);
        head.last.saturating_sub(before_last)
    }

    /// Returns how many units the entries before `index` have, which may be the number of entries.
    #[inline]
    pub(super) fn units_before(&self, state: &[u64], head: &Head, index: usize) -> u64 {
        if index >= head.len {
            return head.units;
        }
        let (first, entry) = (self.entry(state, head, 0), self.entry(state, head, index));
        entry.wrapping_sub(first) & self.unit_mask()
    }

    /// Adds units at a slot of time that is not before that of the last entry.
    #[inline]
    pub(super) fn push(&self, state: &mut [u64], head: &mut Head, time: u64, units: u64) {
        let is_new = head.len == 0 || self.time(state, head, head.len - 1) != time;
        if is_new {
            let first = if head.len == 0 { 0 } else { self.entry(state, head, 0) };
            let before = first.wrapping_add(head.units) & self.unit_mask();
            let place = self.place(head, head.len);
            if let Some(entry) = state.get_mut(place) {
                *entry = time << self.unit_bits | before;
            }
            head.len += 1;
        }
        head.last = time;
        head.units += units;
    }

    /// Takes the first `count` entries away.
    #[inline]
    pub(super) fn pop(&self, state: &[u64], head: &mut Head, count: usize) {
        if count > 0 {
            head.units -= self.units_before(state, head, count).min(head.units);
            head.first = self.place(head, count) - HEADER_WORDS;
            head.len -= count;
        }
    }

    /// Takes units away from the first entry, of which there is one, and returns how many; the entry
    /// goes with its last unit.
    pub(super) fn take_first(&self, state: &mut [u64], head: &mut Head, units: u64) -> u64 {
        let has = self.units_before(state, head, 1);
        if has <= units {
            self.pop(state, head, 1);
            return has;
        }
        // Units are told from those before the first, so that this is enough for all others.
        let place = self.place(head, 0);
        if let Some(entry) = state.get_mut(place) {
            let mask = self.unit_mask();
            *entry = *entry & !mask | (*entry & mask).wrapping_add(units) & mask;
        }
        head.units -= units;
        units
    }

    /// Takes units away from an entry, and returns how many; the entry goes with its last unit.
    pub(super) fn take(&self, state: &mut [u64], head: &mut Head, index: usize, units: u64) -> u64 {
        let has = self
            .units_before(state, head, index + 1)
            .saturating_sub(self.units_before(state, head, index));
        let (taken, is_gone) = (has.min(units), has <= units);
        let mask = self.unit_mask();
        for later in index + 1..head.len {
            let entry = self.entry(state, head, later);
            let before = (entry & mask).wrapping_sub(taken) & mask;
            let place = self.place(head, later - usize::from(is_gone));
            if let Some(word) = state.get_mut(place) {
                *word = entry & !mask | before;
            }
        }
        head.len -= usize::from(is_gone);
        head.units = head.units.saturating_sub(taken);
        taken
    }
}

/// What stands before the ring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// The slot of time in which was last spent.
    pub(super) last: u64,
    /// Where in the ring the first entry is.
    first: usize,
    /// How many entries there are.
    pub(super) len: usize,
    /// How many units they have.
    pub(super) units: u64,
}
