//! What a state that tells nothing looks like.

use super::{Gcra, Limit, Moment, SlidingWindow};

impl Gcra {
    /// Returns whether nothing of it is spent.
    #[inline]
    pub(crate) fn is_whole(&self, state: u64, now: Moment) -> bool {
        state <= self.ticks.around(now.as_nanos()).0
    }
}

impl SlidingWindow {
    /// Returns whether nothing of it is spent.
    #[inline]
    pub(crate) fn is_whole(&self, state: &[u64], now: Moment) -> bool {
        let head = self.layout.head(state);
        head.is_none_or(|head| head.len == 0 || self.back_at(head.last) <= now.as_nanos())
    }
}

impl Limit {
    /// Returns whether nothing is spent, so that the state tells no more than a new one.
    #[inline]
    pub(crate) fn is_whole(&self, state: &[u64], now: Moment) -> bool {
        match (self, state) {
            (Self::Gcra(gcra), &[state]) => gcra.is_whole(state, now),
            (Self::Gcra(_), _) => true,
            (Self::SlidingWindow(window), state) => window.is_whole(state, now),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::rate_limit::Quota;

    #[test]
    fn a_state_is_whole_when_all_is_back() {
        let [gcra, window] = [Gcra::new(Quota::article()).into(), window().into()];
        for (limit, back) in [(gcra, 12), (window, 60)] {
            let limit: Limit = limit;
            let mut state = vec![0; limit.words()];
            assert!(limit.is_whole(&state, Moment::EPOCH));
            assert!(limit.decide(&mut state, Moment::EPOCH, 1).is_admitted());
            let back = Duration::from_secs(back);
            assert!(!limit.is_whole(&state, Moment::after(back - Duration::from_nanos(1))));
            assert!(limit.is_whole(&state, Moment::after(back)));
        }
    }

    fn window() -> SlidingWindow {
        SlidingWindow::try_new(Quota::article()).expect("it is short")
    }
}
