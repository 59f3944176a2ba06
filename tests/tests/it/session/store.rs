//! A store from elsewhere, which takes a turn away as one beyond this process would whose lease has
//! run out.

use std::{
    pin::{Pin, pin},
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use http_body_util::BodyExt as _;
use kimi_errors::ErrorKind;
use kimi_tower::{
    facts::Facts,
    session::{
        EndTurn, Lost, Refused,
        store::{Ask, Asked, SessionPlace, SessionStore, SessionTurn, StoreId},
    },
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_layer::Layer as _;

use super::{call, layer, of, poll, start, stream};
use crate::woken::Woken;

/// One lease for all sessions, whatever their keys.
#[derive(Clone, Debug)]
struct Leases {
    id: StoreId,
    free: Arc<Semaphore>,
    /// Of the first turn alone.
    end: Arc<OnceLock<Arc<dyn EndTurn>>>,
}

struct Lease(Leases, OwnedSemaphorePermit);

struct Awaited(Leases, Pin<Box<dyn Future<Output = OwnedSemaphorePermit> + Send>>);

impl SessionStore for Leases {
    type Turn = Lease;
    type Place = Awaited;

    fn ask(&self, ask: &Ask) -> Asked<Lease, Awaited> {
        assert_ne!(ask.key.to_bytes(), [0; 16]);
        let permits = self.free.clone();
        match permits.clone().try_acquire_owned() {
            Ok(permit) => Asked::Granted(Lease(self.clone(), permit)),
            Err(_) => {
                let permit = async { permits.acquire_owned().await.unwrap() };
                Asked::Waits { place: Awaited(self.clone(), Box::pin(permit)), ahead: 1 }
            }
        }
    }

    fn id(&self) -> StoreId {
        self.id
    }
}

impl SessionTurn for Lease {
    fn poll_lost(&mut self, _: &mut Context<'_>) -> Poll<Lost> {
        Poll::Pending
    }

    fn set_end(&mut self, end: Arc<dyn EndTurn>) -> Option<Lost> {
        let _ = self.0.end.set(end);
        None
    }

    fn number(&self) -> u64 {
        self.1.num_permits() as u64
    }
}

impl SessionPlace for Awaited {
    type Turn = Lease;

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<Lease, Refused>> {
        self.1.as_mut().poll(cx).map(|permit| Ok(Lease(self.0.clone(), permit)))
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_has_run_out_ends_its_stream_before_the_next_begins() {
    let free = Arc::new(Semaphore::new(1));
    let store = Leases { id: StoreId::new(), free, end: Arc::default() };
    let (probe, seen) = kimi_testkit::probe::Probe::new([stream(), stream()]);
    let mut service = layer().with_store(store.clone()).layer(probe);
    let facts = Facts::new();
    let mut request = of("c-1");
    request.extensions_mut().insert(facts.clone());
    let mut running = call(&mut service, request).await.unwrap().into_body();
    running.frame().await.unwrap().unwrap();
    let flag = Arc::<Woken>::default();
    let mut more = pin!(running.frame());
    assert!(poll(more.as_mut(), &flag).is_pending());
    let mut next = pin!(start(&mut service, of("c-1")).await);
    assert!(poll(next.as_mut(), &flag).is_pending());
    assert_eq!((seen.calls(), flag.count()), (1, 0));

    let end = store.end.get().unwrap();
    end.end(Lost::MaxHold);
    // The next has been woken, and the reader of the one that was ended.
    assert_eq!(flag.count(), 2);
    assert_eq!(more.await.unwrap().unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(facts.session_lost(), Some(Lost::MaxHold));
    // A second time changes nothing.
    end.end(Lost::Idle);
    let next = next.await.unwrap();
    assert_eq!((seen.calls(), store.free.available_permits()), (2, 0));
    drop(next);
    assert_eq!(store.free.available_permits(), 1);
}
