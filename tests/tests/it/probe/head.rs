//! What heads and first bytes say of a file, and what refusals do not say.

use std::{error::Error, time::Duration};

use bytes::Bytes;
use http::Response;
use kimi_errors::Lang;
use kimi_validate::{
    file_url::{MediaTypes, Reason, RemoteUrl},
    probe::{FileProbe, FileSize},
};
use tokio::time::Instant;

use super::{
    PDF, check,
    server::{Piece, Server, answer, silent},
};

#[tokio::test(start_paused = true)]
async fn a_head_that_tells_all_is_all() {
    let server = Server::new(|_| answer(200, &[PDF, ("content-length", "7")], &[]));
    let file = check(&server).await.unwrap();
    assert_eq!(
        (file.media_type(), file.size(), file.redirects()),
        ("application/pdf", FileSize::Announced(7), 0)
    );
    assert_eq!(server.asked(), ["HEAD https://example.com/a"]);
}

#[tokio::test(start_paused = true)]
async fn where_head_is_refused_get_is_asked() {
    for status in [400, 401, 403, 404, 405, 429, 500, 501, 503] {
        let server = Server::new(move |asked| match asked.method().as_str() {
            "HEAD" => answer(status, &[], &[]),
            _ => answer(206, &[PDF, ("content-range", "bytes 0-4095/9000")], &[]),
        });
        assert_eq!(check(&server).await.unwrap().size(), FileSize::Announced(9_000), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_other_answer_and_failure_reads_the_same() {
    let mut errors = Vec::new();
    for status in [204, 205, 300, 304, 400, 401, 403, 404, 410, 429, 500, 502, 503] {
        let server = Server::new(move |_| answer(status, &[], &[]));
        let probe = FileProbe::new(server);
        let url = RemoteUrl::parse("https://example.com/a", probe.policy()).unwrap();
        errors.push(probe.check(&url).await.unwrap_err());
    }
    let probe = FileProbe::new(Server::new(|_| Err("10.0.0.1 refused".into())));
    let url = RemoteUrl::parse("https://example.com/a", probe.policy()).unwrap();
    let refused = probe.check(&url).await.unwrap_err();
    assert_eq!(refused.source().unwrap().to_string(), "10.0.0.1 refused");
    errors.push(refused);
    let begin = Instant::now();
    let probe = FileProbe::new(silent()).with_deadline(Duration::from_secs(3));
    errors.push(probe.check(&url).await.unwrap_err());
    assert_eq!(begin.elapsed(), Duration::from_secs(3));

    for refused in errors {
        let shown = format!("{refused} {refused:?}");
        assert!(!shown.contains("10.0.0.1"), "{shown}");
        let error = refused.into_error(Lang::En);
        assert_eq!((error.errcode(), error.status()), (-2003, 400));
        assert_eq!(error.message(), "remote file URL not acceptable: the file cannot be reached");
    }
}

#[tokio::test(start_paused = true)]
async fn a_type_that_is_not_listed_is_refused() {
    let head = ("content-type", "application/x-msdownload");
    let server = Server::new(move |_| answer(200, &[head, ("content-length", "7")], &[]));
    assert_eq!(check(&server).await.unwrap_err(), Reason::MediaType);
    assert_eq!(server.asked().len(), 1);
    // Size first: it is the same whatever the file is.
    let server = Server::new(move |_| answer(200, &[head, ("content-length", "200000000")], &[]));
    assert_eq!(check(&server).await.unwrap_err(), Reason::TooLarge);
}

#[tokio::test(start_paused = true)]
async fn the_list_of_types_can_be_replaced() {
    let server = Server::new(|_| {
        answer(200, &[("content-type", "image/png"), ("content-length", "7")], &[])
    });
    let probe = FileProbe::new(server).with_types(MediaTypes::article());
    let url = RemoteUrl::parse("https://example.com/a", probe.policy()).unwrap();
    assert_eq!(probe.check(&url).await.unwrap_err().reason(), Reason::MediaType);
    let probe = probe.with_types(MediaTypes::new(["image/*"]));
    assert_eq!(probe.check(&url).await.unwrap().media_type(), "image/png");
}

#[tokio::test(start_paused = true)]
async fn a_type_that_says_nothing_is_read_from_the_first_bytes() {
    for generic in [None, Some("application/octet-stream"), Some("binary/octet-stream; x=y")] {
        for (begin, expected) in [
            (&b"%PDF-1.7"[..], Ok("application/pdf")),
            (b"\x89PNG\r\n\x1a\n", Ok("image/png")),
            ("你好".as_bytes(), Ok("text/plain")),
            (b"MZ\x90\0", Err(Reason::MediaType)),
            (b"", Err(Reason::MediaType)),
        ] {
            let server = Server::new(move |asked| {
                let body = [Piece::Data(Bytes::from_static(begin))];
                let body = if asked.method() == "HEAD" { &[] } else { &body[..] };
                let length = begin.len().to_string();
                let mut head = answer(200, &[("content-length", &length)], body)?;
                if let Some(generic) = generic {
                    head.headers_mut().insert("content-type", generic.parse()?);
                }
                Ok(head)
            });
            let found = check(&server).await;
            assert_eq!(found.as_ref().map(|file| file.media_type()), expected.as_ref().copied());
        }
    }
}

/// A type of three bytes that come one by one, in frames of their own, and one of a long first frame.
#[tokio::test(start_paused = true)]
async fn first_bytes_are_put_together_from_frames() {
    let pieces: Vec<_> =
        b"%PDF-1.7".iter().map(|byte| Piece::Data(Bytes::copy_from_slice(&[*byte]))).collect();
    let file = check(&Server::of_get(Response::builder(), pieces)).await.unwrap();
    assert_eq!((file.media_type(), file.size()), ("application/pdf", FileSize::Counted(8)));
    let long = [b"%PDF-1.7".as_slice(), &[0; 60_000]].concat();
    let file =
        check(&Server::of_get(Response::builder(), [Piece::Data(long.into())])).await.unwrap();
    assert_eq!((file.media_type(), file.size()), ("application/pdf", FileSize::Counted(60_008)));
}

/// Says of 10 bytes of PDF what `HEAD` is asked, and answers `GET` otherwise.
async fn lying(
    fields: &'static [(&str, &str)],
    pieces: &[Piece],
) -> (Result<u64, Reason>, Vec<String>) {
    let pieces = pieces.to_vec();
    let server = Server::new(move |asked| match asked.method().as_str() {
        "HEAD" => answer(200, &[PDF, ("content-length", "10")], &[]),
        _ => answer(200, fields, &pieces),
    });
    // By default it is believed.
    assert_eq!(check(&server).await.unwrap().size(), FileSize::Announced(10));
    assert_eq!(server.asked().len(), 1);
    let probe = FileProbe::new(server.clone()).with_first_block();
    let url = RemoteUrl::parse("https://example.com/a", probe.policy()).unwrap();
    let checked = probe.check(&url).await.map(|it| it.size().bytes()).map_err(|it| it.reason());
    (checked, server.asked()[1..].to_vec())
}

#[tokio::test(start_paused = true)]
async fn a_head_that_lies_is_found_out_by_the_first_block() {
    let endless = [Piece::Zeros(usize::MAX, 16 * 1024)];
    for (fields, pieces, expected) in [
        (&[PDF][..], &endless[..], Err(Reason::TooLarge)),
        (&[PDF, ("content-length", "104857601")], &[], Err(Reason::TooLarge)),
        (&[("content-type", "application/x-msdownload")], &endless, Err(Reason::MediaType)),
        (&[PDF, ("content-encoding", "gzip")], &endless, Err(Reason::Encoded)),
        (&[PDF], &[Piece::Zeros(3, 10)], Ok(30)),
        (&[PDF, ("content-length", "9")], &[Piece::Zeros(1, 9)], Ok(9)),
        (&[PDF], &[Piece::Fail], Err(Reason::Unreachable)),
    ] {
        let (checked, asked) = lying(fields, pieces).await;
        assert_eq!(checked, expected, "{fields:?}");
        let expected = ["HEAD https://example.com/a", "GET https://example.com/a bytes=0-4095"];
        assert_eq!(asked, expected);
    }
}
