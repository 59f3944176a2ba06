//! Whatever comes: the schema says of it what we say.

use proptest::{
    collection::vec,
    prelude::*,
    sample::Index,
    test_runner::{Config, TestRunner},
};
use serde_json::Value;

use super::{
    agreement::{Judges, Verdict},
    documents::{BASES, Change, builds, cases, change, places},
    text::write,
};

/// How many of each verdict there were.
#[derive(Debug, Default)]
struct Tally {
    taken: usize,
    refused: usize,
    excepted: usize,
    incomparable: usize,
}

impl Tally {
    fn count(&mut self, verdict: Verdict) {
        let place = match verdict {
            Verdict::Taken => &mut self.taken,
            Verdict::Refused => &mut self.refused,
            Verdict::Excepted => &mut self.excepted,
            Verdict::Incomparable => &mut self.incomparable,
        };
        *place += 1;
    }

    /// Both verdicts are met often, and what cannot be compared is rare.
    fn assert_fair(&self) {
        let all = self.taken + self.refused + self.excepted + self.incomparable;
        assert!(self.taken * 6 > all, "too few are taken: {self:?}");
        assert!(self.refused * 6 > all, "too few are refused: {self:?}");
        // Three of a thousand are.
        assert!(self.excepted > 0 || all < 5_000, "no exception is met: {self:?}");
        assert!(self.incomparable * 5 < all, "too few can be compared: {self:?}");
    }
}

type Edits = Vec<(Index, Change)>;

/// Half of them leave the request as it is, or nearly.
fn edits() -> impl Strategy<Value = Edits> {
    let edits = |count: std::ops::RangeInclusive<usize>| vec((any::<Index>(), change()), count);
    prop_oneof![2 => edits(0..=1), 1 => edits(1..=2), 1 => edits(2..=5)]
}

fn edited(mut document: Value, edits: &Edits) -> Value {
    for (place, change) in edits {
        let places = places(&document);
        change.apply(&mut document, place.get::<String>(&places));
    }
    document
}

fn run<S>(strategy: &S, judge: impl Fn(&S::Value) -> Result<Verdict, String>)
where
    S: Strategy,
{
    let config = Config { source_file: Some(file!()), ..Config::default() };
    let tally = std::cell::RefCell::new(Tally::default());
    let result = TestRunner::new(config).run(strategy, |case| {
        tally.borrow_mut().count(judge(&case).map_err(TestCaseError::fail)?);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    tally.into_inner().assert_fair();
}

#[test]
fn prop_the_schema_has_our_verdict_and_places() {
    let judges = BASES.map(|base| Judges::of((base.profile)()));
    let case = (cases(), edits(), vec(any::<u8>(), 1..64));
    run(&case, |((index, document), edits, whims)| {
        judges[*index].compare(&write(&edited(document.clone(), edits), whims))
    });
}

#[test]
fn prop_the_schema_of_a_built_profile_has_our_verdict_and_places() {
    let case = (cases(), builds(), edits(), vec(any::<u8>(), 1..64));
    run(&case, |((index, document), build, edits, whims)| {
        let judges = Judges::of(build.from((BASES[*index].profile)()));
        judges.compare(&write(&edited(document.clone(), edits), whims))
    });
}
