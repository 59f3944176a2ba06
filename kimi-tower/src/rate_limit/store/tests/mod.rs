//! The store beside one that is slow and plain, and each promise by its number.
//!
//! ```sh
//! DECISIONS=1000000 cargo test --release -p kimi-tower --features rate-limit store
//! ```

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod flood;
mod model;
mod oracle;
mod promises;
mod streams;
mod waiting;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Wake, Waker},
    time::Duration,
};

use super::{Ask, Patience};
use crate::{
    key::{Key, KeyHasher},
    rate_limit::{Costs, Gcra, MAX_RULES, Quota, Rule, SlidingWindow},
};

const SECOND: Duration = Duration::from_secs(1);

/// Wakes nobody and counts how often it was to.
#[derive(Debug, Default)]
struct Count(AtomicUsize);

impl Count {
    fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        (Arc::clone(&count), Waker::from(count))
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn quota(units: u32, seconds: u64) -> Quota {
    Quota::try_new(units, Duration::from_secs(seconds)).unwrap()
}

/// 5 in 60 s, exactly.
fn article() -> Rule {
    Rule::requests(SlidingWindow::try_new(Quota::article()).unwrap())
}

fn bucket(units: u32, seconds: u64) -> Rule {
    Rule::requests(Gcra::new(quota(units, seconds)))
}

fn key(number: u64) -> Key {
    KeyHasher::with_secret(&[7; 16]).key(&[&number.to_le_bytes()])
}

/// Each rule is charged `cost`.
fn costs(cost: u32) -> Costs {
    Costs([cost; MAX_RULES])
}

fn ask(number: u64, cost: u32) -> Ask {
    Ask::new(key(number), 0, costs(cost))
}

fn patient(ask: Ask, max_wait: Duration) -> Ask {
    Ask { patience: Some(Patience::new(max_wait, usize::MAX)), ..ask }
}
