//! A scenario as one client meets it.

use std::time::Duration;

use http::StatusCode;
use http_body_util::BodyExt;
use tokio::{
    runtime::Builder,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use super::{
    client::Client,
    hop::Hop,
    origin::{ANSWER, Origin, request},
    scenario::Scenario,
};

/// What came of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Outcome {
    /// How many requests were started.
    pub(super) requests: u64,
    /// How many attempts have reached the origin.
    pub(super) hits: u64,
    /// How long each success took, the shortest first.
    pub(super) successes: Vec<Duration>,
}

impl Outcome {
    /// Returns how many attempts were made for 1 000 requests, rounded up.
    pub(super) const fn attempts_per_thousand(&self) -> u64 {
        (self.hits * 1_000).div_ceil(self.requests)
    }

    /// Returns how many of 10 000 requests succeeded, rounded down.
    pub(super) const fn successes_per_ten_thousand(&self) -> u64 {
        self.successes.len() as u64 * 10_000 / self.requests
    }

    /// Returns what 99 % of all successes do not exceed.
    pub(super) fn p99(&self) -> Option<Duration> {
        let rank = (self.successes.len() * 99).div_ceil(100);
        self.successes.get(rank.checked_sub(1)?).copied()
    }
}

/// Plays a scenario, in no time.
///
/// # Panics
///
/// If the client does.
pub(super) fn play(scenario: Scenario, client: Client) -> Outcome {
    // One thread, so that tasks take turns in one order only.
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("neither threads nor sockets are asked for").block_on(minute(scenario, client))
}

async fn minute(scenario: Scenario, client: Client) -> Outcome {
    let starts = scenario.starts(client);
    let origin = Origin::new(scenario.weather(), starts.len());
    let wire = Hop::of(origin.clone());
    let service = match scenario.hops() {
        1 => client.asks(wire, 0),
        hops => (0..hops).fold(wire, |next, hop| client.gateway(next, hop)),
    };
    let begin = Instant::now();
    let mut tasks: Vec<JoinHandle<Option<Duration>>> = Vec::with_capacity(starts.len());
    for (number, start) in (0..).zip(starts) {
        sleep_until(begin + start).await;
        tasks.push(tokio::spawn(asked(service.clone(), number)));
    }
    let requests = tasks.len() as u64;
    let mut successes = Vec::with_capacity(tasks.len());
    for task in tasks {
        successes.extend(task.await.expect("no client panics"));
    }
    successes.sort_unstable();
    Outcome { requests, hits: origin.hits(), successes }
}

/// Returns how long it took until the right answer was read, if one came.
async fn asked(service: Hop, number: u64) -> Option<Duration> {
    let begin = Instant::now();
    let answer = service.ask(request(number)).await.ok()?;
    let is_ok = answer.status() == StatusCode::OK;
    let body = answer.into_body().collect().await.ok()?.to_bytes();
    (is_ok && body == ANSWER).then(|| begin.elapsed())
}
