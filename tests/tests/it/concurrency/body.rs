use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Body;
use http_body_util::BodyExt as _;
use kimi_testkit::probe::{Act, Beat, ProbeBody, Quirk};
use kimi_tower::rate_limit::concurrency::ConcurrencyLayer;
use tower::ServiceExt;
use tower_service::Service as _;

use super::{Extract, answer, by, call, layer, occupancy, poll, stack, start};

/// A layer, and an answer with this body that has its only permit.
async fn answered(
    body: ProbeBody,
) -> (ConcurrencyLayer<Extract>, Response<impl Body<Data = Bytes>>) {
    let layer = layer(1);
    let (mut service, _) = stack(&layer, [answer(body)]);
    let answer = call(&mut service, by("one")).await.unwrap();
    (layer, answer)
}

#[tokio::test(start_paused = true)]
async fn a_permit_is_kept_until_the_end_of_the_body() {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-end", "yes".parse().unwrap());
    let body = ProbeBody::chunks(["one", ""])
        .then(Beat::Yield)
        .then(Beat::Data("two".into()))
        .then(Beat::Trailers(trailers.clone()));
    let (layer, answer) = answered(body).await;
    let mut body = pin!(answer.into_body());
    for expected in ["one", "", "two"] {
        assert_eq!(occupancy(&layer), (1, 0, 1));
        let frame = body.frame().await.unwrap().ok().unwrap();
        assert_eq!(frame.into_data().ok().unwrap(), expected);
    }
    let frame = body.frame().await.unwrap().ok().unwrap();
    assert_eq!(frame.into_trailers().ok().unwrap(), trailers);
    assert_eq!(occupancy(&layer), (1, 0, 1));
    assert!(body.frame().await.is_none());
    assert_eq!(occupancy(&layer), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_knows_its_end_gives_it_back_with_the_last_byte() {
    let (layer, answer) = answered(ProbeBody::chunks(["one", "two"]).with_end_known()).await;
    let mut body = pin!(answer.into_body());
    body.frame().await.unwrap().ok().unwrap();
    assert_eq!(occupancy(&layer), (1, 0, 1));
    body.frame().await.unwrap().ok().unwrap();
    // hyper does not ask for the end of one that has said it.
    assert!(body.is_end_stream());
    assert_eq!(occupancy(&layer), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_body_gives_it_back_at_once() {
    let (layer, answer) = answered(ProbeBody::empty()).await;
    assert!(answer.body().is_end_stream());
    assert_eq!(occupancy(&layer), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_gives_it_back() {
    let body = ProbeBody::chunks(["one"]).then(Beat::Fail("cut".into())).then(Beat::Hang);
    let (layer, answer) = answered(body).await;
    let mut body = pin!(answer.into_body());
    body.frame().await.unwrap().ok().unwrap();
    assert_eq!(occupancy(&layer), (1, 0, 1));
    assert!(body.frame().await.unwrap().is_err());
    assert_eq!(occupancy(&layer), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_dropped_gives_it_back() {
    let (layer, answer) = answered(ProbeBody::chunks(["one", "two"]).then(Beat::Hang)).await;
    let mut body = Box::pin(answer.into_body());
    body.frame().await.unwrap().ok().unwrap();
    assert_eq!(occupancy(&layer), (1, 0, 1));
    drop(body);
    assert_eq!(occupancy(&layer), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_panics_gives_it_back_even_if_somebody_keeps_it() {
    let (layer, answer) = answered(ProbeBody::chunks(["one"]).then(Beat::Panic("boo"))).await;
    let mut body = pin!(answer.into_body());
    body.frame().await.unwrap().ok().unwrap();
    let flag = Arc::default();
    let polled = catch_unwind(AssertUnwindSafe(|| poll(pin!(body.frame()), &flag).is_ready()));
    assert!(polled.is_err());
    assert_eq!(occupancy(&layer), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_panics_when_asked_or_dropped_gives_it_back() {
    let layer = layer(1);
    let hangs = || ProbeBody::new([Beat::Hang]);
    let asked = hangs().with_quirk(Quirk::PanicInIsEndStream);
    let dropped = hangs().with_quirk(Quirk::PanicInDrop);
    let (mut service, _) = stack(&layer, [answer(asked), answer(dropped)]);
    let mut future = Box::pin(start(&mut service, by("one")).await);
    let flag = Arc::default();
    assert!(catch_unwind(AssertUnwindSafe(|| poll(future.as_mut(), &flag).is_ready())).is_err());
    // The future is still there.
    assert_eq!(occupancy(&layer), (0, 0, 0));
    let answer = call(&mut service, by("one")).await.unwrap();
    assert_eq!(occupancy(&layer), (1, 0, 1));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(answer))).is_err());
    assert_eq!(occupancy(&layer), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_gives_it_back() {
    let layer = layer(1);
    let (mut service, _) = stack(&layer, [Act::Fail("no".into())]);
    let mut future = pin!(start(&mut service, by("one")).await);
    assert_eq!(occupancy(&layer), (1, 0, 1));
    assert!(future.as_mut().await.is_err());
    // The future is still there.
    assert_eq!(occupancy(&layer), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_panics_gives_it_back() {
    let layer = layer(1);
    let (mut service, _) = stack(&layer, [Act::PanicInCall("boo"), Act::Panic("boo")]);
    let ready = ServiceExt::<Request<ProbeBody>>::ready(&mut service).await.unwrap();
    let called = catch_unwind(AssertUnwindSafe(|| drop(ready.call(by("one")))));
    assert!(called.is_err());
    assert_eq!(occupancy(&layer), (0, 0, 0));
    let future = start(&mut service, by("one")).await;
    let task = tokio::spawn(async move { future.await.is_ok() });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(occupancy(&layer), (0, 0, 0));
}
