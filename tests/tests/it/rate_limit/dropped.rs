//! Dropping a future or a body at any point leaves nothing behind.

use std::sync::Arc;

use kimi_testkit::probe::{Act, Beat, Probe, ProbeBody, Readiness};
use tower_layer::Layer as _;

use super::{
    JSON, SECOND, Woken, answer, both, call, chat, from, is_pending, left, numbered, numbers, poll,
    requests, stack, start, tokens, waiting,
};

#[tokio::test(start_paused = true)]
async fn one_who_is_dropped_unpolled_leaves_his_place() {
    let layer = waiting(requests(1, SECOND * 10));
    let (mut service, seen) = stack(&layer, []);
    call(&mut service, numbered(0)).await.unwrap();
    let (first, second) =
        (start(&mut service, numbered(1)).await, start(&mut service, numbered(2)).await);
    assert_eq!(layer.store().waiting(), 2);
    drop(first);
    assert_eq!(layer.store().waiting(), 1);
    let begin = tokio::time::Instant::now();
    second.await.unwrap();
    assert!(begin.elapsed() < SECOND * 11);
    assert_eq!(numbers(&seen), [0, 2]);
}

/// At each stage of a wait: asked, polled, granted and not polled, granted and not ready.
#[tokio::test(start_paused = true)]
async fn one_who_is_dropped_after_any_poll_has_paid_nothing_and_called_nobody() {
    for stage in 0..4 {
        let layer = waiting(both(requests(1, SECOND * 10), tokens(100, SECOND * 60)));
        let layer = layer.with_tokens(|_: &_| 40);
        let (probe, seen) = Probe::new([]);
        let mut service = layer.layer(probe.with_readiness([
            Readiness::Ready,
            Readiness::Ready,
            Readiness::Pending,
        ]));
        call(&mut service, numbered(0)).await.unwrap();
        assert_eq!(left(&layer), [0, 60]);
        let mut held = start(&mut service, numbered(1)).await;
        let woken = Arc::new(Woken::default());
        if stage >= 1 {
            assert!(poll(held.as_mut(), &woken).is_pending());
        }
        tokio::time::advance(SECOND * 10).await;
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        if stage >= 1 {
            assert_eq!(woken.count(), 1, "it is woken once");
        }
        if stage >= 2 {
            assert!(poll(held.as_mut(), &woken).is_pending());
            assert_eq!(left(&layer), [0, 20], "it is charged");
        }
        if stage >= 3 {
            assert!(poll(held.as_mut(), &woken).is_pending());
        }
        drop(held);
        assert_eq!((left(&layer), layer.store().waiting()), (vec![1, 60], 0), "stage {stage}");
        assert_eq!((numbers(&seen), seen.live_futures()), (vec![0], 0));
    }
}

#[tokio::test(start_paused = true)]
async fn of_all_who_leave_nothing_is_left() {
    let layer = waiting(requests(3, SECOND * 10));
    let (mut service, seen) = stack(&layer, []);
    let mut random = super::Random(3);
    for round in 0..200 {
        let mut held = Vec::new();
        for _ in 0..20 {
            held.push(start(&mut service, chat()).await);
        }
        for held in &mut held[3..] {
            if random.below(2) == 0 {
                assert!(is_pending(held.as_mut()));
            }
        }
        let calls = seen.calls();
        tokio::time::advance(random.millis(20_000)).await;
        while !held.is_empty() {
            let index = usize::try_from(random.below(u32::try_from(held.len()).unwrap())).unwrap();
            drop(held.swap_remove(index));
        }
        assert_eq!((layer.store().waiting(), seen.calls()), (0, calls), "round {round}");
        tokio::time::advance(SECOND * 10).await;
        assert_eq!(left(&layer), [3], "round {round}");
    }
    // Whole keys take no memory: whatever is decided next gives one up.
    for other in ["sk-2", "sk-3", "sk-4"] {
        call(&mut service, from(other)).await.unwrap();
        tokio::time::advance(SECOND * 10).await;
    }
    assert!(layer.store().keys() <= 4);
}

#[tokio::test(start_paused = true)]
async fn one_that_was_sent_has_been_counted_whatever_becomes_of_it() {
    let layer = waiting(both(requests(2, SECOND * 10), tokens(100, SECOND * 60)));
    let layer = layer.with_tokens(|_: &_| 40);
    let cut = ProbeBody::chunks(["first"]).then(Beat::Hang);
    let acts = [Act::Hang, Act::Answer(answer(200, &[JSON], cut))];
    let (mut service, seen) = stack(&layer, acts);
    let mut sent = start(&mut service, chat()).await;
    assert!(is_pending(sent.as_mut()));
    assert_eq!(seen.live_futures(), 1);
    drop(sent);
    assert_eq!((left(&layer), seen.live_futures()), (vec![1, 60], 0));
    let answer = call(&mut service, chat()).await.unwrap();
    drop(answer);
    assert_eq!(left(&layer), [0, 20]);
}
