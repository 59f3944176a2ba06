//! What is written of a record: the names of the fields, in their order.

use std::time::Duration;

use super::{
    Record, Schema, Start,
    plain::{Plain, Previews},
};

/// The operation of a chat, and whose model it is, by OpenTelemetry's conventions.
pub(super) const OPERATION: &str = "chat";
pub(super) const PROVIDER: &str = "moonshot_ai";

/// The name of a field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    /// As a member of an object that is not the first: `,"kimi.outcome":`.
    pub(super) in_json: &'static str,
    /// The same before a string: `,"kimi.outcome":"`.
    pub(super) before_string: &'static str,
}

macro_rules! name {
    ($name:literal) => {
        Name {
            in_json: concat!(",\"", $name, "\":"),
            before_string: concat!(",\"", $name, "\":\""),
        }
    };
}

/// Writes fields.
///
/// Where it is asked, which field it is and what sort of value are constants: inlined there, a field is
/// a few moves.
pub(super) trait WriteField {
    /// Writes one.
    fn field(&mut self, name: Name, value: Value<'_>);

    /// Writes one that may be missing.
    #[inline(always)]
    fn maybe(&mut self, name: Name, value: Option<Value<'_>>) {
        if let Some(value) = value {
            self.field(name, value);
        }
    }
}

/// The value of a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    /// One in which nothing has to be escaped.
    Word(&'a str),
    Text(&'a str),
    /// One text in a list.
    Listed(&'a str),
    Number(u64),
    Signed(i64),
    Flag(bool),
    Time(Duration),
    /// A number in so many hexadecimal digits.
    Hex(u128, u8),
    Previews(Previews<'a>),
}

/// A time as it is written: in milliseconds, to the microsecond.
#[derive(Clone, Copy, Debug)]
pub(super) struct Milliseconds(pub(super) Duration);

impl Milliseconds {
    pub(super) fn as_f64(self) -> f64 {
        self.0.as_micros() as f64 / 1000.0
    }

    /// Returns the whole milliseconds, and the microseconds beyond them.
    pub(super) fn parts(self) -> (u64, u32) {
        let whole = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        (whole, self.0.subsec_micros() % 1000)
    }
}

/// Goes over what is known when a request comes.
#[inline]
pub(super) fn of_start(start: &Start<'_>, to: &mut impl WriteField) {
    to.field(name!("kimi.request.id"), Value::Word(start.request_id));
    if let Some(trace) = start.trace {
        to.field(name!("trace_id"), Value::Hex(trace.trace_id(), 32));
        to.field(name!("span_id"), Value::Hex(trace.parent_id().into(), 16));
    }
    to.field(name!("http.request.method"), Value::Word(start.method_name()));
    to.field(name!("url.path"), Value::Text(start.path));
    if let Some(route) = start.route {
        to.field(name!("http.route"), Value::Text(route));
    }
}

/// Goes over what is known when it is over.
#[inline]
pub(super) fn of_record(record: &Record<'_>, schema: Schema, to: &mut impl WriteField) {
    let plain = Plain::of(record);
    to.field(name!("schema_url"), Value::Word(schema.url()));
    to.field(name!("kimi.outcome"), Value::Word(record.outcome.as_str()));
    of_start(&record.start, to);
    let number = |number: Option<u64>| number.map(Value::Number);
    to.maybe(name!("network.protocol.version"), record.start.version_name().map(Value::Word));
    to.maybe(
        name!("server.address"),
        record.start.server.map(|server| Value::Text(server.address)),
    );
    let port = record.start.server.and_then(|server| server.port);
    to.maybe(name!("server.port"), number(port.map(u64::from)));
    let error_type = record.error_type();
    let status = record.status.map(|status| u64::from(status.as_u16()));
    to.maybe(name!("http.response.status_code"), number(status));
    to.maybe(name!("error.type"), error_type.as_deref().map(Value::Word));
    to.maybe(name!("kimi.errcode"), record.errcode().map(|code| Value::Signed(code.into())));
    to.field(name!("kimi.duration_ms"), Value::Time(record.duration));
    to.maybe(name!("kimi.time_to_head_ms"), record.time_to_head.map(Value::Time));
    to.maybe(name!("kimi.time_to_first_content_ms"), record.time_to_first_content.map(Value::Time));
    to.maybe(name!("kimi.longest_gap_ms"), record.longest_gap.map(Value::Time));
    to.maybe(name!("kimi.queue_wait_ms"), record.queue_wait().map(Value::Time));
    to.field(name!("http.response.body.size"), Value::Number(record.bytes));
    to.field(name!("kimi.response.chunks"), Value::Number(record.chunks));
    if record.start.is_chat() || plain.model.is_some() {
        to.field(name!("gen_ai.operation.name"), Value::Word(OPERATION));
        let provider = match schema {
            Schema::V1_36 => name!("gen_ai.system"),
            Schema::V1_37 => name!("gen_ai.provider.name"),
        };
        to.field(provider, Value::Word(PROVIDER));
    }
    to.maybe(name!("gen_ai.request.model"), plain.model.map(Value::Text));
    let reason = record.finish_reason.map(|reason| Value::Listed(reason.as_str()));
    to.maybe(name!("gen_ai.response.finish_reasons"), reason);
    to.maybe(name!("gen_ai.usage.input_tokens"), number(record.input_tokens));
    to.maybe(name!("gen_ai.usage.output_tokens"), number(record.output_tokens));
    to.maybe(name!("kimi.request.stream"), plain.is_stream.map(Value::Flag));
    to.maybe(name!("kimi.request.messages"), number(plain.messages.map(|count| count as u64)));
    let has_preview = plain.previews.iter().len() > 0;
    to.maybe(name!("kimi.request.preview"), has_preview.then_some(Value::Previews(plain.previews)));
    to.maybe(name!("kimi.attempts"), number(plain.attempts.map(u64::from)));
    to.maybe(name!("kimi.retry.stop"), plain.retry_stop.map(Value::Word));
    to.maybe(name!("kimi.rate.decision"), plain.rate_decision.map(Value::Word));
    to.maybe(name!("kimi.rate.rule"), plain.rate_rule.map(Value::Text));
    to.maybe(
        name!("kimi.session.hash"),
        plain.session_hash.map(|hash| Value::Hex(hash.into(), 16)),
    );
    to.maybe(name!("kimi.session.decision"), plain.session_decision.map(Value::Word));
    to.maybe(name!("kimi.session.lost"), plain.session_lost.map(Value::Word));
    to.maybe(name!("kimi.upstream.request_id"), record.upstream_request_id.map(Value::Word));
}
