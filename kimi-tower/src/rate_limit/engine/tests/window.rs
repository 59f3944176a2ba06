use std::time::Duration;

use super::{
    Decision, Moment, Quota, Random, SlidingWindow, decisions,
    oracle::{Log, take_back},
};

fn log(quota: Quota) -> Log {
    let period = u64::try_from(quota.period().as_nanos()).unwrap();
    Log { units: quota.units().into(), period, spent: Vec::new() }
}

/// What was spent in any trailing window, by a walk over all of it.
fn assert_never_over(log: &Log, spent: &[(u64, u64)]) {
    let (mut first, mut in_use) = (0, 0);
    for (at, units) in spent {
        in_use += units;
        while spent[first].0 + log.period <= *at {
            in_use -= spent[first].1;
            first += 1;
        }
        assert!(in_use <= log.units, "{in_use} at {at}");
    }
}

/// It decides as the oracle does: on costs, refunds, waits and levels, to the nanosecond.
#[test]
fn prop_an_exact_log_is_never_over_and_never_refuses_what_fits() {
    let random = Random::new(1);
    let (mut made, mut refused, mut refunded) = (0, 0_u64, 0_u64);
    while made < decisions() {
        let quota = random.quota(if random.one_in(20) { 1_000 } else { 40 });
        let window = SlidingWindow::try_new(quota).unwrap();
        let (mut state, mut log) = (vec![0; window.words()], log(quota));
        // Of an entry's time so many bits are kept: let it go past them.
        let edge = 1_u64 << (32 + quota.units().leading_zeros()).min(57);
        let start = edge - random.within(0, 9 * log.period.min(edge / 9));
        let (mut all, mut now, mut last) = (Vec::new(), start, Decision::Admitted);
        for _ in 0..1_000 {
            random.pass(&mut now, log.period, last);
            log.forget(now);
            let max = if random.one_in(3) { quota.units() } else { 1 };
            let cost = random.units(u32::from(!random.one_in(50)), max);
            let at = Moment::from_nanos(now);
            last = window.peek(&state, at, cost);
            assert_eq!(window.decide(&mut state, at, cost), last);
            if log.admits(now, cost.into()) {
                assert_eq!(last, Decision::Admitted);
                log.spend(now, cost.into());
                all.push((now, u64::from(cost)));
            } else {
                let wait = Duration::from_nanos(log.ready(now, cost.into()) - now);
                assert_eq!(last, Decision::Wait(wait));
                refused += 1;
            }
            if random.one_in(4) && !log.spent.is_empty() {
                let index = random.within(0, log.spent.len() as u64 - 1);
                let (time, units) = log.spent[usize::try_from(index).unwrap()];
                if units > 0 {
                    let back = random.units(1, u32::try_from(units).unwrap());
                    let refund = window.refund(&mut state, at, Moment::from_nanos(time), back);
                    assert_eq!(refund, back);
                    log.refund(time, back.into());
                    take_back(&mut all, time, back.into());
                    refunded += 1;
                }
            }
            let level = window.level(&state, at);
            assert_eq!(u64::from(level.remaining()), log.units - log.in_use(now));
            let full = log.spent.iter().filter(|it| it.1 > 0).map(|it| it.0 + log.period).max();
            assert_eq!(level.reset(), Duration::from_nanos(full.map_or(0, |full| full - now)));
        }
        assert_never_over(&log, &all);
        made += 1_000;
    }
    assert!(refused > made / 10 && refunded > made / 20, "{refused} {refunded}");
}

/// What it refuses and an exact log admits, it refuses for less than a sub-window.
#[test]
fn prop_sub_windows_are_never_over_and_late_by_less_than_one() {
    let random = Random::new(2);
    let (mut made, mut late) = (0, 0_u64);
    while made < decisions() {
        let quota = random.quota(5_000_000);
        let count = random.units(1, 20);
        let Ok(window) = SlidingWindow::try_with_sub_windows(quota, count) else { continue };
        assert!(window.words() <= 3 + usize::try_from(count).unwrap());
        let (mut state, mut log) = (vec![0; window.words()], log(quota));
        let width = log.period.div_ceil(count.into());
        let (mut all, mut now, mut last) = (Vec::new(), 0, Decision::Admitted);
        for _ in 0..1_000 {
            random.pass(&mut now, log.period, last);
            log.forget(now.saturating_sub(width));
            let most = u64::from(quota.units());
            let max = u32::try_from(random.scaled(1, most)).unwrap();
            let cost = random.units(1, max);
            let at = Moment::from_nanos(now);
            last = window.peek(&state, at, cost);
            assert_eq!(window.decide(&mut state, at, cost), last);
            match last {
                Decision::Admitted => {
                    log.spend(now, cost.into());
                    all.push((now, u64::from(cost)));
                }
                Decision::Wait(wait) => {
                    let ready = log.ready(now, cost.into());
                    let wait = u64::try_from(wait.as_nanos()).unwrap();
                    assert!((ready..ready + width).contains(&(now + wait)));
                    late += u64::from(now + wait > ready);
                }
                Decision::Never => unreachable!("no cost is above the quota"),
            }
        }
        assert_never_over(&log, &all);
        made += 1_000;
    }
    assert!(late > made / 20, "{late}");
}

