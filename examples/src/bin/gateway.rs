//! A Kimi-compatible chat endpoint in front of an upstream.
//!
//! ```text
//! cargo run --bin gateway
//! ```
//!
//! listens on 127.0.0.1:8000, in front of a scripted upstream of its own, and prints `curl` lines
//! to try. `--upstream https://api.moonshot.cn` puts it in front of the real one. What fails there
//! and may succeed the next time is tried again; each retry is a line in the log. Each API key has
//! the limits of the platform's tier 1, unless `--rpm`, `--tpm` and `--concurrency` say otherwise.
//! Requests of one conversation wait for each other, unless `--session` says otherwise. With
//! `--token` or `--refresh-token` callers need no credential of their own: keep it at an address
//! that only they can reach. URLs of files must be public ones, but for those in an `--allow-file-range`.
//! Each request is a line on the standard error, unless `--log` says otherwise. `RUST_LOG` says what
//! else is logged, `info,kimi_tower::retry=debug` if it is not set.
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "it talks to a person at a terminal"
)]

use std::{
    io::stderr, net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc, time::Duration,
};

use clap::{Parser, ValueEnum};
use http::Uri;
use kimi_errors::{BoxError, Dialect, Lang};
use kimi_examples::{
    gateway::{self, Credentials, Limits, Settings, Upstream, requests_to_try, router},
    script_file,
};
use kimi_testkit::{mock::Mock, server::MockServer};
use kimi_tower::{
    request_log::{JsonObserver, RequestLogLayer, TextObserver},
    retry::RetryPolicy,
    session::Policy,
};
use kimi_validate::{
    Profile,
    file_url::{IpRange, UrlPolicy},
};
use tokio::net::TcpListener;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// A Kimi-compatible chat endpoint in front of an upstream.
#[derive(Parser)]
#[command(name = "gateway", version)]
struct Options {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    listen: SocketAddr,
    /// The service behind the gateway. Without it, a scripted one is started in this process.
    #[arg(long, value_name = "URL")]
    upstream: Option<Upstream>,
    /// How long the upstream may be silent before the head of its answer, retries included.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = Upstream::HEAD_TIMEOUT.as_secs(),
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    timeout: u64,
    /// How often a request that has failed is sent again, at most; 0 is never.
    #[arg(long, value_name = "N", default_value_t = 3)]
    retries: u32,
    /// How many requests each API key may make in a minute; 0 is no limit.
    #[arg(long, value_name = "N", default_value_t = 100)]
    rpm: u32,
    /// How many tokens each API key may use in a minute; 0 is no limit.
    #[arg(long, value_name = "N", default_value_t = 2_000_000)]
    tpm: u32,
    /// How many requests each API key may have at a time, streams included; 0 is no limit.
    #[arg(long, value_name = "N", default_value_t = 15)]
    concurrency: u32,
    /// What becomes of a request whose conversation, by `conversation_id` and API key, is still
    /// being answered.
    #[arg(long, value_enum, default_value_t = Session::Queue)]
    session: Session,
    /// What requests without `authorization` are sent to the upstream with: one API key, or several
    /// with commas between them.
    #[arg(long, value_name = "TOKENS", env = "KIMI_GATEWAY_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The same, but what fresh tokens are asked for with.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "KIMI_GATEWAY_REFRESH_TOKEN",
        hide_env_values = true,
        conflicts_with = "token"
    )]
    refresh_token: Option<String>,
    /// The same, in a file, in which each new one is kept that comes in place of the last. Without it
    /// that is lost with the process, and the old one is good no more.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["token", "refresh_token"])]
    refresh_token_file: Option<PathBuf>,
    /// Where tokens are asked for: with the refresh token, by default at kimi.com; without one, as
    /// the article does, `POST /api/token`.
    #[arg(long, value_name = "URL", conflicts_with = "token")]
    token_url: Option<Uri>,
    /// What is written of each request, to the standard error.
    #[arg(long, value_enum, default_value_t = Log::Text)]
    log: Log,
    /// How many characters of each message are written with it; 0 is none.
    #[arg(long, value_name = "N", default_value_t = 0)]
    preview: usize,
    /// How errors are answered: errcode, free-api, openai or compat.
    #[arg(long, default_value = "errcode")]
    dialect: Dialect,
    /// Whose rules chat requests are held to: article, free-api or platform.
    #[arg(long, default_value = "platform")]
    profile: Profile,
    /// Addresses that file URLs may name though they are not public; may be given several times.
    /// Whoever may send a request may then name everything in them.
    #[arg(long, value_name = "CIDR")]
    allow_file_range: Vec<IpRange>,
    /// The language of the gateway's own messages: zh or en.
    #[arg(long, default_value = "zh")]
    lang: Lang,
    /// What the scripted upstream does, a .json or .toml file.
    #[arg(long, value_name = "FILE", conflicts_with = "upstream")]
    script: Option<PathBuf>,
}

