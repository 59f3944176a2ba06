use std::num::NonZeroU32;

use super::{super::Outcome, Observer, Record, Start};

/// Tells an observer of one success in so many, and of everything else.
///
/// Which ones depends on the request's id alone, so that all machines that see a request keep it, or
/// none does; and so that of a request both records are kept or only that it failed.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Sampled<O> {
    inner: O,
    one_in: NonZeroU32,
}

impl<O> Sampled<O> {
    /// Creates it: of `one_in` successes one is told.
    pub const fn new(inner: O, one_in: NonZeroU32) -> Self {
        Self { inner, one_in }
    }

    fn keeps(&self, request_id: &str) -> bool {
        // The middle of the product is as good as the remainder, and needs no division.
        let share = u64::from(self.one_in.get());
        (u128::from(mixed(request_id)) * u128::from(share)) >> 64 == 0
    }
}

impl<O: Observer> Observer for Sampled<O> {
    fn is_enabled(&self) -> bool {
        self.inner.is_enabled()
    }

    fn on_start(&self, start: &Start<'_>) {
        if self.keeps(start.request_id) {
            self.inner.on_start(start);
        }
    }

    fn on_end(&self, record: &Record<'_>) {
        if record.outcome != Outcome::Success || self.keeps(record.start.request_id) {
            self.inner.on_end(record);
        }
    }
}

/// FNV-1a, <http://www.isthe.com/chongo/tech/comp/fnv>, and the last step of SplitMix64 behind it,
/// since the first does little to the upper bits. The same on every machine, for ever.
fn mixed(id: &str) -> u64 {
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampled(one_in: u32) -> Sampled<()> {
        Sampled::new((), NonZeroU32::new(one_in).unwrap())
    }

    #[test]
    fn one_in_so_many_is_kept_and_always_the_same() {
        for one_in in [2, 10, 100] {
            let kept = |n: u32| sampled(one_in).keeps(&format!("req-{n}"));
            let count = (0..100_000).filter(|n| kept(*n)).count();
            let expected = 100_000 / one_in as usize;
            assert!(count.abs_diff(expected) < expected / 5, "{count} for {expected}");
        }
        assert!((0..1000).all(|n| sampled(1).keeps(&n.to_string())));
        // On whichever machine.
        let kept: Vec<u32> = (0..40).filter(|n| sampled(10).keeps(&format!("req-{n}"))).collect();
        assert_eq!(kept, [1, 2, 4, 5, 12, 22, 39]);
    }
}
