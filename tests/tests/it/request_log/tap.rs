//! What is read of a body while it passes: it changes none of it, and its numbers are those of
//! whoever reads it whole.

use std::pin::Pin;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};
use http_body::Body as _;
use kimi_errors::{BoxError, ErrorKind, grpc};
use kimi_tower::request_log::{FinishReason, Outcome};
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest,
};
use serde_json::json;
use std::task::{Context, Poll, Waker};
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

use super::{EVENTS, JSON, Kept, Script, Step, answer, ask, data, layer, now, read};

/// Sends the steps as the body of an answer through the layer, and returns the frames that came, with
/// what the record says.
fn through(content_type: &'static str, status: u16, steps: Vec<Step>) -> (Vec<Bytes>, Kept) {
    let (layer, log) = layer();
    let script = tokio::sync::Mutex::new(Some(Script::new(steps)));
    let service = layer.layer(service_fn(|_: Request<()>| {
        let script = script.try_lock().unwrap().take().unwrap();
        async move { Ok::<_, BoxError>(answer(status, content_type, script)) }
    }));
    let response = now(service.oneshot(ask())).unwrap();
    let mut body: Pin<Box<_>> = Box::pin(response.into_body());
    let mut frames = Vec::new();
    let mut context = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(&mut context) {
        frames.extend(frame.into_data());
    }
    (frames, log.only())
}

/// What an event of a stream is.
#[derive(Clone, Debug)]
enum Event {
    Comment,
    Opening,
    Content(String),
    /// Begins and ends as content does, and says what it has used in between.
    Sneaky(u64, u64),
    Finish(&'static str, FinishReason),
    Usage(u64, u64),
    Error,
    Done,
}

impl Event {
    fn text(&self) -> String {
        let around = |text: &str| {
            format!(
                r#"{{"id":"chatcmpl-1","choices":[{{"index":0,"delta":{{"content":{text}}},"finish_reason":null}}]}}"#
            )
        };
        let data = match self {
            Self::Comment => return ": {\"usage\":{\"prompt_tokens\":99}}\n\n".to_owned(),
            Self::Opening => {
                json!({"choices":[{"delta":{"role":"assistant","content":""}}]}).to_string()
            }
            Self::Content(text) => around(&serde_json::to_string(text).unwrap()),
            Self::Sneaky(prompt, completion) => around(&format!(
                r#""a","usage":{{"prompt_tokens":{prompt},"completion_tokens":{completion}}},"x":"b""#
            )),
            Self::Finish(reason, _) => {
                json!({"choices":[{"delta":{},"finish_reason":reason}]}).to_string()
            }
            Self::Usage(prompt, completion) => json!({
                "choices":[],
                "usage":{"prompt_tokens":prompt,"completion_tokens":completion,"total_tokens":1},
            })
            .to_string(),
            Self::Error => {
                json!({"error":{"message":"x","type":"engine_overloaded_error"}}).to_string()
            }
            Self::Done => "[DONE]".to_owned(),
        };
        format!("data: {data}\n\n")
    }

