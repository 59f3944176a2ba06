//! Bodies that are waited for.

use std::{
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame};
use kimi_errors::{BoxError, ErrorKind};
use kimi_testkit::probe::{Beat, Probe, ProbeBody, Readiness};
use proptest::{
    prelude::{Just, Strategy, any},
    prop_assert, prop_assert_eq, prop_oneof,
};
use tokio::sync::mpsc;
use tower_layer::Layer as _;

use super::{BAD, GOOD, Slow, Woken, call, layer, poll, post, rules, stack, start, up_to};

/// A body that is sent piece by piece.
struct Sent(mpsc::UnboundedReceiver<Bytes>);

impl Body for Sent {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.poll_recv(cx).map(|data| data.map(|data| Ok(Frame::data(data))))
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_in_pieces_passes_whole() {
    let pieces = GOOD.as_bytes().chunks(1).map(<[u8]>::to_vec);
    let (mut service, seen) = stack(&layer());
    call(&mut service, post(Slow::new(ProbeBody::chunks(pieces)))).await.unwrap();
    let [request] = <[_; 1]>::try_from(seen.take_requests()).unwrap();
    assert_eq!(request.body, GOOD);
    assert_eq!(seen.unready_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_body_in_pieces_is_refused_as_a_whole_one_is() {
    let pieces = BAD.as_bytes().chunks(7).map(<[u8]>::to_vec);
    let (mut service, seen) = stack(&layer());
    let refusal = call(&mut service, post(Slow::new(ProbeBody::chunks(pieces)))).await;
    let refusal = refusal.unwrap_err();
    let expected = [("/messages/0/role", "one_of"), ("/messages/0/content", "type")];
    assert_eq!(rules(&refusal), expected);
    assert_eq!(seen.calls(), 0);
}

#[tokio::test]
async fn i3_what_comes_between_call_and_poll_is_seen() {
    let (send, receive) = mpsc::unbounded_channel();
    let (mut service, seen) = stack(&layer());
    let mut future = pin!(start(&mut service, post(Sent(receive))).await);
    // Only the waker of `call` knows that it came, and that one wakes nobody.
    send.send(GOOD.into()).unwrap();
    drop(send);
    assert!(poll(future.as_mut(), &Arc::default()).is_ready());
    assert_eq!(seen.calls(), 1);
}

#[tokio::test]
async fn i3_each_piece_wakes_the_task() {
    let (send, receive) = mpsc::unbounded_channel();
    let (mut service, _) = stack(&layer());
    let mut future = pin!(start(&mut service, post(Sent(receive))).await);
    let woken = Arc::new(Woken::default());
    for (count, piece) in GOOD.as_bytes().chunks(20).enumerate() {
        assert!(poll(future.as_mut(), &woken).is_pending());
        assert_eq!(woken.count(), count, "it does not wake itself while it waits");
        send.send(Bytes::copy_from_slice(piece)).unwrap();
        assert_eq!(woken.count(), count + 1);
    }
    assert!(poll(future.as_mut(), &woken).is_pending());
    drop(send);
    assert!(poll(future.as_mut(), &woken).is_ready());
}

#[tokio::test]
async fn i4_a_body_that_is_always_ready_lets_others_run() {
    // Each frame is there at once, and all but the last are empty.
    let frames = (0..1_000).map(|_| Beat::Data(Bytes::new()));
    let body = ProbeBody::new(frames).then(Beat::Data(GOOD.into()));
    let body_seen = body.seen();
    let (mut service, seen) = stack(&layer());
    let mut future = pin!(start(&mut service, post(body)).await);
    let woken = Arc::new(Woken::default());
    let mut polled = body_seen.polls();
    assert_eq!(polled, 64);
    while poll(future.as_mut(), &woken).is_pending() {
        assert_eq!(body_seen.polls() - polled, 64, "frames in one poll");
        polled = body_seen.polls();
        assert_eq!(woken.count(), polled / 64 - 1, "it asks to go on");
    }
    assert_eq!((body_seen.polls(), seen.calls()), (1_002, 1));
}

#[tokio::test]
async fn the_service_is_asked_when_the_body_is_whole_and_well_formed() {
    let (probe, seen) = Probe::new([]);
    let held = probe.with_readiness([Readiness::Ready, Readiness::Pending]);
    let mut service = layer().layer(held);
    let body = ProbeBody::new([Beat::Yield, Beat::Data(GOOD.into()), Beat::Yield]);
    let body_seen = body.seen();
    let mut future = pin!(start(&mut service, post(body)).await);
    let woken = Arc::new(Woken::default());
    assert!(poll(future.as_mut(), &woken).is_pending());
    assert_eq!(seen.polls_ready(), 1, "not before the body is whole");
    assert!(poll(future.as_mut(), &woken).is_pending());
    assert_eq!((seen.polls_ready(), seen.calls()), (2, 0));
    let polls = body_seen.polls();
    let before = woken.count();
    seen.wake();
    assert_eq!(woken.count(), before + 1, "the task waits for the service");
    assert!(poll(future.as_mut(), &woken).is_ready());
    assert_eq!((seen.calls(), seen.unready_calls()), (1, 0));
    assert_eq!(body_seen.polls(), polls, "a body is not polled after its end");
}

#[tokio::test]
async fn a_service_that_fails_to_get_ready_fails_the_request() {
    for readiness in [vec![], vec![Readiness::Ready]] {
        let is_late = !readiness.is_empty();
        let (probe, seen) = Probe::new([]);
        let busy = kimi_errors::Error::new(ErrorKind::StreamBusy);
        let fails = readiness.into_iter().chain([Readiness::Fail(busy.into())]);
        let mut service = layer().layer(probe.with_readiness(fails));
        let request = post(Slow::new(ProbeBody::full(GOOD)));
        let error = if is_late {
            call(&mut service, request).await.unwrap_err()
        } else {
            std::future::poll_fn(|cx| {
                tower_service::Service::<http::Request<ProbeBody>>::poll_ready(&mut service, cx)
            })
            .await
            .unwrap_err()
        };
        assert_eq!(error.kind(), ErrorKind::StreamBusy);
        assert_eq!(seen.calls(), 0);
    }
}

/// Bodies cut into frames, some of them late, some lying about their length.
fn bodies() -> impl Strategy<Value = (Vec<Option<usize>>, bool)> {
    let beat = prop_oneof![Just(None), (0..40_usize).prop_map(Some)];
    (proptest::collection::vec(beat, 0..20), any::<bool>())
}

proptest::proptest! {
    /// However a body comes, the outcome is that of the whole.
    #[test]
    fn prop_frames_do_not_matter(
        (cuts, announces) in bodies(),
        text in prop_oneof![Just(GOOD), Just(BAD), Just("{")],
        max in prop_oneof![Just(GOOD.len()), Just(GOOD.len() - 1), Just(1_000)],
    ) {
        let mut rest = text.as_bytes();
        let mut beats = Vec::new();
        for cut in cuts {
            beats.push(match cut {
                None => Beat::Yield,
                Some(length) => {
                    let (piece, after) = rest.split_at(length.min(rest.len()));
                    rest = after;
                    Beat::Data(Bytes::copy_from_slice(piece))
                }
            });
        }
        beats.push(Beat::Data(Bytes::copy_from_slice(rest)));
        let mut body = ProbeBody::new(beats);
        if announces {
            body = body.with_size_hint(http_body::SizeHint::with_exact(text.len() as u64));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (mut service, seen) = stack(&up_to(max));
        let outcome = runtime.block_on(call(&mut service, post(body))).map(|_| ());
        let whole = match text {
            _ if text.len() > max => Err(ErrorKind::PayloadTooLarge),
            GOOD => Ok(()),
            _ => Err(ErrorKind::Validation),
        };
        prop_assert_eq!(outcome.map_err(|error| error.kind()), whole);
        prop_assert_eq!(seen.calls(), usize::from(whole.is_ok()));
        prop_assert!(seen.take_requests().iter().all(|request| request.body == text));
    }
}
