//! Which instance of the inner service is called, and what is not held meanwhile.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
};

use http::Request;
use kimi_testkit::probe::{Beat, Probe, ProbeBody, Seen};
use kimi_tower::validate::Validate;
use tower::{buffer::Buffer, limit::ConcurrencyLimit};
use tower_layer::Layer as _;
use tower_service::Service;

use super::{BAD, GOOD, Slow, call, layer, poll, post, start};

/// Counts its clones.
struct Counted {
    inner: Probe,
    clones: Arc<AtomicUsize>,
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.clones.fetch_add(1, SeqCst);
        Self { inner: self.inner.clone(), clones: self.clones.clone() }
    }
}

impl<B> Service<Request<B>> for Counted
where
    Probe: Service<Request<B>>,
{
    type Response = <Probe as Service<Request<B>>>::Response;
    type Error = <Probe as Service<Request<B>>>::Error;
    type Future = <Probe as Service<Request<B>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Service::<Request<B>>::poll_ready(&mut self.inner, cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.inner.call(request)
    }
}

#[tokio::test]
async fn i1_what_waits_for_nobody_clones_nothing() {
    let other = || Request::get("/v1/models").body(ProbeBody::chunks([BAD])).unwrap();
    let many = (0..60).map(|_| Beat::Data(" ".into()));
    for (request, expected) in [
        (other(), 0),
        (post(ProbeBody::full(GOOD)), 0),
        (post(ProbeBody::chunks([GOOD, "\n"])), 0),
        (post(ProbeBody::new(many).then(Beat::Data(GOOD.into()))), 0),
        // What waits takes one clone for later and leaves one; what is refused leaves one.
        (post(ProbeBody::chunks([GOOD]).then(Beat::Yield)), 2),
        (post(ProbeBody::full(BAD)), 1),
    ] {
        let clones = Arc::new(AtomicUsize::new(0));
        let (probe, seen) = Probe::new([]);
        let mut service = layer().layer(Counted { inner: probe, clones: clones.clone() });
        let _ = call(&mut service, request).await;
        assert_eq!(clones.load(SeqCst), expected);
        assert_eq!(seen.unready_calls(), 0);
        let _ = call(&mut service, post(ProbeBody::full(GOOD))).await.unwrap();
        assert_eq!(seen.unready_calls(), 0);
    }
}

/// With one permit for all.
fn limited() -> (Validate<ConcurrencyLimit<Probe>>, Seen) {
    let (probe, seen) = Probe::new([]);
    (layer().layer(ConcurrencyLimit::new(probe, 1)), seen)
}

fn hanging() -> Request<ProbeBody> {
    post(ProbeBody::chunks(["{"]).then(Beat::Hang))
}

#[tokio::test]
async fn i2_a_slow_client_holds_no_permit() {
    let (mut service, seen) = limited();
    let mut other = service.clone();
    let mut slow = Vec::new();
    for _ in 0..3 {
        let mut future = Box::pin(start(&mut service, hanging()).await);
        assert!(poll(future.as_mut(), &Arc::default()).is_pending());
        slow.push(future);
    }
    let good = || post(ProbeBody::full(GOOD));
    let both = async { (call(&mut service, good()).await, call(&mut other, good()).await) };
    // Without the permit it would never end.
    let (one, two) = deadline(both).await;
    assert!(one.is_ok() && two.is_ok());
    assert_eq!((seen.calls(), seen.unready_calls()), (2, 0));
}

#[tokio::test]
async fn i2_a_slow_request_gets_the_only_permit_when_it_is_whole() {
    let (mut service, seen) = limited();
    let slow = start(&mut service, post(Slow::new(ProbeBody::full(GOOD)))).await;
    // The service that was asked stays where it is, and must not keep the permit.
    assert!(deadline(slow).await.is_ok());
    assert_eq!((seen.calls(), seen.unready_calls()), (1, 0));
    drop(service);
}

#[tokio::test]
async fn i2_a_refused_request_leaves_no_permit_behind() {
    for is_slow in [false, true] {
        let (mut service, _) = limited();
        let mut other = service.clone();
        let refused = if is_slow {
            call(&mut service, post(ProbeBody::chunks([BAD]).then(Beat::Yield))).await
        } else {
            call(&mut service, post(ProbeBody::full(BAD))).await
        };
        assert!(refused.is_err());
        let mut by_its_head = post(ProbeBody::full(GOOD));
        by_its_head.headers_mut().clear();
        assert!(call(&mut service, by_its_head).await.is_err());
        assert!(deadline(call(&mut other, post(ProbeBody::full(GOOD)))).await.is_ok());
    }
}

#[tokio::test]
async fn i2_a_slow_client_holds_no_place_in_a_buffer() {
    let (probe, seen) = Probe::new([]);
    // With one place for all.
    let mut service = layer().layer(Buffer::new(probe, 1));
    let slow = start(&mut service, hanging()).await;
    let late = || post(ProbeBody::chunks([GOOD]).then(Beat::Yield));
    let answers = async {
        call(&mut service, late()).await.is_ok()
            && call(&mut service, post(ProbeBody::full(BAD))).await.is_err()
            && call(&mut service.clone(), post(ProbeBody::full(GOOD))).await.is_ok()
    };
    assert!(deadline(answers).await);
    assert_eq!((seen.calls(), seen.unready_calls()), (2, 0));
    drop(slow);
}

#[tokio::test]
async fn slow_requests_share_one_permit_and_all_are_answered() {
    let (service, seen) = limited();
    let clients = (0..20).map(|_| {
        let mut service = service.clone();
        tokio::spawn(async move {
            let body = Slow::new(ProbeBody::chunks([&GOOD[..9], &GOOD[9..]]));
            call(&mut service, post(body)).await.map(|_| ())
        })
    });
    for client in clients.collect::<Vec<_>>() {
        deadline(client).await.unwrap().unwrap();
    }
    assert_eq!((seen.calls(), seen.unready_calls()), (20, 0));
    assert_eq!(seen.most_live_futures(), 1);
}

/// Fails instead of hanging.
async fn deadline<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    for _ in 0..10_000 {
        if let Poll::Ready(output) = futures_poll(future.as_mut()).await {
            return output;
        }
        tokio::task::yield_now().await;
    }
    panic!("nobody gives the permit back");
}

async fn futures_poll<F: Future>(mut future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}
