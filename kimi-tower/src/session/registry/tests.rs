use std::{
    collections::VecDeque,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    task::Wake,
};

use proptest::{collection::vec, prelude::*};

use super::*;

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

/// One that ends at once when it is told to, or is never told because it is being read.
#[derive(Debug)]
struct Reader {
    idle_since: Option<Instant>,
    is_away: bool,
}

impl EndTurn for Reader {
    fn end(&self, _: Lost) -> bool {
        !self.is_away
    }

    fn idle_since(&self) -> Option<Instant> {
        self.idle_since
    }
}

#[test]
fn a_holder_is_told_at_its_time_and_has_a_second_to_end() {
    const HOLD: Duration = Duration::from_secs(10);
    const IDLE: Duration = Duration::from_secs(2);
    let start = Instant::now();
    let cx = &Context::from_waker(Waker::noop());
    let bounded = Ask { max_hold: Some(HOLD), max_idle: Some(IDLE), ..Ask::new(KEY) };
    let begin = |reader: Option<Reader>| {
        let registry = Arc::new(Registry::new());
        let held = turn(Registry::ask(&registry, &Ask::new(KEY), start));
        if let Some(reader) = reader {
            assert_eq!(held.set_end(StdArc::new(reader)), None);
        }
        let place = place(Registry::ask(&registry, &bounded, start));
        (held, place)
    };
    let until = |waited| match waited {
        Waited::Until(at) => at.map(|at: Instant| at - start),
        other => panic!("it has to wait: {other:?}"),
    };
    let lost = |turn: &Turn| turn.poll_lost(&Context::from_waker(Waker::noop()));

    // It has no body yet: nobody can end it but itself, and it has a second for it.
    let (held, mut place) = begin(None);
    assert_eq!(until(place.poll(cx, start)), Some(IDLE));
    let almost = HOLD - Duration::from_nanos(1);
    assert_eq!(until(place.poll(cx, start + almost)), Some(HOLD));
    assert!(lost(&held).is_pending());
    assert_eq!(until(place.poll(cx, start + HOLD)), Some(HOLD + holder::GRACE));
    assert_eq!(lost(&held), Poll::Ready(Lost::MaxHold));
    assert!(matches!(place.poll(cx, start + HOLD + holder::GRACE), Waited::Granted(_)));

    // It has not been read since the start.
    let unread = |is_away| Some(Reader { idle_since: Some(start), is_away });
    let (held, mut place) = begin(unread(false));
    assert_eq!(until(place.poll(cx, start + IDLE - Duration::from_nanos(1))), Some(IDLE));
    let granted = place.poll(cx, start + IDLE);
    assert!(matches!(granted, Waited::Granted(_)));
    // What was taken away cannot be given back.
    drop(held);
    let Waited::Granted(next) = granted else { return };
    assert!(lost(&next).is_pending());

    let (held, mut place) = begin(unread(true));
    assert_eq!(until(place.poll(cx, start + IDLE)), Some(IDLE + holder::GRACE));
    assert_eq!(lost(&held), Poll::Ready(Lost::Idle));
    drop(held);
    assert!(matches!(place.poll(cx, start + IDLE), Waited::Granted(_)));

    // It is read all the time, and may be idle from now on.
    let (held, mut place) = begin(Some(Reader { idle_since: None, is_away: false }));
    assert_eq!(until(place.poll(cx, start + IDLE * 3)), Some(IDLE * 4));
    assert!(matches!(place.poll(cx, start + HOLD), Waited::Granted(_)));
    drop(held);
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
        let mut told = Vec::new();
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
                    match place.poll(cx, now) {
                        Waited::Granted(turn) => {
                            prop_assert_eq!(lines[line].front(), Some(&number));
                            askers.push((line, number, Asker::Has(turn)));
                        }
                        Waited::Superseded => prop_assert!(!lines[line].contains(&number)),
                        Waited::Until(at) => {
                            prop_assert_eq!(at.is_some(), at.is_some_and(|at| at > now));
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
