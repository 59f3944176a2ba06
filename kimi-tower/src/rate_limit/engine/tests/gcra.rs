use std::{num::NonZeroU32, time::Duration};

use governor::{
    RateLimiter,
    clock::{Clock, FakeRelativeClock},
};

use super::{
    Decision, Gcra, GcraCell, Moment, Quota, QuotaError, Random, decisions, oracle::Bucket,
};

fn period(quota: Quota) -> u64 {
    u64::try_from(quota.period().as_nanos()).unwrap()
}

/// Whether each nanosecond is a whole number of its ticks.
fn is_exact(quota: Quota) -> bool {
    (1..=16).any(|part| u128::from(period(quota)) * part % u128::from(quota.units()) == 0)
}

/// Some burst, mostly the usual one or less.
fn limit(random: &Random, quota: Quota) -> Gcra {
    let max = if random.one_in(3) { quota.units().saturating_mul(3) } else { quota.units() };
    let burst = u32::try_from(random.scaled(1, max.into())).unwrap();
    let gcra = Gcra::new(quota);
    if random.one_in(3) { gcra } else { gcra.try_with_burst(burst).unwrap_or(gcra) }
}

/// It decides as a bucket in exact fractions does. Where a nanosecond is no whole number of ticks
/// it never admits what the bucket does not, and may admit a nanosecond later.
#[test]
fn prop_it_is_the_exact_bucket_or_a_nanosecond_late() {
    let random = Random::new(5);
    let (mut made, mut exact, mut refused, mut late) = (0, 0, 0_u64, 0_u64);
    while made < decisions() {
        let quota = random.quota(if random.one_in(2) { 30 } else { u32::MAX });
        let gcra = limit(&random, quota);
        let is_exact = is_exact(quota);
        let (mut state, mut now, mut last) = (0, 0, Decision::Admitted);
        let mut bucket = Bucket::full(quota.units(), period(quota), gcra.burst());
        for _ in 0..1_000 {
            random.pass(&mut now, period(quota), last);
            let max = u32::try_from(random.scaled(1, gcra.burst().into())).unwrap();
            let (at, cost) =
                (Moment::from_nanos(now), random.units(u32::from(!random.one_in(50)), max));
            let (next, decision) = gcra.decide(state, at, cost);
            assert_eq!(gcra.peek(state, at, cost), decision);
            (state, last) = (next, decision);
            match decision {
                Decision::Admitted => {
                    assert!(bucket.admits(now, cost));
                    bucket.spend(now, cost);
                }
                Decision::Wait(wait) => {
                    let (wait, other) = (wait.as_nanos(), u128::from(bucket.wait(now, cost)));
                    if is_exact {
                        assert_eq!(wait, other);
                    } else {
                        assert!((other..=other + 1).contains(&wait), "{wait} {other}");
                        late += u64::from(wait > other);
                    }
                    refused += 1;
                }
                Decision::Never => unreachable!("no cost is above the burst"),
            }
            if random.one_in(8) {
                let back = random.units(0, max);
                state = gcra.refund(state, back);
                bucket.refund(now, back);
            }
            let level = gcra.level(state, at);
            let reset = u128::from(bucket.wait(now, gcra.burst()));
            let remaining = bucket.parts(now) / bucket.period;
            if is_exact {
                assert_eq!(u128::from(level.remaining()), remaining);
                assert_eq!(level.reset().as_nanos(), reset);
            } else {
                assert!(
                    (remaining.saturating_sub(1)..=remaining).contains(&level.remaining().into())
                );
                assert!((reset..=reset + 1).contains(&level.reset().as_nanos()));
            }
        }
        exact += if is_exact { 1_000 } else { 0 };
        made += 1_000;
    }
    assert!(refused > made / 10 && exact > made / 10 && exact < made, "{refused} {exact}");
    assert!(late > 0);
}

