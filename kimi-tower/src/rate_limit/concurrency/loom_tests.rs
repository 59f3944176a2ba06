//! Every interleaving of what threads do to the permits of one caller, or of two.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    collections::VecDeque,
    future::poll_fn,
    num::NonZeroU32,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    task::{Context, Poll, Wake, Waker},
};

use loom::{
    future::block_on,
    sync::{Arc, Mutex},
    thread,
};

use super::{
    Occupancy,
    permits::{Asked, Permit, Permits, Place},
};
use crate::key::Key;

const KEY: Key = Key([1, 2]);
/// Of the same shard.
const OTHER: Key = Key([3, 2]);
const ONE: NonZeroU32 = NonZeroU32::MIN;
const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();

fn model(work: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    // Unless the environment says otherwise. Without a bound one model takes many minutes.
    model.preemption_bound.get_or_insert(3);
    model.check(work);
}

fn now(permits: &Arc<Permits>, key: Key) -> Option<Permit> {
    match Permits::ask(permits, key, ONE, 0) {
        Asked::Granted(permit) => Some(permit),
        Asked::Full => None,
        Asked::Waits(_) => panic!("there is no line"),
    }
}

fn place(permits: &Arc<Permits>) -> Place {
    match Permits::ask(permits, KEY, ONE, 9) {
        Asked::Waits(place) => place,
        Asked::Granted(_) | Asked::Full => panic!("there is a place in the line"),
    }
}

fn turn(mut place: Place) -> Permit {
    block_on(poll_fn(|cx| place.poll(cx)))
}

/// Asks and waits for as long as it takes.
fn permit(permits: &Arc<Permits>, max: NonZeroU32) -> Permit {
    match Permits::ask(permits, KEY, max, 9) {
        Asked::Granted(permit) => permit,
        Asked::Waits(place) => turn(place),
        Asked::Full => panic!("there is room in the line"),
    }
}

/// Lets three threads ask; returns the most that held a permit at the same time.
fn three_ask(max: NonZeroU32) -> usize {
    let permits = Arc::new(Permits::new());
    let seen = Arc::new(Mutex::new((0, 0)));
    let work = {
        let (permits, seen) = (Arc::clone(&permits), Arc::clone(&seen));
        move || {
            let permit = permit(&permits, max);
            {
                let (held, most) = &mut *seen.lock().unwrap();
                *held += 1;
                *most = (*held).max(*most);
            }
            seen.lock().unwrap().0 -= 1;
            drop(permit);
        }
    };
    let threads = [thread::spawn(work.clone()), thread::spawn(work.clone())];
    work();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(permits.occupancy(), Occupancy::default());
    let (_, most) = *seen.lock().unwrap();
    most
}

/// C6, too: else one of them would wait for ever, which loom sees.
#[test]
fn c1_never_more_than_one_of_one_holds() {
    model(|| assert_eq!(three_ask(ONE), 1));
}

#[test]
fn c1_never_more_than_two_of_two_hold() {
    static MOST: AtomicUsize = AtomicUsize::new(0);
    model(|| {
        let most = three_ask(TWO);
        assert!(most <= 2);
        MOST.fetch_max(most, SeqCst);
    });
    assert_eq!(MOST.load(SeqCst), 2);
}

#[test]
fn c2_permits_are_granted_in_the_order_in_which_they_were_asked_for() {
    model(|| {
        let permits = Arc::new(Permits::new());
        let held = now(&permits, KEY).unwrap();
        let order = Arc::new(Mutex::new(VecDeque::new()));
        let threads = [1, 2].map(|number| {
            let (place, order) = (place(&permits), Arc::clone(&order));
            thread::spawn(move || {
                let permit = turn(place);
                order.lock().unwrap().push_back(number);
                drop(permit);
            })
        });
        drop(held);
        // A newcomer does not overtake those in the line.
        if let Some(permit) = now(&permits, KEY) {
            assert_eq!(*order.lock().unwrap(), [1, 2]);
            drop(permit);
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*order.lock().unwrap(), [1, 2]);
    });
}

