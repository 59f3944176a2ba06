//! Each disturbance, seen in the process.

use std::{io::ErrorKind, time::Duration};

use bytes::Bytes;
use http::StatusCode;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use kimi_testkit::script::{Garbage, Step};
use tokio::time::{Instant, timeout};

use super::{Mock, ask, chat, chunks, hello, send, streamed};

fn with(step: Step) -> Mock {
    let mock = Mock::platform();
    mock.push(step).unwrap();
    mock
}

/// The length of the undisturbed answer to `hello`.
const UNARY: usize = 263;

#[tokio::test]
async fn an_undisturbed_body_tells_its_length() {
    let body = send(&Mock::platform(), chat(&hello())).await.into_body();
    assert_eq!(
        body.size_hint().exact(),
        Some(body.collect().await.unwrap().to_bytes().len() as u64)
    );
}

#[tokio::test(start_paused = true)]
async fn the_head_waits() {
    let mock = with(Step::ok().with_head_delay(Duration::from_millis(1500)));
    let start = Instant::now();
    send(&mock, chat(&hello())).await;
    assert_eq!(start.elapsed(), Duration::from_millis(1500));
}

#[tokio::test(start_paused = true)]
async fn chunks_wait_for_each_other_and_not_for_the_head() {
    let step = Step::ok().with_content("1234").with_chunks(4);
    let mock = with(step.with_chunk_delay(Duration::from_millis(100)));
    let start = Instant::now();
    let mut body = send(&mock, chat(&streamed())).await.into_body();

    let mut times = Vec::new();
    while body.frame().await.is_some() {
        times.push(start.elapsed().as_millis());
    }

    // Role, four pieces, finish, [DONE].
    assert_eq!(times, [0, 100, 200, 300, 400, 500, 600]);
}

#[tokio::test]
async fn a_cut_body_ends_early_under_a_head_that_announced_all() {
    let response = send(&with(Step::ok().with_cut_at(100)), chat(&hello())).await;
    let whole = ask(&Mock::platform(), chat(&hello())).await.body;
    assert_eq!(whole.len(), UNARY);
    assert_eq!(response.headers()["content-length"], UNARY.to_string());

    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, whole[..100]);
}

#[tokio::test]
async fn a_cut_stream_has_no_length_and_no_end() {
    let response = send(&with(Step::ok().with_cut_at(500)), chat(&streamed())).await;
    assert!(!response.headers().contains_key("content-length"));
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body.len(), 500);
    assert!(!body.ends_with(b"\n\n"));
}

#[tokio::test]
async fn a_reset_body_fails_after_its_bytes() {
    for at in [0, 100, 1_000_000] {
        let mock = with(Step::ok().with_reset_at(at));
        let body = send(&mock, chat(&hello())).await.into_body();
        let mut seen = chunks(body).await;
        assert_eq!(seen.pop(), Some(Err(ErrorKind::ConnectionReset)));
        let bytes: usize = seen.into_iter().map(|chunk| chunk.unwrap().len()).sum();
        assert_eq!(bytes, UNARY.min(usize::try_from(at).unwrap()));
        assert_eq!(mock.in_flight(), 0);
    }
}

#[tokio::test]
async fn garbage_is_the_same_for_the_same_seed() {
    let garbage =
        async |garbage| ask(&with(Step::ok().with_garbage(garbage)), chat(&hello())).await;
    let first = garbage(Garbage::new(1000)).await;
    assert_eq!((first.status, first.body.len()), (StatusCode::OK, 1000));
    assert_eq!(first.body, garbage(Garbage::new(1000)).await.body);
    assert_ne!(first.body, garbage(Garbage::new(1000).with_seed(1)).await.body);
    let distinct: std::collections::HashSet<_> = first.body.iter().collect();
    assert!(distinct.len() > 200, "{}", distinct.len());
    assert!(garbage(Garbage::new(0)).await.body.is_empty());
}

#[tokio::test]
async fn proxies_answer_with_pages() {
    for (step, status) in [(Step::bad_gateway_html(), 502), (Step::gateway_timeout_html(), 504)] {
        let answer = ask(&with(step), chat(&streamed())).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.headers["content-type"]),
            (status, &"text/html".parse().unwrap())
        );
        assert!(answer.text().starts_with("<html>") && answer.text().contains(&status.to_string()));
    }
}

#[tokio::test]
async fn the_head_may_claim_a_wrong_length() {
    for claimed in [0, 10, 5000] {
        let answer = ask(&with(Step::ok().with_content_length(claimed)), chat(&hello())).await;
        assert_eq!(answer.headers["content-length"], claimed.to_string());
        assert_eq!(answer.body.len(), UNARY);
    }
}

