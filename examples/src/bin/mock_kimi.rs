//! The scripted Kimi upstream alone, for any client in any language.
//!
//! ```console
//! $ cargo run --bin mock_kimi -- --listen 127.0.0.1:8001 --script examples/scripts/storm.toml
//! Kimi (platform) at http://127.0.0.1:8001, errors in errcode, 6 scripted steps
//!
//! # an answer, in one piece and streamed
//! curl http://127.0.0.1:8001/v1/chat/completions -H 'Authorization: Bearer sk-test' -d '…'
//! …
//! ```
//!
//! | option | default | |
//! |---|---|---|
//! | `--listen ADDRESS` | `127.0.0.1:8001` | port 0 takes a free one, and it is printed |
//! | `--style NAME` | `platform` | `platform` or `free-api`: the form of successes |
//! | `--dialect NAME` | the style's | `errcode`, `free-api`, `openai` or `compat`: the form of its own errors |
//! | `--script FILE` | none | steps in `.json` or `.toml`; see `examples/scripts/storm.toml` |
//! | `--token-lifetime SECONDS` | `7200` | how long a token of `/api/token` lives |
//! | `--without-auth` | off | looks at no credentials |
//! | `--faults` | | prints the id, status and message of every known error, and ends |
//!
//! A client can ask for one answer by itself: `x-mock-fault: plat.overloaded`, or a whole step as
//! JSON in `x-mock-step`.
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "it talks to a person at a terminal"
)]

use std::{
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, ValueEnum};
use kimi_errors::{BoxError, Dialect};
use kimi_examples::script_file;
use kimi_testkit::{
    mock::Mock,
    script::{Fault, Script},
    server::MockServer,
};

/// The scripted Kimi upstream alone.
#[derive(Debug, Parser)]
#[command(name = "mock_kimi", version)]
struct Options {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8001")]
    listen: SocketAddr,
    /// The form of successes.
    #[arg(long, value_enum, default_value = "platform")]
    style: Style,
    /// The form of the mock's own errors: errcode, free-api, openai or compat.
    #[arg(long)]
    dialect: Option<Dialect>,
    /// The script, a .json or .toml file.
    #[arg(long)]
    script: Option<PathBuf>,
    /// How many seconds a token of /api/token lives.
    #[arg(long, default_value = "7200")]
    token_lifetime: u64,
    /// Look at no credentials.
    #[arg(long)]
    without_auth: bool,
    /// Print every known error and end.
    #[arg(long)]
    faults: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Style {
    Platform,
    FreeApi,
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mock_kimi: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options) -> Result<(), BoxError> {
    if options.faults {
        return match write_faults(&mut io::stdout().lock()) {
            // The reader has seen enough: `mock_kimi --faults | head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written?),
        };
    }
    let script = match &options.script {
        Some(path) => script_file::read(path)?,
        None => Script::default(),
    };
    let (name, mock, own_dialect) = match options.style {
        Style::Platform => ("platform", Mock::platform(), Dialect::Errcode),
        Style::FreeApi => ("kimi-free-api", Mock::free_api(), Dialect::FreeApi),
    };
    let dialect = options.dialect.unwrap_or(own_dialect);
    let steps = script.steps().len();
    let mut mock = mock
        .with_dialect(dialect)
        .with_script(script)
        .with_token_lifetime(Duration::from_secs(options.token_lifetime))
        // Nobody looks at the requests here.
        .with_history(0);
    if options.without_auth {
        mock = mock.without_auth();
    }
    let server = MockServer::bind(options.listen, mock).await;
    let server = server.map_err(|error| format!("cannot listen at {}: {error}", options.listen))?;
    let url = server.url();
    println!("Kimi ({name}) at {url}, errors in {dialect}, {steps} scripted steps");
    print_curls(&url);
    tokio::signal::ctrl_c().await?;
    server.stop().await;
    Ok(())
}

fn write_faults(out: &mut impl Write) -> io::Result<()> {
    for fault in Fault::all() {
        writeln!(out, "{:<34} {} {}", fault.id(), fault.status(), fault.message().trim())?;
    }
    Ok(())
}

fn print_curls(url: &str) {
    let chat = format!("curl -i {url}/v1/chat/completions -H 'Authorization: Bearer sk-test'");
    let hello = r#"{"model":"kimi-k3","messages":[{"role":"user","content":"Hello"}]}"#;
    let stream = hello.replace("\"messages\"", "\"stream\":true,\"messages\"");
    println!(
        "
# an answer, in one piece and streamed
{chat} -d '{hello}'
{chat} -N -d '{stream}'

# any known error, once; --faults lists them
{chat} -H 'x-mock-fault: plat.overloaded' -d '{hello}'

# any step, once: a slow stream that breaks off
{chat} -N -H 'x-mock-step: {{\"delay_chunk_ms\":300,\"cut_at\":600}}' -d '{stream}'

# the article's two: a missing parameter, an expired token
{chat} -d '{{\"model\":\"kimi\"}}'
curl -i {url}/v1/chat/completions -H 'Authorization: Bearer EXPIRED_TOKEN' -d '{hello}'

# a fresh token
curl -i -X POST {url}/api/token"
    );
}
