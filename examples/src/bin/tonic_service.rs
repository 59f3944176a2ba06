//! A chat service over gRPC, with the layers of a server, and what its clients see.
//!
//! ```console
//! $ cargo run --bin tonic_service
//! tonic_service: http://127.0.0.1:8003, 6 calls a minute for each API key
//! $ cargo run --bin tonic_service -- --client http://127.0.0.1:8003
//! ask       Hello, Kimi.
//! talk      Hello|, |Kimi|.
//! busy      Aborted 已有对话流正在输出: stream_busy -2005, AfterStream
//! panic     Internal 系统异常，请稍后重试: system -1000, Backoff { after: None }
//! fail      Hello|, |fail, ResourceExhausted 服务过载，请稍后重试: overloaded -2001, Backoff { after: None }
//! limit     ResourceExhausted 请求过于频繁，请稍后重试: rate_limited -2001, Backoff { after: Some(58.9s) }
//! ```
//!
//! The metadata of a call say whose it is, and of which conversation: `authorization: Bearer sk-1`,
//! `x-conversation-id: c-1`. What fails is a status with Kimi's details, which
//! `kimi_errors::Error::from` reads. Clients in other languages take this description:
//!
//! ```text
//! syntax = "proto3";
//! package kimi.v1;
//!
//! service Chat {
//!   rpc Ask(Question) returns (Answer);
//!   rpc Talk(Question) returns (stream Piece);
//! }
//!
//! message Question { string text = 1; }
//! message Answer { string text = 1; }
//! message Piece { string text = 1; }
//! ```
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "it talks to a person at a terminal"
)]

use std::{net::SocketAddr, num::NonZeroU32, pin::Pin, process::ExitCode, time::Duration};

use clap::Parser;
use http::HeaderName;
use kimi_errors::{BoxError, Error, ErrorKind};
use kimi_tower::{
    rate_limit::{Quota, RateLimitLayer, Rule, SlidingWindow},
    session::{Conversation, Policy, SessionLayer},
    stack,
};
use tokio::{net::TcpListener, signal::ctrl_c, time::sleep};
use tokio_stream::{Stream, StreamExt as _, iter};
use tonic::{
    Request, Response, Status,
    transport::{Channel, Endpoint, Server, server::TcpIncoming},
};

use self::generated::{
    chat_client::ChatClient,
    chat_server::{Chat, ChatServer},
};

/// What `build.rs` has written.
#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    unreachable_pub,
    unused_qualifications,
    reason = "it is written as for any program"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/kimi.v1.Chat.rs"));
}

/// What is asked: a name, `panic` or `fail`.
#[derive(Clone, PartialEq, prost::Message)]
struct Question {
    #[prost(string, tag = "1")]
    text: String,
}

/// A whole answer.
#[derive(Clone, PartialEq, prost::Message)]
struct Answer {
    #[prost(string, tag = "1")]
    text: String,
}

/// A piece of an answer.
#[derive(Clone, PartialEq, prost::Message)]
struct Piece {
    #[prost(string, tag = "1")]
    text: String,
}

/// A chat service over gRPC, with the layers of a server.
#[derive(Parser)]
#[command(name = "tonic_service", version)]
struct Options {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8003")]
    listen: SocketAddr,
    /// How many calls each API key may make in a minute.
    #[arg(long, value_name = "N", default_value = "6")]
    rpm: NonZeroU32,
    /// Calls the service that listens there, and shows what a client sees.
    #[arg(long, value_name = "URL", conflicts_with_all = ["listen", "rpm"])]
    client: Option<Endpoint>,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let options = Options::parse();
    let done = match &options.client {
        Some(server) => call(server).await,
        None => serve(&options).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tonic_service: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: &Options) -> Result<(), BoxError> {
    let minute = Quota::try_per_minute(options.rpm.get())?;
    let conversation = Conversation::in_field(HeaderName::from_static("x-conversation-id"));
    let layers = stack::server()
        .with_requests(RateLimitLayer::new(Rule::requests(SlidingWindow::try_new(minute)?)))
        // It reads chats in JSON, of which there are none here.
        .without_validate()
        // One call of a conversation at a time; the next is told so and does not wait.
        .with_session(SessionLayer::new().with_key(conversation).with_policy(Policy::Reject));

    let listener = TcpListener::bind(options.listen).await;
    let listener =
        listener.map_err(|error| format!("cannot listen at {}: {error}", options.listen))?;
    let (address, rpm) = (listener.local_addr()?, options.rpm);
    println!("tonic_service: http://{address}, {rpm} calls a minute for each API key");
    println!("\n# what a client sees\ncargo run --bin tonic_service -- --client http://{address}");

    // Without it each message waits until the one before is acknowledged.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder()
        .layer(layers)
        .add_service(ChatServer::new(Greeter))
        .serve_with_incoming_shutdown(incoming, async {
            let _ = ctrl_c().await;
        })
        .await?;
    Ok(())
}

/// Greets whoever it is told of.
struct Greeter;

#[tonic::async_trait]
impl Chat for Greeter {
    async fn ask(&self, request: Request<Question>) -> Result<Response<Answer>, Status> {
        let Question { text } = request.into_inner();
        match &*text {
            // `?` makes a status of an error, with its code, words and details.
            "" => Err(Error::new(ErrorKind::ParamsInvalid).with_param("text"))?,
            // The client is told of a system error, and nothing of these words.
            "panic" => panic!("as asked"),
            name => Ok(Response::new(Answer { text: format!("Hello, {name}.") })),
        }
    }

