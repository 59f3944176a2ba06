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
//! else is logged, `info,kimi_tower::retry=debug` if it is not set. At `/` there is a page that shows
//! what is going on, beside `/metrics` and `/healthz`, unless `--status off` says otherwise. Each option
//! can be set by the environment, as `KIMI_GATEWAY_RPM`, and in the file that `--config` names.
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "it talks to a person at a terminal"
)]

mod config_file;
mod options;

use std::{io::stderr, process::ExitCode, sync::Arc, time::Duration};

use axum::serve::Listener as _;
use clap::{CommandFactory as _, Parser as _};
use kimi_errors::BoxError;
use kimi_examples::{
    gateway::{
        Board, Credentials, Limits, Log, Settings, Shared, Status, listen, requests_to_try, router,
    },
    script_file, told_to_end,
};
use kimi_testkit::{mock::Mock, server::MockServer};
use kimi_tower::{
    request_log::{MetricsObserver, RequestLogLayer},
    retry::RetryPolicy,
};
use kimi_validate::file_url::UrlPolicy;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use self::options::Options;

/// What is logged if nobody says what, one line for each retry among it.
const LOGGED: &str = "info,kimi_tower::retry=debug";

#[tokio::main]
async fn main() -> ExitCode {
    let args = std::env::args_os().collect();
    let options = match config_file::with_file(&Options::command(), args) {
        Ok(args) => Options::parse_from(args),
        Err(error) => {
            eprintln!("gateway: {error}");
            return ExitCode::from(2);
        }
    };
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

    let listener = listen(options.listen).await;
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
    let status = (options.status == options::Status::On).then(status).transpose()?;
    let log = RequestLogLayer::new()
        .with_observer(observer(status.as_ref(), options.log.observer()))
        .with_preview(options.preview);
    let files = UrlPolicy::new().with_allowed_ranges(options.allow_file_range);
    let shared = match (options.redis, options.secret) {
        (Some(url), Some(secret)) => Some(Shared::try_new(&url, &secret)?),
        _ => None,
    };
    let settings = Settings { limits, profile, files, session, shared, log, status, dialect, lang };
    let router = router(upstream, settings);
    let server = axum::serve(listener, router);
    // The first interrupt lets running answers end, the second does not.
    tokio::select! {
        served = server.with_graceful_shutdown(interrupted(1)).into_future() => served?,
        () = interrupted(2) => {}
    }
    Ok(())
}

/// Begins to count and to measure.
fn status() -> Result<Status, BoxError> {
    // Of seconds, as the conventions have them: from a cache's answer to a long stream's.
    let seconds = [0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0];
    // And of tokens, as the conventions have them, up to a million.
    let tokens: Vec<f64> = (0..=10).map(|power| 4_f64.powi(power)).collect();
    let usage = Matcher::Full("gen_ai.client.token.usage".to_owned());
    let builder = PrometheusBuilder::new().set_buckets(&seconds)?;
    let metrics = builder.set_buckets_for_metric(usage, &tokens)?.install_recorder()?;
    Ok(Status { board: Board::new(), metrics: Some(metrics) })
}

/// Tells all who want to know.
fn observer(status: Option<&Status>, log: Log) -> Log {
    match status {
        Some(status) => Some(Arc::new((status.board.clone(), (MetricsObserver::new(), log)))),
        None => log,
    }
}

async fn interrupted(times: usize) {
    for _ in 0..times {
        // An error means that no signal can be had; then the process is ended in another way.
        if told_to_end().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
