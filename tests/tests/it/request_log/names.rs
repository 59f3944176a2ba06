//! The names of the fields are an interface: whoever reads logs depends on them.

use std::collections::BTreeSet;

use kimi_tower::request_log::{JsonObserver, Schema, TracingObserver};
use serde_json::Value;

use super::{
    lines::{Lines, traced},
    told::exchanges,
};

/// The names, one in a line, in the order of the alphabet.
const NAMES: &str = include_str!("names.txt");

fn names(lines: &[Value]) -> BTreeSet<&str> {
    let objects = lines.iter().filter_map(Value::as_object);
    objects.flat_map(|object| object.keys().map(String::as_str)).collect()
}

#[tokio::test(start_paused = true)]
async fn they_are_those_of_the_list() {
    let golden: BTreeSet<&str> = NAMES.lines().collect();
    let (new, old) = (Lines::default(), Lines::default());
    exchanges(JsonObserver::new(new.clone())).await;
    exchanges(JsonObserver::new(old.clone()).with_schema(Schema::V1_36)).await;
    let lines = [new.take_json(), old.take_json()].concat();
    assert_eq!(names(&lines), golden);

    let events = traced(TracingObserver::new().with_schema(Schema::V1_36)).await;
    let events = [events, traced(TracingObserver::new()).await].concat();
    let mut names = names(&events);
    assert!(names.remove("target"));
    assert_eq!(names, golden);
}
