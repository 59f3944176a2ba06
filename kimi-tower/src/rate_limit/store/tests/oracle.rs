//! Random asks, waits, leaves, settlements, pauses and news from upstream, over a clock that goes from
//! one instant to the next at which something is due by the model.

use std::{sync::Arc, time::Duration};

use super::{Count, bucket, key, model::Model, quota};
use crate::rate_limit::{
    Costs, Gcra, MAX_RULES, Moment, Plan, Rule, SlidingWindow, Unit,
    engine::tests::{Random, decisions},
    store::{
        Ask, Grant, Patience, Told, Verdict,
        shard::Answer,
        table::Table,
        waiting::{Look, Waiting},
    },
};

/// One who waits, as a future would.
struct Task {
    who: usize,
    ask: Ask,
    waiting: Waiting,
    count: Arc<Count>,
    seen: usize,
    alarm: u64,
}

struct Run {
    random: Random,
    table: Table,
    rules: Vec<Rule>,
    /// Of each key.
    models: Vec<Model>,
    tasks: Vec<Task>,
    grants: Vec<Grant>,
    now: u64,
    asked: usize,
    waited: u64,
    refused: u64,
    left: u64,
}

fn plan(random: &Random) -> Plan {
    let window = |units, seconds| SlidingWindow::try_new(quota(units, seconds)).unwrap();
    let named = |rule: Rule, name| rule.try_named(name).unwrap();
    let units = random.units(1, 6);
    match random.within(0, 4) {
        0 => Rule::requests(window(units, 60)).into(),
        1 => bucket(units, 60).into(),
        2 => Plan::new(Rule::requests(window(units, 60)))
            .try_with(Rule::tokens(window(9, 100)))
            .unwrap(),
        3 => Plan::new(bucket(units, 60)).try_with(Rule::tokens(window(7, 90))).unwrap(),
        _ => Plan::new(named(bucket(units, 60), "a"))
            .try_with(named(Rule::requests(window(8, 61)), "b"))
            .unwrap()
            .try_with(named(Rule::tokens(Gcra::new(quota(6, 90)).try_with_burst(4).unwrap()), "c"))
            .unwrap()
            .try_with(named(Rule::tokens(window(10, 600)), "d"))
            .unwrap(),
    }
}

impl Run {
    fn new(seed: u64) -> Self {
        let random = Random::new(seed);
        let plan = plan(&random);
        let keys = random.within(1, 3);
        let models = (0..keys).map(|_| Model::new(plan.rules())).collect();
        Self {
            random,
            table: Table::new(&plan, 1_000),
            rules: plan.rules().to_vec(),
            models,
            tasks: Vec::new(),
            grants: Vec::new(),
            now: 1_000_000_000_000,
            asked: 0,
            waited: 0,
            refused: 0,
            left: 0,
        }
    }

    fn at(&self) -> Moment {
        Moment::from_nanos(self.now)
    }

    fn index(&self, ask: &Ask) -> usize {
        (0..self.models.len()).find(|number| key(*number as u64) == ask.key).unwrap()
    }

    fn costs(&self) -> Costs {
        let mut costs = [0; MAX_RULES];
        for (rule, cost) in self.rules.iter().zip(&mut costs) {
            let high = if self.random.one_in(3) { rule.limit().capacity() + 1 } else { 1 };
            *cost = self.random.units(u32::from(!self.random.one_in(8)), high);
        }
        Costs(costs)
    }