/// What `--session` says.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Session {
    /// It waits for its turn: 16 at most, for 60 s at most
    Queue,
    /// It is refused at once: -2005, 429
    Reject,
    /// It takes the turn, and the answer under way ends with an error
    Supersede,
    /// It goes to the upstream like any other
    Off,
}

impl Session {
    fn policy(self) -> Option<Policy> {
        match self {
            Self::Queue => Some(Policy::default()),
            Self::Reject => Some(Policy::Reject),
            Self::Supersede => Some(Policy::Supersede),
            Self::Off => None,
        }
    }
}

/// What `--log` says.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Log {
    /// A line for people
    Text,
    /// A line of JSON, for machines
    Json,
    /// Nothing
    Off,
}

impl Log {
    fn observer(self) -> gateway::Log {
        match self {
            Self::Text => Some(Arc::new(TextObserver::new(stderr()))),
            Self::Json => Some(Arc::new(JsonObserver::new(stderr()))),
            Self::Off => None,
        }
    }
}

/// What is logged if nobody says what, one line for each retry among it.
const LOGGED: &str = "info,kimi_tower::retry=debug";

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into());
    let asked = std::env::var(EnvFilter::DEFAULT_ENV).ok();
    tracing_subscriber::fmt()
        .with_env_filter(filter.parse_lossy(asked.as_deref().unwrap_or(LOGGED)))
        .with_writer(stderr)
        .init();
    match serve(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options) -> Result<(), BoxError> {
    // The server is held until the end: dropping it stops it.
    let (upstream, scripted) = match options.upstream {
        Some(upstream) => (upstream, None),
        None => {
            let script = options.script.as_deref().map(script_file::read).transpose()?;
            // Nobody looks at the requests here.
            let mock = Mock::platform().with_script(script.unwrap_or_default()).with_history(0);
            let server = MockServer::start(mock).await?;
            (server.url().parse()?, Some(server))
        }
    };

    let timeout = Duration::from_secs(options.timeout);
    let retry = RetryPolicy::standard().with_max_retries(options.retries).with_deadline(timeout);
    let credentials = Credentials::choose(
        options.token,
        options.refresh_token,
        options.refresh_token_file.as_deref(),
        options.token_url,
    )?;
    let upstream =
        upstream.with_head_timeout(timeout).with_retry(retry).with_credentials(credentials);

    let listener = TcpListener::bind(options.listen).await;
    let listener =
        listener.map_err(|error| format!("cannot listen at {}: {error}", options.listen))?;
    let url = format!("http://{}", listener.local_addr()?);
    println!("gateway:  {url}, errors in dialect {}", options.dialect);
    println!("upstream: {upstream}{}", if scripted.is_some() { ", scripted" } else { "" });
    println!("{}", requests_to_try(&url, scripted.is_some()));

    let limits = Limits::none()
        .try_with_requests(options.rpm)?
        .try_with_tokens(options.tpm)?
        .with_concurrent(options.concurrency);
    let (profile, dialect, lang) = (options.profile, options.dialect, options.lang);
    let session = options.session.policy();
    let log =
        RequestLogLayer::new().with_observer(options.log.observer()).with_preview(options.preview);
    let files = UrlPolicy::new().with_allowed_ranges(options.allow_file_range);
    let settings = Settings { limits, profile, files, session, log, dialect, lang };
    let router = router(upstream, settings);
    let server = axum::serve(listener, router);
    // The first interrupt lets running answers end, the second does not.
    tokio::select! {
        served = server.with_graceful_shutdown(interrupted(1)).into_future() => served?,
        () = interrupted(2) => {}
    }
    Ok(())
}

async fn interrupted(times: usize) {
    for _ in 0..times {
        // An error means that no signal can be had; then the process is ended in another way.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