    type TalkStream = Pin<Box<dyn Stream<Item = Result<Piece, Status>> + Send>>;

    async fn talk(&self, request: Request<Question>) -> Result<Response<Self::TalkStream>, Status> {
        let Question { text } = request.into_inner();
        let end = match &*text {
            "fail" => Err(Error::new(ErrorKind::Overloaded).into()),
            _ => Ok(".".to_owned()),
        };
        let pieces = [Ok("Hello".to_owned()), Ok(", ".to_owned()), Ok(text), end];
        let pieces = iter(pieces).then(|piece| async {
            sleep(Duration::from_millis(100)).await;
            piece.map(|text| Piece { text })
        });
        Ok(Response::new(Box::pin(pieces)))
    }
}

async fn call(server: &Endpoint) -> Result<(), BoxError> {
    let mut client = ChatClient::new(server.connect().await?);
    println!("ask       {}", outcome(client.ask(question("c-1", "Kimi")?).await.map(text)));
    println!("talk      {}", talk(&mut client, "c-2", "Kimi").await?);
    // The turn of its conversation is taken as long as the stream is open.
    let open = client.talk(question("c-3", "Kimi")?).await?;
    println!("busy      {}", outcome(client.ask(question("c-3", "Kimi")?).await.map(text)));
    drop(open);
    println!("panic     {}", outcome(client.ask(question("c-4", "panic")?).await.map(text)));
    println!("fail      {}", talk(&mut client, "c-5", "fail").await?);
    println!("limit     {}", outcome(client.ask(question("c-6", "Kimi")?).await.map(text)));
    Ok(())
}

/// Asks in a conversation, as a caller of its own for each run, whose minute is a new one.
fn question(conversation: &'static str, text: &str) -> Result<Request<Question>, BoxError> {
    let mut request = Request::new(Question { text: text.to_owned() });
    let key = format!("Bearer sk-{}", std::process::id());
    request.metadata_mut().insert("authorization", key.parse()?);
    request.metadata_mut().insert("x-conversation-id", conversation.parse()?);
    Ok(request)
}

/// Shows the pieces of a stream, and its end if that is an error.
async fn talk(
    client: &mut ChatClient<Channel>,
    conversation: &'static str,
    text: &str,
) -> Result<String, BoxError> {
    let mut stream = match client.talk(question(conversation, text)?).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return Ok(outcome(Err(status))),
    };
    let mut pieces = Vec::new();
    loop {
        match stream.message().await {
            Ok(Some(piece)) => pieces.push(piece.text),
            Ok(None) => return Ok(pieces.join("|")),
            Err(status) => return Ok(format!("{}, {}", pieces.join("|"), outcome(Err(status)))),
        }
    }
}

fn text(answer: Response<Answer>) -> String {
    answer.into_inner().text
}

/// Shows an answer, or a status and the error that it stands for.
fn outcome(answer: Result<String, Status>) -> String {
    answer.unwrap_or_else(|status| {
        let code = status.code();
        let error = Error::from(status);
        let (kind, errcode, advice) = (error.kind(), error.errcode(), error.advice());
        format!("{code:?} {}: {kind} {errcode}, {advice:?}", error.message())
    })
}