    fn ask(&mut self) {
        let number = self.random.within(0, self.models.len() as u64 - 1);
        let model = &mut self.models[usize::try_from(number).unwrap()];
        model.pass(self.now);
        let mut ask = Ask::new(key(number), 0, Costs::default());
        ask.costs = self.costs();
        let patience = Patience::new(
            Duration::from_secs(self.random.scaled(1, 2_000)),
            usize::try_from(self.random.scaled(1, 30)).unwrap(),
        );
        ask.patience = (!self.random.one_in(4)).then_some(patience);
        let model = &mut self.models[usize::try_from(number).unwrap()];
        let due = model.forecast(self.now, &ask.costs.0);
        match self.table.ask(Moment::from_nanos(self.now), &ask) {
            Answer::Verdict(Verdict::Admitted(grant)) => {
                let said = (due, grant.at.as_nanos());
                assert_eq!(said, (Some(self.now), self.now), "{ask:?} {model:?}");
                model.spend(self.now, &ask.costs.0);
                self.grants.push(grant);
            }
            Answer::Verdict(Verdict::Refused(refused)) => {
                let wait = due.map(|due| Duration::from_nanos(due - self.now));
                assert_eq!(refused.wait, wait, "{ask:?} {model:?}");
                assert_ne!(wait, Some(Duration::ZERO));
                let may_wait = |patience: Patience| {
                    wait.is_some_and(|wait| wait <= patience.max_wait)
                        && model.row.len() < patience.max_queue
                };
                assert!(!ask.patience.is_some_and(may_wait));
                self.refused += 1;
            }
            Answer::Wait(waiting) => {
                let (due, patience) = (due.unwrap(), ask.patience.unwrap());
                assert!(due > self.now && model.row.len() < patience.max_queue);
                assert!(Duration::from_nanos(due - self.now) <= patience.max_wait);
                model.row.push((self.asked, ask.costs.0));
                let (count, waker) = Count::new();
                let task = Task { who: self.asked, ask, waiting, count, seen: 0, alarm: due };
                let look =
                    self.table.poll(Moment::from_nanos(self.now), &ask, &task.waiting, waker);
                assert_eq!(look, Look::WaitUntil(Moment::from_nanos(due)));
                self.tasks.push(task);
                self.waited += 1;
            }
        }
        self.asked += 1;
    }

    /// Polls, in any order, whoever is woken or whose alarm rings, until nobody is; who goes is who
    /// goes by the model.
    fn settle_down(&mut self) {
        let mut gone: Vec<usize> = Vec::new();
        loop {
            let is_called = |task: &Task| task.alarm <= self.now || task.count.get() > task.seen;
            let called: Vec<_> =
                (0..self.tasks.len()).filter(|index| is_called(&self.tasks[*index])).collect();
            if called.is_empty() {
                break;
            }
            let pick = self.random.within(0, called.len() as u64 - 1);
            let index = called[usize::try_from(pick).unwrap()];
            let at = self.at();
            let task = &mut self.tasks[index];
            task.seen = task.count.get();
            let waker = Arc::clone(&task.count).into();
            match self.table.poll(at, &task.ask, &task.waiting, waker) {
                Look::Go(granted) => {
                    assert_eq!(granted, at);
                    let task = self.tasks.swap_remove(index);
                    assert!(task.waiting.is_over());
                    self.grants.push(Grant::new(
                        &task.ask,
                        granted,
                        Duration::ZERO,
                        self.table.levels(at, task.ask.key),
                    ));
                    gone.push(task.who);
                }
                Look::WaitUntil(due) => {
                    assert!(due > at, "one who looks again at once never stops");
                    task.alarm = due.as_nanos();
                }
            }
        }
        let mut expected: Vec<_> =
            self.models.iter_mut().flat_map(|model| model.advance(self.now)).collect();
        gone.sort_unstable();
        expected.sort_unstable();
        assert_eq!(gone, expected);
    }

    fn leave(&mut self) {
        if self.tasks.is_empty() {
            return;
        }
        let pick = self.random.within(0, self.tasks.len() as u64 - 1);
        let task = self.tasks.swap_remove(usize::try_from(pick).unwrap());
        let index = self.index(&task.ask);
        self.models[index].row.retain(|(who, _)| *who != task.who);
        self.table.leave(self.at(), &task.ask, &task.waiting);
        self.left += 1;
    }

