//! Every interleaving of what threads do to one budget, and to the cool-down of one caller.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{sync::Arc, time::Duration};

use http::Request;
use loom::thread;
use tokio::time::Instant;

use super::{RetryBudget, cool_down::CoolDowns};

#[test]
fn t2_a_budget_pays_for_no_more_retries_than_it_has() {
    loom::model(|| {
        let budget = RetryBudget::new(1, 0);
        let threads = [budget.clone(), budget.clone()].map(|budget| {
            thread::spawn(move || {
                let withdrawal = budget.withdraw();
                withdrawal.map(|it| it.spend()).is_some()
            })
        });
        let paid = threads.map(|thread| thread.join().unwrap());
        assert_eq!(paid.iter().filter(|paid| **paid).count(), 1);
        assert_eq!(budget.retries_left(), 0);
    });
}

#[test]
fn t2_t3_what_is_given_back_and_what_is_deposited_add_up() {
    loom::model(|| {
        let budget = RetryBudget::new(3, 100);
        budget.withdraw().unwrap().spend();
        budget.withdraw().unwrap().spend();
        // One is left. A wait is cancelled, a request succeeds, a retry begins.
        let waiting = budget.withdraw().unwrap();
        let cancelled = thread::spawn(move || drop(waiting));
        let succeeded = {
            let budget = budget.clone();
            thread::spawn(move || budget.deposit())
        };
        let has_begun = budget.withdraw().map(|it| it.spend()).is_some();
        cancelled.join().unwrap();
        succeeded.join().unwrap();
        assert_eq!(budget.retries_left(), 2 - u32::from(has_begun));
    });
}

#[test]
fn t2_a_budget_never_holds_more_than_its_size() {
    loom::model(|| {
        let budget = RetryBudget::new(2, 150);
        let waiting = budget.withdraw().unwrap();
        let cancelled = thread::spawn(move || drop(waiting));
        let succeeded = {
            let budget = budget.clone();
            thread::spawn(move || budget.deposit())
        };
        assert!(budget.retries_left() <= 2);
        cancelled.join().unwrap();
        succeeded.join().unwrap();
        assert_eq!(budget.retries_left(), 2);
    });
}

/// Whoever clears away one caller's end does not hide another's, which is only just made.
#[test]
fn a_cool_down_that_begins_while_another_ends_is_known() {
    loom::model(|| {
        let cool_downs = Arc::new(CoolDowns::new());
        let caller = |uri| {
            let (head, ()) = Request::get(uri).body(()).unwrap().into_parts();
            cool_downs.caller(&head)
        };
        let (one, other) = (caller("http://one/"), caller("http://other/"));
        let now = Instant::now();
        cool_downs.begin(one, now);
        let ends = {
            let cool_downs = Arc::clone(&cool_downs);
            thread::spawn(move || cool_downs.end(one))
        };
        let until = now + Duration::from_secs(3_600);
        cool_downs.begin(other, until);
        assert_eq!(ends.join().unwrap(), None);
        assert!(!cool_downs.are_over());
        assert_eq!(cool_downs.end(other), Some(until));
    });
}
