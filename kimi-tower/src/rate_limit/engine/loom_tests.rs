//! Every interleaving of what threads do to one cell.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use loom::{sync::Arc, thread};

use super::{Gcra, GcraCell, Moment, Quota};

const NOW: Moment = Moment::EPOCH;

fn gcra(burst: u32) -> Gcra {
    Gcra::new(Quota::article()).try_with_burst(burst).unwrap()
}

/// A cell of which so many units are spent.
fn cell(gcra: &Gcra, spent: u32) -> Arc<GcraCell> {
    let cell = GcraCell::new();
    assert!(cell.check(gcra, NOW, spent).is_admitted());
    Arc::new(cell)
}

#[test]
fn e1_two_threads_never_both_get_the_last_unit() {
    loom::model(|| {
        let gcra = gcra(2);
        let cell = cell(&gcra, 1);
        let other = {
            let cell = Arc::clone(&cell);
            thread::spawn(move || cell.check(&gcra, NOW, 1).is_admitted())
        };
        let admitted = cell.check(&gcra, NOW, 1).is_admitted();
        assert_ne!(admitted, other.join().unwrap());
        assert_eq!(cell.level(&gcra, NOW).remaining(), 0);
    });
}

#[test]
fn e1_a_refund_conserves_what_the_others_spend() {
    loom::model(|| {
        let gcra = gcra(4);
        let cell = cell(&gcra, 3);
        let refunding = {
            let cell = Arc::clone(&cell);
            thread::spawn(move || cell.refund(&gcra, 2))
        };
        let spending = {
            let cell = Arc::clone(&cell);
            thread::spawn(move || cell.check(&gcra, NOW, 2).is_admitted())
        };
        let one = cell.check(&gcra, NOW, 1).is_admitted();
        refunding.join().unwrap();
        let spent = u32::from(one) + 2 * u32::from(spending.join().unwrap());
        assert_eq!(cell.level(&gcra, NOW).remaining(), 3 - spent);
    });
}

#[test]
fn e1_a_refund_fills_it_no_more_than_full() {
    loom::model(|| {
        let gcra = gcra(2);
        let cell = cell(&gcra, 1);
        let threads = [1, 2].map(|cost| {
            let cell = Arc::clone(&cell);
            thread::spawn(move || cell.refund(&gcra, cost))
        });
        assert!(cell.level(&gcra, NOW).remaining() <= 2);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(cell.level(&gcra, NOW).remaining(), 2);
        assert!(!cell.check(&gcra, NOW, 3).is_admitted());
    });
}
