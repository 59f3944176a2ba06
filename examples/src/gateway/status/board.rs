use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use kimi_tower::{
    facts::RateDecision,
    request_log::{Observer, Outcome, Record, Start},
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::Instant;

/// How many requests are shown that have ended last.
const RECENT: usize = 20;

/// The longest path that is shown, in characters.
const MAX_PATH: usize = 80;

/// Counts requests, and keeps the last of them. A clone is the same board.
#[derive(Clone, Default)]
pub struct Board(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    since: Option<Instant>,
    under_way: u64,
    outcomes: BTreeMap<&'static str, u64>,
    errors: BTreeMap<&'static str, u64>,
    /// Attempts beyond the first of each request.
    retries: u64,
    /// Requests that have waited for a limit, and those that were refused.
    limit_waited: u64,
    limit_refused: u64,
    recent: VecDeque<Value>,
}

impl Board {
    /// Creates one on which nothing stands.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns all that stands on it.
    pub(super) fn numbers(&self) -> Value {
        let counts = self.0.lock();
        let uptime = counts.since.map(|since| since.elapsed());
        json!({
            "counting_for_s": uptime.map(|time| time.as_secs()),
            "under_way": counts.under_way,
            "requests": counts.outcomes,
            "errors": counts.errors,
            "retries": counts.retries,
            "limits": { "waited": counts.limit_waited, "refused": counts.limit_refused },
            "recent": counts.recent,
        })
    }
}

impl Observer for Board {
    fn on_start(&self, _: &Start<'_>) {
        let mut counts = self.0.lock();
        counts.since.get_or_insert_with(Instant::now);
        counts.under_way += 1;
    }

    fn on_end(&self, record: &Record<'_>) {
        let path: String = record.start.path.chars().take(MAX_PATH).collect();
        let shown = json!({
            "method": record.start.method_name(),
            "path": path,
            "outcome": record.outcome.as_str(),
            "status": record.status.map(|status| status.as_u16()),
            "error": record.kind().map(|kind| kind.name()),
            "ms": record.duration.as_secs_f64() * 1000.0,
            "attempts": record.facts.attempts(),
            "tokens": record.output_tokens,
        });
        let mut counts = self.0.lock();
        counts.under_way = counts.under_way.saturating_sub(1);
        *counts.outcomes.entry(record.outcome.as_str()).or_default() += 1;
        if record.outcome != Outcome::Success {
            let kind = record.kind().map_or(record.outcome.as_str(), |kind| kind.name());
            *counts.errors.entry(kind).or_default() += 1;
        }
        counts.retries += u64::from(record.facts.attempts().unwrap_or(1).saturating_sub(1));
        match record.facts.rate_decision() {
            Some(RateDecision::Waited(_)) => counts.limit_waited += 1,
            Some(RateDecision::Refused { .. }) => counts.limit_refused += 1,
            _ => {}
        }
        counts.recent.push_front(shown);
        counts.recent.truncate(RECENT);
    }
}

/// Shows nothing of the requests.
impl std::fmt::Debug for Board {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Board").finish_non_exhaustive()
    }
}
