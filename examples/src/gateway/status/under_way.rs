//! What holds a turn or a permit, and what waits for one, for the page and for monitors.

use kimi_tower::{
    rate_limit::concurrency::Occupancy,
    session::store::{Gauges, Histogram},
};
use metrics::gauge;
use serde_json::{Value, json};

use super::Layers;

/// How much of what is under way at this moment.
pub(super) struct UnderWay {
    /// `None` if sessions are shared with other replicas.
    sessions: Option<Gauges>,
    permits: Occupancy,
}

impl UnderWay {
    pub(super) fn of<K>(layers: &Layers<K>) -> Self {
        Self { sessions: (layers.sessions)(), permits: layers.concurrency.occupancy() }
    }

    /// Adds it to the numbers of the page.
    pub(super) fn write(&self, numbers: &mut Value) {
        let Occupancy { held, waiting, keys, .. } = self.permits;
        numbers["sessions"] = self.sessions.as_ref().map_or(Value::Null, sessions);
        numbers["concurrency"] = json!({ "held": held, "waiting": waiting, "callers": keys });
    }

    /// Leaves it with the recorder of the process:
    ///
    /// | gauge | what |
    /// |---|---|
    /// | `kimi.sessions.active`, `kimi.sessions.waiting` | turns that are held, requests that wait for one |
    /// | `kimi.concurrency.held`, `kimi.concurrency.waiting`, `kimi.concurrency.callers` | the same of permits, and whose they are |
    pub(super) fn measure(&self) {
        // Counts of requests are far below 2^53.
        if let Some(sessions) = &self.sessions {
            gauge!("kimi.sessions.active").set(sessions.active as f64);
            gauge!("kimi.sessions.waiting").set(sessions.waiting as f64);
        }
        gauge!("kimi.concurrency.held").set(self.permits.held as f64);
        gauge!("kimi.concurrency.waiting").set(self.permits.waiting as f64);
        gauge!("kimi.concurrency.callers").set(self.permits.keys as f64);
    }
}

fn sessions(gauges: &Gauges) -> Value {
    let times = |times: &Histogram| {
        let at = |part| times.quantile(part).map(|time| time.as_secs_f64() * 1000.0);
        json!({ "count": times.count(), "p50_ms": at(0.5), "p99_ms": at(0.99) })
    };
    json!({
        "active": gauges.active,
        "waiting": gauges.waiting,
        "waited": times(&gauges.waited),
        "held": times(&gauges.held),
    })
}
