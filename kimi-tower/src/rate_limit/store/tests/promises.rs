use std::time::Duration;

use super::{SECOND, article, ask, bucket, costs, key, patient, quota};
use crate::rate_limit::{
    Moment, Plan, Plans, Quota, Rule, SlidingWindow,
    engine::tests::{Random, decisions},
    store::{
        Ask, Grant, MemoryStore, RateStore as _, Refused, Told, Verdict, shard::Answer,
        table::Table,
    },
};

fn at(seconds: u64) -> Moment {
    Moment::after(Duration::from_secs(seconds))
}

fn verdict(table: &Table, now: Moment, ask: &Ask) -> Verdict {
    match table.ask(now, ask) {
        Answer::Verdict(verdict) => verdict,
        Answer::Wait(_) => panic!("it has no patience"),
    }
}

fn admitted(table: &Table, now: Moment, ask: &Ask) -> Grant {
    match verdict(table, now, ask) {
        Verdict::Admitted(grant) => grant,
        Verdict::Refused(refused) => panic!("{refused:?}"),
    }
}

fn refused(table: &Table, now: Moment, ask: &Ask) -> Refused {
    match verdict(table, now, ask) {
        Verdict::Refused(refused) => refused,
        Verdict::Admitted(grant) => panic!("{grant:?}"),
    }
}

fn remaining(table: &Table, now: Moment, number: u64) -> Vec<u32> {
    let levels = table.levels(now, key(number));
    levels.as_slice().iter().map(|level| level.remaining()).collect()
}

/// 5 in 60 s, and 8 in 600 s.
fn two_rules() -> Plan {
    let daily = SlidingWindow::try_new(quota(8, 600)).unwrap();
    Plan::new(article()).try_with(Rule::tokens(daily)).unwrap()
}

#[test]
fn s1_all_rules_are_charged_or_none() {
    let table = Table::new(&two_rules(), 100);
    admitted(&table, at(100), &ask(1, 5));
    assert_eq!(remaining(&table, at(100), 1), [0, 3]);
    let later = refused(&table, at(160), &ask(1, 4));
    assert_eq!((later.rule, later.wait), (1, Some(540 * SECOND)));
    assert_eq!(remaining(&table, at(160), 1), [5, 3]);
}

#[test]
fn what_is_never_admitted_does_not_wait() {
    let table = Table::new(&article().into(), 100);
    assert_eq!(refused(&table, at(1), &patient(ask(1, 6), Duration::MAX)).wait, None);
    // Nor does it behind others.
    admitted(&table, at(1), &ask(1, 5));
    assert!(matches!(table.ask(at(1), &patient(ask(1, 1), Duration::MAX)), Answer::Wait(_)));
    assert_eq!(refused(&table, at(1), &patient(ask(1, 6), Duration::MAX)).wait, None);
}

#[test]
fn what_costs_nothing_passes_unless_others_wait() {
    let table = Table::new(&article().into(), 100);
    admitted(&table, at(1), &ask(1, 5));
    admitted(&table, at(1), &ask(1, 0));
    assert!(matches!(table.ask(at(1), &patient(ask(1, 1), Duration::MAX)), Answer::Wait(_)));
    assert_eq!(refused(&table, at(2), &ask(1, 0)).wait, Some(59 * SECOND));
}

/// It was once said of such a key that nothing would ever be admitted.
#[test]
fn a_pause_holds_a_key_that_nobody_has_seen() {
    for rule in [article(), bucket(5, 60)] {
        let table = Table::new(&rule.into(), 100);
        let told = Told { pause: Some(30 * SECOND), ..Told::default() };
        table.observe(at(100), key(1), &told);
        assert_eq!(refused(&table, at(110), &ask(1, 1)).wait, Some(20 * SECOND));
        admitted(&table, at(110), &ask(2, 1));
        admitted(&table, at(130), &ask(1, 1));
    }
}

/// While there is one, all of its shard are decided at length.
#[test]
fn a_pause_is_forgotten_when_it_is_over_though_its_key_never_comes_back() {
    let table = Table::new(&article().into(), 1);
    let told = Told { pause: Some(30 * SECOND), ..Told::default() };
    for number in 10..30 {
        table.observe(at(100), key(number), &told);
    }
    let pauses = || format!("{table:?}").matches("Queue {").count();
    assert_eq!(pauses(), 20);
    admitted(&table, at(129), &ask(1, 1));
    assert_eq!(pauses(), 20);
    admitted(&table, at(130), &ask(1, 1));
    assert_eq!(pauses(), 0);
}

/// The bug: keys for which somebody waits were counted, so that a pause beside them was not heard.
#[test]
fn those_who_wait_take_no_room_from_pauses() {
    let table = Table::new(&article().into(), 1);
    let mut waiting = Vec::new();
    for number in 0..100 {
        table.observe(at(100), key(number), &Told { pause: Some(SECOND), ..Told::default() });
        let Answer::Wait(place) = table.ask(at(100), &patient(ask(number, 1), Duration::MAX))
        else {
            panic!("it is paused")
        };
        waiting.push(place);
    }
    assert_eq!(table.len().1, 100);
}

/// The bug: what is left of a minute was taken for what is left of a day, too.
#[test]
fn what_an_upstream_says_is_left_is_of_the_shortest_period() {
    let daily = SlidingWindow::try_new(Quota::try_per_day(100).unwrap()).unwrap();
    let daily = Rule::requests(daily).try_named("daily").unwrap();
    let table = Table::new(&Plan::new(daily).try_with(article()).unwrap(), 100);
    table.observe(at(100), key(1), &Told { requests: Some(0), ..Told::default() });
    assert_eq!(remaining(&table, at(100), 1), [100, 0]);
}

