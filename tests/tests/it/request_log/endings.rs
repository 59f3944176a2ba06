//! Every request has one record, whatever becomes of it, and the record says what.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use http::{Method, Request, Response};
use kimi_errors::{BoxError, Error, ErrorKind};
use kimi_testkit::probe::{Probe, ProbeBody, Readiness};
use kimi_tower::{
    facts::Facts,
    request_log::{Observer, Outcome, Record, RequestLogLayer, Start},
    session::{Conversation, Policy, SessionLayer},
};
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;
use tower_service::Service;

use super::{EVENTS, JSON, Log, Script, Step, answer, ask, data, layer, now, read};

const CHUNK: &str =
    "data: {\"choices\":[{\"delta\":{\"content\":\"你好\"},\"finish_reason\":null}]}\n\n";
const STOP: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";
const ERROR: &str =
    "data: {\"error\":{\"message\":\"x\",\"type\":\"engine_overloaded_error\"}}\n\n";

/// How many requests there are: 20 000, or as many as the variable `REQUESTS` says.
fn requests() -> usize {
    std::env::var("REQUESTS").map_or(20_000, |requests| requests.parse().unwrap())
}

/// What the service does.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Act {
    Json,
    JsonInPieces,
    Stream,
    StreamWithoutLastLineEnd,
    Head,
    NoContent,
    NotModified,
    HeadOfEvents,
    NoContentOfEvents,
    NotModifiedOfEvents,
    /// Says its length, and is dropped with the last byte.
    Announced,
    ErrorInA200,
    ErrorInAnEvent,
    /// -1000, of which nothing is known but that it was an event.
    SystemErrorInAnEvent,
    ErrorInTheLastWord,
    Unauthorized,
    Broken,
    Fails(ErrorKind),
    FailsUnknown,
    BodyFails(ErrorKind),
    BodyFailsUnknown,
    Truncated,
    PanicsInCall,
    Panics,
    BodyPanics,
    /// Neither answers nor fails.
    Hangs,
    /// Sends some, and then no more.
    StreamHangs,
    JsonHangs,
}

/// What the caller does.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Caller {
    Reads,
    NeverPolls,
    /// Drops the answer with its head.
    LeavesAtTheHead,
    /// Drops the body after its first frame.
    LeavesAfterAFrame,
    /// Unwinds with the future or body in hand.
    Panics,
}

const ACTS: [(Act, Outcome); 33] = [
    (Act::Json, Outcome::Success),
    (Act::JsonInPieces, Outcome::Success),
    (Act::Stream, Outcome::Success),
    (Act::StreamWithoutLastLineEnd, Outcome::Success),
    (Act::Head, Outcome::Success),
    (Act::NoContent, Outcome::Success),
    (Act::NotModified, Outcome::Success),
    (Act::HeadOfEvents, Outcome::Success),
    (Act::NoContentOfEvents, Outcome::Success),
    (Act::NotModifiedOfEvents, Outcome::Success),
    (Act::Announced, Outcome::Success),
    (Act::ErrorInA200, Outcome::ServerError),
    (Act::ErrorInAnEvent, Outcome::StreamError),
    (Act::SystemErrorInAnEvent, Outcome::StreamError),
    (Act::ErrorInTheLastWord, Outcome::StreamError),
    (Act::Unauthorized, Outcome::ClientError),
    (Act::Broken, Outcome::ServerError),
    (Act::Fails(ErrorKind::Validation), Outcome::ClientError),
    (Act::Fails(ErrorKind::Overloaded), Outcome::ClientError),
    (Act::Fails(ErrorKind::RequestFailed), Outcome::ServerError),
    (Act::Fails(ErrorKind::Timeout), Outcome::Timeout),
    (Act::Fails(ErrorKind::Cancelled), Outcome::ClientGone),
    (Act::FailsUnknown, Outcome::ServerError),
    (Act::BodyFails(ErrorKind::Overloaded), Outcome::StreamError),
    (Act::BodyFails(ErrorKind::Timeout), Outcome::Timeout),
    (Act::BodyFails(ErrorKind::StreamTruncated), Outcome::Truncated),
    (Act::BodyFailsUnknown, Outcome::BodyError),
    (Act::Truncated, Outcome::Truncated),
    (Act::PanicsInCall, Outcome::Panic),
    (Act::Panics, Outcome::Panic),
    (Act::BodyPanics, Outcome::Panic),
    (Act::Hangs, Outcome::ClientGone),
    (Act::StreamHangs, Outcome::ClientGone),
];

