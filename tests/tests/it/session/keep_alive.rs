//! What is sent while a request for a stream waits for its turn.

use std::{pin::pin, sync::Arc};

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use kimi_errors::ErrorKind;
use kimi_testkit::probe::{Act, Beat, ProbeBody};
use tokio::time::Instant;

use super::{SECOND, answer, call, gauges, layer, of, poll, stack, start, stream};

fn for_events() -> Request<ProbeBody> {
    let mut request = of("c-1");
    request.headers_mut().insert("accept", "text/event-stream".parse().unwrap());
    request
}

fn events(body: ProbeBody) -> Act {
    let answer = Response::builder().header("content-type", "text/event-stream; charset=utf-8");
    Act::Answer(answer.body(body).unwrap())
}

#[tokio::test(start_paused = true)]
async fn comments_come_until_the_turn_does_and_then_the_answer() {
    let layer = layer().with_keep_alive(SECOND * 5);
    let body = ProbeBody::chunks(["data: 1\n\n", "data: [DONE]\n\n"]);
    let (mut service, seen) = stack(&layer, [stream(), events(body)]);
    let first = call(&mut service, of("c-1")).await.unwrap();
    let asked = Instant::now();
    let answer = call(&mut service, for_events()).await.unwrap();
    assert_eq!((answer.status(), asked.elapsed()), (StatusCode::OK, SECOND * 5));
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut body = pin!(answer.into_body());
    for seconds in [5, 10, 15] {
        let comment = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!((&comment[..], asked.elapsed()), (&b": keep-alive\n\n"[..], SECOND * seconds));
    }
    assert_eq!((gauges(&layer), seen.calls()), ((1, 1), 1));
    drop(first);
    let rest = body.as_mut().collect().await.unwrap().to_bytes();
    assert_eq!((&rest[..], asked.elapsed()), (&b"data: 1\n\ndata: [DONE]\n\n"[..], SECOND * 15));
    assert_eq!((gauges(&layer), seen.calls()), ((0, 0), 2));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_before_its_time_nor_to_whom_it_would_harm() {
    for (keeps, asks) in [(true, false), (false, true)] {
        let layer = if keeps { layer().with_keep_alive(SECOND * 5) } else { layer() };
        let (mut service, _) =
            stack(&layer, [stream(), events(ProbeBody::chunks(["data: 1\n\n"]))]);
        let first = call(&mut service, of("c-1")).await.unwrap();
        let request = if asks { for_events() } else { of("c-1") };
        let mut waiting = pin!(start(&mut service, request).await);
        assert!(poll(waiting.as_mut(), &Arc::default()).is_pending());
        tokio::time::advance(SECOND * 20).await;
        assert!(poll(waiting.as_mut(), &Arc::default()).is_pending());
        drop(first);
        let answer = waiting.await.unwrap();
        // The head is the answer's own.
        assert_eq!(answer.headers()["content-type"], "text/event-stream; charset=utf-8");
    }
    let layer = layer().with_keep_alive(SECOND * 5);
    let (mut service, _) = stack(&layer, [stream(), events(ProbeBody::chunks(["data: 1\n\n"]))]);
    let first = call(&mut service, of("c-1")).await.unwrap();
    let mut waiting = pin!(start(&mut service, for_events()).await);
    assert!(poll(waiting.as_mut(), &Arc::default()).is_pending());
    tokio::time::advance(SECOND * 4).await;
    drop(first);
    let answer = waiting.await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream; charset=utf-8");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_stream_is_an_error_of_the_body() {
    let refused = Response::builder().status(503).body(ProbeBody::empty()).unwrap();
    for (act, kind) in [
        (Act::Answer(refused), ErrorKind::Unavailable),
        (answer(ProbeBody::chunks(["{}"])), ErrorKind::BadGateway),
        (Act::Fail("no".into()), ErrorKind::System),
    ] {
        let layer = layer().with_keep_alive(SECOND * 5);
        let (mut service, _) = stack(&layer, [stream(), act]);
        let first = call(&mut service, of("c-1")).await.unwrap();
        let mut body = pin!(call(&mut service, for_events()).await.unwrap().into_body());
        body.frame().await.unwrap().unwrap();
        drop(first);
        let error = body.frame().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(body.frame().await.is_none());
        assert_eq!(gauges(&layer), (0, 0));
    }
}

/// It is refused when its time is over, also behind a head that has gone.
#[tokio::test(start_paused = true)]
async fn a_wait_that_is_over_is_an_error_of_the_body_and_a_reader_who_goes_leaves_its_place() {
    let layer = layer().with_keep_alive(SECOND * 25).without_max_idle();
    let body = ProbeBody::chunks(["data: 1\n\n"]).then(Beat::Hang);
    let (mut service, seen) = stack(&layer, [events(body)]);
    let first = call(&mut service, of("c-1")).await.unwrap();
    let asked = Instant::now();
    let body = call(&mut service, for_events()).await.unwrap().into_body();
    let left = call(&mut service, for_events()).await.unwrap();
    assert_eq!(gauges(&layer), (1, 2));
    drop(left);
    assert_eq!(gauges(&layer), (1, 1));
    let mut body = pin!(body);
    let error = loop {
        match body.frame().await.unwrap() {
            Ok(comment) => assert!(comment.into_data().unwrap().starts_with(b":")),
            Err(error) => break error,
        }
    };
    assert_eq!((error.errcode(), asked.elapsed()), (-2005, SECOND * 60));
    assert_eq!((gauges(&layer), seen.calls()), ((1, 0), 1));
    drop(first);
}
