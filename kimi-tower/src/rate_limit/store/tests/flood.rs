//! Very many keys.

use super::{SECOND, article, ask, bucket, key};
use crate::rate_limit::{
    Moment, Rule,
    engine::tests::decisions,
    store::{Verdict, shard::Answer, table::Table},
};

/// Returns whether it is admitted.
fn asks(table: &Table, now: Moment, number: u64, cost: u32) -> bool {
    matches!(table.ask(now, &ask(number, cost)), Answer::Verdict(Verdict::Admitted(_)))
}

fn remaining(table: &Table, now: Moment, number: u64) -> u32 {
    table.levels(now, key(number)).as_slice()[0].remaining()
}

/// As many decisions as asked for, but for a tenth of a million in a debug build.
fn keys() -> u64 {
    if std::env::var_os("DECISIONS").is_some() { decisions() } else { 100_000 }
}

#[test]
fn s5_a_flood_of_keys_stays_under_the_cap_and_frees_nobody_who_is_limited() {
    for rule in [article(), bucket(5, 60)] {
        let table = Table::new(&rule.into(), 1_000);
        let now = Moment::after(100 * SECOND);
        let limited = 0..300;
        for number in limited.clone() {
            assert!(asks(&table, now, number, 3));
        }
        for number in 1_000..1_000 + keys() {
            assert!(asks(&table, now, number, 1), "nobody is kept out");
        }
        assert!(table.len().0 <= 1_000);
        for number in limited {
            assert_eq!(remaining(&table, now, number), 2);
        }
    }
}

#[test]
fn s5_where_all_are_near_their_limit_the_others_are_as_one() {
    let table = Table::new(&article().into(), 10);
    let now = Moment::after(100 * SECOND);
    for number in 0..10 {
        assert!(asks(&table, now, number, 3));
    }
    let admitted = (10..1_000).filter(|number| asks(&table, now, *number, 1)).count();
    assert_eq!((admitted, table.len().0), (5, 10));
    for number in 0..10 {
        assert_eq!(remaining(&table, now, number), 2);
    }
    // What one of them gives back may not be its own.
    let Answer::Verdict(Verdict::Admitted(grant)) = table.ask(now + 60 * SECOND, &ask(5_000, 5))
    else {
        panic!("all is back")
    };
    table.settle(now + 60 * SECOND, &grant, &super::costs(0));
}

/// It was once given to the others what a key that is forgotten had spent.
#[test]
fn s5_what_a_forgotten_key_gives_back_is_not_the_others() {
    let table = Table::new(&article().into(), 1);
    let now = Moment::after(100 * SECOND);
    let Answer::Verdict(Verdict::Admitted(grant)) = table.ask(now, &ask(1, 2)) else { panic!() };
    // The second takes the first's place, and the third is of the crowd.
    assert!(asks(&table, now, 2, 5));
    assert!(asks(&table, now, 3, 5));
    table.settle(now, &grant, &super::costs(0));
    assert!(!asks(&table, now, 3, 1) && !asks(&table, now, 2, 1));
}

#[test]
fn s5_what_is_whole_vanishes_by_itself_while_others_ask() {
    let rules: [Rule; 2] = [article(), bucket(5, 60)];
    for rule in rules {
        let table = Table::new(&rule.into(), 100_000);
        let start = Moment::after(100 * SECOND);
        for number in 0..10_000 {
            assert!(asks(&table, start, number, 1));
        }
        assert_eq!(table.len().0, 10_000);
        let later = start + 60 * SECOND;
        for number in 0..100_000 {
            asks(&table, later, 20_000 + number % 100, 0);
        }
        assert!(table.len().0 < 2_000, "{:?}", table.len());
    }
}

#[test]
fn s5_one_for_whom_somebody_waits_is_not_forgotten() {
    let table = Table::new(&article().into(), 1);
    let now = Moment::after(100 * SECOND);
    assert!(asks(&table, now, 1, 2));
    let waits = super::patient(ask(1, 4), 60 * SECOND);
    let Answer::Wait(waiting) = table.ask(now, &waits) else { panic!("it costs too much") };
    assert!(asks(&table, now, 2, 5) && !asks(&table, now, 3, 1));
    assert_eq!(remaining(&table, now, 1), 3);
    table.leave(now, &waits, &waiting);
    // Now it may be, as it has spent less than half.
    assert!(asks(&table, now, 4, 1));
    assert_eq!(remaining(&table, now, 4), 4);
}
