//! How the servers among the binaries take their command lines.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::process::{Command, Output};

const SERVERS: [(&str, &str); 4] = [
    ("gateway", env!("CARGO_BIN_EXE_gateway")),
    ("mock_kimi", env!("CARGO_BIN_EXE_mock_kimi")),
    ("hyper_server", env!("CARGO_BIN_EXE_hyper_server")),
    ("tonic_service", env!("CARGO_BIN_EXE_tonic_service")),
];

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

/// The option's own value, the environment's, the file's: in this order. Seen in what the gateway says
/// of an option that is wrong.
#[test]
fn a_flag_counts_more_than_the_environment_and_that_more_than_the_file() {
    let (_, gateway) = SERVERS[0];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    std::fs::write(&file, "retries = \"file\"\nrpm = 7\n").unwrap();
    let said = |flag: Option<&str>, environment: Option<&str>| {
        let mut command = Command::new(gateway);
        command.arg("--config").arg(&file).args(flag.map(|it| format!("--retries={it}")));
        command.envs(environment.map(|it| ("KIMI_GATEWAY_RETRIES", it)));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        text(&output.stderr).to_owned()
    };
    assert!(said(None, None).contains("'file'"));
    assert!(said(None, Some("environment")).contains("'environment'"));
    // All that stands there is read.
    assert!(said(Some("flag"), Some("environment")).contains("'flag'"));
}

#[test]
fn a_file_that_says_something_else_is_refused_with_its_name() {
    let (_, gateway) = SERVERS[0];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    for (text_of_file, wrong) in [
        ("rpms = 1", "`rpms` is no option"),
        ("config = \"x\"", "`config` is no option"),
        ("rpm = 1.5", "`rpm` is a float"),
        ("rpm = ", "gateway.toml"),
    ] {
        std::fs::write(&file, text_of_file).unwrap();
        let output = run(gateway, &["--config", file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2), "{text_of_file}");
        let said = text(&output.stderr);
        assert!(said.contains(wrong) && said.contains("gateway.toml"), "{said}");
    }
    let output = run(gateway, &["--config", "/nowhere/at/all.toml"]);
    assert!(text(&output.stderr).contains("/nowhere/at/all.toml"));
}