const CALLERS: [Caller; 5] = [
    Caller::Reads,
    Caller::NeverPolls,
    Caller::LeavesAtTheHead,
    Caller::LeavesAfterAFrame,
    Caller::Panics,
];

fn unknown() -> BoxError {
    "something unheard of".into()
}

async fn act(request: Request<()>) -> Result<Response<Script>, BoxError> {
    let act = *request.extensions().get::<Act>().unwrap();
    let json = r#"{"choices":[{"finish_reason":"stop"}],"usage":{"total_tokens":3}}"#;
    let errcode = r#"{"errcode":-2001,"errmsg":"x","data":null}"#;
    let known = |kind| BoxError::from(Error::new(kind));
    let failing = |error| Script::new([data(CHUNK), Step::Fail(error)]);
    Ok(match act {
        Act::Json => answer(200, JSON, Script::text(&[json]).that_says_its_end()),
        Act::JsonInPieces => answer(200, JSON, Script::text(&[&json[..9], &json[9..]])),
        Act::Stream => answer(200, EVENTS, Script::text(&[CHUNK, CHUNK, STOP, DONE])),
        Act::StreamWithoutLastLineEnd => {
            answer(200, EVENTS, Script::text(&[CHUNK, DONE.trim_end()]))
        }
        // Its fields describe a body, and one is there, but nobody reads it.
        Act::Head => answer(200, JSON, Script::text(&[json])),
        Act::NoContent => answer(204, JSON, Script::text(&[])),
        Act::NotModified => answer(304, JSON, Script::text(&[])),
        Act::HeadOfEvents => answer(200, EVENTS, Script::text(&[CHUNK])),
        Act::NoContentOfEvents => answer(204, EVENTS, Script::text(&[])),
        Act::NotModifiedOfEvents => answer(304, EVENTS, Script::text(&[])),
        Act::Announced => {
            let mut answer = answer(200, JSON, Script::text(&[json]));
            answer.headers_mut().insert("content-length", json.len().into());
            answer
        }
        Act::ErrorInA200 => answer(200, JSON, Script::text(&[errcode])),
        Act::ErrorInAnEvent => answer(200, EVENTS, Script::text(&[CHUNK, ERROR])),
        Act::SystemErrorInAnEvent => {
            let system = "data: {\"errcode\":-1000,\"errmsg\":\"x\"}\n\n";
            answer(200, EVENTS, Script::text(&[CHUNK, system]))
        }
        Act::ErrorInTheLastWord => answer(200, EVENTS, Script::text(&[CHUNK, ERROR.trim_end()])),
        Act::Unauthorized => answer(401, JSON, Script::text(&[errcode])),
        Act::Broken => answer(502, "text/html", Script::text(&["<html>"])),
        Act::Fails(kind) => return Err(known(kind)),
        Act::FailsUnknown => return Err(unknown()),
        Act::BodyFails(kind) => answer(200, EVENTS, failing(known(kind))),
        Act::BodyFailsUnknown => answer(200, EVENTS, failing(unknown())),
        Act::Truncated => answer(200, EVENTS, Script::text(&[CHUNK, STOP])),
        Act::PanicsInCall => unreachable!("it has panicked before"),
        Act::Panics => resume_unwind(Box::new("in the future")),
        Act::BodyPanics => answer(200, EVENTS, Script::new([data(CHUNK), Step::Panic])),
        Act::Hangs => std::future::pending().await,
        Act::StreamHangs => answer(200, EVENTS, Script::new([data(CHUNK), Step::Wait])),
        Act::JsonHangs => answer(200, JSON, Script::new([data("{\"a\":"), Step::Wait])),
    })
}