    fn is_content(&self) -> bool {
        !matches!(self, Self::Comment | Self::Opening | Self::Error | Self::Done)
    }
}

fn event() -> impl Strategy<Value = Event> {
    let text = prop_oneof![
        "[a-zA-Z月 ,]{0,12}",
        r#"["\\:,{}\n月a]{0,12}"#,
        Just("\",\"usage\":{\"prompt_tokens\":7},\"x\":\"".to_owned()),
        Just("\"finish_reason\":\"length\"".to_owned()),
        any::<String>(),
    ];
    let reasons = prop::sample::select(
        &[
            ("stop", FinishReason::Stop),
            ("length", FinishReason::Length),
            ("tool_calls", FinishReason::ToolCalls),
            ("content_filter", FinishReason::ContentFilter),
            ("something", FinishReason::Other),
        ][..],
    );
    prop_oneof![
        1 => Just(Event::Comment),
        1 => Just(Event::Opening),
        12 => text.prop_map(Event::Content),
        1 => (0..1000_u64, 0..1000_u64).prop_map(|(a, b)| Event::Sneaky(a, b)),
        1 => reasons.prop_map(|(name, reason)| Event::Finish(name, reason)),
        1 => (0..1000_u64, 0..1000_u64).prop_map(|(a, b)| Event::Usage(a, b)),
        1 => Just(Event::Error),
        1 => Just(Event::Done),
    ]
}

/// How a text is cut.
#[derive(Clone, Debug)]
enum Cut {
    /// Where events end.
    ByEvents,
    BySizes(Vec<usize>),
}

fn cut() -> impl Strategy<Value = Cut> {
    prop_oneof![
        Just(Cut::ByEvents),
        prop::collection::vec(0_usize..300, 1..6)
            .prop_filter("to come to an end", |sizes| sizes.iter().any(|size| *size > 0))
            .prop_map(Cut::BySizes),
    ]
}

fn pieces(texts: &[String], cut: &Cut) -> Vec<Bytes> {
    let Cut::BySizes(sizes) = cut else {
        return texts.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect();
    };
    let mut rest = Bytes::from(texts.concat());
    let mut pieces = Vec::new();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        pieces.push(rest.split_to((*size).min(rest.len())));
    }
    pieces
}

fn steps(pieces: &[Bytes]) -> Vec<Step> {
    pieces.iter().map(|piece| Step::Data(piece.clone())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn prop_a_stream_passes_byte_for_byte_and_its_numbers_are_right(
        events in prop::collection::vec(event(), 0..20),
        cut in cut(),
        line_end in prop::sample::select(&["\n", "\r\n", "\r"][..]),
    ) {
        let texts: Vec<String> =
            events.iter().map(|event| event.text().replace('\n', line_end)).collect();
        let pieces = pieces(&texts, &cut);
        let (frames, kept) = through(EVENTS, 200, steps(&pieces));
        prop_assert_eq!(&frames, &pieces);

        let length: usize = texts.iter().map(String::len).sum();
        prop_assert_eq!(kept.bytes, length as u64);
        let chunks = pieces.iter().filter(|piece| !piece.is_empty()).count();
        prop_assert_eq!(kept.chunks, chunks as u64);
        let tokens = events.iter().rev().find_map(|event| match event {
            Event::Usage(prompt, completion) | Event::Sneaky(prompt, completion) => {
                Some((Some(*prompt), Some(*completion)))
            }
            _ => None,
        });
        prop_assert_eq!(kept.tokens, tokens.unwrap_or_default());
        let reason = events.iter().rev().find_map(|event| match event {
            Event::Finish(_, reason) => Some(*reason),
            _ => None,
        });
        prop_assert_eq!(kept.finish_reason, reason);
        let has_content = events.iter().any(Event::is_content);
        prop_assert_eq!(kept.time_to_first_content.is_some(), has_content);
        let outcome = if events.iter().any(|event| matches!(event, Event::Error)) {
            Outcome::StreamError
        } else if events.iter().any(|event| matches!(event, Event::Done)) {
            Outcome::Success
        } else {
            Outcome::Truncated
        };
        prop_assert_eq!(kept.outcome, outcome);
    }

    #[test]
    fn prop_a_text_of_json_passes_byte_for_byte_and_its_numbers_are_right(
        content in any::<String>(),
        tokens in prop::option::of((0..1000_u64, 0..1000_u64)),
        is_cut_off in any::<bool>(),
        cut in cut(),
    ) {
        let mut answer = json!({
            "choices": [{ "message": { "content": content }, "finish_reason": "stop" }],
        });
        if let Some((prompt, completion)) = tokens {
            answer["usage"] = json!({"prompt_tokens": prompt, "completion_tokens": completion});
        }
        let pieces = pieces(&[answer.to_string()], &cut);
        let mut steps = steps(&pieces);
        if is_cut_off {
            steps.push(Step::Fail("cut off".into()));
        }
        let (frames, kept) = through(JSON, 200, steps);
        prop_assert_eq!(&frames, &pieces);
        prop_assert_eq!(kept.bytes, answer.to_string().len() as u64);
        prop_assert_eq!(kept.finish_reason, Some(FinishReason::Stop));
        let expected = tokens.map(|(prompt, completion)| (Some(prompt), Some(completion)));
        prop_assert_eq!(kept.tokens, expected.unwrap_or_default());
        let outcome = if is_cut_off { Outcome::BodyError } else { Outcome::Success };
        prop_assert_eq!(kept.outcome, outcome);
    }

    #[test]
    fn prop_any_bytes_pass(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20),
        is_stream in any::<bool>(),
    ) {
        let pieces: Vec<Bytes> = chunks.into_iter().map(Bytes::from).collect();
        let content_type = if is_stream { EVENTS } else { JSON };
        prop_assert_eq!(through(content_type, 200, steps(&pieces)).0, pieces);
    }

    /// Errors are found however they are cut.
    #[test]
    fn prop_a_failure_inside_a_200_is_told(cut in cut()) {
        let text = r#"{"errcode":-2002,"errmsg":"Token已失效","data":null}"#.to_owned();
        let (_, kept) = through(JSON, 200, steps(&pieces(&[text], &cut)));
        prop_assert_eq!(kept.outcome, Outcome::ClientError);
        prop_assert_eq!((kept.status, kept.errcode), (Some(200), Some(-2002)));
        prop_assert_eq!(kept.error_type.as_deref(), Some("token_expired"));
    }
}

