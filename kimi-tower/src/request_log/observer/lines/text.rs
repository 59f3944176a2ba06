use std::{fmt, io::Write};

use super::{
    super::{
        super::{Record, Start, fields::Milliseconds, plain::Plain},
        Levels, Observer,
    },
    digits, escape,
    sink::Sink,
    timestamp::timestamp,
};

/// Writes each record as a line for people, in one piece, without asking `tracing`.
///
/// ```text
/// 2026-11-27T15:22:47.123Z  INFO success 200 POST /v1/chat/completions 812.409ms first=203.115ms
/// model=kimi-k3 tokens=8+2 finish=stop bytes=1290 chunks=7 id=0193f0c2-…
/// ```
///
/// all in one line. What is not known is left out. No value has a blank in it, but for previews,
/// which stand in quotes. [`JsonObserver`](super::super::super::JsonObserver) says more, for machines;
/// what is said there of the writer holds here as well.
pub struct TextObserver<W> {
    sink: Sink<W>,
    levels: Levels,
}

impl<W: Write> TextObserver<W> {
    /// Creates it, with the default [`Levels`].
    #[must_use]
    pub fn new(writer: W) -> Self {
        Self { sink: Sink::new(writer), levels: Levels::new() }
    }

    /// Sets how loud each outcome says that it is. All are written, whatever their level.
    #[must_use]
    pub const fn with_levels(mut self, levels: Levels) -> Self {
        self.levels = levels;
        self
    }

    /// Returns how many lines the writer has not taken.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.sink.lost()
    }
}

impl<W: Write> Observer for TextObserver<W> {
    fn on_end(&self, record: &Record<'_>) {
        self.sink.write(|line| {
            begin(&record.start, self.levels.of(record), line);
            end(record, line);
        });
    }
}

fn begin(start: &Start<'_>, level: tracing::Level, line: &mut Vec<u8>) {
    timestamp(start.at, line);
    let level = level.as_str();
    line.extend_from_slice(&b"      "[..6 - level.len()]);
    line.extend_from_slice(level.as_bytes());
}

fn end(record: &Record<'_>, line: &mut Vec<u8>) {
    let start = &record.start;
    let plain = Plain::of(record);
    put(" ", record.outcome.as_str(), line);
    if let Some(status) = record.status {
        put(" ", status.as_str(), line);
    }
    put(" ", start.method_name(), line);
    line.push(b' ');
    if let Some(server) = start.server {
        escape::word(server.address, line);
    }
    escape::word(start.path, line);
    line.push(b' ');
    digits::milliseconds(Milliseconds(record.duration), line);
    line.extend_from_slice(b"ms");
    if let Some(time) = record.time_to_first_content {
        line.extend_from_slice(b" first=");
        digits::milliseconds(Milliseconds(time), line);
        line.extend_from_slice(b"ms");
    }
    if let Some(time) = record.queue_wait() {
        line.extend_from_slice(b" queued=");
        digits::milliseconds(Milliseconds(time), line);
        line.extend_from_slice(b"ms");
    }
    if let Some(kind) = record.kind() {
        put(" error=", kind.name(), line);
    }
    if let Some(errcode) = record.errcode() {
        line.extend_from_slice(if errcode < 0 { b" errcode=-" } else { b" errcode=" });
        digits::decimal(errcode.unsigned_abs().into(), line);
    }
    if let Some(model) = plain.model {
        put(" model=", model, line);
    }
    if record.input_tokens.is_some() || record.output_tokens.is_some() {
        line.extend_from_slice(b" tokens=");
        for (tokens, after) in [(record.input_tokens, "+"), (record.output_tokens, "")] {
            match tokens {
                Some(tokens) => digits::decimal(tokens, line),
                None => line.push(b'?'),
            }
            line.extend_from_slice(after.as_bytes());
        }
    }
    if let Some(reason) = record.finish_reason {
        put(" finish=", reason.as_str(), line);
    }
    line.extend_from_slice(b" bytes=");
    digits::decimal(record.bytes, line);
    line.extend_from_slice(b" chunks=");
    digits::decimal(record.chunks, line);
    if let Some(attempts) = plain.attempts {
        line.extend_from_slice(b" attempts=");
        digits::decimal(attempts.into(), line);
    }
    if let Some(decision) = plain.rate_decision {
        put(" rate=", decision, line);
    }
    if let Some(decision) = plain.session_decision.filter(|it| *it != "granted") {
        put(" session=", decision, line);
    }
    put(" id=", start.request_id, line);
    for (role, text) in plain.previews.iter() {
        put(" ", role, line);
        line.extend_from_slice(b"=\"");
        escape::quotes(text, line);
        line.push(b'"');
    }
}

/// Writes a value that has no blank.
fn put(before: &str, value: &str, line: &mut Vec<u8>) {
    line.extend_from_slice(before.as_bytes());
    escape::word(value, line);
}

/// A clone writes to the same place.
impl<W> Clone for TextObserver<W> {
    fn clone(&self) -> Self {
        Self { sink: self.sink.clone(), levels: self.levels }
    }
}

impl<W> fmt::Debug for TextObserver<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextObserver").field("levels", &self.levels).finish_non_exhaustive()
    }
}
