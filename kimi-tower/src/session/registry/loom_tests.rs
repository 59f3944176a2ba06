//! The interleavings, of up to three preemptions, of what threads do to one session, or to two.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    future::poll_fn,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use loom::{
    future::block_on,
    sync::{Arc, Mutex},
    thread,
};
use tokio::time::Instant;

use super::{Asked, Place, Registry, Turn, Waited};
use crate::{
    key::Key,
    session::{
        slot::Slot,
        store::{Ask, EndTurn, Lost, Refused},
    },
};

const KEY: Key = Key([1, 2]);
/// Of the same shard.
const OTHER: Key = Key([3, 2]);

fn model(work: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    // Unless the environment says otherwise. Without a bound one model takes many minutes.
    model.preemption_bound.get_or_insert(3);
    model.check(work);
}

fn ask(registry: &Arc<Registry>, ask: Ask) -> Asked {
    Registry::ask(registry, &ask, Instant::now())
}

fn now(registry: &Arc<Registry>, key: Key) -> Option<Turn> {
    match ask(registry, Ask { max_waiting: 0, ..Ask::new(key) }) {
        Asked::Granted(turn) => Some(turn),
        Asked::Refused(_) => None,
        Asked::Waits { .. } => panic!("there is no line"),
    }
}

fn place(registry: &Arc<Registry>) -> Place {
    match ask(registry, Ask::new(KEY)) {
        Asked::Waits { place, .. } => place,
        Asked::Granted(_) | Asked::Refused(_) => panic!("there is a place in the line"),
    }
}

/// Returns the turn when it has come, and `None` if it never will.
fn turn(mut place: Place) -> Option<Turn> {
    block_on(poll_fn(|cx| match place.poll(cx, Instant::now()) {
        Waited::Granted(turn) => Poll::Ready(Some(turn)),
        Waited::Superseded => Poll::Ready(None),
        Waited::Until(_) => Poll::Pending,
    }))
}

/// Asks and waits for as long as it takes.
fn served(registry: &Arc<Registry>) -> Turn {
    match ask(registry, Ask::new(KEY)) {
        Asked::Granted(turn) => turn,
        Asked::Waits { place, .. } => turn(place).unwrap(),
        Asked::Refused(_) => panic!("there is room in the line"),
    }
}

fn assert_empty(registry: &Registry) {
    let gauges = registry.gauges();
    assert_eq!((gauges.active, gauges.waiting), (0, 0));
    assert_eq!(registry.active.load(super::Relaxed), 0);
}

/// T5, too: else one of them would wait for ever, which loom sees.
#[test]
fn t1_one_of_three_has_the_turn() {
    model(|| {
        let registry = Arc::new(Registry::new());
        let at_work = Arc::new(Mutex::new(0));
        let work = {
            let (registry, at_work) = (Arc::clone(&registry), Arc::clone(&at_work));
            move || {
                let turn = served(&registry);
                *at_work.lock().unwrap() += 1;
                assert_eq!(*at_work.lock().unwrap(), 1);
                *at_work.lock().unwrap() -= 1;
                drop(turn);
            }
        };
        let threads = [thread::spawn(work.clone()), thread::spawn(work.clone())];
        work();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_empty(&registry);
    });
}

#[test]
fn t2_turns_are_granted_in_the_order_in_which_they_were_asked_for() {
    model(|| {
        let registry = Arc::new(Registry::new());
        let held = now(&registry, KEY).unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let places = [1, 2].map(|number| (number, place(&registry)));
        let threads = places.map(|(number, place)| {
            let order = Arc::clone(&order);
            thread::spawn(move || {
                let turn = turn(place).unwrap();
                order.lock().unwrap().push((number, turn.number()));
                drop(turn);
            })
        });
        // A newcomer does not overtake.
        assert!(now(&registry, KEY).is_none());
        let first = held.number();
        drop(held);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*order.lock().unwrap(), [(1, first + 1), (2, first + 2)]);
        assert_empty(&registry);
    });
}