/// Sends a request and does with the answer what `caller` does.
fn exchange<S, B>(service: &mut S, act: Act, caller: Caller, id: usize)
where
    S: Service<Request<()>, Response = Response<B>, Error = Error>,
    B: http_body::Body<Data = bytes::Bytes, Error = Error>,
{
    let mut request = ask();
    if matches!(act, Act::Head | Act::HeadOfEvents) {
        *request.method_mut() = Method::HEAD;
    }
    request.extensions_mut().insert(act);
    request.headers_mut().insert("x-request-id", format!("req-{id}").parse().unwrap());
    let mut context = Context::from_waker(Waker::noop());
    // Everything that is made is dropped in here, after a panic of it too.
    let called = catch_unwind(AssertUnwindSafe(|| Box::pin(service.call(request))));
    let Ok(mut future) = called else { return };
    if caller == Caller::NeverPolls {
        return;
    }
    let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context)));
    let Ok(Poll::Ready(Ok(response))) = polled else {
        return;
    };
    drop(future);
    let mut body = Box::pin(response.into_body());
    match caller {
        Caller::NeverPolls | Caller::LeavesAtTheHead => {}
        Caller::LeavesAfterAFrame => {
            let _ = catch_unwind(AssertUnwindSafe(|| body.as_mut().poll_frame(&mut context)));
        }
        Caller::Panics => {
            let unwound = catch_unwind(AssertUnwindSafe(move || {
                let _body = body;
                resume_unwind(Box::new("of the caller"));
            }));
            assert!(unwound.is_err());
        }
        Caller::Reads => {
            let _ = catch_unwind(AssertUnwindSafe(|| read(&mut body)));
        }
    }
}

/// What the record must say.
fn expected(act: Act, outcome: Outcome, caller: Caller) -> Outcome {
    let is_before_the_head = matches!(
        act,
        Act::Fails(_) | Act::FailsUnknown | Act::PanicsInCall | Act::Panics | Act::Hangs
    );
    // Their head says it all.
    let is_in_the_head = matches!(
        act,
        Act::Head
            | Act::NoContent
            | Act::NotModified
            | Act::HeadOfEvents
            | Act::NoContentOfEvents
            | Act::NotModifiedOfEvents
            | Act::Unauthorized
            | Act::Broken
    );
    match caller {
        Caller::Reads => outcome,
        Caller::NeverPolls if act == Act::PanicsInCall => outcome,
        Caller::NeverPolls => Outcome::ClientGone,
        _ if is_before_the_head || is_in_the_head => outcome,
        Caller::LeavesAfterAFrame if matches!(act, Act::Json | Act::Announced) => outcome,
        _ => Outcome::ClientGone,
    }
}

/// Panics in `call` where it should, before there is a future.
fn service(
    layer: &RequestLogLayer<Log>,
) -> impl Service<
    Request<()>,
    Response = Response<impl http_body::Body<Data = bytes::Bytes, Error = Error> + use<>>,
    Error = Error,
> + use<> {
    layer.layer(service_fn(|request: Request<()>| {
        if request.extensions().get() == Some(&Act::PanicsInCall) {
            resume_unwind(Box::new("in call"));
        }
        act(request)
    }))
}

#[test]
fn every_ending_has_one_record_and_its_outcome() {
    let (layer, log) = layer();
    let mut service = service(&layer);
    for (act, outcome) in ACTS.into_iter().chain([(Act::JsonHangs, Outcome::ClientGone)]) {
        for caller in CALLERS {
            exchange(&mut service, act, caller, 7);
            let kept = log.only();
            assert_eq!(
                kept.outcome,
                expected(act, outcome, caller),
                "{act:?} {caller:?}: {kept:?}"
            );
            assert_eq!(kept.id, "req-7");
        }
    }
}

/// Behind `session`, where the newest request of a conversation takes the turn.
fn superseding(
    layer: &RequestLogLayer<Log>,
) -> impl Service<
    Request<()>,
    Response = Response<impl http_body::Body<Data = bytes::Bytes, Error = Error> + use<>>,
    Error = Error,
> + Clone
+ use<> {
    let field = http::HeaderName::from_static("x-conversation-id");
    let session =
        SessionLayer::new().with_key(Conversation::in_field(field)).with_policy(Policy::Supersede);
    let answers = service_fn(|_: Request<()>| async {
        let body = Script::new([data(CHUNK), Step::Wait, Step::Wait, Step::Wait]);
        Ok::<_, BoxError>(answer(200, EVENTS, body))
    });
    layer.layer(session.layer(answers))
}