/// Counted over what it admitted, window by window, with nothing of its own arithmetic.
#[test]
fn prop_it_is_never_over_burst_and_rate() {
    let random = Random::new(6);
    let mut made = 0;
    while made < decisions() {
        let quota = random.quota(if random.one_in(2) { 30 } else { u32::MAX });
        let gcra = limit(&random, quota);
        let (mut state, mut now, mut last) = (0, 0, Decision::Admitted);
        let mut admitted: Vec<(u64, u128)> = Vec::new();
        for _ in 0..1_000 {
            random.pass(&mut now, period(quota), last);
            let max = u32::try_from(random.scaled(1, gcra.burst().into())).unwrap();
            let cost = random.units(1, max);
            let (next, decision) = gcra.decide(state, Moment::from_nanos(now), cost);
            (state, last) = (next, decision);
            if decision.is_admitted() {
                admitted.push((now, cost.into()));
                let mut sum = 0;
                for (at, cost) in admitted.iter().rev().take(40) {
                    sum += cost * u128::from(period(quota));
                    let grown = u128::from(now - at) * u128::from(quota.units());
                    assert!(sum <= u128::from(gcra.burst()) * u128::from(period(quota)) + grown);
                }
            }
        }
        made += 1_000;
    }
}

/// On whole nanoseconds a unit, without refunds, with time that goes forward, which is what both
/// know.
#[test]
fn prop_it_decides_as_governor_does() {
    let random = Random::new(7);
    let (mut made, mut refused) = (0, 0_u64);
    while made < decisions() {
        let interval = random.scaled(1, 1 << 36);
        let burst = NonZeroU32::new(random.units(1, 200)).unwrap();
        let interval = Duration::from_nanos(interval);
        let units = random.units(1, 20);
        let quota = Quota::try_new(units, interval * units).unwrap();
        let gcra = Gcra::new(quota).try_with_burst(burst.get()).unwrap();
        let theirs = governor::Quota::with_period(interval).unwrap().allow_burst(burst);
        let period = u64::try_from((interval * burst.get()).as_nanos()).unwrap();
        let clock = FakeRelativeClock::default();
        let limiter = RateLimiter::direct_with_clock(theirs, clock.clone());
        let (cell, mut now, mut last) = (GcraCell::new(), 0, Decision::Admitted);
        for _ in 0..1_000 {
            let before = now;
            random.pass(&mut now, period / 2 + 1, last);
            clock.advance(Duration::from_nanos(now - before));
            let cost = if random.one_in(2) { 1 } else { random.units(1, burst.get() + 1) };
            last = cell.check(&gcra, Moment::from_nanos(now), cost);
            let theirs = match limiter.check_n(NonZeroU32::new(cost).unwrap()) {
                Ok(Ok(())) => Decision::Admitted,
                Ok(Err(not_until)) => Decision::Wait(not_until.wait_time_from(clock.now())),
                Err(_) => Decision::Never,
            };
            assert_eq!(last, theirs);
            refused += u64::from(!last.is_admitted());
            if last == Decision::Never {
                last = Decision::Admitted;
            }
        }
        made += 1_000;
    }
    assert!(refused > made / 10, "{refused}");
}

/// 7 a minute are 7 a minute for ever, although 60 s do not divide by 7.
#[test]
fn a_period_that_does_not_divide_does_not_drift() {
    for units in [7, 11, 17, 10_007, 99_991] {
        let gcra = Gcra::new(Quota::try_per_minute(units).unwrap()).try_with_burst(2).unwrap();
        let (mut state, mut now, count) = (0, Moment::EPOCH, 3 * units);
        for _ in 0..count {
            if let Decision::Wait(wait) = gcra.peek(state, now, 1) {
                now = now + wait;
            }
            let (next, decision) = gcra.decide(state, now, 1);
            assert!(decision.is_admitted());
            state = next;
        }
        // Two at once, and each further one at its own time.
        let nanos = u64::from(count - 2) * 60_000_000_000;
        assert_eq!(now.as_nanos(), nanos.div_ceil(units.into()), "{units}");
    }
}

