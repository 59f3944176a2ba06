//! How large files are found to be, whatever their servers say.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use http::Response;
use kimi_validate::{file_url::Reason, probe::FileSize};
use tokio::time::Instant;

use super::{
    LIMIT, PDF, check,
    server::{Piece, Server, answer},
};

/// A frame as clients have them.
const FRAME: usize = 16 * 1024;

fn ok(length: Option<&str>) -> http::response::Builder {
    let head = Response::builder().header(PDF.0, PDF.1);
    length.into_iter().fold(head, |head, length| head.header("content-length", length))
}

#[tokio::test(start_paused = true)]
async fn exactly_the_limit_is_let_through_and_one_byte_more_is_not() {
    for (length, expected) in [
        ("104857600", Ok(FileSize::Announced(104_857_600))),
        ("104857601", Err(Reason::TooLarge)),
        ("99999999999999999999999", Err(Reason::TooLarge)),
    ] {
        let server = Server::new(move |_| answer(200, &[PDF, ("content-length", length)], &[]));
        assert_eq!(check(&server).await.map(|file| file.size()), expected, "{length}");
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_length_the_bytes_are_counted_to_the_limit_and_one_more() {
    let whole = Piece::Zeros(LIMIT / FRAME, FRAME);
    let server = Server::of_get(ok(None), [whole.clone()]);
    assert_eq!(check(&server).await.unwrap().size(), FileSize::Counted(104_857_600));
    let server = Server::of_get(ok(None), [whole, Piece::Zeros(1, 1)]);
    assert_eq!(check(&server).await.unwrap_err(), Reason::TooLarge);
    assert!(server.alive.peak() + 4_096 <= 128 * 1024, "{}", server.alive.peak());
    assert_eq!(server.alive.now(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_endless_body_is_left_at_the_first_byte_too_many() {
    let server = Server::of_get(ok(None), [Piece::Zeros(usize::MAX, FRAME)]);
    assert_eq!(check(&server).await.unwrap_err(), Reason::TooLarge);
    let sent = server.alive.sent.load(Relaxed);
    assert!((LIMIT + 1..=LIMIT + FRAME).contains(&sent), "{sent}");
    assert!(server.alive.peak() + 4_096 <= 128 * 1024);
}

#[tokio::test(start_paused = true)]
async fn a_length_that_is_too_short_is_not_believed() {
    let server = Server::of_get(ok(Some("10")), [Piece::Zeros(usize::MAX, FRAME)]);
    assert_eq!(check(&server).await.unwrap_err(), Reason::TooLarge);
    let server = Server::of_get(ok(Some("10")), [Piece::Zeros(3, FRAME)]);
    assert_eq!(check(&server).await.unwrap().size(), FileSize::Counted(3 * FRAME as u64));
    // Nor is one that is too long, when the end is seen.
    let server = Server::of_get(ok(Some("1000")), [Piece::Zeros(1, 10)]);
    assert_eq!(check(&server).await.unwrap().size(), FileSize::Counted(10));
}

#[tokio::test(start_paused = true)]
async fn of_a_file_with_a_length_no_more_than_a_block_is_read() {
    let server = Server::of_get(ok(Some("1000000")), [Piece::Zeros(100, 1_024)]);
    assert_eq!(check(&server).await.unwrap().size(), FileSize::Announced(1_000_000));
    assert_eq!(server.alive.sent.load(Relaxed), 4_096);
    assert_eq!(server.asked()[1], "GET https://example.com/a bytes=0-4095");
}

#[tokio::test(start_paused = true)]
async fn a_part_tells_the_whole_length() {
    let part = |range: &str| {
        let head = Response::builder().status(206).header(PDF.0, PDF.1);
        Server::of_get(head.header("content-range", range), [Piece::Zeros(4, 1_024)])
    };
    let whole = check(&part("bytes 0-4095/104857600")).await.unwrap();
    assert_eq!(whole.size(), FileSize::Announced(104_857_600));
    let refused = check(&part("bytes 0-4095/104857601")).await.unwrap_err();
    assert_eq!(refused, Reason::TooLarge);
    // A part of nobody knows what, when all of it was asked for.
    let server = part("bytes 0-4095/*");
    assert_eq!(check(&server).await.unwrap_err(), Reason::Unreachable);
    assert_eq!(server.asked()[2], "GET https://example.com/a");
}

#[tokio::test(start_paused = true)]
async fn a_part_of_unknown_length_is_asked_for_as_a_whole() {
    let server =
        Server::new(|asked| match (asked.method().as_str(), asked.headers().get("range")) {
            ("HEAD", _) => answer(501, &[], &[]),
            (_, Some(_)) => answer(206, &[PDF, ("content-range", "bytes 0-4095/*")], &[]),
            _ => answer(200, &[PDF], &[Piece::Zeros(5, 1_024)]),
        });
    assert_eq!(check(&server).await.unwrap().size(), FileSize::Counted(5_120));
}

#[tokio::test(start_paused = true)]
async fn an_empty_file_has_no_first_block() {
    let head = Response::builder().status(416).header("content-range", "bytes */0");
    assert_eq!(check(&Server::of_get(head, [])).await.unwrap_err(), Reason::MediaType);
    let head = Response::builder().status(416).header("content-range", "bytes */10");
    assert_eq!(check(&Server::of_get(head, [])).await.unwrap_err(), Reason::Unreachable);
    let server = Server::of_get(ok(Some("0")), []);
    assert_eq!(check(&server).await.unwrap().size(), FileSize::Counted(0));
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_ends_with_the_deadline() {
    for head in [ok(None), ok(Some("1000000"))] {
        let begin = Instant::now();
        let server = Server::of_get(head, [Piece::Drip(usize::MAX)]);
        assert_eq!(check(&server).await.unwrap_err(), Reason::Unreachable);
        assert_eq!(begin.elapsed(), Duration::from_secs(10));
        assert!(server.alive.sent.load(Relaxed) <= 11);
        assert_eq!(server.alive.now(), 0);
    }
}

/// Such a body is never waited for, so that no clock goes on by itself.
#[tokio::test(start_paused = true)]
async fn an_endless_body_of_empty_frames_ends_with_the_deadline() {
    for head in [ok(None), ok(Some("1000000"))] {
        let server = Server::of_get(head, [Piece::Zeros(usize::MAX, 0)]);
        let clock = async {
            tokio::task::yield_now().await;
            tokio::time::advance(Duration::from_secs(10)).await;
        };
        let (checked, ()) = tokio::join!(check(&server), clock);
        assert_eq!(checked.unwrap_err(), Reason::Unreachable);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bomb_is_neither_asked_for_nor_inflated() {
    let encoded = ("content-encoding", "gzip");
    let server = Server::new(move |_| {
        answer(200, &[PDF, encoded, ("content-length", "1000")], &[Piece::Zeros(1, 1_000)])
    });
    assert_eq!(check(&server).await.unwrap_err(), Reason::Encoded);
    assert_eq!(server.alive.sent.load(Relaxed), 0);

    // One that compresses what HEAD announces, and not what comes.
    let server = Server::new(move |asked| match asked.method().as_str() {
        "HEAD" => answer(200, &[PDF, encoded, ("content-length", "10")], &[]),
        _ => answer(200, &[PDF], &[Piece::Zeros(2, 1_000)]),
    });
    assert_eq!(check(&server).await.unwrap().size(), FileSize::Counted(2_000));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_is_unreachable() {
    let server = Server::of_get(ok(None), [Piece::Zeros(1, 10), Piece::Fail]);
    assert_eq!(check(&server).await.unwrap_err(), Reason::Unreachable);
}
