//! The scripts, beside the engines in memory at the server's time.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::time::Duration;

use kimi_testkit::redis::RedisServer;
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use tokio::{
    runtime::{Builder, Runtime},
    time::Instant,
};

use super::{
    said::What,
    server::{Answer, Server},
    sheet::{Charge as Correction, Manner},
};
use crate::{
    key::{Key, KeyHasher},
    rate_limit::{
        Charge, Costs, Decision, Gcra, Moment, Plan, Plans, Quota, Rule, SlidingWindow, Together,
        decide_together, store::Ask,
    },
    redis::RedisLink,
};

const SYNC: Manner = Manner { patience: None, batch: 1, lease: Duration::ZERO };

#[derive(Clone, Copy, Debug)]
enum Op {
    Ask {
        cost: u32,
        waits: bool,
    },
    /// As many times the cost as there are, at most so many.
    Lease {
        cost: u32,
        batch: u32,
    },
    /// What was granted so many grants ago costs this instead.
    Settle {
        ago: usize,
        cost: u32,
    },
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..6_u32, any::<bool>()).prop_map(|(cost, waits)| Op::Ask { cost, waits }),
        1 => (1..3_u32, 2..9_u32).prop_map(|(cost, batch)| Op::Lease { cost, batch }),
        1 => (0..4_usize, 0..9_u32).prop_map(|(ago, cost)| Op::Settle { ago, cost }),
    ]
}

/// All kinds of limits whose units and periods are whole for both.
fn plans() -> Plans {
    let ms = Duration::from_millis;
    let gcra = |units, period| Gcra::new(Quota::try_new(units, ms(period)).unwrap());
    let window = |units, period| SlidingWindow::try_new(Quota::try_new(units, ms(period)).unwrap());
    let coarse = SlidingWindow::try_with_sub_windows(Quota::try_new(9, ms(10)).unwrap(), 5);
    // A unit of the second takes 714 285 5/7 ns.
    let third = gcra(7, 5).try_with_burst(5).unwrap();
    Plans::new([
        Plan::new(Rule::tokens(gcra(5, 2))),
        Plan::new(Rule::tokens(third)),
        Plan::new(Rule::tokens(window(5, 4).unwrap())),
        Plan::new(Rule::tokens(coarse.unwrap())),
        Plan::new(Rule::requests(window(7, 5).unwrap()))
            .try_with(Rule::tokens(gcra(8, 3)))
            .unwrap()
            .try_with(Rule::tokens(coarse.unwrap()).try_named("coarse").unwrap())
            .unwrap(),
    ])
    .unwrap()
}

/// The engines in memory, told the server's time.
struct Oracle {
    plan: Plan,
    states: Vec<Vec<u64>>,
    base: u64,
    /// When the last of those goes who wait.
    tail: u64,
}

impl Oracle {
    fn moment(&self, us: u64) -> Moment {
        Moment::from_nanos((us - self.base) * 1_000)
    }

    fn ask(&mut self, us: u64, costs: Costs) -> Together {
        let now = self.moment(us);
        let charges = self.plan.rules().iter().zip(&mut self.states).enumerate();
        let charges =
            charges.map(|(i, (rule, state))| Charge::new(rule.limit(), state, costs.of(i)));
        decide_together(&mut charges.collect::<Vec<_>>(), now)
    }

    /// Returns how many times the cost there are, at most so many; 1 if there are none.
    fn most(&mut self, us: u64, costs: Costs, batch: u32) -> u32 {
        if self.tail > us {
            return 1;
        }
        let states = self.states.clone();
        let fits = |times: &u32| {
            let is_admitted = self.ask(us, many(costs, *times)).is_admitted();
            self.states.clone_from(&states);
            is_admitted
        };
        (2..=batch).rev().find(fits).unwrap_or(1)
    }

