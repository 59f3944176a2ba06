//! A store that is not in this process, as far as the layer can see.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use kimi_errors::{BoxError, Error, ErrorKind};
use kimi_testkit::probe::{Probe, Readiness};
use kimi_tower::{
    key::Key,
    rate_limit::{
        Costs, Plans, RateLimitLayer,
        store::{Ask, Asked, Grant, Later, MemoryStore, RateStore, Told, Verdict},
    },
};
use tower::limit::ConcurrencyLimit;
use tower_layer::Layer as _;

use super::{SECOND, bucket, call, chat, hasher, is_pending, key_of, plan, start};

/// Answers at the second poll.
#[derive(Clone, Debug)]
pub(crate) struct Elsewhere {
    store: MemoryStore,
    is_down: bool,
}

impl Elsewhere {
    pub(crate) fn new(plans: impl Into<Plans>) -> Self {
        Self { store: MemoryStore::new(plans), is_down: false }
    }

    fn left(&self) -> u32 {
        self.store.levels(key_of(chat()), 0).as_slice()[0].remaining()
    }
}

impl RateStore for Elsewhere {
    type Later = Slowly;

    fn plans(&self) -> &Plans {
        self.store.plans()
    }

    fn ask(&self, ask: &Ask) -> Asked<Slowly> {
        let store = (!self.is_down).then(|| self.store.clone());
        Asked::Later(Slowly { store, ask: *ask, asked: None })
    }

    fn settle(&self, grant: &Grant, costs: Costs) {
        self.store.settle(grant, costs);
    }

    fn observe(&self, key: Key, plan: usize, told: &Told) {
        self.store.observe(key, plan, told);
    }
}

/// Asks when it is polled again.
pub(crate) struct Slowly {
    store: Option<MemoryStore>,
    ask: Ask,
    asked: Option<Option<Asked<Later>>>,
}

impl Future for Slowly {
    type Output = Result<Verdict, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { store, ask, asked } = &mut *self;
        let Some(sent) = asked else {
            *asked = Some(None);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        };
        match store {
            Some(store) => Pin::new(sent.get_or_insert_with(|| store.ask(ask))).poll(cx),
            None => Poll::Ready(Err(Error::new(ErrorKind::System))),
        }
    }
}

fn layer(store: &Elsewhere) -> RateLimitLayer<kimi_tower::key::ApiKey, Elsewhere> {
    RateLimitLayer::in_store(store.clone()).with_key_hasher(hasher())
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_waited_for_decides_all_the_same() {
    let store = Elsewhere::new(bucket(2, SECOND));
    let (probe, seen) = Probe::new([]);
    let mut service = layer(&store).layer(probe);
    call(&mut service, chat()).await.unwrap();
    call(&mut service, chat()).await.unwrap();
    let refused = call(&mut service, chat()).await.unwrap_err();
    assert_eq!(refused.retry_after(), Some(SECOND / 2));
    assert_eq!((seen.calls(), seen.unready_calls()), (2, 0));
}

/// L1, while the store is asked.
#[tokio::test(start_paused = true)]
async fn who_waits_for_the_store_keeps_nobody_from_the_inner_service() {
    let store = Elsewhere::new(plan());
    let (probe, seen) = Probe::new([]);
    let mut service = layer(&store).layer(ConcurrencyLimit::new(probe, 1));
    let held = start(&mut service, chat()).await;
    tokio::time::timeout(SECOND, call(&mut service, chat())).await.unwrap().unwrap();
    held.await.unwrap();
    assert_eq!(seen.unready_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_decide_is_an_error() {
    let store = Elsewhere { is_down: true, ..Elsewhere::new(plan()) };
    let (probe, seen) = Probe::new([]);
    let error = call(&mut layer(&store).layer(probe), chat()).await.unwrap_err();
    assert_eq!((error.kind(), seen.calls()), (ErrorKind::System, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_charged_elsewhere_is_given_back_if_it_is_not_sent() {
    let down: BoxError = Error::new(ErrorKind::Unavailable).into();
    for readiness in [Readiness::Pending, Readiness::Fail(down)] {
        let store = Elsewhere::new(bucket(2, SECOND));
        let (probe, seen) = Probe::new([]);
        let mut service = layer(&store).layer(probe.with_readiness([Readiness::Ready, readiness]));
        let mut sent = start(&mut service, chat()).await;
        assert!(is_pending(sent.as_mut()));
        assert_eq!(store.left(), 2);
        // Asked by now, and admitted; the service is waited for, or has failed.
        if is_pending(sent.as_mut()) {
            assert_eq!(store.left(), 1);
        }
        drop(sent);
        assert_eq!((store.left(), seen.calls()), (2, 0));
    }
}
