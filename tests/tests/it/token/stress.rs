//! Many requests meet one expiry.
#![expect(clippy::disallowed_types, reason = "a test of time is not what loom looks at")]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use http::{Request, Response, header::AUTHORIZATION};
use kimi_errors::{BoxError, Dialect, Error, ErrorKind};
use kimi_testkit::probe::ProbeBody;
use kimi_tower::{replay::ReplayBody, token::TokenLayer};
use tokio::{sync::Barrier, time::sleep};
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

use super::{Numbered, SECOND};

const REQUESTS: usize = 10_000;

/// The first token expires while all are under way; they are told of it at the same time, or each
/// at another.
#[tokio::test(start_paused = true)]
async fn ten_thousand_meet_one_expiry_and_have_one_refresh() {
    for is_at_once in [true, false] {
        let provider = Numbered::new().taking(SECOND);
        let cache = provider.cache();
        cache.token().await.unwrap();
        let attempts: Arc<Mutex<HashMap<u32, Vec<String>>>> = Arc::default();
        let barrier = Arc::new(Barrier::new(if is_at_once { REQUESTS } else { 1 }));
        let upstream = service_fn({
            let (attempts, barrier) = (attempts.clone(), barrier.clone());
            move |request: Request<ReplayBody<ProbeBody>>| {
                let (attempts, barrier) = (attempts.clone(), barrier.clone());
                async move {
                    let number = *request.extensions().get::<u32>().unwrap();
                    let token = request.headers()[AUTHORIZATION].to_str().unwrap().to_owned();
                    let is_old = token == "Bearer T1";
                    attempts.lock().unwrap().entry(number).or_default().push(token);
                    if !is_old {
                        return Ok::<_, BoxError>(Response::new(ProbeBody::empty()));
                    }
                    if is_at_once {
                        barrier.wait().await;
                    } else {
                        sleep(SECOND + SECOND * number / 2_000).await;
                    }
                    let refused = Error::new(ErrorKind::TokenExpired);
                    Ok(Dialect::Errcode.response(&refused).map(ProbeBody::full))
                }
            }
        });
        let service = TokenLayer::new(cache).layer(upstream);
        let running: Vec<_> = (0..REQUESTS)
            .map(|number| {
                let number = u32::try_from(number).unwrap();
                let request = Request::post("/").extension(number).body(ProbeBody::full("{}"));
                tokio::spawn(service.clone().oneshot(request.unwrap()))
            })
            .collect();
        for running in running {
            assert_eq!(running.await.unwrap().unwrap().status(), 200);
        }
        assert_eq!(provider.fetches(), 2);
        let attempts = attempts.lock().unwrap();
        assert_eq!(attempts.len(), REQUESTS);
        // They have met it.
        let resent = attempts.values().filter(|tokens| tokens.len() == 2).count();
        assert!(resent > REQUESTS / 2, "{resent}");
        assert!(attempts.values().all(|tokens| tokens.len() <= 2));
        assert!(attempts.values().all(|tokens| tokens.last().is_some_and(|it| it == "Bearer T2")));
    }
}

/// Half of those who wait for the refresh leave; the others are served by the same one.
#[tokio::test(start_paused = true)]
async fn half_of_ten_thousand_leave_and_the_others_are_served() {
    let provider = Numbered::new().taking(SECOND * 10);
    let upstream = service_fn(async |_: Request<ReplayBody<ProbeBody>>| {
        Ok::<_, BoxError>(Response::new(ProbeBody::empty()))
    });
    let service = TokenLayer::new(provider.cache()).layer(upstream);
    let running: Vec<_> = (0..REQUESTS)
        .map(|_| {
            let service = service.clone();
            tokio::spawn(service.oneshot(super::chat()))
        })
        .collect();
    sleep(SECOND).await;
    let mut served = 0;
    for (number, running) in running.into_iter().enumerate() {
        if number % 2 == 0 {
            running.abort();
        } else {
            assert!(running.await.unwrap().is_ok());
            served += 1;
        }
    }
    assert_eq!((served, provider.fetches()), (REQUESTS / 2, 1));
}