/// Time stands still where it was, and what is spent then counts as of the latest time.
#[test]
fn time_that_goes_backward_is_never_over() {
    let random = Random::new(3);
    let mut backward = 0;
    for round in 0..decisions() / 1_000 {
        let quota = random.quota(12);
        let window = match round % 2 {
            0 => SlidingWindow::try_new(quota),
            _ => SlidingWindow::try_with_sub_windows(quota, 1),
        };
        let window = window.unwrap();
        let (mut state, log) = (vec![0; window.words()], log(quota));
        let (mut all, mut now, mut latest) = (Vec::new(), 0, 0);
        for _ in 0..1_000 {
            if random.one_in(5) {
                now -= random.within(0, now.min(2 * log.period));
                backward += 1;
            } else {
                random.pass(&mut now, log.period, Decision::Admitted);
            }
            let cost = random.units(1, quota.units());
            if window.decide(&mut state, Moment::from_nanos(now), cost).is_admitted() {
                latest = now.max(latest);
                all.push((latest, u64::from(cost)));
            }
        }
        assert_never_over(&log, &all);
    }
    assert!(backward > decisions() / 10);
}

/// What is given back is gone from the log; what has come back by itself is not given twice.
#[test]
fn a_refund_is_of_the_time_at_which_it_was_spent() {
    let window = SlidingWindow::try_new(Quota::article()).unwrap();
    let mut state = vec![0; window.words()];
    let at = |seconds| Moment::after(Duration::from_secs(seconds));
    for (second, cost) in [(0, 2), (10, 2), (20, 1)] {
        assert!(window.decide(&mut state, at(second), cost).is_admitted());
    }
    assert_eq!(window.refund(&mut state, at(30), at(10), 5), 2);
    assert_eq!(window.refund(&mut state, at(30), at(11), 0), 0);
    assert_eq!(window.level(&state, at(30)).remaining(), 2);
    // The first two are back by themselves; those of the 20th second are not theirs to give.
    assert_eq!(window.refund(&mut state, at(60), at(0), 2), 0);
    assert_eq!(window.level(&state, at(60)).remaining(), 4);
    assert_eq!(window.refund(&mut state, at(60), at(50), 1), 0);
}

#[test]
fn a_slice_that_is_no_state_admits_nothing_and_panics_nowhere() {
    let random = Random::new(4);
    for _ in 0..decisions() / 10 {
        let quota = random.quota(9);
        let window = SlidingWindow::try_new(quota).unwrap();
        let mut short = vec![0; window.words() - 1];
        assert_eq!(window.decide(&mut short, Moment::LAST, 1), Decision::Never);
        assert_eq!(window.refund(&mut short, Moment::EPOCH, Moment::EPOCH, 1), 0);
        assert_eq!(window.level(&short, Moment::EPOCH).remaining(), 0);
        let mut noise: Vec<_> = (0..window.words()).map(|_| random.next()).collect();
        if random.one_in(2) {
            noise[1] &= 0xff;
        }
        let (now, at) = (Moment::from_nanos(random.next()), Moment::from_nanos(random.next()));
        let _ = window.decide(&mut noise, now, random.units(0, 10));
        let _ = window.level(&noise, now);
        window.refund(&mut noise, now, at, random.units(0, 10));
    }
}

/// A word a unit and two: 56 bytes for the article's limit, and sub-windows cost one each.
#[test]
fn a_state_is_as_long_as_promised() {
    let words = |quota| SlidingWindow::try_new(quota).unwrap().words();
    assert_eq!(words(Quota::article()) * 8, 56);
    assert_eq!(words(Quota::try_per_minute(3).unwrap()), 5);
    let tokens = Quota::try_per_minute(5_000_000).unwrap();
    assert_eq!(SlidingWindow::try_with_sub_windows(tokens, 60).unwrap().words(), 63);
    let few = SlidingWindow::try_with_sub_windows(Quota::article(), 60).unwrap();
    assert_eq!(few.words(), 7);
}
