//! The bounds that hold for ours, and the table as the README has it.

use std::{fs, path::PathBuf, time::Duration};

use tower::retry::budget::{Budget, TpsBudget};

use super::{
    client::Client,
    load::{Outcome, play},
    scenario::Scenario,
};

const BEGIN: &str = "<!-- retry_table: begin -->\n";
const END: &str = "<!-- retry_table: end -->\n";
const RENEW: &str = "UPDATE_DOCS=1 cargo test -p kimi-benches";

#[test]
fn the_readme_has_the_table_that_the_program_prints() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{BEGIN}\n{}\n{END}{after}", super::table());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, expected).unwrap();
    } else {
        assert!(readme == expected, "stale in benches/README.md; renew it with: {RENEW}");
    }
}

#[test]
fn a_total_outage_costs_two_attempts_more_for_a_hundred_requests() {
    let outcome = play(Scenario::Outage, Client::Standard);
    assert!(outcome.attempts_per_thousand() <= 1_020, "{}", outcome.attempts_per_thousand());
    // Those that the budget has in reserve are made.
    assert!(outcome.hits > outcome.requests);
}

#[test]
fn three_gateways_in_a_row_do_not_multiply_attempts() {
    let outcome = play(Scenario::Gateways, Client::Standard);
    assert!(outcome.attempts_per_thousand() <= 1_050, "{}", outcome.attempts_per_thousand());
    // What one of them has tried again, the next two do not.
    assert_eq!(outcome.hits, play(Scenario::Outage, Client::Standard).hits);
}

#[test]
fn nearly_all_requests_succeed_where_some_attempts_fail() {
    for (percent, least) in [(10, 9_990), (20, 9_900), (30, 9_700)] {
        let outcome = play(Scenario::Failures(percent), Client::Standard);
        let successes = outcome.successes_per_ten_thousand();
        assert!(successes >= least, "{percent} %: {successes} of 10 000");
    }
}

#[test]
fn two_runs_are_the_same() {
    for client in Client::ALL {
        let run = || play(Scenario::Overload, client);
        assert_eq!(run(), run(), "{client:?}");
    }
}

#[test]
fn a_client_without_retries_meets_the_scenarios_as_they_are_said_to_be() {
    let met = |scenario| summary(&play(scenario, Client::Once));
    assert_eq!(met(Scenario::Healthy), (6_000, 6_000, 6_000));
    assert_eq!(met(Scenario::Outage), (6_000, 6_000, 0));
    assert_eq!(met(Scenario::ShortOutage), (6_000, 6_000, 4_000));
    // 120 of 200 in each of ten seconds.
    assert_eq!(met(Scenario::Overload), (7_000, 7_000, 6_200));
    assert_eq!(met(Scenario::Gateways), (100, 100, 0));
    for percent in [10, 20, 30] {
        let outcome = play(Scenario::Failures(percent), Client::Once);
        let failed = 10_000 - outcome.successes_per_ten_thousand();
        // Three deviations of so many throws.
        assert!(failed.abs_diff(u64::from(percent) * 100) < 180, "{percent} %: {failed}");
    }
}

#[test]
fn a_success_takes_what_the_origin_takes() {
    let outcome = play(Scenario::Healthy, Client::Once);
    assert_eq!(outcome.p99(), Some(Duration::from_millis(50)));
}

#[test]
fn peers_give_up_as_their_rules_say() {
    let attempts = |client| play(Scenario::Outage, client).attempts_per_thousand();
    assert_eq!(attempts(Client::OpenAi), 3_000);
    assert_eq!(attempts(Client::FreeApi), 4_000);
    // Ten retries a second in reserve, for 60 seconds and the window of ten before.
    assert!((1_100..=1_120).contains(&attempts(Client::Tower)));
}

#[tokio::test(start_paused = true)]
async fn towers_budget_keeps_to_the_paused_clock() {
    let budget = TpsBudget::default();
    while budget.withdraw() {}
    tokio::time::advance(Duration::from_secs(20)).await;
    assert!(budget.withdraw());
}

#[test]
fn the_p99_is_one_of_the_latencies() {
    let outcome = |count: u64| Outcome {
        requests: count.max(1),
        hits: count,
        successes: (1..=count).map(Duration::from_secs).collect(),
    };
    let p99 = |count| outcome(count).p99().map(|latency| latency.as_secs());
    assert_eq!(
        [0, 1, 2, 100, 101, 200].map(p99),
        [None, Some(1), Some(2), Some(99), Some(100), Some(198),]
    );
}

fn summary(outcome: &Outcome) -> (u64, u64, usize) {
    (outcome.requests, outcome.hits, outcome.successes.len())
}
