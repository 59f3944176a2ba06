//! What `kimi-errors` costs: writing an envelope, classifying an error body, knowing a success.

#![expect(
    clippy::exit,
    missing_docs,
    unused_qualifications,
    reason = "of what the macros of the harness expand to"
)]

use std::hint::black_box;

use gungraun::{Dhat, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use http::{HeaderMap, StatusCode};
use kimi_benches::ROUNDS;
use kimi_errors::{Dialect, Error, ErrorKind, decode};
use serde::Serialize;
use serde_json::{Value, json};

/// The envelope as a derive would write it.
#[derive(Serialize)]
struct Derived<'a> {
    errcode: i32,
    errmsg: &'a str,
    data: Option<()>,
}

/// A platform error of 1 KiB, as long as the longest texts of the documents with room to spare.
fn error_body() -> Vec<u8> {
    let filler = "please check your plan and billing details; ".repeat(19);
    let message = format!(
        "Your account {{org}}<{{ak}}> request reached organization max RPM: 3, \
         please try again after 1 seconds, {filler}"
    );
    let body = json!({"error": {"message": message, "type": "rate_limit_reached_error"}});
    let mut body = body.to_string().into_bytes();
    body.truncate(1024 - 2);
    body.extend_from_slice(b"\"}}");
    body
}

/// What the platform says of its rate limits, word for word.
fn rate_limit_body() -> Vec<u8> {
    br#"{"error":{"message":"Your account {org}<{ak}> request reached organization max RPM: 3, please try again after 1 seconds","type":"rate_limit_reached_error"}}"#.to_vec()
}

/// A chat completion whose text has `bytes` bytes.
fn success_body(bytes: usize) -> Vec<u8> {
    completion(&"a".repeat(bytes))
}

/// The same in Chinese, three bytes a character.
fn chinese_success_body(bytes: usize) -> Vec<u8> {
    completion(&"好，".repeat(bytes / 6))
}

fn completion(text: &str) -> Vec<u8> {
    format!(
        "{{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1710000000,\
         \"model\":\"kimi-k3\",\"choices\":[{{\"index\":0,\"message\":{{\"role\":\"assistant\",\
         \"content\":\"{text}\"}},\"finish_reason\":\"stop\"}}]}}"
    )
    .into_bytes()
}

#[library_benchmark]
#[bench::errcode(Dialect::Errcode)]
#[bench::openai(Dialect::OpenAi)]
#[bench::compat(Dialect::Compat)]
fn encode(dialect: Dialect) -> usize {
    let error = Error::new(ErrorKind::TokenExpired);
    (0..ROUNDS).map(|_| black_box(dialect.body(black_box(&error))).len()).sum()
}

#[library_benchmark]
fn encode_by_derive() -> usize {
    let error = Error::new(ErrorKind::TokenExpired);
    let write = |error: &Error| {
        let envelope = Derived { errcode: error.errcode(), errmsg: error.message(), data: None };
        serde_json::to_vec(&envelope).map_or(0, |body| black_box(body).len())
    };
    (0..ROUNDS).map(|_| write(black_box(&error))).sum()
}

#[library_benchmark]
#[bench::rate_limit(rate_limit_body())]
#[bench::kib(error_body())]
fn classify(body: Vec<u8>) -> usize {
    let headers = HeaderMap::new();
    let status = StatusCode::TOO_MANY_REQUESTS;
    (0..ROUNDS).filter(|_| decode(status, &headers, black_box(&body)).is_some()).count()
}

#[library_benchmark]
#[bench::rate_limit(rate_limit_body())]
#[bench::kib(error_body())]
fn parse_to_value(body: Vec<u8>) -> usize {
    (0..ROUNDS).filter(|_| serde_json::from_slice::<Value>(black_box(&body)).is_ok()).count()
}

#[library_benchmark]
#[bench::kib(success_body(1 << 10))]
#[bench::kib_of_chinese(chinese_success_body(1 << 10))]
#[bench::mib(success_body(1 << 20))]
fn recognize_success(body: Vec<u8>) -> usize {
    let headers = HeaderMap::new();
    (0..ROUNDS).filter(|_| decode(StatusCode::OK, &headers, black_box(&body)).is_none()).count()
}

library_benchmark_group!(
    name = errors;
    benchmarks =
        encode, encode_by_derive, classify, parse_to_value, recognize_success
);

main!(
    config = LibraryBenchmarkConfig::default().tool(Dhat::default());
    library_benchmark_groups = errors
);
