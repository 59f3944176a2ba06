use std::time::Duration;

use super::{
    super::{Charge, Together, decide_together},
    Decision, Gcra, Limit, Moment, Quota, Random, SlidingWindow, decisions,
};

#[test]
fn no_limit_admits() {
    assert_eq!(decide_together(&mut [], Moment::EPOCH), Together::Admitted);
}

#[test]
fn the_first_of_the_longest_waits_binds_and_never_is_the_longest() {
    let limits = [1, 2, 2]
        .map(|burst| Limit::from(Gcra::new(Quota::article()).try_with_burst(burst).unwrap()));
    let ask = |states: &mut [u64], costs: [u32; 3]| {
        let mut charges: Vec<_> = limits
            .iter()
            .zip(states.chunks_mut(1))
            .zip(costs)
            .map(|((limit, state), cost)| Charge::new(limit, state, cost))
            .collect();
        decide_together(&mut charges, Moment::EPOCH)
    };
    let mut states = [0; 3];
    assert_eq!(ask(&mut states, [1, 2, 2]), Together::Admitted);
    let before = states;
    let wait = |seconds| Decision::Wait(Duration::from_secs(seconds));
    assert_eq!(ask(&mut states, [1, 1, 0]), Together::Refused { binding: 0, decision: wait(12) });
    assert_eq!(ask(&mut states, [1, 2, 2]), Together::Refused { binding: 1, decision: wait(24) });
    let never = Together::Refused { binding: 2, decision: Decision::Never };
    assert_eq!(ask(&mut states, [1, 2, 3]), never);
    assert_eq!(states, before);
}

/// All or none, the longest wait of all named, and after it all admit.
#[test]
fn prop_all_are_charged_or_none_and_the_binding_one_is_named() {
    let random = Random::new(10);
    let (mut made, mut refused) = (0, 0_u64);
    while made < decisions() {
        let limits: Vec<_> = (0..random.within(1, 4))
            .map(|_| {
                let quota = random.quota(30);
                match random.within(0, 1) {
                    0 => Limit::from(Gcra::new(quota)),
                    _ => Limit::from(SlidingWindow::try_new(quota).unwrap()),
                }
            })
            .collect();
        let mut states: Vec<Vec<u64>> = limits.iter().map(|it| vec![0; it.words()]).collect();
        let (mut now, mut last) = (0, Decision::Admitted);
        for _ in 0..200 {
            random.pass(&mut now, 1_000_000_000, last);
            let at = Moment::from_nanos(now);
            let costs: Vec<_> =
                limits.iter().map(|it| random.units(0, it.quota().units())).collect();
            let each: Vec<_> = limits
                .iter()
                .zip(&states)
                .zip(&costs)
                .map(|((limit, state), cost)| limit.peek(state, at, *cost))
                .collect();
            let ask = |states: &mut [Vec<u64>], at| {
                let charges = limits.iter().zip(states).zip(&costs);
                let mut charges: Vec<_> = charges
                    .map(|((limit, state), cost)| Charge::new(limit, state, *cost))
                    .collect();
                decide_together(&mut charges, at)
            };
            let before = states.clone();
            last = match ask(&mut states, at) {
                Together::Admitted => {
                    assert!(each.iter().all(|it| it.is_admitted()));
                    for (index, limit) in limits.iter().enumerate() {
                        let mut alone = before[index].clone();
                        assert!(limit.decide(&mut alone, at, costs[index]).is_admitted());
                        assert_eq!(alone, states[index]);
                    }
                    Decision::Admitted
                }
                Together::Refused { binding, decision } => {
                    assert_eq!(each[binding], decision);
                    assert_eq!(states, before);
                    let Decision::Wait(wait) = decision else { panic!("{decision:?}") };
                    for (index, other) in each.iter().enumerate() {
                        let Decision::Wait(other) = other else { continue };
                        assert!(if index < binding { *other < wait } else { *other <= wait });
                    }
                    assert!(ask(&mut states.clone(), at + wait).is_admitted());
                    refused += 1;
                    decision
                }
            };
        }
        made += 200;
    }
    assert!(refused > made / 10);
}
