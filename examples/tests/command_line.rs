//! How the servers among the binaries take their command lines.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::process::{Command, Output};

const SERVERS: [(&str, &str); 2] =
    [("gateway", env!("CARGO_BIN_EXE_gateway")), ("mock_kimi", env!("CARGO_BIN_EXE_mock_kimi"))];

fn run(binary: &str, args: &[&str]) -> Output {
    Command::new(binary).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

#[test]
fn each_says_its_version() {
    for (name, binary) in SERVERS {
        let output = run(binary, &["--version"]);
        assert!(output.status.success());
        assert_eq!(text(&output.stdout), format!("{name} {}\n", env!("CARGO_PKG_VERSION")));
    }
}

#[test]
fn what_is_no_address_is_wrong_usage() {
    for (_, binary) in SERVERS {
        let output = run(binary, &["--listen", "foo"]);
        assert_eq!(output.status.code(), Some(2));
        let said = text(&output.stderr);
        assert!(said.contains("'foo'") && said.contains("--listen <ADDRESS>"), "{said}");
    }
}

#[test]
fn an_address_that_is_taken_is_said_in_words() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (name, binary) in SERVERS {
        let output = run(binary, &["--listen", &address]);
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stderr);
        assert!(said.starts_with(&format!("{name}: cannot listen at {address}: ")), "{said}");
    }
}

#[test]
fn a_key_in_the_upstreams_url_is_refused() {
    let (_, gateway) = SERVERS[0];
    let output = run(gateway, &["--upstream", "http://127.0.0.1:9/?key=k"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("neither user name nor query"));
}

#[test]
fn no_time_at_all_is_no_limit_of_time() {
    let (_, gateway) = SERVERS[0];
    assert_eq!(run(gateway, &["--timeout", "0"]).status.code(), Some(2));
}

#[test]
fn how_often_to_try_again_is_a_number() {
    let (_, gateway) = SERVERS[0];
    assert_eq!(run(gateway, &["--retries", "never"]).status.code(), Some(2));
    assert!(text(&run(gateway, &["--help"]).stdout).contains("--retries <N>"));
}
