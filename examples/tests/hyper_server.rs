//! `hyper_server` as a process, asked over sockets.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod running;

use bytes::Bytes;
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

use running::Running;

const STREAM: &str = r#"{"model":"kimi","stream":true,"conversation_id":"c-1","messages":[{"role":"user","content":"Hello"}]}"#;

fn start(args: &[&str]) -> Running {
    Running::start(env!("CARGO_BIN_EXE_hyper_server"), args)
}

async fn ask(server: &Running, version: Version, body: &'static str) -> Response<Incoming> {
    let request = Request::post(format!("{}/v1/chat/completions", server.url))
        .version(version)
        .header("authorization", "Bearer sk-1")
        .header("content-type", "application/json")
        .body(Full::<Bytes>::from(body))
        .unwrap();
    let mut client = Client::builder(TokioExecutor::new());
    client.http2_only(version == Version::HTTP_2);
    client.build_http().request(request).await.unwrap()
}

async fn text(answer: Response<Incoming>) -> String {
    String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn streams_and_answers_whole_over_both_versions_of_http() {
    let server = start(&[]);
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let answer = ask(&server, version, STREAM).await;
        assert_eq!((answer.status(), answer.version()), (StatusCode::OK, version));
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let events = text(answer).await;
        assert_eq!(events.matches("data: ").count(), 7, "{events}");
        assert!(events.ends_with("data: [DONE]\n\n"), "{events}");

        let whole = r#"{"model":"kimi","messages":[{"role":"user","content":"Hello"}]}"#;
        let whole = text(ask(&server, version, whole).await).await;
        assert!(whole.contains("Hello, here is hyper."), "{whole}");
    }
}

#[tokio::test]
async fn refuses_what_is_wrong_and_what_is_too_much() {
    let server = start(&["--rpm", "1"]);
    let wrong = ask(&server, Version::HTTP_11, r#"{"model":"kimi"}"#).await;
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
    assert!(text(wrong).await.contains(r#""errcode":-1001"#));

    let refused = ask(&server, Version::HTTP_11, STREAM).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn an_interrupt_lets_the_answer_end_and_each_request_is_logged() {
    let server = start(&[]);
    let answer = ask(&server, Version::HTTP_11, STREAM).await;
    server.tell("-INT");
    let events = text(answer).await;
    assert!(events.ends_with("data: [DONE]\n\n"), "{events}");
    let (status, log) = server.end();
    assert!(status.success());
    assert_eq!(log.matches("kimi.outcome").count(), 1, "{log}");
    assert!(log.contains("success"), "{log}");
}

#[test]
fn help_names_each_option() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_hyper_server"))
        .arg("--help")
        .output()
        .unwrap();
    assert!(help.status.success());
    let help = str::from_utf8(&help.stdout).unwrap();
    for option in ["--listen <ADDRESS>", "--rpm <N>"] {
        assert!(help.contains(option), "{option} in {help}");
    }
}