    /// Compares, and does the same.
    fn check(&mut self, answer: &Answer, costs: Costs, waits: bool) -> Result<(), TestCaseError> {
        let said = &answer.said;
        let from = said.now.max(self.tail);
        let at = match self.ask(from, costs) {
            Together::Admitted if from == said.now => {
                prop_assert_eq!((said.what, said.at), (What::Admitted, Some(said.now)));
                return Ok(());
            }
            // It was charged, at the end of the queue, and is not if he does not wait.
            Together::Admitted => {
                if !waits {
                    self.refund(from, from, costs);
                }
                Some(from)
            }
            Together::Refused { binding, decision: Decision::Wait(wait) } => {
                prop_assert_eq!(said.rule, binding);
                Some(from + u64::try_from(wait.as_nanos().div_ceil(1_000)).unwrap())
            }
            Together::Refused { decision: Decision::Never, binding } => {
                prop_assert_eq!((said.what, said.rule), (What::Refused, binding));
                None
            }
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(said.at, at);
        let Some(at) = at.filter(|_| waits) else {
            prop_assert_eq!(said.what, What::Refused);
            return Ok(());
        };
        prop_assert_eq!(said.what, What::Waits);
        if at > from {
            prop_assert!(self.ask(at, costs).is_admitted());
        }
        self.tail = at;
        Ok(())
    }

    fn refund(&mut self, now: u64, at: u64, less: Costs) {
        let (now, at) = (self.moment(now), self.moment(at));
        for (i, (rule, state)) in self.plan.rules().iter().zip(&mut self.states).enumerate() {
            rule.limit().refund(state, now, at, less.of(i));
        }
    }

    fn debit(&mut self, now: u64, more: Costs) {
        let now = self.moment(now);
        for (i, (rule, state)) in self.plan.rules().iter().zip(&mut self.states).enumerate() {
            rule.limit().debit(state, now, more.of(i));
        }
    }
}

fn many(costs: Costs, times: u32) -> Costs {
    Costs::each(|index| costs.of(index) * times)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn link(redis: &RedisServer) -> RedisLink {
    // Longer than a busy machine takes.
    RedisLink::try_new(redis.url()).unwrap().with_timeout(Duration::from_secs(5))
}

/// No answer takes longer.
fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

fn key(number: u64) -> Key {
    KeyHasher::with_secret(&[7; 16]).key(&[&number.to_be_bytes()])
}

/// E1 to E5 hold in Redis: the same asks and settlements have the same verdicts, waits and
/// levels. Those who wait are not asked for while something is settled, since what is given back then
/// is another's.
#[test]
fn prop_the_scripts_say_what_the_engines_say() {
    let Some(redis) = RedisServer::start() else { return };
    let runtime = runtime();
    let server = Server::new(link(&redis), plans());
    let mut runner = TestRunner::new(ProptestConfig { cases: 100, ..ProptestConfig::default() });
    let cases = std::cell::Cell::new(0);
    let case = (0..plans().iter().len(), any::<bool>(), vec(op(), 1..60));
    let done = runner.run(&case, |(plan, may_wait, ops)| {
        cases.set(cases.get() + 1);
        runtime.block_on(compare(&server, key(cases.get()), plan, may_wait, &ops))
    });
    done.unwrap();
}

async fn compare(
    server: &Server,
    key: Key,
    index: usize,
    may_wait: bool,
    ops: &[Op],
) -> Result<(), TestCaseError> {
    let plan = server.plans().get(index).clone();
    let states = plan.rules().iter().map(|rule| vec![0; rule.limit().words()]).collect();
    let mut oracle = Oracle { plan: plan.clone(), states, base: 0, tail: 0 };
    let mut grants = Vec::new();
    for op in ops {
        match *op {
            Op::Ask { cost, waits } => {
                let waits = waits && may_wait;
                let costs = plan.costs(|| cost);
                let mut manner = SYNC;
                manner.patience = waits.then_some((Duration::from_secs(9), 99));
                let ask = Ask::new(key, index, costs);
                let answer = server.ask(&ask, &manner, Costs::default(), soon()).await.unwrap();
                if oracle.base == 0 {
                    // Slots of time are counted from the epoch.
                    oracle.base = answer.said.now / 1_000_000 * 1_000_000;
                }
                oracle.check(&answer, costs, waits)?;
                if answer.said.what == What::Admitted {
                    grants.push((answer.said.now, costs));
                    let now = oracle.moment(answer.said.now);
                    let levels = server.levels(index, &answer.said);
                    for (i, (rule, state)) in plan.rules().iter().zip(&oracle.states).enumerate() {
                        prop_assert_eq!(levels.as_slice()[i], rule.limit().level(state, now));
                    }
                }
            }
            Op::Lease { cost, batch } => {
                let costs = plan.costs(|| cost);
                let manner = Manner { batch, ..SYNC };
                let ask = Ask::new(key, index, costs);
                let answer = server.ask(&ask, &manner, Costs::default(), soon()).await.unwrap();
                if oracle.base == 0 {
                    oracle.base = answer.said.now / 1_000_000 * 1_000_000;
                }
                let times = oracle.most(answer.said.now, costs, batch);
                prop_assert_eq!(answer.said.batch, times);
                oracle.check(&answer, many(costs, times), false)?;
            }
            Op::Settle { ago, cost } if !may_wait && ago < grants.len() => {
                let (at, old) = grants.remove(grants.len() - 1 - ago);
                let new = plan.costs(|| cost);
                let less = Costs::each(|i| old.of(i).saturating_sub(new.of(i)));
                let more = Costs::each(|i| new.of(i).saturating_sub(old.of(i)));
                let charge = Correction { at, ..Correction::default() };
                let now = server.settle(key, index, &charge, less, more).await.unwrap();
                oracle.debit(now, more);
                oracle.refund(now, at, less);
            }
            Op::Settle { .. } => {}
        }
    }
    Ok(())
}

/// Takes a lease and uses a part of it at once; or returns what is left of the one so many leases ago.
fn lease_op() -> impl Strategy<Value = (bool, u32, u32, usize)> {
    (any::<bool>(), 1..17_u32, 0..17_u32, 0..4_usize)
}

/// What is used of leases of a bucket is no more than the bucket admits, though what is returned late has
/// come back by itself meanwhile.
#[test]
fn prop_what_is_used_of_leases_is_never_over_a_bucket() {
    let Some(redis) = RedisServer::start() else { return };
    let runtime = runtime();
    // A unit comes back in the time of some calls.
    let gcra = Gcra::new(Quota::try_new(20, Duration::from_millis(10)).unwrap());
    let server = Server::new(link(&redis), Plan::new(Rule::requests(gcra)).into());
    let mut runner = TestRunner::new(ProptestConfig { cases: 100, ..ProptestConfig::default() });
    let cases = std::cell::Cell::new(0);
    let done = runner.run(&vec(lease_op(), 1..60), |ops| {
        cases.set(cases.get() + 1);
        runtime.block_on(use_leases(&server, gcra, key(cases.get()), &ops))
    });
    done.unwrap();
}

async fn use_leases(
    server: &Server,
    gcra: Gcra,
    key: Key,
    ops: &[(bool, u32, u32, usize)],
) -> Result<(), TestCaseError> {
    let one = server.plans().get(0).costs(|| 0);
    // The bucket of what was used, and what was not.
    let (mut state, mut rests) = (0, Vec::new());
    let mut base = 0;
    for &(is_lease, batch, used, ago) in ops {
        if is_lease {
            let manner = Manner { batch, lease: Duration::from_millis(1), ..SYNC };
            let ask = Ask::new(key, 0, one);
            let answer = server.ask(&ask, &manner, Costs::default(), soon()).await;
            let said = answer.unwrap().said;
            if said.what != What::Admitted {
                continue;
            }
            if base == 0 {
                base = said.now;
            }
            let used = used.min(said.batch);
            let now = Moment::from_nanos((said.now - base) * 1_000);
            let (next, decision) = gcra.decide(state, now, used);
            prop_assert_eq!(decision, Decision::Admitted);
            state = next;
            rests.push((many(one, said.batch - used), said.states));
        } else if ago < rests.len() {
            let (left, states) = rests.remove(rests.len() - 1 - ago);
            let charge = Correction { lease: Some(&states), ..Correction::default() };
            server.settle(key, 0, &charge, left, Costs::default()).await.unwrap();
        }
    }
    Ok(())
}
