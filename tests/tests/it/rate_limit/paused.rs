//! Who waits while an upstream asks for more time.

use kimi_errors::ErrorKind;
use kimi_testkit::probe::{Act, ProbeBody};
use kimi_tower::{
    deadline::Deadline,
    facts::{Facts, RateDecision},
};
use tokio::time::Instant;

use super::{
    Duration, SECOND, answer, bucket, call, chat, from, layer, numbered, numbers, patient,
    requests, stack, start, waiting,
};

/// The first request is answered so; whoever waits then has to wait longer.
fn throttle(fields: &[(&'static str, &'static str)]) -> Act {
    Act::Answer(answer(429, fields, ProbeBody::empty()))
}

fn about(seconds: u64) -> std::ops::RangeInclusive<Duration> {
    let exact = Duration::from_secs(seconds);
    exact..=exact + Duration::from_millis(1)
}

#[tokio::test(start_paused = true)]
async fn who_waits_while_a_pause_begins_goes_in_order_after_it() {
    let layer = waiting(bucket(1, SECOND)).with_upstream_hints();
    let (mut service, seen) = stack(&layer, [throttle(&[("retry-after", "30")])]);
    // The first is answered when the others wait already.
    let mut first = start(&mut service, numbered(0)).await;
    let begin = Instant::now();
    let mut held = Vec::new();
    for number in 1..5 {
        held.push(tokio::spawn(start(&mut service, numbered(number)).await));
    }
    tokio::time::sleep(SECOND / 2).await;
    first.as_mut().await.unwrap();
    for (place, held) in held.into_iter().enumerate() {
        held.await.unwrap().unwrap();
        let due = SECOND * 30 + SECOND / 2 + SECOND * u32::try_from(place).unwrap();
        // The bucket has filled up meanwhile, so that the first of them goes at once, and the rest
        // as it allows.
        let late = begin.elapsed().checked_sub(due).unwrap();
        assert!(late <= Duration::from_millis(2), "{place} is {late:?} late");
    }
    assert_eq!(numbers(&seen), [0, 1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_longer_than_one_may_wait_refuses_him() {
    let layer = layer(bucket(1, SECOND)).with_admission(patient(SECOND * 10, 10));
    let layer = layer.with_upstream_hints();
    let (mut service, seen) = stack(&layer, [throttle(&[("retry-after", "30")])]);
    let first = start(&mut service, chat()).await;
    let facts = Facts::new();
    let mut request = chat();
    request.extensions_mut().insert(facts.clone());
    let begin = Instant::now();
    let held = tokio::spawn(start(&mut service, request).await);
    first.await.unwrap();
    let refused = held.await.unwrap().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::RateLimited);
    assert!(begin.elapsed() <= SECOND * 2, "{:?}", begin.elapsed());
    assert!(matches!(facts.rate_decision(), Some(RateDecision::Refused { .. })));
    let told = begin.elapsed() + refused.retry_after().unwrap();
    assert!(about(30).contains(&told), "{told:?}");
    assert_eq!((seen.calls(), layer.store().waiting()), (1, 0));
}

/// Of a key that nobody has asked for in a while, of which nothing is kept.
#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_when_nothing_is_spent_any_more_pauses_all_the_same() {
    let layer = waiting(requests(5, SECOND * 10)).with_upstream_hints();
    let (mut service, _) = stack(&layer, [throttle(&[("retry-after", "7")])]);
    let first = start(&mut service, from("sk-late")).await;
    tokio::time::advance(SECOND * 60).await;
    let (mut others, _) = stack(&layer, []);
    for number in 0..2_000 {
        call(&mut others, from(&format!("other-{number}"))).await.unwrap();
    }
    first.await.unwrap();
    let begin = Instant::now();
    call(&mut service, from("sk-late")).await.unwrap();
    assert!(about(7).contains(&begin.elapsed()), "{:?}", begin.elapsed());
}

/// Whoever is behind somebody more patient is not kept longer than he may wait.
#[tokio::test(start_paused = true)]
async fn who_waits_behind_the_patient_is_refused_by_his_own_deadline() {
    let layer = waiting(bucket(1, SECOND)).with_upstream_hints();
    let (mut service, seen) = stack(&layer, [throttle(&[("retry-after", "30")])]);
    let first = start(&mut service, numbered(0)).await;
    let begin = Instant::now();
    let patient = tokio::spawn(start(&mut service, numbered(1)).await);
    let mut request = numbered(2);
    request.extensions_mut().insert(Deadline::at(begin + SECOND * 10));
    let hurried = start(&mut service, request).await;
    let last = tokio::spawn(start(&mut service, numbered(3)).await);
    let hurried = tokio::spawn(async move { (hurried.await.unwrap_err(), begin.elapsed()) });
    first.await.unwrap();
    let (refused, waited) = hurried.await.unwrap();
    assert_eq!(refused.kind(), ErrorKind::RateLimited);
    assert!(waited <= SECOND * 10, "{waited:?}");
    patient.await.unwrap().unwrap();
    last.await.unwrap().unwrap();
    assert!((SECOND * 31..SECOND * 32).contains(&begin.elapsed()), "{:?}", begin.elapsed());
    assert_eq!(numbers(&seen), [0, 1, 3]);
}
