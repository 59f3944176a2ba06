//! What clients make of scenarios, in Markdown.

use std::fmt::Write as _;

use super::{
    client::Client,
    load::{Outcome, play},
    scenario::Scenario,
};

/// Plays every scenario with every client, and returns the table of what came of it.
///
/// A cell has the attempts per request, rounded up; the percentage of requests that succeeded,
/// rounded down; and how many seconds 99 % of these took at most. Where nothing can succeed it has
/// the first of these only.
#[must_use]
pub fn table() -> String {
    let mut out = String::from("| attempts a request · % succeed · p99 in s |");
    for client in Client::ALL {
        let _ = write!(out, " {} |", client.name());
    }
    out.push_str("\n|---|");
    out.push_str(&"---:|".repeat(Client::ALL.len()));
    for scenario in Scenario::ALL {
        let _ = write!(out, "\n| {} |", scenario.name());
        for client in Client::ALL {
            let _ = write!(out, " {} |", cell(&play(scenario, client)));
        }
    }
    out.push('\n');
    out
}

fn cell(outcome: &Outcome) -> String {
    let attempts = outcome.attempts_per_thousand();
    let attempts = format!("{}.{:03}", attempts / 1_000, attempts % 1_000);
    let Some(p99) = outcome.p99() else { return attempts };
    let percent = outcome.successes_per_ten_thousand();
    let percent = format!("{}.{:02}", percent / 100, percent % 100);
    format!("{attempts} · {percent} · {:.2}", p99.as_secs_f64())
}