#[test]
fn c3_nothing_is_kept_for_a_caller_that_is_gone() {
    model(|| {
        let permits = Arc::new(Permits::new());
        let threads = [KEY, OTHER].map(|key| {
            let permits = Arc::clone(&permits);
            thread::spawn(move || drop(now(&permits, key)))
        });
        drop(now(&permits, KEY));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(permits.occupancy(), Occupancy::default());
        // Nor does it hold anything.
        assert!(now(&permits, KEY).is_some());
    });
}

/// The one that leaves may have been granted the permit already, and not know.
#[test]
fn c4_whoever_leaves_makes_room_for_the_next() {
    model(|| {
        let permits = Arc::new(Permits::new());
        let held = now(&permits, KEY).unwrap();
        let (leaving, staying) = (place(&permits), place(&permits));
        let releases = thread::spawn(move || drop(held));
        let leaves = thread::spawn(move || {
            let mut leaving = leaving;
            let _ = leaving.poll(&Context::from_waker(Waker::noop()));
            drop(leaving);
        });
        drop(turn(staying));
        releases.join().unwrap();
        leaves.join().unwrap();
        assert_eq!(permits.occupancy(), Occupancy::default());
    });
}

#[test]
fn c4_whoever_leaves_from_between_or_the_end_breaks_no_line() {
    model(|| {
        let permits = Arc::new(Permits::new());
        let held = now(&permits, KEY).unwrap();
        let [first, second, third, last] = [(); 4].map(|()| place(&permits));
        let leaves = thread::spawn(move || drop(second));
        let leaves_too = thread::spawn(move || drop(last));
        drop(held);
        drop(turn(first));
        drop(turn(third));
        leaves.join().unwrap();
        leaves_too.join().unwrap();
        assert_eq!(permits.occupancy(), Occupancy::default());
    });
}

#[test]
fn c5_one_caller_never_waits_for_another() {
    model(|| {
        let permits = Arc::new(Permits::new());
        let held = now(&permits, KEY).unwrap();
        let waiting = place(&permits);
        let releases = thread::spawn(move || drop(held));
        let waits = thread::spawn(move || drop(turn(waiting)));
        assert!(now(&permits, OTHER).is_some());
        releases.join().unwrap();
        waits.join().unwrap();
        assert_eq!(permits.occupancy(), Occupancy::default());
    });
}

#[test]
fn c6_whoever_is_granted_a_permit_is_woken_once() {
    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    model(|| {
        let permits = Arc::new(Permits::new());
        let held = now(&permits, KEY).unwrap();
        let mut place = place(&permits);
        let counts = [(); 2].map(|()| std::sync::Arc::new(Count::default()));
        let releases = thread::spawn(move || drop(held));
        let mut pending = 0;
        let granted = counts.iter().find_map(|count| {
            let waker = Waker::from(std::sync::Arc::clone(count));
            match place.poll(&Context::from_waker(&waker)) {
                Poll::Ready(permit) => Some(permit),
                Poll::Pending => {
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

/// To clone, wake or drop a waker runs the code of others: that of a task, which may hold a permit
/// or a place itself.
#[test]
fn c6_wakers_are_touched_while_nothing_is_locked() {
    /// Takes all locks, when it is woken and when it is dropped.
    struct Locks(Arc<Permits>);

    impl Wake for Locks {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.occupancy();
        }
    }

    impl Drop for Locks {
        fn drop(&mut self) {
            self.0.occupancy();
        }
    }

    model(|| {
        let permits = Arc::new(Permits::new());
        let held = now(&permits, KEY).unwrap();
        let places = [(); 3].map(|()| place(&permits));
        let poll = |place: &mut Place| {
            let waker = Waker::from(std::sync::Arc::new(Locks(Arc::clone(&permits))));
            place.poll(&Context::from_waker(&waker)).is_ready()
        };
        let [mut twice, mut left, mut granted] = places;
        assert!(!poll(&mut twice) && !poll(&mut twice));
        assert!(!poll(&mut left) && !poll(&mut granted));
        drop(left);
        let releases = thread::spawn(move || drop(held));
        drop(twice);
        releases.join().unwrap();
        assert!(poll(&mut granted));
        drop(granted);
        assert_eq!(permits.occupancy(), Occupancy::default());
    });
}
