//! Recorded answers, cut at every byte. What comes of it:
//!
//! | the answer | is cut | by its end | by an error |
//! |---|---|---|---|
//! | an event stream | before its first event with content is whole, with its blank line | retried | retried |
//! | | behind that | passed | passed |
//! | | within `[DONE]`, where nothing was said before | retried | retried |
//! | | behind it, with or without its line ends | passed | passed |
//! | an event stream that begins with an error | within its JSON | retried | retried |
//! | | behind its JSON, with or without its line ends | as the error says | as the error says |
//! | a success in JSON | anywhere | passed | failed; of an idempotent request retried |
//! | an error in a 200 | before it is known by its first members | passed | failed; of an idempotent request retried |
//! | | behind them, within its JSON | as the error says | failed; of an idempotent request retried |
//! | | behind its JSON | as the error says | as the error says |
//! | an answer of 503 | anywhere | retried | retried |
//!
//! What passed and what failed is handed on as it came, with its end or its error.

mod recorded;

use std::collections::HashMap;

use http::{Method, Request, Response, header};
use http_body::Body;
use http_body_util::BodyExt as _;
use kimi_testkit::probe::{Act, Probe, ProbeBody};
use kimi_tower::{
    facts::Facts,
    raise_error::RaiseErrorLayer,
    retry::{RetryLayer, RetryPolicy},
};
use tower::ServiceExt as _;
use tower_layer::Layer as _;

use self::recorded::{CHAT, Cut, Outcome, Recorded, chat, recorded};

const CUTS: [Cut; 2] = [Cut::Clean, Cut::Broken];

fn request(method: &Method, facts: &Facts) -> Request<ProbeBody> {
    let body = ProbeBody::full(r#"{"model":"kimi-k3"}"#);
    Request::builder().method(method).extension(facts.clone()).body(body).unwrap()
}

/// Returns all data, and whether an error followed it.
async fn read(body: impl Body<Data = bytes::Bytes> + Unpin) -> (Vec<u8>, bool) {
    let (mut body, mut data) = (body, Vec::new());
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => data.extend(frame.into_data().into_iter().flatten()),
            Err(_) => return (data, true),
        }
    }
    (data, false)
}

/// Returns what comes of an answer cut at `at`, when the next is whole.
async fn outcome(
    recorded: &Recorded,
    at: usize,
    size: usize,
    cut: Cut,
    method: &Method,
) -> Outcome {
    let whole = Response::new(ProbeBody::full("whole"));
    let (probe, seen) = Probe::new([Act::Answer(recorded.cut(at, size, cut)), Act::Answer(whole)]);
    let facts = Facts::new();
    let retry = RetryLayer::new(RetryPolicy::standard()).layer(probe);
    let answer = retry.oneshot(request(method, &facts)).await.unwrap();
    let status = answer.status();
    let (data, is_broken) = read(answer.into_body()).await;
    assert_eq!(facts.attempts().map(|it| it as usize), Some(seen.calls()));
    if seen.calls() == 2 {
        assert_eq!((&data[..], is_broken), (&b"whole"[..], false));
        return Outcome::Retried;
    }
    assert_eq!(status, recorded.status);
    assert_eq!(data, &recorded.text.as_bytes()[..at], "handed on as it came");
    assert_eq!(is_broken, cut == Cut::Broken);
    if facts.retry_stop().is_some() { Outcome::Failed } else { Outcome::Passed }
}

#[tokio::test(start_paused = true)]
async fn each_cut_is_retried_passed_or_failed_as_the_table_says() {
    let mut outcomes = HashMap::<_, usize>::new();
    for recorded in recorded() {
        for at in 0..=recorded.text.len() {
            for cut in CUTS {
                for (size, method) in
                    [(usize::MAX, Method::POST), (1, Method::POST), (7, Method::PUT)]
                {
                    let outcome = outcome(&recorded, at, size, cut, &method).await;
                    let expected = recorded.expected(at, cut, method.is_idempotent());
                    let sent = &recorded.text.as_bytes()[..at];
                    let sent = String::from_utf8_lossy(sent);
                    let name = recorded.name;
                    assert_eq!(outcome, expected, "{name}: {sent:?} {cut:?} {size} {method}");
                    *outcomes.entry(outcome).or_default() += 1;
                }
            }
        }
    }
    assert!(outcomes.values().all(|count| *count > 500), "{outcomes:?}");
}

/// What stands behind an answer that is cut.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// [`CHAT`], whole.
    Whole,
    /// The same, cut at the same place, as often as it is asked for.
    Cut,
}

/// What tells how long a body in JSON is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Framing {
    ContentLength,
    /// The end of the connection alone.
    Connection,
}

/// Returns what a reader outside of `raise_error` sees: all there is, or that it is not all.
async fn read_through(
    recorded: &Recorded,
    at: usize,
    size: usize,
    cut: Cut,
    next: Next,
    framing: Framing,
) -> (Vec<u8>, bool) {
    let answer = || {
        let mut answer = recorded.cut(at, size, cut);
        if framing == Framing::ContentLength {
            answer.headers_mut().insert(header::CONTENT_LENGTH, recorded.text.len().into());
        }
        Act::Answer(answer)
    };
    let acts = match next {
        Next::Whole => vec![answer(), Act::Answer(chat())],
        Next::Cut => std::iter::repeat_with(answer).take(4).collect(),
    };
    let retry = RetryLayer::new(RetryPolicy::standard()).layer(Probe::new(acts).0);
    let client = RaiseErrorLayer::new().layer(retry);
    match client.oneshot(request(&Method::POST, &Facts::new())).await {
        Ok(answer) => read(answer.into_body()).await,
        Err(_) => (Vec::new(), true),
    }
}

#[tokio::test(start_paused = true)]
async fn no_truncation_is_silent_outside_of_raise_error() {
    let (mut wholes, mut errors) = (0, 0);
    for recorded in recorded() {
        let framings = if recorded.is_stream() {
            &[Framing::Connection][..]
        } else {
            &[Framing::Connection, Framing::ContentLength]
        };
        for at in 0..=recorded.text.len() {
            for cut in CUTS {
                for next in [Next::Whole, Next::Cut] {
                    for &framing in framings {
                        let size = if at % 2 == 0 { 1 } else { usize::MAX };
                        let (data, is_error) =
                            read_through(&recorded, at, size, cut, next, framing).await;
                        if is_error {
                            errors += 1;
                            continue;
                        }
                        wholes += 1;
                        // The end mark of a stream may lack its line ends.
                        let data = data.trim_ascii_end();
                        let is_all = data == recorded.text.trim_ascii_end().as_bytes()
                            || matches!(next, Next::Whole) && data == CHAT.as_bytes();
                        assert!(is_all, "{} {at} {cut:?} {next:?} {framing:?}", recorded.name);
                    }
                }
            }
        }
    }
    assert!(wholes > 1_000 && errors > 1_000, "{wholes} {errors}");
}
