//! The `diagnose` binary, run as a user would run it.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

const BUSY: &str = r#"{"errcode":-2005,"errmsg":"已有对话流正在输出","data":null}"#;

fn run(args: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_diagnose"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A binary that does not read its input may be gone before all of it is written.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn prints_what_its_documentation_says() {
    let output = run(&["--status", "429", "--lang", "en", "--body", BUSY], "");
    assert_eq!(output.status.code(), Some(0));

    let source = include_str!("../src/bin/diagnose.rs");
    let documented: String = source
        .lines()
        .skip_while(|line| *line != "//! ```text")
        .skip(1)
        .take_while(|line| *line != "//! ```")
        .map(|line| format!("{}\n", line.strip_prefix("//! ").unwrap_or_default()))
        .collect();
    assert_eq!(text(&output.stdout), documented);
}

#[test]
fn reads_the_body_from_standard_input_or_a_file() {
    let from_stdin = run(&["--status", "429"], BUSY);
    assert_eq!(from_stdin.status.code(), Some(0));
    assert!(text(&from_stdin.stdout).contains("重试建议：当前流结束后重试\n"));

    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/diagnose-body.json");
    std::fs::write(file, BUSY).unwrap();
    let from_file = run(&["--status", "429", "--file", file], "");
    assert_eq!(text(&from_file.stdout), text(&from_stdin.stdout));
}

#[test]
fn writes_json_and_mermaid() {
    let json = run(&["--format", "json"], BUSY);
    assert!(text(&json.stdout).contains("\"kind\": \"stream_busy\""));
    let chart = run(&["--format", "mermaid"], BUSY);
    assert!(text(&chart.stdout).starts_with("flowchart TD\n"));
}

#[test]
fn a_success_is_a_diagnosis_too() {
    let output = run(&["--status", "200", "--lang", "en"], r#"{"errcode":0,"data":{}}"#);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), "HTTP 200\nsuccess: no error\n");
}

#[test]
fn what_cannot_be_diagnosed_is_asked_for_and_exits_with_2() {
    for (body, named) in [
        ("", "nothing to diagnose"),
        (" \r\n", "nothing to diagnose"),
        ("upstream connect error", "--status"),
        ("<html><title>502 Bad Gateway</title></html>", "--status"),
    ] {
        let output = run(&[], body);
        assert_eq!(output.status.code(), Some(2), "{body:?}");
        assert!(text(&output.stderr).contains(named), "{}", text(&output.stderr));
        assert!(output.stdout.is_empty(), "{body:?}");
    }
    let empty = run(&["--status", "503"], "");
    assert_eq!(empty.status.code(), Some(0));
    let chunk = run(&["--lang", "en"], r#"{"choices":[]}"#);
    assert_eq!((chunk.status.code(), text(&chunk.stdout)), (Some(0), "success: no error\n"));
}

#[test]
fn wrong_usage_is_named_and_exits_with_2() {
    for (args, named) in [
        (["--status", "42"], "42"),
        (["--lang", "fr"], "zh, en"),
        (["--format", "yaml"], "text, json, mermaid"),
        (["--file", "/no/such/file"], "cannot read /no/such/file"),
        (["--stauts", "429"], "--stauts"),
    ] {
        let output = run(&args, BUSY);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(text(&output.stderr).contains(named), "{}", text(&output.stderr));
        assert!(output.stdout.is_empty(), "{args:?}");
    }
    let both = run(&["--body", BUSY, "--file", "x"], "");
    assert_eq!(both.status.code(), Some(2));
}
