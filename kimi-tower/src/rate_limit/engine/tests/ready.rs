use std::time::Duration;

use super::{Decision, Gcra, Limit, Moment, Random, SlidingWindow, decisions};

/// Waiting as long as it says is enough, in nanoseconds and in whole seconds rounded up, and a
/// nanosecond less is not.
#[test]
fn prop_waiting_exactly_the_advertised_time_is_admitted() {
    let random = Random::new(9);
    let mut refused = 0;
    while refused < decisions() / 10 {
        let quota = random.quota(50);
        let limit = match random.within(0, 2) {
            0 => Limit::from(Gcra::new(quota)),
            1 => Limit::from(SlidingWindow::try_new(quota).unwrap()),
            _ => match SlidingWindow::try_with_sub_windows(quota, 6) {
                Ok(window) => Limit::from(window),
                Err(_) => continue,
            },
        };
        let mut state = vec![0; limit.words()];
        let period = u64::try_from(quota.period().as_nanos()).unwrap();
        let (mut now, mut last) = (0, Decision::Admitted);
        for _ in 0..400 {
            random.pass(&mut now, period, last);
            let (at, cost) = (Moment::from_nanos(now), random.units(1, quota.units()));
            last = limit.decide(&mut state, at, cost);
            let Decision::Wait(wait) = last else { continue };
            let in_seconds =
                Duration::from_secs(wait.as_nanos().div_ceil(1_000_000_000).try_into().unwrap());
            let later = wait + Duration::from_nanos(random.within(0, 2 * period));
            for enough in [wait, in_seconds, later] {
                assert!(limit.clone().decide(&mut state.clone(), at + enough, cost).is_admitted());
            }
            let short = Moment::from_nanos(now + u64::try_from(wait.as_nanos()).unwrap() - 1);
            assert!(!limit.peek(&state, short, cost).is_admitted());
            refused += 1;
        }
    }
}
