//! Turns that are lost before their time.

use std::{pin::pin, sync::Arc, time::Duration};

use http_body_util::BodyExt as _;
use kimi_errors::{Dialect, ErrorKind, RetryAdvice};
use kimi_testkit::probe::{Act, Beat, ProbeBody};
use kimi_tower::{
    catch_error::CatchErrorLayer,
    deadline::Deadline,
    facts::{Facts, SessionDecision},
    session::{Lost, Policy, Refused},
};
use tokio::time::Instant;
use tower_layer::Layer as _;

use super::{SECOND, Woken, answer, call, gauges, layer, of, poll, stack, start, stream};

#[tokio::test(start_paused = true)]
async fn the_newest_ends_the_stream_that_runs_within_one_poll() {
    let layer = layer().with_policy(Policy::Supersede);
    let body = ProbeBody::chunks(["data: 1\n\n"]).then(Beat::Hang);
    let seen_body = body.seen();
    let (mut service, _) = stack(&layer, [answer(body), stream()]);
    let facts = Facts::new();
    let mut request = of("c-1");
    request.extensions_mut().insert(facts.clone());
    let mut old = call(&mut service, request).await.unwrap().into_body();
    old.frame().await.unwrap().unwrap();
    let flag = Arc::<Woken>::default();
    let mut more = pin!(old.frame());
    assert!(poll(more.as_mut(), &flag).is_pending());

    let mut newest = pin!(start(&mut service, of("c-1")).await);
    // What worked for it is gone before the next begins, whether or not its reader is there.
    assert!(seen_body.is_dropped());
    assert_eq!(flag.count(), 1);
    let answer = poll(newest.as_mut(), &Arc::default());
    assert!(answer.is_ready());

    let std::task::Poll::Ready(Some(Err(error))) = poll(more.as_mut(), &flag) else {
        panic!("it ends within one poll")
    };
    assert_eq!((error.kind(), error.advice()), (ErrorKind::Cancelled, RetryAdvice::Never));
    assert_eq!(facts.session_lost(), Some(Lost::Superseded));
    assert_eq!(gauges(&layer), (1, 0));
    drop(answer);
    assert_eq!(gauges(&layer), (0, 0));
    assert!(old.frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn the_last_event_of_a_superseded_stream_is_an_error() {
    let layer = layer().with_policy(Policy::Supersede);
    let mut events = http::Response::new(ProbeBody::chunks(["data: 1\n\n"]).then(Beat::Hang));
    events.headers_mut().insert("content-type", "text/event-stream".parse().unwrap());
    let (inner, _) = stack(&layer, [Act::Answer(events), stream()]);
    let mut service = CatchErrorLayer::new().with_dialect(Dialect::OpenAi).layer(inner.clone());
    let ready = std::future::poll_fn(|cx| {
        tower_service::Service::<http::Request<ProbeBody>>::poll_ready(&mut service, cx)
    });
    ready.await.unwrap();
    let answer = tower_service::Service::call(&mut service, of("c-1")).await.unwrap();
    let mut newer = inner;
    let _newest = call(&mut newer, of("c-1")).await.unwrap();
    let text = answer.into_body().collect().await.unwrap().to_bytes();
    let text = std::str::from_utf8(&text).unwrap();
    assert!(text.contains("该对话有了新的请求") && text.ends_with("\n\n"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_newest_takes_the_place_of_who_waits_and_of_who_has_no_answer_yet() {
    let layer = layer().with_policy(Policy::Supersede);
    let (mut service, seen) = stack(&layer, [Act::Hang, stream()]);
    let flags = [(); 3].map(|()| Arc::<Woken>::default());
    let mut at_work = pin!(start(&mut service, of("c-1")).await);
    assert!(poll(at_work.as_mut(), &flags[0]).is_pending());
    let facts = Facts::new();
    let mut request = of("c-1");
    request.extensions_mut().insert(facts.clone());
    let mut waiting = pin!(start(&mut service, request).await);
    assert!(poll(waiting.as_mut(), &flags[1]).is_pending());
    let mut newest = pin!(start(&mut service, of("c-1")).await);
    assert!(poll(newest.as_mut(), &flags[2]).is_pending());
    assert_eq!([flags[0].count(), flags[1].count()], [1, 1]);

    assert_eq!(waiting.await.unwrap_err().kind(), ErrorKind::Cancelled);
    let reason = Refused::Superseded;
    let refused = SessionDecision::Refused { reason, waited: Duration::ZERO };
    assert_eq!(facts.session_decision(), Some(refused));
    assert_eq!(seen.live_futures(), 1);
    assert_eq!(at_work.await.unwrap_err().kind(), ErrorKind::Cancelled);
    // The newest may go when what was at work has ended, and not before.
    assert_eq!((seen.live_futures(), flags[2].count()), (0, 1));
    assert!(newest.await.is_ok());
    assert_eq!(seen.most_live_futures(), 1);
}

/// It is never read, as by a client whose window is full, and nobody wakes its reader.
#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_reads_loses_its_turn_when_it_is_waited_for() {
    for (layer, after, lost) in [
        (layer().with_max_hold(SECOND * 20).without_max_idle(), 20, Lost::MaxHold),
        (layer().without_max_hold().with_max_idle(SECOND * 5), 5, Lost::Idle),
        (layer().with_max_hold(SECOND * 20).with_max_idle(SECOND * 5), 5, Lost::Idle),
    ] {
        let body = ProbeBody::chunks(["one", "two"]).then(Beat::Hang);
        let seen_body = body.seen();
        let (mut service, _) = stack(&layer, [answer(body), stream()]);
        let facts = Facts::new();
        let mut request = of("c-1");
        request.extensions_mut().insert(facts.clone());
        let mut unread = call(&mut service, request).await.unwrap().into_body();
        unread.frame().await.unwrap().unwrap();
        let asked = Instant::now();
        let next = call(&mut service, of("c-1")).await.unwrap();
        assert_eq!(asked.elapsed(), SECOND * after);
        assert!(seen_body.is_dropped());
        assert!(unread.frame().await.unwrap().is_err());
        assert_eq!(facts.session_lost(), Some(lost));
        assert_eq!(gauges(&layer), (1, 0));
        drop(next);
        assert_eq!(gauges(&layer), (0, 0));
    }
}

/// Whoever waits looks at the clock now and then, and not all the time: without that, the first poll
/// of the second request would not end.
#[tokio::test(start_paused = true)]
async fn no_time_at_all_is_a_little_time() {
    let layer = layer().without_max_hold().with_max_idle(Duration::ZERO);
    let (mut service, _) = stack(&layer, [Act::Hang, stream()]);
    let mut at_work = Box::pin(start(&mut service, of("c-1")).await);
    let flag = Arc::<Woken>::default();
    assert!(poll(at_work.as_mut(), &flag).is_pending());
    let mut next = pin!(start(&mut service, of("c-1")).await);
    assert!(poll(next.as_mut(), &flag).is_pending());
    assert_eq!(flag.count(), 0);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(flag.count(), 1);
    drop(at_work);
    assert!(next.await.is_ok());
}

/// Its reader goes without asking for more, and is not told; whoever keeps the books is.
#[tokio::test(start_paused = true)]
async fn why_a_turn_was_lost_is_said_also_of_a_reader_that_has_gone() {
    let layer = layer().with_policy(Policy::Supersede);
    let (mut service, _) = stack(&layer, [stream(), stream()]);
    let facts = Facts::new();
    let mut request = of("c-1");
    request.extensions_mut().insert(facts.clone());
    let unread = call(&mut service, request).await.unwrap();
    let _newest = call(&mut service, of("c-1")).await.unwrap();
    assert_eq!(facts.session_lost(), None);
    drop(unread);
    assert_eq!(facts.session_lost(), Some(Lost::Superseded));
    assert_eq!(gauges(&layer), (1, 0));
}

/// So it is of one that has no answer yet, and is dropped before it hears of it.
#[tokio::test(start_paused = true)]
async fn why_a_turn_was_lost_is_said_also_of_a_future_that_is_dropped() {
    let layer = layer().with_policy(Policy::Supersede);
    let (mut service, _) = stack(&layer, [Act::Hang, Act::Hang]);
    let mut told = [false, true].map(|is_told| (Facts::new(), is_told));
    for (facts, is_told) in &mut told {
        let mut request = of("c-1");
        request.extensions_mut().insert(facts.clone());
        let mut future = Box::pin(start(&mut service, request).await);
        assert!(poll(future.as_mut(), &Arc::default()).is_pending());
        let newest = if *is_told { Some(start(&mut service, of("c-1")).await) } else { None };
        drop(future);
        assert_eq!(facts.session_lost(), is_told.then_some(Lost::Superseded));
        drop(newest);
    }
    assert_eq!(gauges(&layer), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_ended_for_one_that_is_too_late_itself() {
    let layer = layer().with_policy(Policy::Supersede);
    let (mut service, seen) = stack(&layer, [stream(), stream()]);
    let mut running = call(&mut service, of("c-1")).await.unwrap().into_body();
    let mut late = of("c-1");
    late.extensions_mut().insert(Deadline::at(Instant::now()));
    assert_eq!(call(&mut service, late).await.unwrap_err().errcode(), -2005);
    assert!(running.frame().await.unwrap().is_ok());
    // One that ends nobody has its turn at any time.
    let (mut free, _) = stack(&layer, [stream()]);
    let mut late = of("c-2");
    late.extensions_mut().insert(Deadline::at(Instant::now()));
    assert!(call(&mut free, late).await.is_ok());
    let mut in_time = of("c-1");
    in_time.extensions_mut().insert(Deadline::at(Instant::now() + SECOND));
    assert!(call(&mut service, in_time).await.is_ok());
    assert!(running.frame().await.unwrap().is_err());
    assert_eq!(seen.calls(), 2);
}

/// The first in the line is a stream whose reader has stopped behind a head that went early, so that
/// nothing of it is polled. The one behind it goes on all the same.
#[tokio::test(start_paused = true)]
async fn whoever_waits_behind_one_that_is_not_polled_has_its_turn() {
    let layer =
        layer().with_keep_alive(SECOND).with_max_hold(SECOND * 20).with_max_idle(SECOND * 5);
    let (mut service, seen) = stack(&layer, [Act::Hang, stream()]);
    let mut at_work = pin!(start(&mut service, of("c-1")).await);
    assert!(poll(at_work.as_mut(), &Arc::default()).is_pending());
    let mut events = of("c-1");
    events.headers_mut().insert("accept", "text/event-stream".parse().unwrap());
    let stalled = call(&mut service, events).await.unwrap();
    let asked = Instant::now();
    let second = call(&mut service, of("c-1")).await;
    // 20 s from its start, a second to end, and then 5 s for the one between.
    assert_eq!(asked.elapsed(), SECOND * (20 - 1 + 1 + 5));
    assert!(second.is_ok());
    let mut stalled = stalled.into_body();
    assert_eq!(stalled.frame().await.unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(at_work.await.is_err());
    assert_eq!((seen.calls(), gauges(&layer)), (2, (1, 0)));
}

/// A reader that waits for more is not idle: the answer is.
#[tokio::test(start_paused = true)]
async fn an_answer_that_is_slow_itself_keeps_its_turn_for_max_hold() {
    let layer = layer().with_max_hold(SECOND * 20).with_max_idle(SECOND * 5);
    let (mut service, _) = stack(&layer, [stream(), stream()]);
    let mut old = call(&mut service, of("c-1")).await.unwrap().into_body();
    let reader = tokio::spawn(async move {
        old.frame().await.unwrap().unwrap();
        old.frame().await.unwrap().unwrap_err().kind()
    });
    tokio::task::yield_now().await;
    let asked = Instant::now();
    let next = call(&mut service, of("c-1")).await.unwrap();
    assert_eq!(asked.elapsed(), SECOND * 20);
    assert_eq!(reader.await.unwrap(), ErrorKind::Timeout);
    drop(next);
}

#[tokio::test(start_paused = true)]
async fn nobody_loses_a_turn_that_nobody_waits_for() {
    let layer = layer().with_max_hold(SECOND).with_max_idle(SECOND);
    let body = ProbeBody::chunks(["one", "two"]);
    let (mut service, _) = stack(&layer, [answer(body)]);
    let answer = call(&mut service, of("c-1")).await.unwrap();
    tokio::time::advance(SECOND * 1000).await;
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "onetwo");
}

/// A future that its owner does not poll although it was woken: it is not waited for longer than a
/// second, and when it is polled at last it is told.
#[tokio::test(start_paused = true)]
async fn a_future_that_is_never_polled_loses_its_turn() {
    let layer = layer().with_max_hold(SECOND * 20);
    let (mut service, seen) = stack(&layer, [Act::Hang, stream()]);
    let flag = Arc::<Woken>::default();
    let mut unpolled = pin!(start(&mut service, of("c-1")).await);
    assert!(poll(unpolled.as_mut(), &flag).is_pending());
    let asked = Instant::now();
    let next = call(&mut service, of("c-1")).await.unwrap();
    assert_eq!((asked.elapsed(), flag.count()), (SECOND * 21, 1));
    assert_eq!(unpolled.await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!((seen.live_futures(), gauges(&layer)), (0, (1, 0)));
    drop(next);
}
