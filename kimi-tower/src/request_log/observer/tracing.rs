use std::fmt;

use tracing::{Level, level_filters::LevelFilter};

use super::{
    super::{
        Record, Schema, Start,
        fields::{Milliseconds, OPERATION, PROVIDER},
        plain::{Plain, Previews},
    },
    Levels, Observer,
};

/// Writes each record as an event of `tracing`, with the target `kimi_tower::request_log`, the message
/// `request` or, when it comes, `request started`, and the fields of the
/// [table](crate::request_log#fields).
///
/// Times are floating-point numbers of milliseconds, and previews one text. Without a subscriber, or
/// with one that wants nothing so quiet, it is not enabled.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct TracingObserver {
    levels: Levels,
    schema: Schema,
}

impl TracingObserver {
    /// Creates it, with the default [`Levels`] and [`Schema`].
    pub const fn new() -> Self {
        Self { levels: Levels::new(), schema: Schema::V1_37 }
    }

    /// Sets how loud each outcome is.
    pub const fn with_levels(mut self, levels: Levels) -> Self {
        self.levels = levels;
        self
    }

    /// Sets by which version of the conventions fields are named.
    pub const fn with_schema(mut self, schema: Schema) -> Self {
        self.schema = schema;
        self
    }
}

/// Writes an event of any level, which the macros must know beforehand.
macro_rules! event {
    ($level:expr, $($rest:tt)*) => {
        match $level {
            Level::ERROR => tracing::event!(target: TARGET, Level::ERROR, $($rest)*),
            Level::WARN => tracing::event!(target: TARGET, Level::WARN, $($rest)*),
            Level::INFO => tracing::event!(target: TARGET, Level::INFO, $($rest)*),
            Level::DEBUG => tracing::event!(target: TARGET, Level::DEBUG, $($rest)*),
            Level::TRACE => tracing::event!(target: TARGET, Level::TRACE, $($rest)*),
        }
    };
}

const TARGET: &str = "kimi_tower::request_log";

impl Observer for TracingObserver {
    #[inline]
    fn is_enabled(&self) -> bool {
        let quietest = LevelFilter::current();
        self.levels.loudest() <= quietest || self.levels.of_start() <= quietest
    }

    fn on_start(&self, start: &Start<'_>) {
        event!(
            self.levels.of_start(),
            kimi.request.id = start.request_id,
            trace_id = start.trace.map(|it| tracing::field::display(Hex(it.trace_id(), 32))),
            span_id = start.trace.map(|it| tracing::field::display(Hex(it.parent_id().into(), 16))),
            http.request.method = start.method_name(),
            url.path = start.path,
            http.route = start.route,
            "request started",
        );
    }

    fn on_end(&self, record: &Record<'_>) {
        let start = &record.start;
        let plain = Plain::of(record);
        let is_chat = start.is_chat() || plain.model.is_some();
        let provider = is_chat.then_some(PROVIDER);
        let (new, old) = match self.schema {
            Schema::V1_37 => (provider, None),
            Schema::V1_36 => (None, provider),
        };
        let error_type = record.error_type();
        let milliseconds = |time: Option<_>| time.map(|time| Milliseconds(time).as_f64());
        // As a text, and not as something that shows itself: what it says is then quoted.
        let has_preview = plain.previews.iter().len() > 0;
        let previews = has_preview.then(|| shown(plain.previews));
        event!(
            self.levels.of(record),
            schema_url = self.schema.url(),
            kimi.outcome = record.outcome.as_str(),
            kimi.request.id = start.request_id,
            trace_id = start.trace.map(|it| tracing::field::display(Hex(it.trace_id(), 32))),
            span_id = start.trace.map(|it| tracing::field::display(Hex(it.parent_id().into(), 16))),
            http.request.method = start.method_name(),
            url.path = start.path,
            http.route = start.route,
            network.protocol.version = start.version_name(),
            server.address = start.server.map(|server| server.address),
            server.port = start.server.and_then(|server| server.port),
            http.response.status_code = record.status.map(|status| status.as_u16()),
            "error.type" = error_type.as_deref(),
            kimi.errcode = record.errcode(),
            kimi.duration_ms = Milliseconds(record.duration).as_f64(),
            kimi.time_to_head_ms = milliseconds(record.time_to_head),
            kimi.time_to_first_content_ms = milliseconds(record.time_to_first_content),
            kimi.longest_gap_ms = milliseconds(record.longest_gap),
            kimi.queue_wait_ms = milliseconds(record.queue_wait()),
            http.response.body.size = record.bytes,
            kimi.response.chunks = record.chunks,
            gen_ai.operation.name = is_chat.then_some(OPERATION),
            gen_ai.provider.name = new,
            gen_ai.system = old,
            gen_ai.request.model = plain.model,
            gen_ai.response.finish_reasons = record.finish_reason.map(|reason| reason.as_str()),
            gen_ai.usage.input_tokens = record.input_tokens,
            gen_ai.usage.output_tokens = record.output_tokens,
            kimi.request.stream = plain.is_stream,
            kimi.request.messages = plain.messages,
            kimi.request.preview = previews.as_deref(),
            kimi.attempts = plain.attempts,
            kimi.retry.stop = plain.retry_stop,
            kimi.rate.decision = plain.rate_decision,
            kimi.rate.rule = plain.rate_rule,
            kimi.session.hash =
                plain.session_hash.map(|hash| tracing::field::display(Hex(hash.into(), 16))),
            kimi.session.decision = plain.session_decision,
            kimi.session.lost = plain.session_lost,
            kimi.upstream.request_id = record.upstream_request_id,
            "request",
        );
    }
}

/// A number in so many hexadecimal digits.
struct Hex(u128, usize);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:01$x}", self.0, self.1)
    }
}

/// The beginnings of messages in one line: `user="你好" assistant="你好！"`.
fn shown(previews: Previews<'_>) -> String {
    // All but the quotes is escaped already.
    let one = |(role, text): (_, &str)| format!("{role}=\"{}\"", text.replace('"', "\\\""));
    previews.iter().map(one).collect::<Vec<_>>().join(" ")
}