#[test]
fn t3_a_session_that_is_over_is_not_kept() {
    model(|| {
        let registry = Arc::new(Registry::new());
        let threads = [KEY, OTHER].map(|key| {
            let registry = Arc::clone(&registry);
            thread::spawn(move || drop(now(&registry, key)))
        });
        drop(now(&registry, KEY));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_empty(&registry);
        assert!(now(&registry, KEY).is_some());
    });
}

/// As many as may be, also while one goes and others come.
#[test]
fn t3_no_more_sessions_than_may_be() {
    static REFUSED: AtomicUsize = AtomicUsize::new(0);
    model(|| {
        let registry = Arc::new(Registry::new());
        let at_work = Arc::new(Mutex::new(0));
        let threads = [KEY, OTHER].map(|key| {
            let (registry, at_work) = (Arc::clone(&registry), Arc::clone(&at_work));
            thread::spawn(move || match ask(&registry, Ask { max_sessions: 1, ..Ask::new(key) }) {
                Asked::Granted(turn) => {
                    *at_work.lock().unwrap() += 1;
                    assert_eq!(*at_work.lock().unwrap(), 1);
                    *at_work.lock().unwrap() -= 1;
                    drop(turn);
                }
                Asked::Refused(Refused::TooManySessions) => {
                    REFUSED.fetch_add(1, SeqCst);
                }
                Asked::Refused(_) | Asked::Waits { .. } => panic!("it is another session"),
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_empty(&registry);
    });
    assert!(REFUSED.load(SeqCst) > 0);
}

/// The one that leaves may have been granted the turn already, and not know.
#[test]
fn t4_whoever_leaves_makes_room_for_the_next() {
    model(|| {
        let registry = Arc::new(Registry::new());
        let held = now(&registry, KEY).unwrap();
        let (leaving, staying) = (place(&registry), place(&registry));
        let releases = thread::spawn(move || drop(held));
        let leaves = thread::spawn(move || {
            let mut leaving = leaving;
            drop(leaving.poll(&Context::from_waker(Waker::noop()), Instant::now()));
            drop(leaving);
        });
        drop(turn(staying).unwrap());
        releases.join().unwrap();
        leaves.join().unwrap();
        assert_empty(&registry);
    });
}

#[test]
fn t4_whoever_leaves_from_between_or_the_end_breaks_no_line() {
    model(|| {
        let registry = Arc::new(Registry::new());
        let held = now(&registry, KEY).unwrap();
        let [first, second, third, last] = [(); 4].map(|()| place(&registry));
        let leaves = thread::spawn(move || drop(second));
        let leaves_too = thread::spawn(move || drop(last));
        drop(held);
        drop(turn(first).unwrap());
        drop(turn(third).unwrap());
        leaves.join().unwrap();
        leaves_too.join().unwrap();
        assert_empty(&registry);
    });
}

#[test]
fn t5_one_session_never_waits_for_another() {
    model(|| {
        let registry = Arc::new(Registry::new());
        let held = now(&registry, KEY).unwrap();
        let waiting = place(&registry);
        let releases = thread::spawn(move || drop(held));
        let waits = thread::spawn(move || drop(turn(waiting).unwrap()));
        assert!(now(&registry, OTHER).is_some());
        releases.join().unwrap();
        waits.join().unwrap();
        assert_empty(&registry);
    });
}

#[test]
fn t5_whoever_is_granted_a_turn_is_woken_once() {
    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    model(|| {
        let registry = Arc::new(Registry::new());
        let held = now(&registry, KEY).unwrap();
        let mut place = place(&registry);
        let counts = [(); 2].map(|()| std::sync::Arc::new(Count::default()));
        let releases = thread::spawn(move || drop(held));
        let mut pending = 0;
        let granted = counts.iter().find_map(|count| {
            let waker = Waker::from(std::sync::Arc::clone(count));
            match place.poll(&Context::from_waker(&waker), Instant::now()) {
                Waited::Granted(turn) => Some(turn),
                Waited::Superseded => panic!("nobody supersedes"),
                Waited::Until(_) => {
                    pending += 1;
                    None
                }
            }
        });
        releases.join().unwrap();
        // By the last waker that was there before, and by none if it was granted before all polls.
        let woken = counts.map(|count| count.0.load(SeqCst));
        assert_eq!(woken, [[0, 0], [1, 0], [0, 1]][pending]);
        drop(granted);
    });
}

/// What a body's slot does, which has no reader.
#[derive(Debug)]
struct Unread(Mutex<Option<Turn>>);

impl EndTurn for Unread {
    fn end(&self, _: Lost) {
        let turn = self.0.lock().unwrap().take();
        drop(turn);
    }

    fn idle_since(&self) -> Option<Instant> {
        None
    }
}

fn supersede(registry: &Arc<Registry>) -> Asked {
    ask(registry, Ask { supersedes: true, ..Ask::new(KEY) })
}

/// Whether the holder lets go by itself, is ended, or both at the same time.
#[test]
fn t1_a_turn_that_is_superseded_is_passed_on_once() {
    model(|| {
        let registry = Arc::new(Registry::new());
        let held = now(&registry, KEY).unwrap();
        let unread = std::sync::Arc::new(Unread(Mutex::new(None)));
        assert!(held.set_end(unread.clone()).is_none());
        *unread.0.lock().unwrap() = Some(held);
        let releases = thread::spawn(move || unread.end(Lost::MaxHold));
        let newest = match supersede(&registry) {
            Asked::Granted(turn) => turn,
            Asked::Waits { place, .. } => turn(place).unwrap(),
            Asked::Refused(_) => panic!("the newest is not refused"),
        };
        // What was before has ended, and cannot give back what is not its own.
        releases.join().unwrap();
        assert!(newest.poll_lost(&Context::from_waker(Waker::noop())).is_pending());
        assert!(now(&registry, KEY).is_none());
        drop(newest);
        assert_empty(&registry);
    });
}

/// Two of the newest come at the same time. The newest of all is not told to end, and whoever is
/// not the newest is.
#[test]
fn t1_of_those_who_supersede_each_other_the_newest_has_the_turn() {
    model(|| {
        let registry = Arc::new(Registry::new());
        let held = now(&registry, KEY).unwrap();
        let lost = |turn: &Turn| turn.poll_lost(&Context::from_waker(Waker::noop()));
        let other = {
            let registry = Arc::clone(&registry);
            thread::spawn(move || supersede(&registry))
        };
        let own = supersede(&registry);
        let other = other.join().unwrap();
        assert!(lost(&held).is_ready());
        drop(held);
        let served = [own, other].map(|asked| match asked {
            Asked::Waits { place, .. } => turn(place),
            Asked::Granted(_) | Asked::Refused(_) => panic!("it was held"),
        });
        let served: Vec<_> = served.into_iter().flatten().collect();
        assert_eq!(served.len(), 1);
        assert!(lost(&served[0]).is_pending());
        drop(served);
        assert_empty(&registry);
    });
}

/// The holder goes while others come that want its session: one of them may have it before the
/// other comes, and has lost it then.
#[test]
fn t1_whoever_supersedes_does_not_end_itself() {
    model(|| {
        let registry = Arc::new(Registry::new());
        let held = now(&registry, KEY).unwrap();
        let releases = thread::spawn(move || drop(held));
        let supersedes = {
            let registry = Arc::clone(&registry);
            thread::spawn(move || {
                let turn = match supersede(&registry) {
                    Asked::Granted(turn) => turn,
                    Asked::Waits { place, .. } => turn(place).unwrap(),
                    Asked::Refused(_) => panic!("the newest is not refused"),
                };
                assert!(turn.poll_lost(&Context::from_waker(Waker::noop())).is_pending());
            })
        };
        releases.join().unwrap();
        supersedes.join().unwrap();
        assert_empty(&registry);
    });
}

/// A holder that never reacts loses its turn, once, to the first in the line.
#[test]
fn t1_a_turn_that_was_taken_away_cannot_be_given_back() {
    const HOLD: Duration = Duration::from_secs(1);
    model(|| {
        let registry = Arc::new(Registry::new());
        let held = now(&registry, KEY).unwrap();
        let asked = ask(&registry, Ask { max_hold: Some(HOLD), ..Ask::new(KEY) });
        let Asked::Waits { mut place, .. } = asked else { panic!("it has to wait") };
        let behind = self::place(&registry);
        let cx = &Context::from_waker(Waker::noop());
        let start = Instant::now();
        let releases = thread::spawn(move || drop(held));
        let taken =
            [HOLD, HOLD * 3].iter().find_map(|after| match place.poll(cx, start + *after) {
                Waited::Granted(turn) => Some(turn),
                Waited::Superseded => panic!("nobody supersedes"),
                Waited::Until(_) => None,
            });
        let turn = taken.unwrap();
        releases.join().unwrap();
        assert!(now(&registry, KEY).is_none());
        drop(turn);
        drop(self::turn(behind).unwrap());
        assert_empty(&registry);
    });
}

/// To clone, wake or drop a waker runs the code of others: that of a task, which may have a turn or a
/// place itself.
#[test]
fn t5_wakers_are_touched_while_nothing_is_locked() {
    /// Takes all locks, when it is woken and when it is dropped.
    struct Locks(Arc<Registry>);

    impl Wake for Locks {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.gauges();
        }
    }

    impl Drop for Locks {
        fn drop(&mut self) {
            self.0.gauges();
        }
    }

    model(|| {
        let registry = Arc::new(Registry::new());
        let held = now(&registry, KEY).unwrap();
        let waker = || Waker::from(std::sync::Arc::new(Locks(Arc::clone(&registry))));
        assert!(held.poll_lost(&Context::from_waker(&waker())).is_pending());
        assert!(held.poll_lost(&Context::from_waker(&waker())).is_pending());
        let poll = |place: &mut Place| {
            let waker = waker();
            let waited = place.poll(&Context::from_waker(&waker), Instant::now());
            matches!(waited, Waited::Granted(_))
        };
        let mut superseded = place(&registry);
        assert!(!poll(&mut superseded));
        let newest = supersede(&registry);
        let [mut twice, mut left, mut granted] = [(); 3].map(|()| place(&registry));
        assert!(!poll(&mut twice) && !poll(&mut twice));
        assert!(!poll(&mut left) && !poll(&mut granted));
        drop(left);
        let releases = thread::spawn(move || drop(held));
        drop(twice);
        releases.join().unwrap();
        drop(newest);
        assert!(poll(&mut granted));
        drop((granted, superseded));
        assert_empty(&registry);
    });
}

/// The slot of a body in place of what only looks like one: the reader goes, somebody newer comes, and
/// somebody waits who looks whether the reader is idle, which locks the slot within a shard.
#[test]
fn t1_a_reader_who_goes_while_its_turn_is_wanted_gives_it_back_once() {
    model(|| {
        let registry = Arc::new(Registry::new());
        let held = now(&registry, KEY).unwrap();
        let slot = std::sync::Arc::new(Slot::new(()));
        let bounded = Ask { max_idle: Some(Duration::from_secs(1)), ..Ask::new(KEY) };
        let Asked::Waits { place: mut waiting, .. } = ask(&registry, bounded) else {
            panic!("it has to wait")
        };
        let reader = {
            let slot = std::sync::Arc::clone(&slot);
            thread::spawn(move || {
                let lost = held.set_end(slot.clone());
                slot.put(held);
                let left = slot.close();
                assert!(lost.is_none() || left.is_none());
            })
        };
        let newest = {
            let registry = Arc::clone(&registry);
            thread::spawn(move || match supersede(&registry) {
                Asked::Granted(turn) => turn,
                Asked::Waits { place, .. } => turn(place).unwrap(),
                Asked::Refused(_) => panic!("the newest is not refused"),
            })
        };
        let cx = &Context::from_waker(Waker::noop());
        drop(waiting.poll(cx, Instant::now()));
        drop(waiting);
        reader.join().unwrap();
        let newest = newest.join().unwrap();
        assert!(newest.poll_lost(cx).is_pending());
        assert!(now(&registry, KEY).is_none());
        drop(newest);
        assert_empty(&registry);
    });
}
