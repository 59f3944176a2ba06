//! `reqwest_client` as a process, against its own upstream and against another.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::process::{Command, Output};

use kimi_testkit::{mock::Mock, server::MockServer};

fn run(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reqwest_client"));
    // Whatever this machine has, the upstreams are here.
    command.args(args).env("NO_PROXY", "127.0.0.1").env_remove("MOONSHOT_API_KEY");
    command.output().unwrap()
}

/// Returns the first line, and the others in the order of their names.
fn lines(output: &Output) -> (&str, Vec<&str>) {
    assert!(output.status.success(), "{}", str::from_utf8(&output.stderr).unwrap());
    let mut lines = str::from_utf8(&output.stdout).unwrap().lines();
    let first = lines.next().unwrap();
    let mut records: Vec<_> = lines.collect();
    records.sort_unstable();
    (first, records)
}

/// Whether these are the records, and whether each has waited that is said to.
fn are(records: &[&str], expected: [(&str, Option<bool>); 6]) {
    assert_eq!(records.len(), expected.len(), "{records:?}");
    for (record, (start, has_waited)) in records.iter().zip(expected) {
        assert!(record.starts_with(start), "{record}");
        if let Some(has_waited) = has_waited {
            assert_eq!(!record.contains("waited 0.00 s"), has_waited, "{record}");
        }
    }
}

#[test]
fn retries_waits_and_refusals_are_shown() {
    let output = run(&[]);
    let (first, records) = lines(&output);
    assert!(first.starts_with("upstream: http://127.0.0.1:"), "{first}");
    are(
        &records,
        [
            ("refused  client_error attempts 1, ", None),
            ("rush-1   success      attempts 1, ", None),
            ("rush-2   success      attempts 1, ", Some(true)),
            ("rush-3   success      attempts 1, ", Some(true)),
            ("turn-1   success      attempts 2, ", Some(false)),
            ("turn-2   success      attempts 1, ", Some(true)),
        ],
    );
    // The first fails once and is sent again, and the second does not go before that is answered.
    let shown = str::from_utf8(&output.stdout).unwrap();
    assert!(shown.find("turn-1") < shown.find("turn-2"), "{shown}");
    assert!(records[0].contains(": content_filtered (-2000): "), "{}", records[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn asks_another_upstream_with_the_key_and_one_turn_at_a_time() {
    let mock = Mock::platform();
    let server = MockServer::start(mock.clone()).await.unwrap();
    let output = run(&["--upstream", &format!("{}/", server.url()), "--key", "sk-mine"]);
    let (first, records) = lines(&output);
    assert_eq!(first, format!("upstream: {}", server.url()));
    assert!(records.iter().all(|it| it.contains(" success      attempts 1, ")), "{records:?}");
    let sent = mock.requests();
    assert_eq!((sent.len(), mock.max_overlap("c-1")), (6, 1));
    assert!(sent.iter().all(|it| it.headers()["authorization"] == "Bearer sk-mine"));
}

#[test]
fn an_upstream_with_tls_is_for_the_gateway() {
    let output = run(&["--upstream", "https://api.moonshot.cn", "--key", "sk-mine"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(str::from_utf8(&output.stderr).unwrap().contains("gateway --upstream"));
}

#[test]
fn another_upstream_needs_a_key_of_its_own() {
    let output = run(&["--upstream", "http://127.0.0.1:9"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(str::from_utf8(&output.stderr).unwrap().contains("--key <KEY>"));
}

#[test]
fn help_names_each_option() {
    let help = run(&["--help"]);
    assert!(help.status.success());
    let help = str::from_utf8(&help.stdout).unwrap();
    for option in ["--upstream <URL>", "--key <KEY>", "--model <MODEL>"] {
        assert!(help.contains(option), "{option} in {help}");
    }
}
