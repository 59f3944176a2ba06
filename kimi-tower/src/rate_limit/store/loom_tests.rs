//! Every interleaving of what threads do to one key. Time stands still, unless it is said to pass.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{future::poll_fn, task::Poll, time::Duration};

use loom::{future::block_on, sync::Arc, thread};

use super::{
    Ask, Grant, Patience, Verdict,
    shard::Answer,
    table::Table,
    waiting::{Look, Waiting},
};
use crate::{
    key::Key,
    rate_limit::{Costs, Gcra, MAX_RULES, Moment, Quota, Rule},
};

const NOW: Moment = Moment::from_nanos(1_000_000_000_000);
const LATER: Moment = Moment::from_nanos(1_100_000_000_000);

fn model(work: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    // Unless the environment says otherwise.
    model.preemption_bound.get_or_insert(3);
    model.check(work);
}

fn costs(cost: u32) -> Costs {
    Costs([cost; MAX_RULES])
}

fn ask(cost: u32) -> Ask {
    let mut ask = Ask::new(Key([1, 1]), 0, costs(cost));
    ask.patience = Some(Patience::new(Duration::MAX, 10));
    ask
}

/// Two at once, of which so many are spent, and what was granted for it.
fn spent(cost: u32) -> (Arc<Table>, Grant) {
    let rule = Rule::requests(Gcra::new(Quota::article()).try_with_burst(2).unwrap());
    let table = Table::new(&rule.into(), 1);
    let Answer::Verdict(Verdict::Admitted(grant)) = table.ask(NOW, &ask(cost)) else {
        panic!("nothing was spent")
    };
    (Arc::new(table), grant)
}

fn waits(table: &Table, cost: u32) -> Waiting {
    match table.ask(NOW, &ask(cost)) {
        Answer::Wait(waiting) => waiting,
        Answer::Verdict(verdict) => panic!("{verdict:?}"),
    }
}

/// Waits without an alarm, so that loom fails the model if nobody wakes it.
fn is_granted(table: &Table, cost: u32, waiting: &Waiting) {
    block_on(poll_fn(|cx| match table.poll(NOW, &ask(cost), waiting, cx.waker().clone()) {
        Look::Go(_) => Poll::Ready(()),
        Look::WaitUntil(_) => Poll::Pending,
    }));
}

fn remaining(table: &Table) -> u32 {
    table.levels(NOW, Key([1, 1])).as_slice()[0].remaining()
}

#[test]
fn s1_two_never_both_get_the_last_unit() {
    model(|| {
        let (table, _) = spent(1);
        let asks = |table: &Table| {
            let ask = Ask::new(Key([1, 1]), 0, costs(1));
            matches!(table.ask(NOW, &ask), Answer::Verdict(Verdict::Admitted(_)))
        };
        let other = {
            let table = Arc::clone(&table);
            thread::spawn(move || asks(&table))
        };
        assert_ne!(asks(&table), other.join().unwrap());
        assert_eq!(remaining(&table), 0);
    });
}

#[test]
fn s3_what_is_given_back_while_one_comes_to_wait_wakes_it() {
    model(|| {
        let (table, grant) = spent(2);
        let waiting = waits(&table, 1);
        let giving = {
            let table = Arc::clone(&table);
            thread::spawn(move || table.settle(NOW, &grant, &costs(0)))
        };
        is_granted(&table, 1, &waiting);
        giving.join().unwrap();
        assert_eq!((remaining(&table), table.len()), (1, (1, 0)));
    });
}

#[test]
fn s2_s3_two_who_wait_are_both_woken_whoever_looks_first() {
    model(|| {
        let (table, grant) = spent(2);
        let (first, second) = (waits(&table, 1), waits(&table, 1));
        let other = {
            let table = Arc::clone(&table);
            thread::spawn(move || is_granted(&table, 1, &second))
        };
        table.settle(NOW, &grant, &costs(0));
        is_granted(&table, 1, &first);
        other.join().unwrap();
        assert_eq!((remaining(&table), table.len()), (0, (1, 0)));
    });
}

#[test]
fn s4_who_leaves_while_it_is_granted_gives_it_to_the_next() {
    model(|| {
        let (table, grant) = spent(2);
        let (first, second) = (waits(&table, 2), waits(&table, 2));
        let leaving = {
            let table = Arc::clone(&table);
            thread::spawn(move || table.leave(NOW, &ask(2), &first))
        };
        let giving = {
            let table = Arc::clone(&table);
            thread::spawn(move || table.settle(NOW, &grant, &costs(0)))
        };
        is_granted(&table, 2, &second);
        leaving.join().unwrap();
        giving.join().unwrap();
        assert_eq!((remaining(&table), table.len()), (0, (1, 0)));
    });
}

#[test]
fn s4_who_leaves_while_others_look_at_their_time_takes_nothing_along() {
    model(|| {
        let (table, _) = spent(2);
        let (first, second) = (waits(&table, 2), waits(&table, 2));
        let leaving = {
            let table = Arc::clone(&table);
            thread::spawn(move || table.leave(LATER, &ask(2), &first))
        };
        let look = table.poll(LATER, &ask(2), &second, std::task::Waker::noop().clone());
        leaving.join().unwrap();
        if look != Look::Go(LATER) {
            // It was told of the other's place, or is granted it.
            let look = table.poll(LATER, &ask(2), &second, std::task::Waker::noop().clone());
            assert_eq!(look, Look::Go(LATER));
        }
        assert_eq!(table.len(), (1, 0));
    });
}
