use super::{Violation, Violations};

/// The violations found so far. Keeps the first `cap` in input order; of those at one place, the
/// ones that were found first.
///
/// Violations are found nearly in input order. So one that is not kept takes constant time, one at
/// the end a search, and one before others their moving, which are `cap` at most.
#[derive(Debug)]
pub(crate) struct Draft {
    list: Vec<Violation>,
    cap: usize,
    truncated: usize,
}

impl Draft {
    /// At least one is kept, or a body with faults would pass.
    pub(crate) fn new(cap: usize) -> Self {
        Self { list: Vec::new(), cap: cap.max(1), truncated: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Adds one at its place in the input. `make` is not called if it would not be kept.
    pub(crate) fn add(&mut self, offset: usize, make: impl FnOnce() -> Violation) {
        if self.list.len() == self.cap {
            self.truncated += 1;
            if self.list.last().is_some_and(|last| last.offset <= offset) {
                return;
            }
            self.list.pop();
        }
        let place = self.list.partition_point(|known| known.offset <= offset);
        self.list.insert(place, make());
    }

    /// Returns the violations, if there are any.
    pub(crate) fn finish(self) -> Option<Violations> {
        let Self { list, cap, truncated } = self;
        Violations::new(list, cap, truncated)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::{collection::vec, prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::violation::{Expected, Rule};

    /// `name` tells those at one offset apart.
    fn at(offset: usize, name: usize) -> Violation {
        let (rule, expected) = (Rule::Blank, Expected::Nothing);
        Violation { pointer: format!("/{name}"), offset, rule, found: None, expected }
    }

    proptest! {
        #[test]
        fn prop_the_first_are_kept_whatever_the_order(
            offsets in vec(0_usize..40, 0..80),
            cap in 1_usize..40,
        ) {
            let mut draft = Draft::new(cap);
            for (name, offset) in offsets.iter().enumerate() {
                draft.add(*offset, || at(*offset, name));
            }
            let all = offsets.iter().enumerate().map(|(name, offset)| at(*offset, name));
            let mut all: Vec<_> = all.collect();
            all.sort_by_key(|it| it.offset);
            let truncated = all.len().saturating_sub(cap);
            all.truncate(cap);

            match draft.finish() {
                None => prop_assert!(offsets.is_empty()),
                Some(violations) => {
                    prop_assert_eq!(violations.as_slice(), all);
                    prop_assert_eq!(violations.truncated(), truncated);
                    prop_assert_eq!(violations.limit(), cap);
                }
            }
        }

        #[test]
        fn prop_only_what_is_kept_is_made(offsets in vec(0_usize..40, 0..80), cap in 1_usize..40) {
            let mut draft = Draft::new(cap);
            for (name, offset) in offsets.iter().enumerate() {
                let before = offsets[..name].iter().filter(|known| *known <= offset).count();
                let is_made = Cell::new(false);
                draft.add(*offset, || {
                    is_made.set(true);
                    at(*offset, name)
                });
                prop_assert_eq!(is_made.get(), before < cap);
            }
        }
    }

    #[test]
    fn one_past_a_full_list_makes_nothing() {
        let mut draft = Draft::new(32);
        let made = Cell::new(0);
        for offset in 0..100_000 {
            draft.add(offset, || {
                made.set(made.get() + 1);
                at(offset, offset)
            });
        }
        assert_eq!(made.get(), 32);
        assert_eq!(draft.finish().map(|it| it.truncated()), Some(100_000 - 32));
    }

    #[test]
    fn at_least_one_is_kept() {
        let mut draft = Draft::new(0);
        draft.add(7, || at(7, 0));
        draft.add(3, || at(3, 1));
        let violations = draft.finish().unwrap();
        assert_eq!(violations.as_slice(), [at(3, 1)]);
        assert_eq!(violations.truncated(), 1);
    }
}
