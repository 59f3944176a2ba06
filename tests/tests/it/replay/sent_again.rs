//! Which attempt sends what.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use kimi_errors::{BoxError, Error, ErrorKind};
use kimi_testkit::{
    mock::Mock,
    probe::{Act, Beat, Probe, ProbeBody},
    script::Step,
};
use kimi_tower::replay::ReplayBody;
use tokio::sync::mpsc;
use tower::service_fn;

use super::{CHAT, chat, in_pieces, limits, send};

fn status(status: StatusCode) -> Response<ProbeBody> {
    let mut answer = Response::new(ProbeBody::empty());
    *answer.status_mut() = status;
    answer
}

#[tokio::test]
async fn every_attempt_sends_the_whole_body() {
    let mock = Mock::platform();
    mock.push(Step::fault("plat.overloaded").with_repeat(2)).unwrap();
    let (limits, budget) = limits(usize::MAX);
    // A mock takes a body that it answers a fault to as it takes any other: to its end.
    let answer = send(mock.clone(), 2, &limits, chat(in_pieces())).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let text = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(std::str::from_utf8(&text).unwrap().contains("你说：你好"));

    let requests = mock.requests();
    assert_eq!(requests.len(), 3);
    for request in &requests {
        assert_eq!(request.body(), CHAT);
        assert_eq!(request.headers(), requests[0].headers());
    }
    assert_eq!(budget.in_use(), 0);
}

#[tokio::test]
async fn an_error_of_the_transport_is_followed_by_the_whole_body_too() {
    let (probe, seen) = Probe::new([Act::Fail("refused".into()), Act::Fail("refused".into())]);
    send(probe, 2, &limits(usize::MAX).0, chat(in_pieces())).await.unwrap();
    assert_eq!((seen.calls(), seen.unready_calls()), (3, 0));
    assert_eq!(seen.take_requests()[0].body, CHAT);
}

#[tokio::test]
async fn trailers_are_sent_again() {
    let trailers =
        HeaderMap::from_iter([(http::header::ETAG, HeaderValue::from_static("\"kimi\""))]);
    let busy = Act::Answer(status(StatusCode::SERVICE_UNAVAILABLE));
    let (probe, seen) = Probe::new([busy]);
    let body = in_pieces().then(Beat::Trailers(trailers.clone()));
    send(probe, 2, &limits(usize::MAX).0, chat(body)).await.unwrap();
    let requests = seen.take_requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert_eq!(
            (&request.body[..], request.trailers),
            (CHAT.as_bytes(), Some(trailers.clone()))
        );
    }
}

/// The first attempt keeps the body that it has read half, as a connection does that is stuck.
#[tokio::test]
async fn the_next_attempt_takes_over_from_one_that_is_stuck() {
    let (keep, mut kept) = mpsc::unbounded_channel();
    let calls = Arc::new(AtomicUsize::new(0));
    let service = service_fn(move |request: Request<ReplayBody<ProbeBody>>| {
        let (keep, call) = (keep.clone(), calls.fetch_add(1, SeqCst));
        async move {
            let mut body = request.into_body();
            let answer = Response::builder();
            if call == 0 {
                assert!(body.frame().await.unwrap().is_ok());
                keep.send(body).map_err(|_| "nobody keeps it").unwrap();
                return answer.status(503).body(Bytes::new());
            }
            answer.body(body.collect().await.unwrap().to_bytes())
        }
    });
    let answer = send(service, 1, &limits(usize::MAX).0, chat(in_pieces())).await.unwrap();
    assert_eq!(answer.into_body(), CHAT);

    let mut stuck = kept.try_recv().unwrap();
    let error = Error::from(stuck.frame().await.unwrap().unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(stuck.frame().await.is_none());
}

#[tokio::test]
async fn over_the_limit_the_first_answer_is_the_callers() {
    let mock = Mock::platform();
    mock.push(Step::fault("plat.overloaded")).unwrap();
    let (limits, budget) = limits(CHAT.len() - 1);
    let answer = send(mock.clone(), 2, &limits, chat(in_pieces())).await.unwrap();
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(budget.in_use(), 0);
    let text = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(std::str::from_utf8(&text).unwrap().contains("engine_overloaded_error"));
    assert_eq!(mock.requests().len(), 1);
    assert_eq!(mock.requests()[0].body(), CHAT, "it goes on untouched");
}

#[tokio::test]
async fn a_body_of_which_nothing_was_read_is_sent_again_whatever_its_length() {
    let (probe, seen) = Probe::new([Act::AnswerUnread(status(StatusCode::SERVICE_UNAVAILABLE))]);
    send(probe, 2, &limits(0).0, chat(in_pieces())).await.unwrap();
    assert_eq!(seen.calls(), 2);
    assert_eq!(seen.take_requests()[0].body, CHAT);
}

#[tokio::test]
async fn a_body_that_fails_is_not_sent_again() {
    let broken = || Beat::Fail(BoxError::from("the caller went away"));
    let (probe, seen) = Probe::new([]);
    let sent = send(probe, 2, &limits(usize::MAX).0, chat(in_pieces().then(broken()))).await;
    assert_eq!(sent.unwrap_err().to_string(), "the caller went away");
    assert_eq!(seen.calls(), 1);
}
