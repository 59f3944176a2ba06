//! An upstream that is down, breaks off or answers half: the caller is told, at every stage.

use kimi_errors::{Dialect, Error, ErrorKind};
use kimi_examples::gateway::Upstream;
use kimi_tower::{raise_error::StreamEnd, retry::RetryPolicy};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinSet,
};

use super::wire::{Answer, Gateway, QUESTION, STREAMED};

/// Starts an upstream that reads a request, answers `answer` and closes.
async fn answering(tasks: &mut JoinSet<()>, answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tasks.spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            // The requests of these tests fit one segment of the loopback.
            let _ = socket.read(&mut [0; 4096]).await;
            let _ = socket.write_all(answer).await;
        }
    });
    url
}

/// The article's -2001: the one code with which its clients try again.
fn assert_upstream_failed(answer: &Answer) {
    assert!(matches!(answer.status.as_u16(), 500 | 502), "{answer:?}");
    assert!(answer.body.starts_with(r#"{"errcode":-2001,"errmsg":""#), "{answer:?}");
    assert!(answer.body.ends_with(r#"","data":null}"#), "{answer:?}");
    // Where the upstream is and why it failed is nobody's business.
    assert!(!answer.body.contains("127.0.0.1") && !answer.body.contains("connect"), "{answer:?}");
}

#[tokio::test]
async fn an_upstream_that_is_down_is_a_failed_request() {
    // A port that was free a moment ago, and that nobody can be listening on yet.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let upstream = url.parse::<Upstream>().unwrap().with_retry(RetryPolicy::none());
    let gateway = Gateway::before(Dialect::Errcode, upstream).await;
    assert_upstream_failed(&gateway.chat(QUESTION, &[]).await);
}

#[tokio::test]
async fn an_upstream_that_hangs_up_or_talks_nonsense_is_a_failed_request() {
    for nonsense in ["", "HTTP/1.1 20", "\u{0}\u{1}\u{2}\r\n\r\n", "SSH-2.0-x\r\n"] {
        let mut tasks = JoinSet::new();
        let upstream = answering(&mut tasks, nonsense.as_bytes()).await;
        let gateway = Gateway::to(Dialect::Errcode, &upstream).await;
        assert_upstream_failed(&gateway.chat(QUESTION, &[]).await);
    }
}

#[tokio::test]
async fn half_an_answer_is_no_answer() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n\
        {\"choices\":[{\"message\":{\"content\":\"";
    let mut tasks = JoinSet::new();
    let upstream = answering(&mut tasks, half).await;
    let gateway = Gateway::to(Dialect::Errcode, &upstream).await;
    assert_upstream_failed(&gateway.chat(QUESTION, &[]).await);
}

#[tokio::test]
async fn an_answer_that_points_elsewhere_is_no_answer() {
    for answer in [
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
        "HTTP/1.1 302 Found\r\nlocation: http://internal/\r\ncontent-length: 0\r\n\r\n",
    ] {
        let mut tasks = JoinSet::new();
        let upstream = answering(&mut tasks, answer.as_bytes()).await;
        let gateway = Gateway::to(Dialect::Errcode, &upstream).await;
        let answer = gateway.chat(QUESTION, &[]).await;
        assert_upstream_failed(&answer);
        assert!(!answer.headers.contains_key("location"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_compressed_error_is_what_its_status_says_and_a_compressed_success_passes() {
    let coded = |status: u16| {
        let head =
            serde_json::json!({"content-type": "application/json", "content-encoding": "br"});
        let raw = serde_json::json!({"status": status, "headers": head, "body": "not br"});
        serde_json::json!({"steps": [{"raw": raw}]}).to_string()
    };
    let expected = [
        (401, r#"{"errcode":-2002,"errmsg":"Token已失效","data":null}"#),
        (500, r#"{"errcode":-1000,"errmsg":"系统异常，请稍后重试","data":null}"#),
    ];
    for (status, body) in expected {
        let gateway = Gateway::tries_once(Dialect::Errcode, &coded(status)).await;
        let answer = gateway.chat(QUESTION, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (status, body));
        assert!(!answer.headers.contains_key("content-encoding"), "{answer:?}");
    }
    let gateway = Gateway::scripted(Dialect::Errcode, &coded(200)).await;
    let answer = gateway.chat(QUESTION, &[]).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "not br"));
    assert_eq!(answer.headers["content-encoding"], "br");
}

#[tokio::test]
async fn half_of_a_long_answer_does_not_look_whole() {
    let body = "x".repeat(300 * 1024);
    let script = serde_json::json!({"steps": [{"raw": {"status": 200, "body": body}, "cut_at": 200 * 1024}]});
    let gateway = Gateway::scripted(Dialect::Errcode, &script.to_string()).await;
    let answer = gateway.chat(QUESTION, &[]).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.is_whole, "the head was out: only a visible break is left to tell");
}

#[tokio::test]
async fn a_stream_that_breaks_ends_with_the_error_as_its_last_event() {
    for disturbance in ["cut_at", "reset_at"] {
        for dialect in Dialect::ALL {
            // Enough for the first events, and within the next.
            let script = format!(r#"{{"steps": [{{"{disturbance}": 400}}]}}"#);
            let gateway = Gateway::scripted(*dialect, &script).await;
            let answer = gateway.chat(STREAMED, &[]).await;
            assert_eq!(answer.status, 200);
            let (before, frame) = last_event(&answer.body);
            let expected = dialect.sse_frame(&Error::new(ErrorKind::StreamTruncated));
            assert_eq!(frame.as_bytes(), expected, "{dialect} {disturbance}");
            assert!(frame.contains(r#""code":"stream_truncated""#), "{frame}");
            for event in before.split_terminator("\n\n") {
                let data = event.strip_prefix("data: ").unwrap();
                serde_json::from_str::<serde_json::Value>(data).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_stream_without_its_end_ends_with_an_error_unless_none_is_required() {
    let script = r#"{"steps": [{"no_done": true}]}"#;
    let gateway = Gateway::scripted(Dialect::Errcode, script).await;
    let answer = gateway.chat(STREAMED, &[]).await;
    let expected = Dialect::Errcode.sse_frame(&Error::new(ErrorKind::StreamTruncated));
    assert_eq!((answer.is_whole, last_event(&answer.body).1.as_bytes()), (true, &expected[..]));

    let optional = |upstream: Upstream| upstream.with_stream_end(StreamEnd::Optional);
    let gateway = Gateway::with(Dialect::Errcode, script, optional).await;
    let answer = gateway.chat(STREAMED, &[]).await;
    assert!(answer.is_whole && !answer.body.contains("error"), "{answer:?}");
}

#[tokio::test]
async fn a_stream_of_nothing_is_a_failed_request() {
    for disturbance in ["cut_at", "reset_at"] {
        let script = format!(r#"{{"steps": [{{"{disturbance}": 7}}]}}"#);
        let gateway = Gateway::tries_once(Dialect::Errcode, &script).await;
        assert_upstream_failed(&gateway.chat(STREAMED, &[]).await);
    }
}

/// Splits a stream before its last event.
fn last_event(stream: &str) -> (&str, &str) {
    let end = stream.trim_end().rfind("\n\n").map_or(0, |at| at + 2);
    stream.split_at(end)
}
