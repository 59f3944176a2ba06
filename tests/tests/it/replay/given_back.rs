//! What a request held is given back, and as early as it can be.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Waker},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use kimi_errors::BoxError;
use kimi_testkit::probe::ProbeBody;
use kimi_tower::replay::{ReplayBody, ReplayBudget};
use tower::{Service, service_fn};

use super::{CHAT, chat, in_pieces, limits, send};

type Attempt = Request<ReplayBody<ProbeBody>>;

/// Answers 503, and adds up what was in use when each attempt had been read, but for its end.
fn unavailable(
    budget: ReplayBudget,
    in_use: Arc<AtomicUsize>,
) -> impl Service<Attempt, Response = Response<Bytes>, Error = BoxError> + Clone {
    service_fn(move |mut attempt: Attempt| {
        let (budget, in_use) = (budget.clone(), Arc::clone(&in_use));
        async move {
            // The head is kept, as transports may.
            let mut read = 0;
            while read < CHAT.len() {
                let frame = attempt.body_mut().frame().await.unwrap()?;
                read += frame.data_ref().unwrap().len();
            }
            in_use.fetch_add(budget.in_use(), SeqCst);
            assert!(attempt.body_mut().frame().await.is_none());
            Ok(Response::builder().status(503).body(Bytes::new())?)
        }
    })
}

#[tokio::test]
async fn every_attempt_but_the_last_is_recorded() {
    let (limits, budget) = limits(usize::MAX);
    let mut sums = Vec::new();
    for retries in 0..3 {
        let in_use = Arc::new(AtomicUsize::new(0));
        let service = unavailable(budget.clone(), Arc::clone(&in_use));
        send(service, retries, &limits, chat(in_pieces())).await.unwrap();
        sums.push(in_use.load(SeqCst));
        assert_eq!(budget.in_use(), 0);
    }
    assert!(sums[1] >= CHAT.len());
    assert_eq!(sums, [0, sums[1], 2 * sums[1]]);
}

#[tokio::test]
async fn a_dropped_future_gives_everything_back() {
    let (limits, budget) = limits(usize::MAX);
    let service = service_fn(|attempt: Attempt| async move {
        let mut body = attempt.into_body();
        body.frame().await.unwrap()?;
        std::future::pending::<Result<Response<Bytes>, BoxError>>().await
    });
    let body = in_pieces();
    let seen = body.seen();
    let mut sent = Box::pin(send(service, 2, &limits, chat(body)));
    let mut cx = Context::from_waker(Waker::noop());
    // The body is not ready at first.
    assert!(sent.as_mut().poll(&mut cx).is_pending());
    assert!(sent.as_mut().poll(&mut cx).is_pending());
    assert!(budget.in_use() > 0 && !seen.is_dropped());
    drop(sent);
    assert!(budget.in_use() == 0 && seen.is_dropped());
}
