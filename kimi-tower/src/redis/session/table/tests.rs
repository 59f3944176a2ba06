use super::*;
use crate::key::KeyHasher;

const SECOND: Duration = Duration::from_secs(1);

/// An answer that was not read since then.
#[derive(Debug)]
struct Answer(Instant);

impl EndTurn for Answer {
    fn end(&self, _: Lost) {}

    fn idle_since(&self) -> Option<Instant> {
        Some(self.0)
    }
}

fn key(name: &str) -> Key {
    KeyHasher::with_secret(&[7; 16]).key(&[name.as_bytes()])
}

/// A table with one turn, until 9 s from now.
fn held(now: Instant) -> Table {
    let mut table = Table::default();
    table.hold(Seat { key: key("c-1"), ticket: 1 }, 40, now + 9 * SECOND);
    table
}

fn lost(table: &mut Table, now: Instant) -> Option<Lost> {
    table.lost(1, &mut None, now)
}

#[test]
fn a_turn_ends_when_it_was_not_leased_again() {
    let now = Instant::now();
    let mut table = held(now);
    let early = table.due(now + 8 * SECOND);
    assert_eq!((early.notices.len(), early.next), (0, Some(now + 9 * SECOND)));
    assert!(table.leased(1, Some(now + 12 * SECOND), now + 3 * SECOND).is_none());
    assert!(table.due(now + 9 * SECOND).notices.is_empty());
    let due = table.due(now + 12 * SECOND);
    assert_eq!((due.notices.len(), due.notices[0].lost), (1, Lost::Lease));
    // It is told once, and what comes then is too late.
    assert!(table.due(now + 12 * SECOND).notices.is_empty());
    assert!(table.leased(1, Some(now + 15 * SECOND), now + 12 * SECOND).is_none());
    assert_eq!(lost(&mut table, now), Some(Lost::Lease));
    assert!(table.leases(now + 12 * SECOND).is_empty());
}

#[test]
fn whoever_looks_sees_that_its_time_is_over() {
    let now = Instant::now();
    let mut table = held(now);
    let mut waker = Some(Waker::noop().clone());
    assert_eq!(table.lost(1, &mut waker, now + 8 * SECOND), None);
    assert!(waker.is_none());
    assert_eq!(lost(&mut table, now + 9 * SECOND), Some(Lost::Lease));
    let end: Arc<dyn EndTurn> = Arc::new(Answer(now));
    assert_eq!(table.set_end(1, &mut Some(end), now), Some(Lost::Lease));
}

#[test]
fn a_lease_never_gets_shorter() {
    let now = Instant::now();
    let mut table = held(now);
    assert!(table.leased(1, Some(now + SECOND), now).is_none());
    assert_eq!(lost(&mut table, now + 8 * SECOND), None);
}

#[test]
fn a_turn_that_is_anothers_ends_at_once() {
    let now = Instant::now();
    let mut table = held(now);
    let notice = table.leased(1, None, now).map(|notice| notice.lost);
    assert_eq!((notice, lost(&mut table, now)), (Some(Lost::Lease), Some(Lost::Lease)));
    // One that is not there is nobody's.
    assert!(table.leased(2, None, now).is_none());
}

#[test]
fn a_turn_that_was_told_and_does_not_end_is_taken_after_a_second() {
    let now = Instant::now();
    let mut table = held(now);
    assert!(table.tell(1, Lost::Superseded, now).is_some());
    assert!(table.tell(1, Lost::MaxHold, now).is_none());
    // Until then it is leased.
    assert_eq!(table.leases(now).len(), 1);
    let due = table.due(now + SECOND / 2);
    assert_eq!((due.taken.len(), due.next), (0, Some(now + SECOND)));
    let due = table.due(now + SECOND);
    assert_eq!((due.taken, due.next), (vec![Seat { key: key("c-1"), ticket: 1 }], None));
    assert!(table.due(now + 2 * SECOND).taken.is_empty());
    assert!(table.leases(now).is_empty());
    assert_eq!(lost(&mut table, now), Some(Lost::Superseded));
    drop(table.release(1));
    assert!(!table.is_busy());
}

#[test]
fn only_an_answer_that_is_not_read_is_idle() {
    let now = Instant::now();
    let mut table = held(now);
    // Nobody knows yet.
    assert!(table.tell_idle(1, SECOND, now + 8 * SECOND).is_none());
    let end: Arc<dyn EndTurn> = Arc::new(Answer(now + SECOND));
    assert_eq!(table.set_end(1, &mut Some(end), now), None);
    assert!(table.tell_idle(1, 2 * SECOND, now + 2 * SECOND).is_none());
    let notice = table.tell_idle(1, 2 * SECOND, now + 3 * SECOND);
    assert_eq!(notice.map(|notice| notice.lost), Some(Lost::Idle));
}

#[test]
fn sessions_are_counted_and_forgotten() {
    let mut table = Table::default();
    assert!(table.enter(key("c-1"), 1));
    assert!(table.enter(key("c-1"), 1));
    assert!(!table.enter(key("c-2"), 1));
    table.exit(key("c-1"));
    assert!(!table.enter(key("c-2"), 1));
    table.exit(key("c-1"));
    assert!(table.enter(key("c-2"), 1));
}

#[test]
fn memory_is_given_back() {
    let now = Instant::now();
    let mut table = Table::default();
    for ticket in 0..10_000 {
        assert!(table.enter(key(&ticket.to_string()), usize::MAX));
        table.await_turn(ticket, Arc::default());
        table.hold(Seat { key: key("c"), ticket }, 1, now);
    }
    for ticket in 0..10_000 {
        drop(table.release(ticket));
        table.exit(key(&ticket.to_string()));
    }
    let Table { turns, places, sessions } = &table;
    assert!(turns.capacity().max(places.capacity()).max(sessions.capacity()) <= 32);
}
