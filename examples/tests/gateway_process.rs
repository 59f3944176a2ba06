//! The gateway as a process: when it is told to end, and when it is told things twice.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod running;

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
};

use running::Running;
use tempfile::NamedTempFile;

/// Sends a chat request, with these members besides, which the upstream answers in the way of `step`.
fn ask(gateway: &Running, members: &str, step: &str) -> BufReader<TcpStream> {
    let body = format!(
        r#"{{"model":"kimi-k3","messages":[{{"role":"user","content":"你好"}}],{members}}}"#
    );
    let authority = gateway.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(authority).unwrap();
    write!(
        stream,
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {authority}\r\nauthorization: Bearer sk-1\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nx-mock-step: {step}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    BufReader::new(stream)
}

/// Asks for a stream, and reads until there is content.
fn streams(gateway: &Running, step: &str) -> BufReader<TcpStream> {
    let mut answer = ask(gateway, r#""stream":true"#, step);
    until(&mut answer, "\"content\":\"");
    answer
}

/// Reads lines until there is one with this in it; panics if there is none.
fn until(answer: &mut BufReader<TcpStream>, wanted: &str) {
    let mut line = String::new();
    while !line.contains(wanted) {
        line.clear();
        assert_ne!(answer.read_line(&mut line).unwrap(), 0, "no {wanted}");
    }
}

#[test]
fn it_ends_when_the_answers_under_way_have_ended() {
    for signal in ["-INT", "-TERM"] {
        let gateway = Running::start(env!("CARGO_BIN_EXE_gateway"), &[]);
        let mut answer = streams(&gateway, r#"{"delay_chunk_ms":100}"#);
        gateway.tell(signal);
        until(&mut answer, "data: [DONE]");
        drop(answer);
        let (status, log) = gateway.end();
        assert!(status.success(), "{signal}: {status}, {log}");
    }
}

#[test]
fn it_ends_at_once_when_it_is_told_twice() {
    let gateway = Running::start(env!("CARGO_BIN_EXE_gateway"), &[]);
    let answer = streams(&gateway, r#"{"endless":true}"#);
    gateway.tell("-INT");
    // It has heard, and takes no more connections.
    let authority = gateway.url.trim_start_matches("http://");
    while TcpStream::connect(authority).is_ok() {}
    gateway.tell("-INT");
    let (status, log) = gateway.end();
    assert!(status.success(), "{status}, {log}");
    drop(answer);
}

#[test]
fn the_command_line_counts_more_than_the_file() {
    let mut file = NamedTempFile::new().unwrap();
    writeln!(file, "allow-file-range = [\"127.0.0.0/8\"]\nscript = \"nowhere.toml\"").unwrap();
    let config = file.path().to_str().unwrap();
    // The script would be an error with an upstream, and so would one that is not there.
    let upstream = ["--config", config, "--upstream", "http://127.0.0.1:9", "--retries", "0"];
    let with = |ranges: &[&str]| {
        Running::start(env!("CARGO_BIN_EXE_gateway"), &[&upstream[..], ranges].concat())
    };
    let file_url = r#""file_url":"http://127.0.0.1/a.pdf""#;
    let answer = |gateway: &Running| {
        let mut line = String::new();
        ask(gateway, file_url, "{}").read_line(&mut line).unwrap();
        line
    };
    // There is nobody at that port, but the URL may be named.
    assert!(answer(&with(&[])).starts_with("HTTP/1.1 502 "));
    let narrowed = with(&["--allow-file-range=10.1.0.0/16,10.2.0.0/16"]);
    assert!(answer(&narrowed).starts_with("HTTP/1.1 400 "));
}
