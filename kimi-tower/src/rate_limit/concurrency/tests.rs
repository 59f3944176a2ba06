//! Permits, beside a model of what they do.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    collections::VecDeque,
    num::NonZeroU32,
    sync::{
        Arc as StdArc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use proptest::prelude::*;

use super::{
    Occupancy,
    permits::{Asked, Permit, Permits, Place},
};
use crate::{key::Key, sync::Arc};

const KEY: Key = Key([1, 2]);

fn max(max: u32) -> NonZeroU32 {
    NonZeroU32::new(max).unwrap()
}

fn ask(permits: &Arc<Permits>, below: u32) -> Asked {
    Permits::ask(permits, KEY, max(below), usize::MAX)
}

fn permit(permits: &Arc<Permits>, below: u32) -> Permit {
    match ask(permits, below) {
        Asked::Granted(permit) => permit,
        other => panic!("{other:?}"),
    }
}

fn place(permits: &Arc<Permits>, below: u32) -> Place {
    match ask(permits, below) {
        Asked::Waits(place) => place,
        other => panic!("{other:?}"),
    }
}

fn poll(place: &mut Place) -> Poll<Permit> {
    place.poll(&Context::from_waker(Waker::noop()))
}

fn occupancy(held: usize, waiting: usize, keys: usize) -> Occupancy {
    Occupancy { held, waiting, keys }
}

#[test]
fn so_many_hold_and_the_next_wait_in_line() {
    let permits = Arc::new(Permits::new());
    let held = [permit(&permits, 2), permit(&permits, 2)];
    let mut waiting = [place(&permits, 2), place(&permits, 2)];
    assert!(matches!(Permits::ask(&permits, KEY, max(2), 2), Asked::Full));
    assert_eq!(permits.occupancy(), occupancy(2, 2, 1));
    drop(held);
    assert_eq!(permits.occupancy(), occupancy(2, 0, 1));
    drop(waiting.each_mut().map(poll));
    drop(waiting);
    assert_eq!(permits.occupancy(), Occupancy::default());
}

#[test]
fn a_newcomer_does_not_overtake_even_with_a_greater_limit() {
    let permits = Arc::new(Permits::new());
    let held = [permit(&permits, 2), permit(&permits, 2)];
    let mut first = place(&permits, 1);
    let mut second = place(&permits, 9);
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    // The limit of the first lets it go when nobody holds.
    let [one, other] = held;
    drop(one);
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    drop(other);
    assert!(poll(&mut first).is_ready() && poll(&mut second).is_ready());
}

#[test]
fn when_the_first_leaves_all_behind_it_go_whose_limit_lets_them() {
    let permits = Arc::new(Permits::new());
    let held = permit(&permits, 1);
    let first = place(&permits, 1);
    let mut others = [place(&permits, 3), place(&permits, 3), place(&permits, 3)];
    drop(first);
    assert_eq!(permits.occupancy(), occupancy(3, 1, 1));
    let polled = others.each_mut().map(poll);
    assert_eq!(polled.each_ref().map(Poll::is_ready), [true, true, false]);
    drop(held);
}

#[test]
#[should_panic(expected = "not polled after its permit was taken")]
fn a_place_has_one_permit_to_give() {
    let permits = Arc::new(Permits::new());
    let held = permit(&permits, 1);
    let mut place = place(&permits, 1);
    drop(held);
    let taken = poll(&mut place);
    assert!(taken.is_ready());
    let _ = poll(&mut place);
}

#[test]
fn what_is_shown_is_not_whose_it_is() {
    let permits = Arc::new(Permits::new());
    let key = Key([0xdead_beef, 0xdead_beef]);
    let held = Permits::ask(&permits, key, max(1), 9);
    let waits = Permits::ask(&permits, key, max(1), 9);
    let shown = format!("{permits:?} {held:?} {waits:?}");
    assert!(!shown.contains(&0xdead_beef_u32.to_string()), "{shown}");
    assert!(!shown.contains("deadbeef"), "{shown}");
}

#[derive(Clone, Debug)]
enum Step {
    Ask { key: u64, max: u32, max_queue: usize },
    Poll(usize),
    Leave(usize),
    Release(usize),
}

fn steps(different_limits: bool) -> impl Strategy<Value = Vec<Step>> {
    let highest = if different_limits { 4_u32 } else { 1 };
    let step = prop_oneof![
        3 => (0..3_u64, 1..=highest, 0..9_usize).prop_map(move |(key, max, max_queue)| {
            let max = if different_limits { max } else { 2 };
            Step::Ask { key, max, max_queue }
        }),
        2 => any::<usize>().prop_map(Step::Poll),
        1 => any::<usize>().prop_map(Step::Leave),
        2 => any::<usize>().prop_map(Step::Release),
    ];
    proptest::collection::vec(step, 0..200)
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: StdArc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A waiter, and what is to be seen of it.
struct Waiter {
    key: u64,
    max: u32,
    place: Place,
    wakes: StdArc<Wakes>,
    is_polled: bool,
    is_granted: bool,
    expected_wakes: usize,
}

/// The same without sharing, slabs or tables: one list of all, looked through.
#[derive(Default)]
struct Model {
    waiters: Vec<Waiter>,
    /// The keys of the permits that were seen.
    held: Vec<(u64, Permit)>,
}

impl Model {
    fn holding(&self, key: u64) -> u32 {
        let granted = self.waiters.iter().filter(|it| it.key == key && it.is_granted).count();
        let seen = self.held.iter().filter(|it| it.0 == key).count();
        u32::try_from(granted + seen).unwrap()
    }

    fn line(&self, key: u64) -> usize {
        self.waiters.iter().filter(|it| it.key == key && !it.is_granted).count()
    }

    fn settle(&mut self) {
        for key in 0..3 {
            loop {
                let held = self.holding(key);
                let mut line = self.waiters.iter_mut().filter(|it| it.key == key && !it.is_granted);
                match line.next() {
                    Some(first) if held < first.max => {
                        first.is_granted = true;
                        first.expected_wakes += usize::from(first.is_polled);
                    }
                    _ => break,
                }
            }
        }
    }

    fn step(&mut self, permits: &Arc<Permits>, step: &Step) {
        match *step {
            Step::Ask { key, max: below, max_queue } => {
                let (held, line) = (self.holding(key), self.line(key));
                let full_key = Key([key, key]);
                match Permits::ask(permits, full_key, max(below), max_queue) {
                    Asked::Granted(permit) => {
                        assert!(held < below && line == 0);
                        self.held.push((key, permit));
                    }
                    Asked::Waits(place) => {
                        assert!((held >= below || line > 0) && line < max_queue);
                        self.waiters.push(Waiter {
                            key,
                            max: below,
                            place,
                            wakes: StdArc::default(),
                            is_polled: false,
                            is_granted: false,
                            expected_wakes: 0,
                        });
                    }
                    Asked::Full => assert!((held >= below || line > 0) && line >= max_queue),
                }
            }
            Step::Poll(number) if !self.waiters.is_empty() => {
                let number = number % self.waiters.len();
                let waiter = &mut self.waiters[number];
                let waker = Waker::from(waiter.wakes.clone());
                let polled = waiter.place.poll(&Context::from_waker(&waker));
                assert_eq!(polled.is_ready(), waiter.is_granted);
                waiter.is_polled = true;
                if let Poll::Ready(permit) = polled {
                    let waiter = self.waiters.remove(number);
                    self.held.push((waiter.key, permit));
                }
            }
            Step::Leave(number) if !self.waiters.is_empty() => {
                drop(self.waiters.remove(number % self.waiters.len()));
            }
            Step::Release(number) if !self.held.is_empty() => {
                drop(self.held.swap_remove(number % self.held.len()));
            }
            Step::Poll(_) | Step::Leave(_) | Step::Release(_) => {}
        }
        self.settle();
    }

    fn occupancy(&self) -> Occupancy {
        let counts = [0, 1, 2].map(|key| (self.holding(key), self.line(key)));
        let held: u32 = counts.iter().map(|it| it.0).sum();
        let waiting = counts.iter().map(|it| it.1).sum();
        let keys = counts.iter().filter(|it| it.0 > 0).count();
        occupancy(usize::try_from(held).unwrap(), waiting, keys)
    }
}

fn run(steps: &[Step]) {
    let permits = Arc::new(Permits::new());
    let mut model = Model::default();
    for step in steps {
        model.step(&permits, step);
        assert_eq!(permits.occupancy(), model.occupancy());
        for waiter in &model.waiters {
            assert_eq!(waiter.wakes.0.load(SeqCst), waiter.expected_wakes);
        }
    }
    drop(model);
    assert_eq!(permits.occupancy(), Occupancy::default());
}

proptest! {
    /// C1 to C6, with one thread.
    #[test]
    fn prop_permits_do_as_the_model_does(steps in steps(false)) {
        run(&steps);
    }

    #[test]
    fn prop_permits_do_as_the_model_does_with_limits_that_differ(steps in steps(true)) {
        run(&steps);
    }
}

/// C1 to C6, with as many threads as there are; loom has fewer, in every order.
#[test]
fn threads_that_ask_wait_and_leave_are_never_more_than_may_and_leave_nothing() {
    struct Unparks(std::thread::Thread, AtomicUsize);

    impl Wake for Unparks {
        fn wake(self: StdArc<Self>) {
            self.1.fetch_add(1, SeqCst);
            self.0.unpark();
        }
    }

    /// Waits for the permit, or leaves after so many polls.
    fn turn(mut place: Place, patience: u32) -> Option<Permit> {
        let unparks = StdArc::new(Unparks(std::thread::current(), AtomicUsize::new(0)));
        let waker = Waker::from(unparks.clone());
        for _ in 0..patience {
            match place.poll(&Context::from_waker(&waker)) {
                Poll::Ready(permit) => return Some(permit),
                Poll::Pending if patience < 9 => std::thread::yield_now(),
                Poll::Pending => {
                    // An earlier waker may have come late, and ends one of these.
                    let is_woken = || unparks.1.load(SeqCst) > 0;
                    for _ in 0..60 {
                        if !is_woken() {
                            std::thread::park_timeout(Duration::from_secs(1));
                        }
                    }
                    assert!(is_woken(), "a wake-up was lost");
                }
            }
        }
        None
    }

    let permits = Arc::new(Permits::new());
    let holding = [(); 3].map(|()| AtomicUsize::new(0));
    let (waited, left) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (permits, holding, waited, left) = (&permits, &holding, &waited, &left);
            scope.spawn(move || {
                for round in 0..20_000_u64 {
                    let mixed = (thread << 32 | round).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
                    let key = usize::try_from(mixed % 3).unwrap();
                    let below = u32::try_from(key).unwrap() + 1;
                    let patience = if mixed & 64 == 0 { u32::MAX } else { 2 };
                    let full_key = Key([mixed % 3, 7]);
                    let permit = match Permits::ask(permits, full_key, max(below), 9) {
                        Asked::Granted(permit) => Some(permit),
                        Asked::Waits(place) => {
                            waited.fetch_add(1, SeqCst);
                            turn(place, patience)
                        }
                        Asked::Full => unreachable!("there are fewer threads than places"),
                    };
                    let Some(permit) = permit else {
                        left.fetch_add(1, SeqCst);
                        continue;
                    };
                    assert!(holding[key].fetch_add(1, SeqCst) <= key, "more than may");
                    if mixed & 128 == 0 {
                        std::thread::yield_now();
                    }
                    holding[key].fetch_sub(1, SeqCst);
                    drop(permit);
                }
            });
        }
    });
    assert!(waited.into_inner() > 100 && left.into_inner() > 10, "they have not met");
    assert_eq!(permits.occupancy(), Occupancy::default());
}

