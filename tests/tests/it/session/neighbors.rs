//! One session beside very many, and the layer beside others.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use kimi_errors::{Error, ErrorKind};
use kimi_tower::{
    replay::ReplayBody,
    retry::{RetryLayer, RetryPolicy},
};
use tokio::time::{Instant, sleep};
use tower::{ServiceBuilder, service_fn};
use tower_layer::Layer as _;

use super::{FIELD, SECOND, gauges, layer, poll, start};

fn of(conversation: &str) -> Request<Full<Bytes>> {
    Request::post("/").header(FIELD, conversation).body(Full::from("{}")).unwrap()
}

/// What is asked of a hot session waits; what is asked of ten thousand others goes in its first poll.
#[tokio::test(start_paused = true)]
async fn t5_sessions_do_not_wait_for_one_that_is_asked_for_all_the_time() {
    let layer = layer();
    let inner = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Error>(Response::new(Full::<Bytes>::from("answer")))
    });
    let mut service = layer.layer(inner);
    let hot = start(&mut service, of("hot")).await.await.unwrap();
    let mut waiting = Vec::new();
    for _ in 0..16 {
        let mut future = Box::pin(start(&mut service, of("hot")).await);
        assert!(poll(future.as_mut(), &Arc::default()).is_pending());
        waiting.push(future);
    }
    let mut cold = Vec::new();
    for number in 0..10_000 {
        let mut future = pin!(start(&mut service, of(&format!("cold-{number}"))).await);
        let answer = poll(future.as_mut(), &Arc::default());
        assert!(answer.is_ready());
        cold.push(answer);
    }
    assert_eq!(gauges(&layer), (10_001, 16));
    drop((cold, hot, waiting));
    assert_eq!(gauges(&layer), (0, 0));
}

/// On the side of a client: no other request of the session comes between two attempts.
#[tokio::test(start_paused = true)]
async fn a_turn_is_kept_between_attempts() {
    let layer = layer();
    let (sender, order) = mpsc::channel();
    let attempts = Arc::new([(); 3].map(|()| AtomicUsize::new(0)));
    let transport = {
        let attempts = attempts.clone();
        service_fn(move |request: Request<ReplayBody<Full<Bytes>>>| {
            let number: usize = request.headers()["x-number"].to_str().unwrap().parse().unwrap();
            let is_first = attempts[number].fetch_add(1, SeqCst) == 0;
            sender.send(number).unwrap();
            async move {
                sleep(SECOND).await;
                if is_first {
                    return Err(Error::new(ErrorKind::Unavailable));
                }
                Ok(Response::new(Full::<Bytes>::from("answer")))
            }
        })
    };
    let client = ServiceBuilder::new()
        .layer(layer.clone())
        .layer(RetryLayer::new(RetryPolicy::article()))
        .service(transport);
    let mut calls = Vec::new();
    for number in 0..3 {
        let mut request = of("c-1");
        request.headers_mut().insert("x-number", number.into());
        calls.push(tokio::spawn(start(&mut client.clone(), request).await));
    }
    let asked = Instant::now();
    for call in calls {
        assert!(call.await.unwrap().is_ok());
    }
    assert!(asked.elapsed() >= SECOND * 6);
    assert_eq!(order.try_iter().collect::<Vec<_>>(), [0, 0, 1, 1, 2, 2]);
    assert_eq!(gauges(&layer), (0, 0));
}
