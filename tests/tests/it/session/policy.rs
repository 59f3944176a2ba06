use std::{num::NonZeroUsize, pin::pin, sync::Arc, time::Duration};

use http::Request;
use kimi_errors::{ErrorKind, Lang};
use kimi_testkit::probe::ProbeBody;
use kimi_tower::{
    deadline::Deadline,
    facts::{Facts, SessionDecision},
    session::{Policy, Refused},
};
use tokio::time::Instant;

use super::{SECOND, Woken, answer, call, gauges, layer, of, poll, stack, start, stream};
use crate::events::Events;

fn with(facts: &Facts) -> Request<ProbeBody> {
    let mut request = of("c-1");
    request.extensions_mut().insert(facts.clone());
    request
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_its_turn_and_facts_say_for_how_long_and_behind_how_many() {
    let layer = layer();
    let (mut service, seen) = stack(&layer, (0..3).map(|_| stream()));
    let [first, second, third] = [(); 3].map(|()| Facts::new());
    let answer = call(&mut service, with(&first)).await.unwrap();
    assert_eq!(first.session_decision(), Some(SessionDecision::Granted));
    let flags = [(); 2].map(|()| Arc::<Woken>::default());
    let mut next = pin!(start(&mut service, with(&second)).await);
    let mut last = pin!(start(&mut service, with(&third)).await);
    assert!(poll(next.as_mut(), &flags[0]).is_pending());
    assert!(poll(last.as_mut(), &flags[1]).is_pending());
    assert_eq!((gauges(&layer), seen.calls()), ((1, 2), 1));
    assert_eq!(second.session_decision(), None);

    tokio::time::advance(SECOND * 5).await;
    drop(answer);
    assert_eq!([flags[0].count(), flags[1].count()], [1, 0]);
    assert!(poll(next.as_mut(), &flags[0]).is_ready());
    let waited = |ahead, seconds| Some(SessionDecision::Waited { ahead, waited: SECOND * seconds });
    assert_eq!(second.session_decision(), waited(1, 5));
    // Nobody has read the second answer, which was dropped at once.
    assert!(poll(last.as_mut(), &flags[1]).is_ready());
    assert_eq!(third.session_decision(), waited(2, 5));
    assert_eq!((gauges(&layer), seen.calls()), ((0, 0), 3));
    let gauges = layer.gauges();
    assert_eq!((gauges.held.count(), gauges.waited.count()), (3, 2));
    assert!(gauges.held.quantile(1.0).unwrap() >= SECOND * 5);
    assert_eq!(third.session_lost(), None);
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_or_behind_too_many_is_refused() {
    let policy = Policy::Queue { max_waiting: 1, max_wait: SECOND * 30 };
    let layer = layer().without_max_idle().with_policy(policy);
    let (mut service, seen) = stack(&layer, (0..3).map(|_| stream()));
    let answer = call(&mut service, of("c-1")).await.unwrap();
    let mut waiting = pin!(start(&mut service, of("c-1")).await);
    assert!(poll(waiting.as_mut(), &Arc::default()).is_pending());

    let facts = Facts::new();
    let events = Events::listen();
    let full = call(&mut service, with(&facts)).await.unwrap_err();
    assert_eq!((full.kind(), full.errcode(), full.status()), (ErrorKind::StreamBusy, -2005, 429));
    assert_eq!(full.message(), "已有对话流正在输出");
    let refused = |reason, waited| Some(SessionDecision::Refused { reason, waited });
    assert_eq!(facts.session_decision(), refused(Refused::Busy, Duration::ZERO));
    let heard = events.take();
    assert!(heard.iter().any(|line| line.contains("busy") && !line.contains("c-1")), "{heard:?}");

    let asked = Instant::now();
    let late = waiting.await.unwrap_err();
    assert_eq!(asked.elapsed(), SECOND * 30);
    assert_eq!((late.errcode(), late.message()), (-2005, "已有对话流正在输出，排队等待超时"));
    assert_eq!((gauges(&layer), seen.calls()), ((1, 0), 1));
    drop(answer);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_is_earlier_counts() {
    let layer = layer();
    let (mut service, _) = stack(&layer, (0..3).map(|_| stream()));
    let _answer = call(&mut service, of("c-1")).await.unwrap();
    for seconds in [2, 0] {
        let mut request = of("c-1");
        let asked = Instant::now();
        request.extensions_mut().insert(Deadline::at(asked + SECOND * seconds));
        let late = call(&mut service, request).await.unwrap_err();
        assert_eq!((late.errcode(), asked.elapsed()), (-2005, SECOND * seconds));
    }
    assert_eq!(gauges(&layer), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn reject_refuses_at_once_and_in_the_language_that_was_set() {
    let layer = layer().with_policy(Policy::Reject).with_lang(Lang::En);
    let (mut service, _) = stack(&layer, (0..3).map(|_| stream()));
    let answer = call(&mut service, of("c-1")).await.unwrap();
    let refused = call(&mut service, of("c-1")).await.unwrap_err();
    assert_eq!(refused.message(), "a stream is already running in this conversation");
    assert_eq!(refused.retry_after(), None);
    drop(answer);
    assert!(call(&mut service, of("c-1")).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_names_no_conversation_passes_and_what_names_none_rightly_is_refused() {
    let layer = layer();
    let (mut service, seen) = stack(&layer, (0..3).map(|_| stream()));
    let request = || Request::post("/").body(ProbeBody::empty()).unwrap();
    let answers = [
        call(&mut service, request()).await.unwrap(),
        call(&mut service, request()).await.unwrap(),
    ];
    assert_eq!((gauges(&layer), seen.calls()), ((0, 0), 2));
    let refused = call(&mut service, of(&"x".repeat(257))).await.unwrap_err();
    assert_eq!((refused.errcode(), refused.status()), (-1001, 400));
    assert_eq!((refused.param(), seen.calls()), (Some("x-conversation-id"), 2));
    drop(answers);
}

/// One tenant who names another's conversation neither blocks nor sees it.
#[tokio::test(start_paused = true)]
async fn a_conversation_is_of_its_caller() {
    let layer = layer().with_policy(Policy::Reject);
    let (mut service, _) = stack(&layer, (0..3).map(|_| stream()));
    let by = |caller: &'static str| {
        let mut request = of("c-1");
        request.headers_mut().insert("authorization", caller.parse().unwrap());
        request
    };
    let one = call(&mut service, by("Bearer one")).await.unwrap();
    let two = call(&mut service, by("Bearer two")).await.unwrap();
    assert_eq!(gauges(&layer), (2, 0));
    assert!(call(&mut service, by("Bearer one")).await.is_err());
    drop((one, two));
}

#[tokio::test(start_paused = true)]
async fn one_session_more_than_may_be_is_refused_and_those_there_are_go_on() {
    let layer = layer().with_max_sessions(NonZeroUsize::MIN);
    let (mut service, _) = stack(&layer, (0..4).map(|_| stream()));
    let answer = call(&mut service, of("c-1")).await.unwrap();
    let refused = call(&mut service, of("c-2")).await.unwrap_err();
    assert_eq!((refused.kind(), refused.errcode()), (ErrorKind::Overloaded, -2001));
    let mut waiting = pin!(start(&mut service, of("c-1")).await);
    assert!(poll(waiting.as_mut(), &Arc::default()).is_pending());
    drop(answer);
    assert!(waiting.await.is_ok());
    assert!(call(&mut service, of("c-2")).await.is_ok());
    assert_eq!(gauges(&layer), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_request_is_shown() {
    let layer = layer();
    let (mut service, _) = stack(&layer, [answer(ProbeBody::chunks(["hunter2"])), stream()]);
    let answer = call(&mut service, of("hunter2")).await.unwrap();
    let waiting = start(&mut service, of("hunter2")).await;
    let shown = format!("{layer:?} {:?} {waiting:?}", answer.body());
    assert!(!shown.contains("hunter2"), "{shown}");
}
