//! `tonic_service` as a process, called by itself as a client.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod running;

use std::process::Command;

use running::Running;

const BINARY: &str = env!("CARGO_BIN_EXE_tonic_service");

/// What the example's page shows, but for how long to wait.
const SEEN: &str = "\
ask       Hello, Kimi.
talk      Hello|, |Kimi|.
busy      Aborted 已有对话流正在输出: stream_busy -2005, AfterStream
panic     Internal 系统异常，请稍后重试: system -1000, Backoff { after: None }
fail      Hello|, |fail, ResourceExhausted 服务过载，请稍后重试: overloaded -2001, Backoff { after: None }
limit     ResourceExhausted 请求过于频繁，请稍后重试: rate_limited -2001, Backoff { after: Some(";

#[test]
fn a_client_sees_answers_and_statuses_and_each_call_is_logged() {
    // A client makes seven calls.
    let server = Running::start(BINARY, &["--rpm", "6"]);
    // Another run is another caller.
    for _ in 0..2 {
        let client = Command::new(BINARY).args(["--client", &server.url]).output().unwrap();
        let (seen, failed) = (client.stdout, client.stderr);
        assert!(client.status.success(), "{}", str::from_utf8(&failed).unwrap());
        let seen = str::from_utf8(&seen).unwrap();
        assert!(seen.starts_with(SEEN), "{seen}");
    }
    server.tell("-INT");
    let (status, log) = server.end();
    assert!(status.success());
    for (outcome, times) in [("success", 4), ("client_error", 6), ("client_gone", 2), ("panic", 2)]
    {
        let field = format!("kimi.outcome=\"{outcome}\"");
        assert_eq!(log.matches(&field).count(), times, "{outcome} in {log}");
    }
}

#[test]
fn a_client_without_a_server_says_so() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = Command::new(BINARY).args(["--client", &format!("http://{nobody}")]).output();
    let client = client.unwrap();
    assert_eq!(client.status.code(), Some(1));
    assert!(str::from_utf8(&client.stderr).unwrap().starts_with("tonic_service: "));
}

#[test]
fn help_names_each_option() {
    let help = Command::new(BINARY).arg("--help").output().unwrap();
    assert!(help.status.success());
    let help = str::from_utf8(&help.stdout).unwrap();
    for option in ["--listen <ADDRESS>", "--rpm <N>", "--client <URL>"] {
        assert!(help.contains(option), "{option} in {help}");
    }
}
