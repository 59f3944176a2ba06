use std::{
    collections::VecDeque,
    sync::{
        Arc as StdArc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake},
    time::Duration,
};

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::session::{EndTurn, Lost, notice::GRACE};

const KEY: Key = Key([1, 2]);

fn keyed(number: u64) -> Ask {
    Ask::new(Key([number, number]))
}

fn turn(asked: Asked) -> Turn {
    match asked {
        Asked::Granted(turn) => turn,
        other => panic!("a turn is free: {other:?}"),
    }
}

fn place(asked: Asked) -> Place {
    match asked {
        Asked::Waits { place, .. } => place,
        other => panic!("there is a place: {other:?}"),
    }
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: StdArc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn sizes(registry: &Registry) -> usize {
    registry.shards.iter().map(|shard| shard.lock().sessions.allocation_size()).sum()
}

/// Of a hundred thousand the one in the middle leaves: nobody is woken but, when its turn comes, the
/// one behind it, and that once.
#[test]
fn t4_whoever_leaves_from_the_middle_of_a_long_line_is_not_missed() {
    const MIDDLE: usize = 50_000;
    let registry = Arc::new(Registry::new());
    let now = Instant::now();
    let held = turn(Registry::ask(&registry, &Ask::new(KEY), now));
    let wakers: Vec<_> = (0..2 * MIDDLE).map(|_| StdArc::new(Woken::default())).collect();
    let mut places: VecDeque<_> = wakers
        .iter()
        .map(|woken| {
            let mut place = place(Registry::ask(&registry, &Ask::new(KEY), now));
            let waker = Waker::from(woken.clone());
            assert!(matches!(place.poll(&Context::from_waker(&waker), now), Waited::Until(None)));
            Some(place)
        })
        .collect();
    drop(places[MIDDLE].take());
    assert_eq!(registry.gauges().waiting, 2 * MIDDLE - 1);

    drop(held);
    let mut served = 0;
    let cx = &Context::from_waker(Waker::noop());
    for place in places.drain(..).flatten() {
        let mut place = place;
        let Waited::Granted(turn) = place.poll(cx, now) else { panic!("it is the next") };
        served += 1;
        drop(turn);
    }
    assert_eq!(served, 2 * MIDDLE - 1);
    let woken = wakers.iter().map(|woken| woken.0.load(SeqCst));
    assert!(woken.enumerate().all(|(number, woken)| woken == usize::from(number != MIDDLE)));
    assert_eq!((registry.gauges().active, registry.gauges().waiting), (0, 0));
}

#[test]
fn t3_sessions_that_are_over_take_no_memory() {
    let registry = Arc::new(Registry::new());
    let now = Instant::now();
    assert_eq!(sizes(&registry), 0);
    let few = |registry: &Arc<Registry>| {
        let turns = (0..16).map(|number| turn(Registry::ask(registry, &keyed(number), now)));
        turns.collect::<Vec<_>>()
    };
    drop(few(&registry));
    let spare = sizes(&registry);

    let turns: Vec<_> =
        (0..100_000).map(|number| turn(Registry::ask(&registry, &keyed(number), now))).collect();
    let places: Vec<_> =
        turns.iter().map(|it| place(Registry::ask(&registry, &Ask::new(it.key), now))).collect();
    assert!(sizes(&registry) > 100_000 * 100);
    assert_eq!(registry.gauges().active, 100_000);
    drop((places, turns));
    assert_eq!(registry.gauges().active, 0);
    let left = sizes(&registry);
    // Of each shard the table of 32, and places for 32.
    assert!(left <= SHARDS * (32 * 160 + 32 * 48), "{left} bytes, {spare} before");
}

#[test]
fn max_sessions_bounds_sessions_and_not_those_who_wait() {
    let registry = Arc::new(Registry::new());
    let now = Instant::now();
    let ask = |number| Registry::ask(&registry, &Ask { max_sessions: 2, ..keyed(number) }, now);
    let one = turn(ask(1));
    let two = turn(ask(2));
    assert!(matches!(ask(3), Asked::Refused(Refused::TooManySessions)));
    let waits = place(ask(1));
    drop(two);
    let three = turn(ask(3));
    drop((one, waits, three));
    assert_eq!(registry.active.load(Relaxed), 0);
}

/// One that ends at once when it is told to, or never, because it is being read.
#[derive(Debug)]
struct Reader {
    idle_since: Option<Instant>,
    /// Has nothing if it is away.
    turn: Lock<Option<Turn>>,
}

impl Reader {
    fn new(idle_since: Option<Instant>) -> StdArc<Self> {
        StdArc::new(Self { idle_since, turn: Lock::new(None) })
    }
}

impl EndTurn for Reader {
    fn end(&self, _: Lost) {
        let turn = self.turn.lock().take();
        drop(turn);
    }

    fn idle_since(&self) -> Option<Instant> {
        self.idle_since
    }
}

const HOLD: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(2);

/// A turn, and so many places behind it that bound it.
fn line(waiting: usize, start: Instant) -> (Turn, Vec<Place>) {
    let bounded = Ask { max_hold: Some(HOLD), max_idle: Some(IDLE), ..Ask::new(KEY) };
    let registry = Arc::new(Registry::new());
    let held = turn(Registry::ask(&registry, &Ask::new(KEY), start));
    let asked = (0..waiting).map(|_| place(Registry::ask(&registry, &bounded, start)));
    (held, asked.collect())
}

fn poll(place: &mut Place, now: Instant) -> Waited {
    place.poll(&Context::from_waker(Waker::noop()), now)
}

/// Polls one that has to wait, and returns when it is to look again.
fn until(place: &mut Place, now: Instant, start: Instant) -> Option<Duration> {
    match poll(place, now) {
        Waited::Until(at) => at.map(|at| at - start),
        other => panic!("it has to wait: {other:?}"),
    }
}

fn lost(turn: &Turn) -> Poll<Lost> {
    turn.poll_lost(&Context::from_waker(Waker::noop()))
}

/// It has no body yet: nobody can end it but itself.
#[test]
fn a_holder_is_told_at_its_time_and_has_a_second_to_end() {
    let start = Instant::now();
    let (held, mut places) = line(1, start);
    let place = &mut places[0];
    assert_eq!(until(place, start, start), Some(IDLE));
    let almost = HOLD - Duration::from_nanos(1);
    assert_eq!(until(place, start + almost, start), Some(HOLD));
    assert!(lost(&held).is_pending());
    assert_eq!(until(place, start + HOLD, start), Some(HOLD + GRACE));
    assert_eq!(lost(&held), Poll::Ready(Lost::MaxHold));
    assert!(matches!(poll(place, start + HOLD + GRACE), Waited::Granted(_)));
    assert_eq!(lost(&held), Poll::Ready(Lost::MaxHold));
}

#[test]
fn an_answer_that_is_not_read_ends_at_once() {
    let start = Instant::now();
    let (held, mut places) = line(1, start);
    let reader = Reader::new(Some(start));
    assert_eq!(held.set_end(reader.clone()), None);
    *reader.turn.lock() = Some(held);
    let place = &mut places[0];
    assert_eq!(until(place, start + IDLE - Duration::from_nanos(1), start), Some(IDLE));
    let Waited::Granted(next) = poll(place, start + IDLE) else { panic!("it is the next") };
    assert!(lost(&next).is_pending());
}

/// It says why it was taken for as long as its holder has not gone, and is then forgotten.
#[test]
fn a_turn_that_was_taken_says_why_and_cannot_be_given_back() {
    let start = Instant::now();
    let (held, mut places) = line(2, start);
    assert_eq!(held.set_end(Reader::new(Some(start))), None);
    let place = &mut places[0];
    assert_eq!(until(place, start + IDLE, start), Some(IDLE + GRACE));
    assert_eq!(lost(&held), Poll::Ready(Lost::Idle));
    let Waited::Granted(next) = poll(place, start + IDLE + GRACE) else { panic!("it is the next") };
    assert_eq!(lost(&held), Poll::Ready(Lost::Idle));
    assert_eq!(held.set_end(Reader::new(None)), Some(Lost::Idle));
    drop(held);
    assert!(lost(&next).is_pending());
    assert!(matches!(poll(&mut places[1], start + IDLE * 2), Waited::Until(_)));
    assert_eq!(next.registry.shard(KEY).lock().sessions.taken(), 0);
}

/// It may be idle from now on, at the earliest.
#[test]
fn an_answer_that_is_read_all_the_time_ends_at_the_longest_time_to_hold() {
    let start = Instant::now();
    let (held, mut places) = line(1, start);
    let reader = Reader::new(None);
    assert_eq!(held.set_end(reader.clone()), None);
    *reader.turn.lock() = Some(held);
    let place = &mut places[0];
    assert_eq!(until(place, start + IDLE * 3, start), Some(IDLE * 4));
    assert!(matches!(poll(place, start + HOLD), Waited::Granted(_)));
}

/// The first in the line is not polled, or goes: the others look themselves.
#[test]
fn whoever_waits_looks_at_the_holder() {
    let start = Instant::now();
    for first_goes in [false, true] {
        let (held, mut places) = line(3, start);
        if first_goes {
            drop(places.remove(0));
        }
        let last = places.last_mut().unwrap();
        assert_eq!(until(last, start + HOLD, start), Some(HOLD + GRACE));
        assert_eq!(lost(&held), Poll::Ready(Lost::MaxHold));
        let taken = start + HOLD + GRACE;
        assert_eq!(until(last, taken, start), Some(HOLD + GRACE + IDLE));
        assert_eq!(lost(&held), Poll::Ready(Lost::MaxHold));
        assert!(matches!(poll(&mut places[0], taken), Waited::Granted(_)));
    }
}

/// Whoever has told the holder to end goes before it can take the turn; another does, who had not
/// bounded it.
#[test]
fn whoever_was_to_take_a_turn_has_it_taken_by_the_next_when_it_goes() {
    let start = Instant::now();
    let registry = Arc::new(Registry::new());
    let held = turn(Registry::ask(&registry, &Ask::new(KEY), start));
    let mut first = place(Registry::ask(&registry, &Ask::new(KEY), start));
    let woken = StdArc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let cx = &Context::from_waker(&waker);
    assert!(matches!(first.poll(cx, start), Waited::Until(None)));
    let bounded = Ask { max_hold: Some(HOLD), ..Ask::new(KEY) };
    let mut second = place(Registry::ask(&registry, &bounded, start));
    assert_eq!(until(&mut second, start + HOLD, start), Some(HOLD + GRACE));
    assert_eq!(woken.0.load(SeqCst), 0);
    drop(second);
    assert_eq!(woken.0.load(SeqCst), 1);
    assert_eq!(until(&mut first, start + HOLD, start), Some(HOLD + GRACE));
    assert!(matches!(first.poll(cx, start + HOLD + GRACE), Waited::Granted(_)));
    drop(held);
}

/// The first in the line was granted the turn, and nobody polls it: it is idle.
#[test]
fn a_turn_that_nobody_sees_is_idle() {
    let start = Instant::now();
    let (held, mut places) = line(2, start);
    held.registry.release(KEY, held.number(), start);
    drop(held);
    let [first, second] = &mut places[..] else { panic!("there are two") };
    assert_eq!(until(second, start, start), Some(IDLE));
    // It has begun nothing, and is not waited for.
    let taken = start + IDLE;
    let Waited::Granted(next) = poll(second, taken) else { panic!("it is the next") };
    let Waited::Granted(unseen) = poll(first, taken) else { panic!("it was granted") };
    assert_eq!(lost(&unseen), Poll::Ready(Lost::Idle));
    drop(unseen);
    assert!(lost(&next).is_pending());
    // One that was seen is not idle.
    let (held, mut places) = line(2, start);
    held.registry.release(KEY, held.number(), start);
    drop(held);
    let [first, second] = &mut places[..] else { panic!("there are two") };
    let Waited::Granted(_seen) = poll(first, start) else { panic!("it is the next") };
    assert_eq!(until(second, start + IDLE, start), Some(IDLE * 2));
}

#[derive(Clone, Debug)]
enum Step {
    Ask(u8),
    Supersede(u8),
    Poll(prop::sample::Index),
    Drop(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_u8).prop_map(Step::Ask),
        1 => (0..3_u8).prop_map(Step::Supersede),
        3 => any::<prop::sample::Index>().prop_map(Step::Poll),
        4 => any::<prop::sample::Index>().prop_map(Step::Drop),
    ]
}

