//! L4: one limit is one limit, whichever way a request comes. Over sockets, see `hosts`.

use kimi_testkit::probe::Probe;
use kimi_tower::rate_limit::{RateLimit, RateLimitLayer, store::MemoryStore};
use tower::{ServiceBuilder, ServiceExt as _};
use tower_layer::Layer as _;

use super::{SECOND, call, chat, layer, left, requests, stack};

/// Sends two requests by each way, and checks that three are admitted in all.
async fn admits_three(services: Vec<RateLimit<Probe>>) {
    let mut admitted = 0;
    for service in services.into_iter().cycle().take(8) {
        admitted += usize::from(service.oneshot(chat()).await.is_ok());
    }
    assert_eq!(admitted, 3);
}

#[tokio::test(start_paused = true)]
async fn clones_of_a_service_share_a_limit() {
    let (service, _) = stack(&layer(requests(3, SECOND)), []);
    admits_three(vec![service.clone(), service.clone(), service]).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_layer_and_its_clones_make_shares_a_limit() {
    let layer = RateLimitLayer::new(requests(3, SECOND));
    let (clone, probe) = (layer.clone(), Probe::new([]).0);
    let built = ServiceBuilder::new().layer(clone.clone()).service(probe.clone());
    let new = RateLimit::new(probe.clone(), layer.clone());
    admits_three(vec![layer.layer(probe.clone()), clone.layer(probe), built, new]).await;
}

/// As servers do that make a service for each connection.
#[tokio::test(start_paused = true)]
async fn a_service_made_anew_for_each_request_shares_a_limit() {
    let layer = layer(requests(3, SECOND));
    admits_three((0..8).map(|_| stack(&layer, []).0).collect()).await;
    assert_eq!(left(&layer), [0]);
}

/// The bug: each layer had a secret of its own, so that a caller was another to each.
#[tokio::test(start_paused = true)]
async fn two_layers_over_one_store_share_a_limit() {
    let store = MemoryStore::new(requests(3, SECOND));
    let made = || RateLimitLayer::in_store(store.clone()).layer(Probe::new([]).0);
    admits_three(vec![made(), made()]).await;
    assert_eq!(store.keys(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_layers_with_stores_of_their_own_do_not() {
    for _ in 0..2 {
        let (mut service, _) = stack(&RateLimitLayer::new(requests(1, SECOND)), []);
        call(&mut service, chat()).await.unwrap();
    }
}

/// Threads that ask at the same time are never given more than there is, nor less.
#[test]
fn threads_share_a_limit() {
    let layer = layer(requests(1_000, SECOND * 3600));
    let (service, seen) = stack(&layer, []);
    let ask = || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let sent = (0..250).map(|_| runtime.block_on(service.clone().oneshot(chat())));
        sent.filter(Result::is_ok).count()
    };
    let admitted: Vec<usize> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!((admitted.iter().sum::<usize>(), seen.calls()), (1_000, 1_000));
    assert_eq!((left(&layer), seen.unready_calls()), (vec![0], 0));
}

#[tokio::test(start_paused = true)]
async fn services_with_other_admission_share_a_limit_all_the_same() {
    let refusing = layer(requests(1, SECOND * 10));
    let waiting = refusing.clone().with_admission(super::patient(SECOND * 60, 10));
    let (mut first, _) = stack(&refusing, []);
    let (mut second, _) = stack(&waiting, []);
    call(&mut first, chat()).await.unwrap();
    let begin = tokio::time::Instant::now();
    call(&mut second, chat()).await.unwrap();
    assert!(begin.elapsed() >= SECOND * 10);
    call(&mut first, chat()).await.unwrap_err();
}
