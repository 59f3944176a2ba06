//! Plain hyper, with all layers of a server around a chat that streams.
//!
//! ```console
//! $ cargo run --bin hyper_server
//! hyper_server: http://127.0.0.1:8002, 60 requests a minute for each API key
//!
//! # streamed, a word at a time; what is wrong with a request; one that no route takes
//! curl -N http://127.0.0.1:8002/v1/chat/completions …
//! ```
//!
//! `--rpm` says how many requests each API key may make in a minute. Ctrl-C lets the answers end that
//! are on their way; a second one does not. Each request is an event on the standard error.
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "it talks to a person at a terminal"
)]

use std::{
    convert::Infallible, net::SocketAddr, num::NonZeroU32, pin::pin, process::ExitCode,
    time::Duration,
};

use bytes::Bytes;
use clap::Parser;
use http::{Request, Response, header};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use kimi_errors::{BoxError, Error, ErrorKind};
use kimi_tower::{
    rate_limit::{Gcra, Quota, RateLimitLayer, Rule, concurrency::ConcurrencyLayer},
    stack,
};
use kimi_validate::ChatRequest;
use serde_json::json;
use tokio::{net::TcpListener, signal::ctrl_c, time::sleep};
use tokio_stream::{StreamExt as _, iter};
use tower::{Layer as _, service_fn};

/// Plain hyper, with all layers of a server around a chat that streams.
#[derive(Parser)]
#[command(name = "hyper_server", version)]
struct Options {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8002")]
    listen: SocketAddr,
    /// How many requests each API key may make in a minute.
    #[arg(long, value_name = "N", default_value = "60")]
    rpm: NonZeroU32,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match serve(&Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hyper_server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: &Options) -> Result<(), BoxError> {
    let minute = Quota::try_per_minute(options.rpm.get())?;
    // It answers errors, logs, checks and queues until told otherwise; a limit has no default.
    let service = stack::server()
        .with_requests(RateLimitLayer::new(Rule::requests(Gcra::new(minute))))
        .with_concurrency(ConcurrencyLayer::new(NonZeroU32::new(15).ok_or("15 is not 0")?))
        .layer(service_fn(chat));

    let listener = TcpListener::bind(options.listen).await;
    let listener =
        listener.map_err(|error| format!("cannot listen at {}: {error}", options.listen))?;
    print_curls(listener.local_addr()?, options.rpm);

    let mut server = auto::Builder::new(TokioExecutor::new());
    // With a timer, whoever sends no head loses the connection after hyper's 30 s.
    server.http1().timer(TokioTimer::new());
    let connections = GracefulShutdown::new();
    let mut interrupted = pin!(ctrl_c());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            interrupted = &mut interrupted => break interrupted?,
        };
        let Ok((stream, _)) = accepted else {
            // Such as too many open files, which will be fewer.
            sleep(Duration::from_secs(1)).await;
            continue;
        };
        // Without it each event waits until the one before is acknowledged.
        let _ = stream.set_nodelay(true);
        // One service for all connections: its clones share limits and turns.
        let service = TowerToHyperService::new(service.clone());
        let connection = server.serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connections.watch(connection.into_owned()));
    }
    // Nobody new; whoever is being answered is answered to the end.
    drop(listener);
    tokio::select! {
        () = connections.shutdown() => {}
        _ = ctrl_c() => {}
    }
    Ok(())
}

/// Answers with one word after the other. Of requests to other paths there is no [`ChatRequest`].
async fn chat<B>(request: Request<B>) -> Result<Response<UnsyncBoxBody<Bytes, Infallible>>, Error> {
    let chat = request.extensions().get::<ChatRequest>();
    let chat = chat.ok_or(ErrorKind::RouteNotFound)?;
    let words = ["Hello", ", ", "here ", "is ", "hyper", "."];
    if !chat.is_stream() {
        let message = json!({ "role": "assistant", "content": words.concat() });
        let whole = json!({ "choices": [{ "message": message, "finish_reason": "stop" }] });
        let body = Full::from(whole.to_string()).boxed_unsync();
        return Ok(answer("application/json", body));
    }
    let deltas =
        words.map(|word| json!({ "choices": [{ "delta": { "content": word } }] }).to_string());
    let events = iter(deltas).chain(iter(["[DONE]".to_owned()])).then(|data| async move {
        sleep(Duration::from_millis(100)).await;
        Ok(Frame::data(Bytes::from(format!("data: {data}\n\n"))))
    });
    Ok(answer("text/event-stream", StreamBody::new(events).boxed_unsync()))
}

fn answer<B>(content_type: &'static str, body: B) -> Response<B> {
    let mut answer = Response::new(body);
    let content_type = header::HeaderValue::from_static(content_type);
    answer.headers_mut().insert(header::CONTENT_TYPE, content_type);
    answer
}

fn print_curls(address: SocketAddr, rpm: NonZeroU32) {
    println!("hyper_server: http://{address}, {rpm} requests a minute for each API key");
    let curl = format!(
        "curl -N http://{address}/v1/chat/completions -H 'Authorization: Bearer sk-1' -H 'Content-Type: application/json'"
    );
    println!(
        "
# streamed, a word at a time
{curl} -d '{{\"model\":\"kimi\",\"stream\":true,\"conversation_id\":\"c-1\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'

# what is wrong with a request
{curl} -d '{{\"model\":\"kimi\"}}'

# a path that is not there
curl -i http://{address}/nowhere"
    );
}
