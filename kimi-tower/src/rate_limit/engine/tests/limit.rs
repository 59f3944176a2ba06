use std::time::Duration;

use super::{Decision, Gcra, Limit, Moment, Quota, SlidingWindow};

fn limits() -> [Limit; 3] {
    let quota = Quota::article();
    [
        Gcra::new(quota).into(),
        SlidingWindow::try_new(quota).unwrap().into(),
        SlidingWindow::try_with_sub_windows(quota, 3).unwrap().into(),
    ]
}

#[test]
fn either_engine_decides_refunds_and_tells_its_level() {
    let at = |seconds| Moment::after(Duration::from_secs(seconds));
    for limit in limits() {
        let mut state = vec![0; limit.words()];
        assert_eq!(limit.quota(), Quota::article());
        assert_eq!(limit.level(&state, at(7)).reset(), Duration::ZERO);
        assert!(limit.decide(&mut state, at(7), 5).is_admitted());
        assert!(!limit.peek(&state, at(7), 1).is_admitted());
        limit.refund(&mut state, at(7), at(7), 2);
        assert_eq!(limit.level(&state, at(7)).remaining(), 2);
        // Full again, as it says, it tells no more than a new one.
        let reset = limit.level(&state, at(7)).reset();
        assert_eq!(limit.level(&state, at(7) + reset).reset(), Duration::ZERO);
        assert!(limit.decide(&mut state, at(7) + reset, 5).is_admitted());
    }
}

#[test]
fn a_slice_that_is_no_state_admits_nothing() {
    for limit in limits() {
        for words in [0, limit.words() - 1, limit.words() + 1] {
            let mut state = vec![0; words];
            assert_eq!(limit.decide(&mut state, Moment::LAST, 1), Decision::Never);
            assert_eq!(limit.peek(&state, Moment::LAST, 1), Decision::Never);
            limit.refund(&mut state, Moment::LAST, Moment::LAST, 1);
            // Never to be forgotten, for it tells nothing.
            assert_eq!(limit.level(&state, Moment::LAST).reset(), Duration::MAX);
        }
    }
}
