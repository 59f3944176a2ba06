//! What is said of a request that finds no permit.

use kimi_tower::{
    facts::{Facts, RateDecision},
    rate_limit::Admission,
};

use super::{SECOND, WAIT, by, call, layer, stack, start, stream};
use crate::events::Events;

#[tokio::test(start_paused = true)]
async fn what_is_decided_is_told_and_not_of_whom() {
    let events = Events::listen();
    for (admission, expected) in [
        (
            Admission::Reject,
            "DEBUG message=too many at the same time reason=\"all permits are taken\"",
        ),
        (Admission::Shadow, "DEBUG message=too many at the same time, and let through max=1"),
    ] {
        let layer = layer(1).with_admission(admission);
        let (mut service, _) = stack(&layer, [stream(), stream()]);
        let answer = call(&mut service, by("hunter2")).await.unwrap();
        let _ = call(&mut service, by("hunter2")).await;
        assert_eq!(events.take(), [expected]);
        drop(answer);
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_is_not_let_pass_at_once_is_a_fact() {
    let (rule, wait) = ("concurrency", None);
    for (admission, seconds, expected) in [
        (Admission::Reject, 0, RateDecision::Refused { rule, wait }),
        (Admission::Shadow, 0, RateDecision::WouldBeRefused { rule, wait }),
        (WAIT, 5, RateDecision::Waited(SECOND * 5)),
        (WAIT, 60, RateDecision::Refused { rule, wait }),
    ] {
        let layer = layer(1).with_admission(admission);
        let (mut service, _) = stack(&layer, [stream(), stream()]);
        let ask = |facts: &Facts| {
            let mut request = by("one");
            request.extensions_mut().insert(facts.clone());
            request
        };
        let (first, second) = (Facts::new(), Facts::new());
        let answer = call(&mut service, ask(&first)).await.unwrap();
        let waiting = tokio::spawn(start(&mut service, ask(&second)).await);
        tokio::time::sleep(SECOND * seconds).await;
        drop(answer);
        let _ = waiting.await.unwrap();
        assert_eq!((first.rate_decision(), second.rate_decision()), (None, Some(expected)));
    }
}