/// C3. What many callers took is given back when they are gone.
#[test]
fn memory_is_given_back_when_callers_are_gone() {
    let mut callers = super::callers::Callers::default();
    let key = |number: u64| Key([number.wrapping_mul(0x9e37_79b9_7f4a_7c15), 0]);
    for number in 1..=10_000 {
        callers.ask(key(number), max(1), 0);
    }
    let most = callers.allocation_size();
    for number in 1..=10_000 {
        callers.release(key(number));
        assert!(callers.allocation_size() <= most);
    }
    assert!(most > 10_000 * 16);
    assert!(callers.allocation_size() < 4_096, "{}", callers.allocation_size());
    let mut line: VecDeque<_> = (0..10_000)
        .filter_map(|_| match callers.ask(KEY, max(1), 10_000) {
            super::callers::Answer::Waits(place) => Some(place),
            _ => None,
        })
        .collect();
    assert_eq!(line.len(), 9_999);
    // From both ends, and from between.
    while let Some(place) = line.pop_front() {
        callers.leave(KEY, place);
        line.rotate_left(line.len() / 3);
    }
    assert!(callers.release(KEY).is_empty());
    assert_eq!(callers.occupancy(), Occupancy::default());
    assert!(callers.allocation_size() < 4_096, "{}", callers.allocation_size());
}
