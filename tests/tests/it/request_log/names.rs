//! The names of the fields are an interface: whoever reads logs depends on them.

use std::collections::BTreeSet;

use http::Request;
use kimi_errors::BoxError;
use kimi_tower::request_log::{
    JsonObserver, MetricsObserver, RequestLogLayer, Schema, Side, TracingObserver,
};
use serde_json::Value;
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

use super::{
    EVENTS, Script, answer, ask,
    lines::{Lines, traced},
    now, read,
    secrets::Labels,
    told::exchanges,
};

/// The names, one in a line, in the order of the alphabet.
const NAMES: &str = include_str!("names.txt");

fn names(lines: &[Value]) -> BTreeSet<&str> {
    let objects = lines.iter().filter_map(Value::as_object);
    objects.flat_map(|object| object.keys().map(String::as_str)).collect()
}

#[tokio::test(start_paused = true)]
async fn they_are_those_of_the_list() {
    let golden: BTreeSet<&str> = NAMES.lines().collect();
    let (new, old) = (Lines::default(), Lines::default());
    exchanges(JsonObserver::new(new.clone())).await;
    exchanges(JsonObserver::new(old.clone()).with_schema(Schema::V1_36)).await;
    let lines = [new.take_json(), old.take_json()].concat();
    assert_eq!(names(&lines), golden);

    let events = traced(TracingObserver::new().with_schema(Schema::V1_36)).await;
    let events = [events, traced(TracingObserver::new()).await].concat();
    let mut names = names(&events);
    assert!(names.remove("target"));
    assert_eq!(names, golden);
}

#[test]
fn metrics_are_named_and_labeled_as_in_the_table() {
    let labels = Labels::default();
    let said = concat!(
        r#"data: {"choices":[{"delta":{"content":"x"}}],"#,
        r#""usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
        "\n\n"
    );
    metrics::with_local_recorder(&labels, || {
        for (side, schema, status) in
            [(Side::Server, Schema::V1_37, 200), (Side::Client, Schema::V1_36, 500)]
        {
            let layer = RequestLogLayer::new()
                .with_observer(MetricsObserver::new().with_schema(schema))
                .with_side(side)
                .with_route(|_| Some("/v1/chat/completions".into()));
            let service = layer.layer(service_fn(move |_: Request<()>| async move {
                let body = Script::text(&[said, "data: [DONE]\n\n"]);
                Ok::<_, BoxError>(answer(status, EVENTS, body))
            }));
            let answer = now(service.oneshot(ask())).unwrap();
            read(&mut Box::pin(answer.into_body()));
        }
    });
    let names: Vec<_> = labels.names().into_iter().collect();
    assert_eq!(
        names,
        [
            "gen_ai.client.token.usage: gen_ai.operation.name gen_ai.provider.name gen_ai.token.type",
            "gen_ai.client.token.usage: gen_ai.operation.name gen_ai.system gen_ai.token.type",
            "gen_ai.server.time_to_first_token: gen_ai.operation.name gen_ai.provider.name",
            "http.client.request.duration: http.request.method http.response.status_code error.type http.route",
            "http.server.request.duration: http.request.method http.response.status_code http.route",
            "kimi.requests: kimi.outcome",
        ]
    );
}
