use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Body;
use http_body_util::BodyExt as _;
use kimi_errors::Error;
use kimi_testkit::probe::{Act, Beat, ProbeBody};
use kimi_tower::session::SessionLayer;
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

use super::{answer, call, gauges, layer, of, poll, stack, start};

/// A layer, and an answer with this body that has the turn.
async fn answered(
    body: ProbeBody,
) -> (SessionLayer, Response<impl Body<Data = Bytes, Error = Error>>) {
    let layer = layer();
    let (mut service, _) = stack(&layer, [answer(body)]);
    let answer = call(&mut service, of("c-1")).await.unwrap();
    (layer, answer)
}

#[tokio::test(start_paused = true)]
async fn a_turn_is_kept_until_the_end_of_the_body() {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-end", "yes".parse().unwrap());
    let body = ProbeBody::chunks(["one", ""])
        .then(Beat::Yield)
        .then(Beat::Data("two".into()))
        .then(Beat::Trailers(trailers.clone()));
    let (layer, answer) = answered(body).await;
    let mut body = pin!(answer.into_body());
    for expected in ["one", "", "two"] {
        assert_eq!(gauges(&layer), (1, 0));
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().ok().unwrap(), expected);
    }
    assert_eq!(body.frame().await.unwrap().unwrap().into_trailers().ok().unwrap(), trailers);
    assert_eq!(gauges(&layer), (1, 0));
    assert!(body.frame().await.is_none());
    assert_eq!(gauges(&layer), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_knows_its_end_gives_it_back_with_the_last_byte() {
    let (layer, answer) = answered(ProbeBody::chunks(["one", "two"]).with_end_known()).await;
    let mut body = pin!(answer.into_body());
    body.frame().await.unwrap().unwrap();
    assert_eq!(gauges(&layer), (1, 0));
    body.frame().await.unwrap().unwrap();
    // hyper does not ask for the end of one that has said it.
    assert!(body.is_end_stream());
    assert_eq!(gauges(&layer), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_body_gives_it_back_at_once() {
    let (layer, answer) = answered(ProbeBody::empty().with_end_known()).await;
    assert!(answer.body().is_end_stream());
    assert_eq!(gauges(&layer), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_error_or_a_panic_in_the_body_gives_it_back() {
    let (layer, answer) = answered(ProbeBody::chunks(["one"]).then(Beat::Fail("cut".into()))).await;
    assert!(answer.into_body().collect().await.is_err());
    assert_eq!(gauges(&layer), (0, 0));

    let (layer, answer) = answered(ProbeBody::new([Beat::Panic("in the body")])).await;
    let mut body = Box::pin(answer.into_body());
    let panics = catch_unwind(AssertUnwindSafe(|| {
        poll(pin!(body.frame()).as_mut(), &Arc::default()).is_ready()
    }));
    assert!(panics.is_err());
    drop(body);
    assert_eq!(gauges(&layer), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_dropped_gives_it_back_after_what_is_inside_is_gone() {
    let body = ProbeBody::chunks(["one"]).then(Beat::Hang);
    let seen = body.seen();
    let (layer, answer) = answered(body).await;
    assert_eq!((gauges(&layer), seen.is_dropped()), ((1, 0), false));
    drop(answer);
    assert_eq!((gauges(&layer), seen.is_dropped()), ((0, 0), true));
}

#[tokio::test(start_paused = true)]
async fn a_future_that_fails_panics_or_is_dropped_gives_it_back() {
    let layer = layer();
    let acts =
        [Act::Fail("no".into()), Act::Panic("at work"), Act::PanicInCall("at once"), Act::Hang];
    let (mut service, seen) = stack(&layer, acts);
    assert!(call(&mut service, of("c-1")).await.is_err());
    assert_eq!(gauges(&layer), (0, 0));

    let mut future = Box::pin(start(&mut service, of("c-1")).await);
    let panics =
        catch_unwind(AssertUnwindSafe(|| poll(future.as_mut(), &Arc::default()).is_ready()));
    assert!(panics.is_err());
    drop(future);
    assert_eq!(gauges(&layer), (0, 0));

    std::future::poll_fn(|cx| {
        tower_service::Service::<Request<ProbeBody>>::poll_ready(&mut service, cx)
    })
    .await
    .unwrap();
    let panics = catch_unwind(AssertUnwindSafe(|| {
        drop(tower_service::Service::call(&mut service, of("c-1")));
    }));
    assert!(panics.is_err());
    assert_eq!(gauges(&layer), (0, 0));

    let mut future = Box::pin(start(&mut service, of("c-1")).await);
    assert!(poll(future.as_mut(), &Arc::default()).is_pending());
    assert_eq!((gauges(&layer), seen.live_futures()), ((1, 0), 1));
    drop(future);
    assert_eq!((gauges(&layer), seen.live_futures()), ((0, 0), 0));
}

type Outcome = Result<Response<ProbeBody>, Error>;

/// Done at once; what it has, such as a permit, it has until it is dropped.
struct Done(Option<Outcome>, SessionLayer, Arc<AtomicBool>);

impl Future for Done {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(self.0.take().unwrap())
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        self.2.store(gauges(&self.1) == (1, 0), SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_future_that_is_done_is_dropped_before_its_turn() {
    let layer = layer();
    let outcomes: [fn() -> Outcome; 3] = [
        || Err(Error::new(kimi_errors::ErrorKind::Unavailable)),
        || Ok(Response::new(ProbeBody::empty().with_end_known())),
        || Ok(Response::new(ProbeBody::chunks(["one"]))),
    ];
    for outcome in outcomes {
        let had_turn = Arc::new(AtomicBool::new(false));
        let inner = {
            let (layer, had_turn) = (layer.clone(), had_turn.clone());
            move |_: Request<ProbeBody>| Done(Some(outcome()), layer.clone(), had_turn.clone())
        };
        let inner = service_fn(inner);
        let answer = layer.layer(inner).oneshot(of("c-1")).await;
        assert!(had_turn.load(SeqCst));
        drop(answer);
        assert_eq!(gauges(&layer), (0, 0));
    }
}
