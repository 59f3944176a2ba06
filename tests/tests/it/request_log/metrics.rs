//! What is counted is what was told.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use kimi_tower::request_log::MetricsObserver;
use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    set_default_local_recorder,
};
use tokio::sync::Mutex;

use super::told::exchanges;

/// What was counted, by name and labels.
#[derive(Default)]
struct Counted(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

impl Counted {
    fn of(&self, name: &str) -> Vec<(String, u64)> {
        let counted = self.0.try_lock().unwrap();
        let of_name = counted.iter().filter(|(key, _)| key.split(' ').next() == Some(name));
        of_name.map(|(key, count)| (key.clone(), count.load(Ordering::Relaxed))).collect()
    }
}

impl Recorder for Counted {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let labels = key.labels().map(|label| format!(" {}={}", label.key(), label.value()));
        let name = key.name().to_owned() + &labels.collect::<String>();
        Counter::from_arc(Arc::clone(self.0.try_lock().unwrap().entry(name).or_default()))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[tokio::test(start_paused = true)]
async fn sessions_limits_and_attempts_are_counted() {
    let counted = Counted::default();
    let guard = set_default_local_recorder(&counted);
    exchanges(MetricsObserver::new()).await;
    drop(guard);
    let of = |name| counted.of(name);
    assert_eq!(of("kimi.requests").iter().map(|(_, count)| count).sum::<u64>(), 8);
    assert_eq!(of("kimi.retries"), [("kimi.retries".to_owned(), 1)]);
    assert_eq!(
        of("kimi.rate.decisions"),
        [("kimi.rate.decisions kimi.rate.decision=refused".to_owned(), 1)]
    );
    // Who supersedes another waits until that has ended.
    assert_eq!(
        of("kimi.session.decisions"),
        [
            ("kimi.session.decisions kimi.session.decision=granted".to_owned(), 3),
            ("kimi.session.decisions kimi.session.decision=waited".to_owned(), 2),
        ]
    );
}
