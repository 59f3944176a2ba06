//! Bodies that fail.

use http::Response;
use http_body::Body as _;
use kimi_errors::ErrorKind;
use kimi_testkit::probe::{Act, Beat, ProbeBody, Quirk};
use kimi_tower::catch_error::CatchErrorLayer;

use super::{CANARY, answer, busy, read, text};

#[tokio::test]
async fn a_failing_body_is_seen_to_fail() {
    for (beat, kind) in [
        (Beat::Fail(busy().into()), ErrorKind::StreamBusy),
        (Beat::Fail(CANARY.into()), ErrorKind::System),
        (Beat::Panic(CANARY), ErrorKind::System),
    ] {
        let body = ProbeBody::chunks(["half"]).then(beat).then(Beat::Data("never".into()));
        let seen = body.seen();
        let answer = answer(CatchErrorLayer::new(), Act::Answer(Response::new(body))).await;
        let (data, _, error) = read(answer).await;
        assert_eq!(data, "half");
        let error = error.unwrap();
        assert_eq!(error.kind(), kind);
        assert!(!format!("{error} {error:?}").contains(CANARY));
        assert!(seen.is_dropped() && seen.touches_after_panic() == 0);
    }
}

#[tokio::test]
async fn a_body_that_panics_when_asked_is_not_asked_again() {
    for quirk in [Quirk::PanicInSizeHint, Quirk::PanicInIsEndStream] {
        let body = ProbeBody::chunks(["never"]).with_quirk(quirk);
        let seen = body.seen();
        let answer = answer(CatchErrorLayer::new(), Act::Answer(Response::new(body))).await;
        assert_eq!(answer.body().size_hint().upper(), None);
        assert!(!answer.body().is_end_stream(), "there is an error to come");
        let (data, _, error) = read(answer).await;
        assert_eq!((data.as_str(), error.unwrap().kind()), ("", ErrorKind::System));
        assert_eq!(seen.touches_after_panic(), 0);
        assert!(seen.is_dropped());
    }
}

#[tokio::test]
async fn a_panic_while_a_body_is_dropped_ends_there() {
    let body = ProbeBody::full("all").with_quirk(Quirk::PanicInDrop);
    let seen = body.seen();
    let answer = answer(CatchErrorLayer::new(), Act::Answer(Response::new(body))).await;
    assert_eq!(text(answer).await, "all");
    assert!(seen.is_dropped());
}