    fn settle(&mut self) {
        if self.grants.is_empty() {
            return;
        }
        let pick = self.random.within(0, self.grants.len() as u64 - 1);
        let grant = self.grants.swap_remove(usize::try_from(pick).unwrap());
        // Of a key that was whole meanwhile, and is forgotten, nobody knows anything.
        let mut costs = grant.costs;
        let model = (0..self.models.len()).find(|it| key(*it as u64) == grant.key).unwrap();
        let model = &mut self.models[model];
        model.pass(self.now);
        let is_recent = grant.at.as_nanos() + 10_000_000_000 > self.now;
        for index in 0..self.rules.len() {
            let cost = costs.0[index];
            costs.0[index] = match self.random.within(0, 3) {
                0 if is_recent => self.random.units(0, cost),
                1 => cost + self.random.units(0, 3),
                _ => cost,
            };
            model.debit(self.now, index, costs.0[index].saturating_sub(cost));
        }
        for index in 0..self.rules.len() {
            let less = grant.costs.0[index].saturating_sub(costs.0[index]);
            model.refund(self.now, grant.at.as_nanos(), index, less);
        }
        self.table.settle(self.at(), &grant, &costs);
    }

    fn observe(&mut self) {
        let number = self.random.within(0, self.models.len() as u64 - 1);
        let model = &mut self.models[usize::try_from(number).unwrap()];
        model.pass(self.now);
        let mut told = Told::default();
        if self.random.one_in(2) {
            let pause = self.random.within(1, 100_000_000_000);
            told.pause = Some(Duration::from_nanos(pause));
            model.paused_until = model.paused_until.max(self.now + pause);
        }
        if self.random.one_in(2) {
            let left = self.random.units(0, 5);
            told.requests = Some(left);
            let counts = |rule: &&Rule| rule.unit() == Unit::Requests;
            let period = |rule: &Rule| rule.limit().quota().period();
            let shortest = self.rules.iter().filter(counts).map(period).min();
            for (index, rule) in self.rules.iter().enumerate() {
                if rule.unit() == Unit::Requests && Some(period(rule)) == shortest {
                    let over = model.left(index).saturating_sub(left);
                    model.debit(self.now, index, over);
                }
            }
        }
        self.table.observe(self.at(), key(number), &told);
    }

    /// Goes on to the next instant at which somebody goes by the model or looks by its alarm, or
    /// less far.
    fn pass(&mut self) {
        let next = self.models.iter_mut().filter_map(|model| {
            model.pass(self.now);
            model.next(self.now)
        });
        let alarms = self.tasks.iter().map(|task| task.alarm);
        let next = next.chain(alarms).min().unwrap_or(self.now + 20_000_000_000);
        assert!(next > self.now || self.tasks.is_empty());
        self.now = match self.random.within(0, 3) {
            0 => self.now,
            1 => self.random.within(self.now, next),
            _ => next,
        };
    }

    fn step(&mut self) {
        match self.random.within(0, 19) {
            0..=7 => self.ask(),
            8..=9 => self.leave(),
            10..=11 => self.settle(),
            12 if self.random.one_in(3) => self.observe(),
            _ => self.pass(),
        }
        self.settle_down();
    }
}

#[test]
fn prop_it_says_and_does_what_the_model_does_to_the_nanosecond() {
    let (mut waited, mut refused, mut left) = (0, 0, 0);
    let made = decisions() / 5;
    for seed in 0..made / 500 {
        let mut run = Run::new(seed);
        for _ in 0..500 {
            run.step();
        }
        waited += run.waited;
        refused += run.refused;
        left += run.left;
        let tasks = std::mem::take(&mut run.tasks);
        for task in tasks {
            run.table.leave(run.at(), &task.ask, &task.waiting);
        }
        assert_eq!(run.table.len().1, 0);
    }
    assert!(
        waited > made / 20 && refused > made / 20 && left > made / 100,
        "{waited} {refused} {left}"
    );
}