/// The bug: there were 16 shards of a few keys each, some of which were full by chance.
#[test]
fn as_many_keys_have_a_state_as_there_is_room_for_or_nearly() {
    for max_keys in [1, 17, 64, 100, 127] {
        let table = Table::new(&article().into(), max_keys);
        for number in 0..1_000 {
            let _ = table.ask(at(100), &ask(number, 5));
        }
        assert_eq!(table.len().0, max_keys);
    }
    let table = Table::new(&article().into(), 100_000);
    for number in 0..50_000 {
        let _ = table.ask(at(100), &ask(number, 5));
    }
    assert_eq!(table.len().0, 50_000);
}

#[test]
fn a_look_at_the_levels_makes_no_state() {
    let table = Table::new(&two_rules(), 100);
    assert_eq!(remaining(&table, at(100), 1), [5, 8]);
    assert_eq!(table.len(), (0, 0));
}

#[test]
fn a_plan_that_is_not_there_is_the_last() {
    let plans = Plans::new([article(), bucket(1, 60)].map(Plan::new)).unwrap();
    let store = MemoryStore::with_max_keys(plans, 10);
    let mut ask = ask(1, 1);
    ask.plan = usize::MAX;
    assert!(store.levels(ask.key, 1).as_slice()[0].remaining() == 1);
    drop(store.ask(&ask));
    assert_eq!(store.levels(ask.key, 1).as_slice()[0].remaining(), 0);
    assert_eq!(store.levels(ask.key, 0).as_slice()[0].remaining(), 5);
    assert_eq!(store.keys(), 1);
}

#[test]
fn s6_no_key_waits_for_another_nor_one_plan_for_another() {
    let plans = Plans::new([article(), article()].map(Plan::new)).unwrap();
    let store = MemoryStore::with_max_keys(plans, 10);
    for plan in [0, 1] {
        for number in 1..4 {
            for _ in 0..5 {
                let asked = Ask { plan, ..ask(number, 1) };
                drop(store.ask(&asked));
            }
            assert_eq!(store.levels(key(number), plan).as_slice()[0].remaining(), 0);
        }
    }
    assert_eq!(store.keys(), 6);
}

/// A thread may have read the clock before another that was sooner under the lock.
#[test]
fn a_time_before_the_latest_is_the_latest() {
    let table = Table::new(&article().into(), 1);
    admitted(&table, at(100), &ask(1, 3));
    let early = admitted(&table, at(90), &ask(1, 2));
    assert_eq!(early.at, at(100));
    table.settle(at(95), &early, &costs(0));
    assert_eq!(remaining(&table, at(0), 1), [2]);
}

#[test]
fn a_settlement_corrects_what_was_charged_both_ways() {
    let table = Table::new(&two_rules(), 100);
    let grant = admitted(&table, at(100), &ask(1, 3));
    table.settle(at(110), &grant, &costs(1));
    assert_eq!(remaining(&table, at(110), 1), [4, 7]);
    let grant = admitted(&table, at(110), &ask(1, 1));
    table.settle(at(111), &grant, &costs(4));
    assert_eq!(remaining(&table, at(111), 1), [0, 3]);
    // What was settled late has come back by itself, of the rule of a minute.
    let grant = admitted(&table, at(200), &ask(1, 3));
    table.settle(at(261), &grant, &costs(0));
    assert_eq!(remaining(&table, at(261), 1), [5, 3]);
}

/// E4 through the store, with the wait as `Retry-After` tells it, too.
#[test]
fn prop_who_waits_as_long_as_it_was_told_is_admitted() {
    let random = Random::new(21);
    let (mut made, mut waits) = (0, 0_u64);
    while made < decisions() / 5 {
        let rules = [random.quota(20), random.quota(1_000)];
        let [Ok(first), Ok(second)] = rules.map(SlidingWindow::try_new) else { continue };
        let plan = match random.within(0, 2) {
            0 => Plan::new(Rule::requests(first)),
            1 => Plan::new(Rule::requests(crate::rate_limit::Gcra::new(rules[0]))),
            _ => Plan::new(Rule::requests(first)).try_with(Rule::tokens(second)).unwrap(),
        };
        let table = Table::new(&plan, 10);
        let mut now = Moment::after(SECOND);
        for _ in 0..200 {
            let most = plan.rules().iter().map(|rule| rule.limit().capacity()).min().unwrap();
            let asked = ask(random.within(0, 2), random.units(1, most));
            match verdict(&table, now, &asked) {
                Verdict::Admitted(_) => now = now + Duration::from_nanos(random.scaled(1, 1 << 30)),
                Verdict::Refused(refused) => {
                    let wait = refused.wait.unwrap();
                    let told =
                        Duration::from_secs((wait + SECOND - Duration::from_nanos(1)).as_secs());
                    if random.one_in(2) {
                        let early = now + (wait - Duration::from_nanos(1));
                        let left = self::refused(&table, early, &asked).wait;
                        assert_eq!(left, Some(Duration::from_nanos(1)));
                        now = now + wait;
                    } else {
                        now = now + told;
                    }
                    admitted(&table, now, &asked);
                    waits += 1;
                }
            }
        }
        made += 200;
    }
    assert!(waits > made / 20, "{waits}");
}
