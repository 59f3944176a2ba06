use std::time::Duration;

use metrics::{Label, SharedString, counter, histogram};

use super::{
    super::{
        Record, Schema, Side,
        fields::{OPERATION, PROVIDER},
        plain::Plain,
    },
    Observer,
};

/// Counts and measures requests, through the facade of the crate `metrics`.
///
/// | metric | sort, unit | labels |
/// |---|---|---|
/// | `kimi.requests` | counter | `kimi.outcome` |
/// | `http.server.request.duration`, on the client's side `http.client.request.duration` | histogram, seconds | `http.request.method`, `http.response.status_code`, `error.type`, `http.route` |
/// | `gen_ai.server.time_to_first_token`, on the server's side, of streams | histogram, seconds | `gen_ai.operation.name`, `gen_ai.provider.name` |
/// | `gen_ai.client.token.usage`, where the answer tells it | histogram, tokens | as above, `gen_ai.token.type` |
/// | `kimi.queue.wait`, of those that have waited | histogram, seconds | none |
/// | `kimi.retries`, of attempts that were not the first | counter | none |
/// | `kimi.rate.decisions`, of requests that a limit has not let pass at once, or would not have | counter | `kimi.rate.decision` |
/// | `kimi.session.decisions`, of requests of a session | counter | `kimi.session.decision` |
///
/// Names and units are of OpenTelemetry's conventions where they have such a metric. No label has
/// what a caller chose: no key, no id, no path, and not the model, of which a caller could name one
/// after the other. The route is what [`with_route`](super::super::RequestLogLayer::with_route) says.
///
/// Sampling is not for metrics: put it around the other observer only.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct MetricsObserver {
    schema: Schema,
}

impl MetricsObserver {
    /// Creates it, with the default [`Schema`].
    pub const fn new() -> Self {
        Self { schema: Schema::V1_37 }
    }

    /// Sets by which version of the conventions labels are named.
    pub const fn with_schema(mut self, schema: Schema) -> Self {
        self.schema = schema;
        self
    }

    /// Returns the labels that all metrics of chats have.
    fn chat(self) -> Vec<Label> {
        let provider = match self.schema {
            Schema::V1_36 => "gen_ai.system",
            Schema::V1_37 => "gen_ai.provider.name",
        };
        vec![
            Label::from_static_parts("gen_ai.operation.name", OPERATION),
            Label::from_static_parts(provider, PROVIDER),
        ]
    }

    fn tokens(self, sort: &'static str, count: Option<u64>) {
        let Some(count) = count else { return };
        let mut labels = self.chat();
        labels.push(Label::from_static_parts("gen_ai.token.type", sort));
        // Counts of tokens are far below 2^53.
        histogram!("gen_ai.client.token.usage", labels).record(count as f64);
    }
}

impl Observer for MetricsObserver {
    fn on_end(&self, record: &Record<'_>) {
        counter!("kimi.requests", "kimi.outcome" => record.outcome.as_str()).increment(1);
        let duration = match record.start.side {
            Side::Server => "http.server.request.duration",
            Side::Client => "http.client.request.duration",
        };
        histogram!(duration, of_http(record)).record(record.duration);
        if record.start.side == Side::Server && record.is_stream {
            let name = "gen_ai.server.time_to_first_token";
            let record_one = |time: Duration| histogram!(name, self.chat()).record(time);
            record.time_to_first_content.into_iter().for_each(record_one);
        }
        self.tokens("input", record.input_tokens);
        self.tokens("output", record.output_tokens);
        if let Some(wait) = record.queue_wait() {
            histogram!("kimi.queue.wait").record(wait);
        }
        let plain = Plain::of(record);
        let retries = plain.attempts.map_or(0, |attempts| attempts.saturating_sub(1));
        if retries > 0 {
            counter!("kimi.retries").increment(retries.into());
        }
        if let Some(decision) = plain.rate_decision {
            counter!("kimi.rate.decisions", "kimi.rate.decision" => decision).increment(1);
        }
        if let Some(decision) = plain.session_decision {
            counter!("kimi.session.decisions", "kimi.session.decision" => decision).increment(1);
        }
    }
}

fn of_http(record: &Record<'_>) -> Vec<Label> {
    let mut labels =
        vec![Label::from_static_parts("http.request.method", record.start.method_name())];
    let mut label = |name: &'static str, value: SharedString| labels.push(Label::new(name, value));
    if let Some(status) = record.status {
        label("http.response.status_code", status.as_str().to_owned().into());
    }
    if let Some(error_type) = record.error_type() {
        label("error.type", error_type.into_owned().into());
    }
    if let Some(route) = record.start.route {
        label("http.route", route.to_owned().into());
    }
    labels
}
