//! Files that are fetched after they were checked.

use http::Response;
use http_body_util::BodyExt;
use kimi_validate::{
    file_url::{Reason, RemoteUrl},
    probe::FileProbe,
};

use super::{
    PDF,
    server::{Piece, Server, answer},
};

/// Announces 50 bytes of PDF, of 100 that are allowed, and answers `GET` so.
async fn fetched(
    status: u16,
    fields: &'static [(&str, &str)],
    pieces: &[Piece],
) -> Result<u64, Reason> {
    let pieces = pieces.to_vec();
    let server = Server::new(move |asked| match asked.method().as_str() {
        "HEAD" => answer(200, &[PDF, ("content-length", "50")], &[]),
        _ => answer(status, fields, &pieces),
    });
    let probe = FileProbe::new(server.clone()).with_max_bytes(100);
    let url = RemoteUrl::parse("https://example.com/a", probe.policy()).unwrap();
    let file = probe.check(&url).await.unwrap();
    let answer: Response<_> = probe.fetch(&file).await.map_err(|refused| refused.reason())?;
    assert_eq!(server.asked()[1], "GET https://example.com/a");
    let mut body = answer.into_body();
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        bytes += frame.map_err(|it| it.reason())?.into_data().unwrap().len() as u64;
    }
    Ok(bytes)
}

#[tokio::test(start_paused = true)]
async fn a_body_fails_at_the_first_byte_too_many() {
    assert_eq!(fetched(200, &[], &[Piece::Zeros(5, 10)]).await, Ok(50));
    assert_eq!(fetched(200, &[], &[Piece::Zeros(1, 10)]).await, Ok(10));
    assert_eq!(
        fetched(200, &[], &[Piece::Zeros(5, 10), Piece::Zeros(1, 1)]).await,
        Err(Reason::TooLarge)
    );
    assert_eq!(fetched(200, &[], &[Piece::Zeros(usize::MAX, 16)]).await, Err(Reason::TooLarge));
    assert_eq!(
        fetched(200, &[], &[Piece::Zeros(1, 10), Piece::Fail]).await,
        Err(Reason::Unreachable)
    );
}

#[tokio::test(start_paused = true)]
async fn another_file_the_second_time_is_held_to_the_same() {
    for (status, fields, expected) in [
        (200, &[("content-length", "101")][..], Reason::TooLarge),
        // What would be allowed of another file.
        (200, &[("content-length", "51")], Reason::TooLarge),
        (200, &[("content-type", "image/png")], Reason::MediaType),
        (200, &[("content-type", "application/x-msdownload")], Reason::MediaType),
        (200, &[("content-encoding", "gzip")], Reason::Encoded),
        (302, &[("location", "https://example.com/b")], Reason::Redirect),
        (206, &[], Reason::Unreachable),
        (404, &[], Reason::Unreachable),
    ] {
        assert_eq!(fetched(status, fields, &[]).await, Err(expected), "{status}");
    }
}

/// Nothing of a frame with a byte too many is handed on, and nothing after it.
#[tokio::test(start_paused = true)]
async fn after_the_failure_the_body_has_ended() {
    let server = Server::new(|asked| match asked.method().as_str() {
        "HEAD" => answer(200, &[PDF, ("content-length", "100")], &[]),
        _ => answer(200, &[], &[Piece::Zeros(100, 60)]),
    });
    let probe = FileProbe::new(server);
    let url = RemoteUrl::parse("https://example.com/a", probe.policy()).unwrap();
    let file = probe.check(&url).await.unwrap();
    let mut body = probe.fetch(&file).await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap().len(), 60);
    assert_eq!(body.frame().await.unwrap().unwrap_err().reason(), Reason::TooLarge);
    assert!(body.frame().await.is_none());
}

/// `GET` may say less than `HEAD`, and the same in another form.
#[tokio::test(start_paused = true)]
async fn the_same_file_the_second_time_is_fetched() {
    for fields in [
        &[][..],
        &[("content-type", "Application/PDF; charset=binary"), ("content-length", "50")],
        &[("content-type", "application/octet-stream")],
    ] {
        assert_eq!(fetched(200, fields, &[Piece::Zeros(1, 50)]).await, Ok(50), "{fields:?}");
    }
}
