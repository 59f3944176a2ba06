//! Lines: of JSON, of text, and of `tracing`. Each is whole, and can be read back.

use std::{
    io::{self, Write},
    num::NonZeroU32,
    sync::Arc,
};

use http::Request;
use kimi_errors::BoxError;
use kimi_tower::{
    request_log::{
        JsonObserver, Levels, Observer, Outcome, RequestLogLayer, Sampled, Schema, TextObserver,
        TracingObserver,
    },
    validate::ValidateLayer,
};
use kimi_validate::Profile;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tower::{ServiceBuilder, ServiceExt as _, service_fn};
use tower_layer::Layer as _;
use tracing::{Dispatch, Level, level_filters::LevelFilter, subscriber::set_default};

use super::{EVENTS, JSON, Script, answer, ask, now, read, told};

/// A writer that keeps what is written, each time in one piece.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<Vec<u8>>>>);

impl Lines {
    pub(crate) fn take(&self) -> Vec<String> {
        let lines = std::mem::take(&mut *self.0.try_lock().unwrap());
        lines.into_iter().map(|line| String::from_utf8(line).unwrap()).collect()
    }

    pub(crate) fn take_json(&self) -> Vec<Value> {
        self.take().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.try_lock().unwrap().push(line.to_vec());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What `tracing-subscriber` writes of the exchanges, as JSON.
pub(super) async fn traced(observer: TracingObserver) -> Vec<Value> {
    let lines = Lines::default();
    let written = lines.clone();
    let subscriber = || {
        let written = written.clone();
        tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_max_level(LevelFilter::TRACE)
            .with_writer(move || written.clone())
            .finish()
    };
    // While there is only one, an event that another test is the first to reach is held to be of
    // interest to nobody.
    let _other = Dispatch::new(subscriber());
    let listening = set_default(subscriber());
    told::exchanges(observer).await;
    drop(listening);
    let target = "kimi_tower::request_log";
    lines.take_json().into_iter().filter(|line| line["target"] == target).collect()
}

#[tokio::test(start_paused = true)]
async fn an_event_of_tracing_says_what_a_line_says() {
    let lines = Lines::default();
    told::exchanges(JsonObserver::new(lines.clone()).with_starts()).await;
    let lines = lines.take_json();
    let events = traced(TracingObserver::new()).await;
    assert_eq!((lines.len(), events.len()), (16, 16));
    for (line, event) in lines.iter().zip(&events) {
        let line = line.as_object().unwrap();
        for (name, value) in line {
            let told = &event[name];
            match (&**name, value, told) {
                // Each has its own clock and its own secret.
                ("timestamp" | "kimi.session.hash", _, told) => assert!(told.is_string()),
                // Events have no lists.
                (_, Value::Array(items), Value::String(told)) => {
                    let first = items[0].as_str().or(items[0]["content"].as_str()).unwrap();
                    assert!(told.contains(first), "{told}");
                }
                _ => assert_eq!(value, told, "{name}"),
            }
        }
        assert_eq!(line.len() + 1, event.as_object().unwrap().len(), "{event}");
    }
}

fn exchange(observer: impl Observer + Clone, status: u16) {
    let layer = RequestLogLayer::new().with_observer(observer);
    let service = layer.layer(service_fn(move |_: Request<()>| async move {
        Ok::<_, BoxError>(answer(status, JSON, Script::text(&[])))
    }));
    drop(now(service.oneshot(ask())).unwrap());
}

#[test]
fn levels_and_schema_are_what_one_sets() {
    let lines = Lines::default();
    let levels = Levels::new().with(Outcome::ClientError, Level::TRACE);
    let observer = JsonObserver::new(lines.clone()).with_levels(levels).with_schema(Schema::V1_36);
    for (status, level) in [(404, "TRACE"), (503, "ERROR")] {
        exchange(observer.clone(), status);
        let line = &lines.take_json()[0];
        assert_eq!(
            (&line["level"], &line["schema_url"]),
            (&level.into(), &Schema::V1_36.url().into())
        );
        assert_eq!(line["gen_ai.system"], "moonshot_ai");
        assert_eq!(line["gen_ai.provider.name"], Value::Null);
    }
}

/// One that is kept at all is kept by its id, on every machine.
#[test]
fn of_many_successes_some_are_told_and_of_failures_all() {
    let lines = Lines::default();
    let observer = JsonObserver::new(lines.clone()).with_starts();
    let sampled = Sampled::new(observer, NonZeroU32::new(10).unwrap());
    let layer = RequestLogLayer::new().with_observer(sampled);
    let told = |status: u16| -> Vec<Value> {
        for number in 0..40 {
            let service = layer.layer(service_fn(move |_: Request<()>| async move {
                Ok::<_, BoxError>(answer(status, JSON, Script::text(&[])))
            }));
            let mut request = ask();
            let id = format!("req-{number}").parse().unwrap();
            request.headers_mut().insert("x-request-id", id);
            let answer = now(service.oneshot(request)).unwrap();
            read(&mut Box::pin(answer.into_body()));
        }
        lines.take_json()
    };
    let ids = |lines: &[Value], message: &str| -> Vec<String> {
        let those = lines.iter().filter(|line| line["message"] == message);
        those.map(|line| line["kimi.request.id"].as_str().unwrap().to_owned()).collect()
    };
    let kept = ["req-1", "req-2", "req-4", "req-5", "req-12", "req-22", "req-39"];
    let successes = told(200);
    assert_eq!(ids(&successes, "request"), kept);
    assert_eq!(ids(&successes, "request started"), kept);
    let failures = told(500);
    assert_eq!(ids(&failures, "request").len(), 40);
    assert_eq!(ids(&failures, "request started"), kept);
}

/// Each line is written with one call, so that lines of several threads do not mix.
#[test]
fn a_line_is_whole_whatever_the_request_is() {
    let (json, text) = (Lines::default(), Lines::default());
    let observer = (JsonObserver::new(json.clone()), TextObserver::new(text.clone()));
    let layer = RequestLogLayer::new()
        .with_observer(observer)
        .with_route(|_| Some("a\n{\"kimi.outcome\":\"success\"}\r\u{2028}\u{85} b".into()));
    let service = layer.layer(service_fn(async |_: Request<()>| {
        Ok::<_, BoxError>(answer(200, EVENTS, Script::text(&["data: [DONE]\n\n"])))
    }));
    let mut request = ask();
    *request.uri_mut() = "/%0A\"'{}[]|~!".parse().unwrap();
    let answer = now(service.oneshot(request)).unwrap();
    read(&mut Box::pin(answer.into_body()));
    for lines in [json.take(), text.take()] {
        let [line] = lines.try_into().unwrap();
        assert!(line.ends_with('\n'));
        let rest = line.trim_end_matches('\n');
        assert!(!rest.contains(['\n', '\r', '\u{2028}', '\u{85}']), "{line:?}");
    }
}

/// Whoever writes what a user has said as it came lets the user write fields.
#[test]
fn what_is_said_in_a_preview_is_no_field_of_tracing_s_text() {
    let lines = Lines::default();
    let written = lines.clone();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || written.clone()).finish();
    let said = "x\" kimi.outcome=\"success\" | assistant: y";
    let body = json!({ "model": "kimi", "messages": [{ "role": "user", "content": said }] });
    tracing::subscriber::with_default(subscriber, || {
        let service = ServiceBuilder::new()
            .layer(RequestLogLayer::new().with_observer(TracingObserver::new()).with_preview(99))
            .layer(ValidateLayer::new(Profile::free_api()))
            .service(service_fn(async |_: Request<_>| {
                Ok::<_, BoxError>(answer(500, JSON, Script::text(&[])))
            }));
        let request = Request::post("/v1/chat/completions").header("content-type", JSON);
        let request = request.body(http_body_util::Full::<bytes::Bytes>::from(body.to_string()));
        drop(now(service.oneshot(request.unwrap())).unwrap());
    });
    let lines = lines.take().concat();
    assert!(lines.contains(r#"kimi.request.preview="user=\"x\\\" kimi"#), "{lines}");
    assert_eq!(lines.matches(r#"kimi.outcome=""#).count(), 1, "{lines}");
}

#[tokio::test(start_paused = true)]
async fn a_line_of_text_is_for_people() {
    let lines = Lines::default();
    told::exchanges(TextObserver::new(lines.clone())).await;
    let lines = lines.take();
    // Behind the date.
    let said = |line: usize| lines[line].split_once(' ').unwrap().1.trim_end();
    assert_eq!(
        said(0),
        " INFO success 200 POST /v1/chat/completions 250.000ms first=250.000ms model=kimi-k3 \
         tokens=8+2 finish=stop bytes=183 chunks=3 id=req-7 system=\"简短\\n回答\" \
         user=\"月月月月月月月月月月...\""
    );
    assert_eq!(
        said(6),
        " WARN client_error 429 POST /v1/chat/completions 0.000ms error=rate_limited \
         errcode=-2001 bytes=0 chunks=0 rate=refused id=req-7"
    );
}

#[test]
fn a_writer_that_fails_harms_nobody_and_is_counted() {
    #[derive(Debug)]
    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let observer = JsonObserver::new(Full);
    exchange(observer.clone(), 200);
    exchange(observer.clone(), 200);
    assert_eq!(observer.lost(), 2);
}