/// One that has asked, and what it has.
enum Asker {
    Waits(Place),
    Has(Turn),
}

proptest! {
    /// Against lines written down plainly: whoever is first is at work.
    #[test]
    fn prop_turns_are_as_in_plain_lines(steps in vec(step(), 0..200)) {
        let registry = Arc::new(Registry::new());
        let now = Instant::now();
        let cx = &Context::from_waker(Waker::noop());
        let mut lines: [VecDeque<usize>; 3] = Default::default();
        let (mut told, mut seen, mut taken) = (Vec::new(), Vec::new(), Vec::new());
        let mut askers: Vec<(usize, usize, Asker)> = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Ask(of) | Step::Supersede(of) => {
                    let line = usize::from(of);
                    let supersedes = matches!(step, Step::Supersede(_));
                    let ask = Ask { max_waiting: 4, supersedes, ..keyed(u64::from(of)) };
                    let len = lines[line].len();
                    match Registry::ask(&registry, &ask, now) {
                        Asked::Granted(turn) => {
                            prop_assert_eq!(len, 0);
                            seen.push(number);
                            askers.push((line, number, Asker::Has(turn)));
                        }
                        Asked::Waits { place, ahead } => {
                            if supersedes {
                                lines[line].truncate(1);
                                told.extend(lines[line].front());
                            } else {
                                prop_assert!((1..=4).contains(&len));
                            }
                            prop_assert_eq!(ahead, lines[line].len());
                            askers.push((line, number, Asker::Waits(place)));
                        }
                        Asked::Refused(refused) => {
                            prop_assert_eq!((refused, len), (Refused::Busy, 5));
                            continue;
                        }
                    }
                    lines[line].push_back(number);
                }
                Step::Poll(_) | Step::Drop(_) if askers.is_empty() => {}
                Step::Poll(index) => {
                    let (line, number, asker) = askers.swap_remove(index.index(askers.len()));
                    let mut place = match asker {
                        Asker::Waits(place) => place,
                        Asker::Has(turn) => {
                            prop_assert_eq!(turn.poll_lost(cx).is_ready(), told.contains(&number));
                            askers.push((line, number, Asker::Has(turn)));
                            continue;
                        }
                    };
                    // Whoever waits takes the turn at once from one that was told to end before it has
                    // seen that it has it.
                    let front = lines[line].front().copied().filter(|it| *it != number);
                    let is_unseen = front.is_some_and(|it| told.contains(&it) && !seen.contains(&it));
                    if is_unseen && lines[line].contains(&number) {
                        taken.extend(lines[line].pop_front());
                    }
                    match place.poll(cx, now) {
                        Waited::Granted(turn) if taken.contains(&number) => {
                            prop_assert!(turn.poll_lost(cx).is_ready());
                            askers.push((line, number, Asker::Has(turn)));
                        }
                        Waited::Granted(turn) => {
                            prop_assert_eq!(lines[line].front(), Some(&number));
                            seen.push(number);
                            askers.push((line, number, Asker::Has(turn)));
                        }
                        Waited::Superseded => prop_assert!(!lines[line].contains(&number)),
                        Waited::Until(at) => {
                            // Only one that was told to end has a time.
                            let is_told = lines[line].front().is_some_and(|it| told.contains(it));
                            prop_assert_eq!(at.is_some(), is_told);
                            let is_behind = lines[line].iter().skip(1).any(|it| *it == number);
                            prop_assert!(is_behind);
                            askers.push((line, number, Asker::Waits(place)));
                        }
                    }
                }
                Step::Drop(index) => {
                    let (line, number, asker) = askers.swap_remove(index.index(askers.len()));
                    drop(asker);
                    lines[line].retain(|it| *it != number);
                }
            }
            let gauges = registry.gauges();
            let active = lines.iter().filter(|line| !line.is_empty()).count();
            let waiting: usize = lines.iter().map(|line| line.len().saturating_sub(1)).sum();
            prop_assert_eq!((gauges.active, gauges.waiting), (active, waiting));
        }
        drop(askers);
        prop_assert_eq!((registry.gauges().active, registry.gauges().waiting), (0, 0));
    }
}