#[tokio::test(start_paused = true)]
async fn an_endless_stream_goes_on_until_it_is_dropped() {
    let mock = with(Step::ok().with_endless());
    let mut body = send(&mock, chat(&streamed())).await.into_body();
    assert_eq!(body.size_hint().exact(), None);

    let read = timeout(Duration::from_secs(60), async {
        let mut events = Vec::new();
        for _ in 0..1000 {
            let chunk = body.frame().await.unwrap().unwrap().into_data().unwrap();
            events.push(String::from_utf8(chunk.to_vec()).unwrap());
        }
        events
    });
    // The clock goes on while it streams: 100 ms for each chunk.
    assert!(read.await.is_err());
    assert!(!body.is_end_stream());
    assert_eq!(mock.in_flight(), 1);
    drop(body);
    assert_eq!(mock.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_endless_stream_repeats_only_its_content() {
    let step = Step::ok().with_content("ab").with_chunks(2).with_endless();
    let mock = with(step.with_chunk_delay(Duration::ZERO));
    let mut body = send(&mock, chat(&streamed())).await.into_body();
    let mut text = String::new();
    for _ in 0..101 {
        let chunk = body.frame().await.unwrap().unwrap().into_data().unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert_eq!(text.matches("\"role\"").count(), 1);
    assert_eq!(text.matches(r#""content":"a""#).count(), 50);
    assert_eq!(text.matches(r#""content":"b""#).count(), 50);
    assert!(!text.contains("[DONE]"));
}

#[tokio::test]
async fn an_endless_body_without_pauses_lets_others_have_their_turn() {
    let step = Step::raw(200, "text/plain", "x").with_endless().with_chunk_delay(Duration::ZERO);
    let body = send(&with(step), chat(&hello())).await.into_body();
    let reading = tokio::spawn(body.collect());
    // On one thread this point is reached only if the reader yields.
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    assert!(!reading.is_finished());
    reading.abort();
}

#[tokio::test]
async fn an_endless_body_can_be_cut() {
    let step = Step::raw(200, "text/plain", "abc").with_endless().with_cut_at(10);
    let mock = with(step.with_chunk_delay(Duration::ZERO));
    assert_eq!(ask(&mock, chat(&hello())).await.text(), "abcabcabca");
}

#[tokio::test]
async fn an_error_may_be_any_event_of_a_stream() {
    for after in [0, 1, 3, 99] {
        let mock = with(Step::ok().with_sse_error(after, "plat.server_error"));
        let answer = ask(&mock, chat(&streamed())).await;
        assert_eq!(answer.status, StatusCode::OK);
        let events = answer.events();
        // The role, and four pieces at most.
        assert_eq!(events.len() - 1, after.min(5));
        assert_eq!(events.last().unwrap()["error"]["type"], "server_error");
        assert!(!answer.text().contains("[DONE]") && !answer.text().contains("\"stop\""));
    }
    let mock = with(Step::ok().with_raw_sse_error(1, "event: error\ndata: oops\n\n"));
    assert!(
        ask(&mock, chat(&streamed())).await.text().ends_with("}\n\nevent: error\ndata: oops\n\n")
    );
}

#[tokio::test]
async fn a_stream_may_lack_its_done() {
    let answer = ask(&with(Step::ok().without_done()), chat(&streamed())).await;
    assert_eq!(answer.events().last().unwrap()["choices"][0]["finish_reason"], "stop");
    assert!(!answer.text().contains("[DONE]"));
}

#[tokio::test]
async fn chunks_may_be_cut_anywhere() {
    let whole = ask(&Mock::platform(), chat(&streamed())).await.body;
    for size in [1, 7, 100, 100_000] {
        let body = send(&with(Step::ok().with_split(size)), chat(&streamed())).await.into_body();
        let pieces: Vec<Bytes> = chunks(body).await.into_iter().map(Result::unwrap).collect();
        let (last, full) = pieces.split_last().unwrap();
        assert!(full.iter().all(|piece| piece.len() == size));
        assert!((1..=size).contains(&last.len()));
        assert_eq!(pieces.concat(), whole);
    }
}

#[tokio::test]
async fn a_disturbance_holds_for_refusals_too() {
    let mut request = chat(&hello());
    request.headers_mut().remove("authorization");
    let answer = ask(&with(Step::ok().with_cut_at(9).with_header("x-note", "1")), request).await;
    assert_eq!((answer.status, answer.text()), (StatusCode::UNAUTHORIZED, "{\"errcode"));
    assert_eq!(answer.headers["x-note"], "1");
}