#[test]
fn the_body_of_an_error_says_which() {
    let text = r#"{"error":{"message":"x","type":"rate_limit_reached_error"}}"#;
    let (_, kept) = through(JSON, 429, vec![data(text)]);
    assert_eq!(kept.outcome, Outcome::ClientError);
    assert_eq!(kept.error_type.as_deref(), Some("rate_limited"));
    let (_, kept) = through("text/html", 502, vec![data("<html>")]);
    assert_eq!(kept.outcome, Outcome::ServerError);
    assert_eq!(kept.error_type.as_deref(), Some("502"));
}

#[test]
fn trailers_pass_and_those_of_grpc_say_how_it_ended() {
    let error = kimi_errors::Error::new(ErrorKind::StreamBusy);
    let ok = HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        HeaderValue::from_static("0"),
    )]);
    for (trailers, outcome) in
        [(grpc::trailers(&error), Outcome::ClientError), (ok, Outcome::Success)]
    {
        let steps = vec![data("\0\0\0\0\0"), Step::Trailers(trailers)];
        let (frames, kept) = through("application/grpc", 200, steps);
        assert_eq!((frames.len(), kept.outcome), (1, outcome));
    }
}

#[test]
fn the_end_of_a_stream_may_be_optional() {
    let (layer, log) = layer();
    let service = layer.without_stream_end().layer(service_fn(async |_: Request<()>| {
        Ok::<_, BoxError>(answer(200, EVENTS, Script::text(&["data: {}\n\n"])))
    }));
    let response = now(service.oneshot(ask())).unwrap();
    read(&mut Box::pin(response.into_body()));
    assert_eq!(log.only().outcome, Outcome::Success);
}

#[test]
fn a_compressed_body_is_not_read() {
    let (layer, log) = layer();
    let service = layer.layer(service_fn(async |_: Request<()>| {
        let mut answer = answer(200, EVENTS, Script::text(&["data: {\"error\":{}}\n\n"]));
        answer.headers_mut().insert("content-encoding", HeaderValue::from_static("gzip"));
        Ok::<_, BoxError>(answer)
    }));
    let response = now(service.oneshot(ask())).unwrap();
    read(&mut Box::pin(response.into_body()));
    let kept = log.only();
    assert_eq!((kept.outcome, kept.chunks), (Outcome::Success, 1));
}