#[test]
fn a_cost_above_the_burst_is_never_admitted() {
    let gcra = Gcra::new(Quota::article());
    assert_eq!(gcra.decide(0, Moment::LAST, 6), (0, Decision::Never));
    assert_eq!(gcra.decide(0, Moment::LAST, u32::MAX), (0, Decision::Never));
    assert!(gcra.decide(0, Moment::LAST, 5).1.is_admitted());
}

/// Any word is a state, at any time.
#[test]
fn no_state_and_no_time_panics() {
    let random = Random::new(8);
    for _ in 0..decisions() / 10 {
        let quota = random.quota(u32::MAX);
        let gcra = limit(&random, quota);
        let edge = [0, 1, u64::MAX, u64::MAX - 1, random.next()][(random.next() % 5) as usize];
        let now = Moment::from_nanos([0, u64::MAX, random.next()][(random.next() % 3) as usize]);
        let (state, _) = gcra.decide(edge, now, random.units(0, u32::MAX));
        let _ = gcra.level(gcra.refund(state, random.units(0, u32::MAX)), now);
    }
    let year = Quota::try_new(1, Duration::from_secs(365 * 86_400)).unwrap();
    assert_eq!(Gcra::new(year).try_with_burst(2), Err(QuotaError::TooLong));
    assert_eq!(Gcra::new(year).try_with_burst(0), Err(QuotaError::NoUnits));
}

#[test]
fn a_cost_of_0_is_admitted_and_changes_nothing() {
    for units in [5, 10_007] {
        let gcra = Gcra::new(Quota::try_per_minute(units).unwrap());
        let (spent, _) = gcra.decide(0, Moment::EPOCH, units);
        for (state, now) in [(0, Moment::LAST), (spent, Moment::EPOCH), (spent, Moment::LAST)] {
            assert_eq!(gcra.decide(state, now, 0), (state, Decision::Admitted));
        }
    }
}

/// What was admitted counts as of the latest time that it was told.
#[test]
fn time_that_goes_backward_is_never_over_burst_and_rate() {
    let random = Random::new(11);
    for _ in 0..decisions() / 1_000 {
        let quota = random.quota(if random.one_in(2) { 30 } else { u32::MAX });
        let gcra = limit(&random, quota);
        let (mut state, mut now, mut latest) = (0, 0, 0);
        let mut bucket = Bucket::full(quota.units(), period(quota), gcra.burst());
        for _ in 0..1_000 {
            if random.one_in(5) {
                now -= random.within(0, now.min(2 * period(quota)));
            } else {
                random.pass(&mut now, period(quota), Decision::Admitted);
            }
            let cost = u32::try_from(random.scaled(1, gcra.burst().into())).unwrap();
            let (next, decision) = gcra.decide(state, Moment::from_nanos(now), cost);
            state = next;
            latest = now.max(latest);
            if decision.is_admitted() {
                assert!(bucket.admits(latest, cost));
                bucket.spend(latest, cost);
            }
        }
    }
}

#[test]
fn every_limit_of_kimis_platform_is_exact_to_the_nanosecond() {
    let minute = [3, 100, 200, 300, 500_000, 2_000_000, 3_000_000, 4_000_000, 5_000_000];
    let quotas = minute.map(Quota::try_per_minute).into_iter();
    for quota in quotas.chain([Quota::try_per_day(1_500_000), Ok(Quota::article())]) {
        let quota = quota.unwrap();
        let gcra = Gcra::new(quota);
        let (state, _) = gcra.decide(0, Moment::EPOCH, quota.units());
        let wait = quota.period() / quota.units();
        assert_eq!(wait * quota.units(), quota.period());
        assert_eq!(gcra.peek(state, Moment::EPOCH, 1), Decision::Wait(wait));
    }
}
