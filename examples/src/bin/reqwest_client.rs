//! A client of reqwest, with the layers of a client, and what became of each request.
//!
//! ```console
//! $ cargo run --bin reqwest_client
//! upstream: http://127.0.0.1:39429, scripted
//! turn-1   success      attempts 2, waited 0.00 s, took 1.88 s
//! turn-2   success      attempts 1, waited 2.13 s, took 2.13 s
//! refused  client_error attempts 1, waited 0.25 s, took 0.25 s: content_filtered (-2000): …
//! rush-1   success      attempts 1, waited 0.25 s, took 0.25 s
//! rush-2   success      attempts 1, waited 0.50 s, took 0.50 s
//! rush-3   success      attempts 1, waited 0.75 s, took 0.75 s
//! ```
//!
//! Two requests of one conversation: the first fails and is sent again, the second waits until it has
//! been answered. One that is refused, and would be again. Three at once, which go at the pace of a
//! limit. `--upstream http://127.0.0.1:8000 --key sk-…` asks another, such as `gateway`, which speaks
//! TLS with the real one: here reqwest is built without.
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "it talks to a person at a terminal"
)]

use std::{process::ExitCode, time::Duration};

use bytes::Bytes;
use clap::Parser;
use http::{HeaderName, Request, Response};
use http_body_util::{BodyExt as _, Full};
use kimi_errors::BoxError;
use kimi_testkit::{
    mock::Mock,
    script::{Script, Step, When},
    server::MockServer,
};
use kimi_tower::{
    key::UpstreamAccount,
    rate_limit::{Admission, Gcra, Quota, RateLimitLayer, Rule},
    request_log::{Record, RequestLogLayer, Side},
    session::{Conversation, SessionLayer},
    stack,
    token::{Freshness, StaticToken, Token, TokenCache, TokenLayer},
};
use serde_json::json;
use tokio::join;
use tower::{ServiceBuilder, ServiceExt as _};

/// A client of reqwest, with the layers of a client, and what became of each request.
#[derive(Parser)]
#[command(name = "reqwest_client", version)]
struct Options {
    /// Whom to ask, without TLS. Without it, a scripted upstream is started in this process.
    #[arg(long, value_name = "URL", requires = "key", value_parser = plain)]
    upstream: Option<String>,
    /// The API key that requests are sent with.
    #[arg(
        long,
        value_name = "KEY",
        env = "MOONSHOT_API_KEY",
        hide_env_values = true,
        default_value = "sk-test"
    )]
    key: String,
    /// The model to ask.
    #[arg(long, default_value = "kimi-k3")]
    model: String,
}

/// Takes a URL without TLS, for which reqwest would need one of its features.
fn plain(url: &str) -> Result<String, &'static str> {
    match url.strip_prefix("http://") {
        Some(rest) if !rest.is_empty() => Ok(url.trim_end_matches('/').to_owned()),
        _ => Err("is no http:// URL; put `gateway --upstream` between for https"),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("reqwest_client: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), BoxError> {
    let (upstream, scripted) = upstream(options.upstream).await?;

    // No proxy leads to the scripted one, which is in this process.
    let http = reqwest::Client::builder();
    let http = if scripted.is_some() { http.no_proxy() } else { http }.build()?;

    let key = TokenCache::new(StaticToken::new(Token::parse(&options.key)?), Freshness::new());
    let conversation = Conversation::in_field(HeaderName::from_static("x-conversation-id"));
    // One request in each quarter of a second.
    let pace = Gcra::new(Quota::try_new(4, Duration::from_secs(1))?).try_with_burst(1)?;
    let queue = Admission::Wait { max_wait: Duration::from_secs(30), max_queue: 100 };

    let client = ServiceBuilder::new()
        .layer(
            stack::client()
                // One record of each call, however many attempts it takes.
                .with_request_log(
                    RequestLogLayer::new().with_side(Side::Client).with_observer(print),
                )
                // Two requests of a conversation go one after the other.
                .with_session(SessionLayer::new().with_key(conversation))
                // Retries are there already, of what may succeed the next time.
                .with_token(TokenLayer::new(key))
                // Whoever is too early waits; an upstream that says when is believed.
                .with_limits(
                    RateLimitLayer::new(Rule::requests(pace))
                        .with_key(UpstreamAccount::new())
                        .with_admission(queue)
                        .with_upstream_hints()
                        .without_fields(),
                ),
        )
        // Requests as reqwest has them, and answers as everybody has them.
        .filter(|request: Request<_>| reqwest::Request::try_from(request.map(reqwest::Body::wrap)))
        .map_response(Response::<reqwest::Body>::from)
        .service(http);

    let ask = |id: &'static str, conversation: &'static str| {
        let message = json!({ "role": "user", "content": "你好" });
        let body = json!({ "model": options.model, "messages": [message] }).to_string();
        let request = Request::post(format!("{upstream}/v1/chat/completions"))
            .header("content-type", "application/json")
            .header("x-request-id", id)
            .header("x-conversation-id", conversation)
            .body(Full::<Bytes>::from(body));
        let client = client.clone();
        async move {
            // What fails is in the log. The turn of the conversation lasts as long as the body.
            if let Ok(answer) = client.oneshot(request?).await {
                let _ = answer.into_body().collect().await;
            }
            Ok::<_, http::Error>(())
        }
    };
    let (one, two) = join!(ask("turn-1", "c-1"), ask("turn-2", "c-1"));
    one.and(two)?;
    ask("refused", "c-2").await?;
    let (one, two, three) = join!(ask("rush-1", "c-3"), ask("rush-2", "c-4"), ask("rush-3", "c-5"));
    Ok(one.and(two).and(three)?)
}

/// Shows what became of a request.
fn print(record: &Record<'_>) {
    let attempts = record.facts.attempts().unwrap_or_default();
    let waited = record.queue_wait().unwrap_or_default().as_secs_f64();
    let took = record.duration.as_secs_f64();
    let error = record.error.map(|error| format!(": {error}")).unwrap_or_default();
    println!(
        "{:<8} {:<12} attempts {attempts}, waited {waited:.2} s, took {took:.2} s{error}",
        record.start.request_id,
        record.outcome.as_str(),
    );
}

/// Returns the URL of whom to ask, and the scripted one, which ends when it is dropped.
async fn upstream(url: Option<String>) -> Result<(String, Option<MockServer>), BoxError> {
    if let Some(url) = url {
        println!("upstream: {url}");
        return Ok((url, None));
    }
    let of = |conversation: &str| When::any().with_conversation(conversation);
    let script = Script::try_new([
        Step::fault("plat.overloaded").with_when(of("c-1")),
        Step::fault("plat.content_filter").with_when(of("c-2")),
    ])?;
    let server = MockServer::start(Mock::platform().with_script(script).with_history(0)).await?;
    println!("upstream: {}, scripted", server.url());
    Ok((server.url(), Some(server)))
}
