//! The tonic server over sockets, before and after.

use kimi_errors::{Error, ErrorKind};
use tokio::net::TcpListener;
use tonic::{Code, Request, Status, transport};

use super::{Question, generated::chat_client::ChatClient, listen, tonic_after, tonic_before};

type Client = ChatClient<transport::Channel>;

async fn connect<F>(serve: impl FnOnce(TcpListener) -> F) -> Client
where
    F: Future<Output = Result<(), transport::Error>> + Send + 'static,
{
    let (listener, url) = listen().await;
    tokio::spawn(serve(listener));
    ChatClient::new(transport::Endpoint::try_from(url).unwrap().connect().await.unwrap())
}

fn question(text: &str) -> Request<Question> {
    let mut question = Request::new(Question { text: text.to_owned() });
    question.metadata_mut().insert("x-conversation-id", "c-1".parse().unwrap());
    question
}

async fn ask(client: &mut Client, text: &str) -> Result<String, Status> {
    Ok(client.ask(question(text)).await?.into_inner().text)
}

#[tokio::test]
async fn before_every_error_is_the_same() {
    let mut client = connect(tonic_before::serve).await;
    assert_eq!(ask(&mut client, "Hello").await.unwrap(), "Hello, you say?");
    assert_eq!(ask(&mut client, "fail").await.unwrap_err().code(), Code::Internal);
    // A reset stream, which says nothing.
    let status = ask(&mut client, "panic").await.unwrap_err();
    assert_eq!(status.code(), Code::Cancelled, "{status:?}");
}

#[tokio::test]
async fn after_a_status_says_what_happened() {
    let mut client = connect(tonic_after::serve).await;
    assert_eq!(ask(&mut client, "Hello").await.unwrap(), "Hello, you say?");
    for (text, code, kind) in [
        ("fail", Code::DeadlineExceeded, ErrorKind::Timeout),
        ("panic", Code::Internal, ErrorKind::System),
    ] {
        let status = ask(&mut client, text).await.unwrap_err();
        assert_eq!(status.code(), code, "{status:?}");
        assert_eq!(Error::from(status).kind(), kind);
    }
}

#[tokio::test]
async fn after_calls_are_counted() {
    let mut client = connect(tonic_after::serve).await;
    let talk = client.talk(question("Hello")).await.unwrap().into_inner().message().await;
    assert_eq!(talk.unwrap().unwrap().text, "Hello");
    for _ in 0..4 {
        ask(&mut client, "Hello").await.unwrap();
    }
    let status = ask(&mut client, "the sixth").await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let error = Error::from(status);
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(error.retry_after().is_some());
}

/// That the layer reads the conversation at all; that turns are taken, `tonic_service` shows.
#[tokio::test]
async fn after_a_conversation_has_one_name() {
    let mut client = connect(tonic_after::serve).await;
    let mut question = question("Hello");
    question.metadata_mut().append("x-conversation-id", "c-2".parse().unwrap());
    assert_eq!(client.ask(question).await.unwrap_err().code(), Code::InvalidArgument);
}