fn of_conversation(id: &str) -> Request<()> {
    let mut request = ask();
    request.headers_mut().insert("x-conversation-id", "c-1".parse().unwrap());
    request.headers_mut().insert("x-request-id", id.parse().unwrap());
    request
}

#[tokio::test(start_paused = true)]
async fn very_many_random_endings_have_one_record_each() {
    let (layer, log) = layer();
    let superseding = superseding(&layer);
    let mut service = service(&layer);
    // SplitMix64.
    let mut state = 42_u64;
    let mut below = |bound: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    };
    let mut expectations = HashMap::new();
    for id in 0..requests() {
        let number = below(ACTS.len() + 1);
        if let Some((act, outcome)) = ACTS.get(number).copied() {
            let caller = CALLERS[below(CALLERS.len())];
            exchange(&mut service, act, caller, id);
            let outcome = expected(act, outcome, caller);
            expectations.insert(format!("req-{id}"), (format!("{act:?} {caller:?}"), outcome));
            continue;
        }
        let (older, newer) = (format!("req-{id}"), format!("req-{id}-newer"));
        let first = now(superseding.clone().oneshot(of_conversation(&older))).unwrap();
        let mut first = Box::pin(first.into_body());
        let is_read_before = below(2) == 1;
        if is_read_before {
            assert!(!read(&mut first).is_over);
        }
        let second = now(superseding.clone().oneshot(of_conversation(&newer))).unwrap();
        assert!(read(&mut first).error.is_some());
        drop((first, second));
        expectations.insert(older, ("the older".to_owned(), Outcome::Superseded));
        expectations.insert(newer, ("the newer".to_owned(), Outcome::ClientGone));
    }
    let records = log.take();
    assert_eq!(records.len(), expectations.len());
    for record in records {
        let (what, outcome) = expectations.remove(&record.id).expect("no second record");
        assert_eq!(record.outcome, outcome, "{what}");
    }
    assert!(expectations.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_superseded_answer_says_so() {
    let (layer, log) = layer();
    let service = superseding(&layer);
    let older = service.clone().oneshot(of_conversation("a")).await.unwrap();
    let mut older = Box::pin(older.into_body());
    assert!(!read(&mut older).is_over);
    let newer = service.oneshot(of_conversation("b")).await.unwrap();
    let ended = read(&mut older);
    assert_eq!(ended.error.unwrap().kind(), ErrorKind::Cancelled);
    let kept = log.only();
    assert_eq!(kept.outcome, Outcome::Superseded);
    assert_eq!(kept.error_type.as_deref(), Some("cancelled"));
    drop(newer);
    assert_eq!(log.only().outcome, Outcome::ClientGone);
}

/// Its reader is there, and has not asked for more while another waited; or the answer went on.
#[tokio::test(start_paused = true)]
async fn an_answer_that_has_held_its_turn_for_too_long_has_taken_too_long() {
    let (layer, log) = layer();
    for is_read in [false, true] {
        let field = http::HeaderName::from_static("x-conversation-id");
        let session = SessionLayer::new()
            .with_key(Conversation::in_field(field))
            .with_max_idle(Duration::from_secs(5))
            .with_max_hold(Duration::from_secs(20));
        let answers = service_fn(|_: Request<()>| async {
            let body = Script::new([data(CHUNK), Step::Wait, Step::Wait, Step::Wait]);
            Ok::<_, BoxError>(answer(200, EVENTS, body))
        });
        let service = layer.layer(session.layer(answers));
        let older = service.clone().oneshot(of_conversation("a")).await.unwrap();
        let mut older = Box::pin(older.into_body());
        if is_read {
            assert!(!read(&mut older).is_over);
        }
        let newer = service.oneshot(of_conversation("b")).await.unwrap();
        assert!(read(&mut older).error.is_some());
        assert_eq!(log.only().outcome, Outcome::Timeout, "{is_read}");
        drop(newer);
        assert_eq!(log.only().outcome, Outcome::ClientGone);
    }
}

#[test]
fn a_request_that_finds_no_readiness_has_a_record_too() {
    let (layer, log) = layer();
    let (probe, seen) = Probe::new([]);
    let busy = Error::new(ErrorKind::Unavailable);
    let mut service = layer.layer(probe.with_readiness([Readiness::Fail(busy.into())]));
    let request = || ask().map(|()| ProbeBody::empty());
    now(std::future::poll_fn(|cx| Service::<Request<ProbeBody>>::poll_ready(&mut service, cx)))
        .unwrap();
    let error = now(service.call(request())).unwrap_err();
    assert_eq!((error.kind(), seen.calls()), (ErrorKind::Unavailable, 0));
    let kept = log.only();
    assert_eq!((kept.outcome, kept.status), (Outcome::ServerError, Some(503)));
    assert_eq!(error.request_id(), Some(&*kept.id));
    // Then it is asked anew.
    now(std::future::poll_fn(|cx| Service::<Request<ProbeBody>>::poll_ready(&mut service, cx)))
        .unwrap();
    assert!(now(service.call(request())).is_ok());
    assert_eq!(seen.calls(), 1);
}

/// In an answer's drop while the thread unwinds, a second panic would end the process.
#[test]
fn an_observer_that_panics_harms_nobody() {
    #[derive(Clone)]
    struct Panics;

    impl Observer for Panics {
        fn on_end(&self, _: &Record<'_>) {
            resume_unwind(Box::new("of the observer"));
        }
    }

    let log = Log::default();
    let layer = RequestLogLayer::new().with_observer(Panics);
    let mut service = layer.layer(service_fn(act));
    for caller in CALLERS {
        for act in [Act::Json, Act::Stream, Act::Panics, Act::BodyPanics] {
            exchange(&mut service, act, caller, 1);
        }
    }
    let both = RequestLogLayer::new().with_observer((log.clone(), Panics));
    exchange(&mut both.layer(service_fn(act)), Act::Json, Caller::Reads, 1);
    assert_eq!(log.only().outcome, Outcome::Success);
    let both = RequestLogLayer::new().with_observer((Panics, log.clone()));
    exchange(&mut both.layer(service_fn(act)), Act::Json, Caller::Reads, 1);
    assert_eq!(log.only().outcome, Outcome::Success);
}

/// Whatever else it is asked, too, and so does what says the route.
#[test]
fn whoever_is_asked_may_panic() {
    #[derive(Clone)]
    struct Panics;

    impl Observer for Panics {
        fn is_enabled(&self) -> bool {
            resume_unwind(Box::new("of the observer"));
        }

        fn on_start(&self, _: &Start<'_>) {
            resume_unwind(Box::new("of the observer"));
        }

        fn on_end(&self, _: &Record<'_>) {}
    }

    let log = Log::default();
    let layer = RequestLogLayer::new().with_observer((Panics, log.clone()));
    let layer = layer.with_route(|_| resume_unwind(Box::new("of the route")));
    exchange(&mut layer.layer(service_fn(act)), Act::Json, Caller::Reads, 1);
    let kept = log.only();
    assert_eq!((kept.outcome, kept.route), (Outcome::Success, None));
    // One that cannot say whether it wants to be told is not.
    let layer = RequestLogLayer::new().with_observer(Panics);
    assert!(now(layer.layer(service_fn(act)).oneshot(with(Act::Json))).is_ok());
}

fn with(act: Act) -> Request<()> {
    let mut request = ask();
    request.extensions_mut().insert(act);
    request
}

#[test]
fn nothing_is_told_to_an_observer_that_is_not_enabled_and_nobody_tells_facts() {
    #[derive(Clone)]
    struct Disabled;

    impl Observer for Disabled {
        fn is_enabled(&self) -> bool {
            false
        }

        fn on_end(&self, _: &Record<'_>) {
            panic!("it is not enabled");
        }
    }

    let layer = RequestLogLayer::new().with_observer(Arc::new(Disabled));
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        assert!(request.extensions().get::<Facts>().is_none());
        Ok::<_, BoxError>(answer(200, JSON, Script::text(&["{}"])))
    }));
    let answer = now(service.oneshot(ask())).unwrap();
    assert!(!answer.headers().contains_key("x-request-id"));
    let mut body: Pin<Box<_>> = Box::pin(answer.into_body());
    assert_eq!(read(&mut body).bytes, b"{}");
}
