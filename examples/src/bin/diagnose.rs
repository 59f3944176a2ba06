//! Says what an answer of a Kimi API means, how it came about, and what to do about it.
//!
//! The answer's body is an argument, a file, or what stands on standard input:
//!
//! ```sh
//! cargo run --bin diagnose -- --status 429 --lang en \
//!     --body '{"errcode":-2005,"errmsg":"已有对话流正在输出","data":null}'
//! curl -s -w '%{stderr}%{http_code}\n' "$URL" | cargo run --bin diagnose -- --format json
//! ```
//!
//! The first prints:
//!
//! ```text
//! HTTP 429 → errcode -2005 (API_CHAT_STREAM_PUSHING) → stream_busy
//! Message: a stream is already running in this conversation
//! Advice: retry after the running stream
//! Whose turn: session
//!
//! Causes
//!   - a new request was sent before the conversation's last answer had ended
//!   - parallel requests share one conversation id
//!   - the client timed out and sent again while the upstream went on streaming
//!
//! Remedies
//!   1. queue requests per conversation; send when the running stream ends
//!   2. cancel a stream that nobody needs before sending the next request
//!   3. give unrelated tasks conversations of their own
//!   4. track the state of requests, so that none is sent twice
//!
//! If it persists
//!   keep the status, the body, the request id, the time and the number of attempts, collect detailed logs and ask for support
//! ```
//!
//! It exits with 0 if it made a diagnosis, be it of an error or of a success, and with 2 if it was
//! called wrongly, could not read the body, or was given nothing that can be diagnosed: no status
//! and no body, or a text of which only the status would tell whether it is an error.

use std::{
    fs::File,
    io::{self, IsTerminal as _, Read, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;
use kimi_errors::{
    Lang,
    diagnose::{Format, diagnose},
};

/// 1 MiB. No known error answer is longer than a few KiB; a success may be, and its beginning
/// tells that it is one.
const MAX_BODY_BYTES: u64 = 1024 * 1024;

/// 诊断 Kimi API 的错误 / Says what an answer of a Kimi API means and what to do about it.
#[derive(Parser)]
#[command(name = "diagnose", version)]
struct Args {
    /// HTTP status of the answer; leave it out for an event inside a stream
    #[arg(long, value_parser = clap::value_parser!(u16).range(100..1000))]
    status: Option<u16>,
    /// Body of the answer; default: standard input
    #[arg(long, conflicts_with = "file")]
    body: Option<String>,
    /// File that holds the body of the answer
    #[arg(long)]
    file: Option<PathBuf>,
    /// Language of the diagnosis: zh or en
    #[arg(long, default_value = "zh")]
    lang: Lang,
    /// Format of the diagnosis: text, json or mermaid
    #[arg(long, default_value_t)]
    format: Format,
}

fn main() -> ExitCode {
    // Exits with 2 and says how it is used if the arguments are wrong.
    let args = Args::parse();
    let body = match body(&args) {
        Ok(body) => body,
        Err(error) => return fail(&error),
    };
    let diagnosis = diagnose(args.status, &body);
    if args.status.is_none()
        && diagnosis.is_success()
        && let Some(missing) = missing(&body)
    {
        return fail(missing);
    }
    let page = diagnosis.render(args.format, args.lang);
    match io::stdout().write_all(page.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("cannot write the diagnosis: {error}")),
    }
}

/// Returns what is missing to diagnose a body without a status; `None` for JSON, which says itself
/// whether it is an error.
fn missing(body: &[u8]) -> Option<&'static str> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    match body.first() {
        None => Some("nothing to diagnose: give the HTTP status as --status, or a body"),
        Some(b'{' | b'[' | b'"') => None,
        Some(_) => Some("the body is plain text: give the HTTP status as --status"),
    }
}

fn body(args: &Args) -> Result<Vec<u8>, String> {
    if let Some(body) = &args.body {
        return Ok(body.clone().into_bytes());
    }
    if let Some(path) = &args.file {
        let read = File::open(path).and_then(read);
        return read.map_err(|error| format!("cannot read {}: {error}", path.display()));
    }
    if io::stdin().is_terminal() {
        return Err("no body: give it as --body, as --file or on standard input".to_owned());
    }
    read(io::stdin()).map_err(|error| format!("cannot read standard input: {error}"))
}

fn read(source: impl Read) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    source.take(MAX_BODY_BYTES).read_to_end(&mut body)?;
    Ok(body)
}

fn fail(reason: &str) -> ExitCode {
    // If nobody reads standard error, the exit code still says it.
    let _ = writeln!(io::stderr(), "diagnose: {reason}");
    ExitCode::from(2)
}
