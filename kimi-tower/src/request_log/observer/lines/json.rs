use std::{fmt, io::Write};

use super::{
    super::{
        super::{
            Record, Schema, Start,
            fields::{self, Milliseconds, Name, Value, WriteField},
            plain::Previews,
        },
        Levels, Observer,
    },
    digits, escape,
    sink::Sink,
    timestamp::timestamp,
};

/// Writes each record as a line of JSON, in one piece, without asking `tracing`.
///
/// ```text
/// {"timestamp":"2026-11-27T15:22:47.123Z","level":"INFO","message":"request","schema_url":"https://…
/// ```
///
/// with the fields of the [table](crate::request_log#fields) behind it: times as numbers of milliseconds, ids of
/// 64 and 128 bits in hexadecimal digits, previews as a list of `{"role":"user","content":"你好"}`.
/// Every line is ASCII but for the previews, the model, the path and the route, in which nothing can
/// end it.
///
/// Nothing is allocated for a line once the buffer is long enough. The writer is called under a lock,
/// once for each line: it should not block for long. A line that it does not take is lost, and
/// [counted](Self::lost).
pub struct JsonObserver<W> {
    sink: Sink<W>,
    levels: Levels,
    schema: Schema,
    starts: bool,
}

impl<W: Write> JsonObserver<W> {
    /// Creates it, with the default [`Levels`] and [`Schema`].
    #[must_use]
    pub fn new(writer: W) -> Self {
        Self {
            sink: Sink::new(writer),
            levels: Levels::new(),
            schema: Schema::default(),
            starts: false,
        }
    }

    /// Sets how loud each outcome says that it is. All are written, whatever their level.
    #[must_use]
    pub const fn with_levels(mut self, levels: Levels) -> Self {
        self.levels = levels;
        self
    }

    /// Sets by which version of the conventions fields are named.
    #[must_use]
    pub const fn with_schema(mut self, schema: Schema) -> Self {
        self.schema = schema;
        self
    }

    /// Writes a line when a request comes, too, with the message `request started`. Default: it does
    /// not.
    #[must_use]
    pub const fn with_starts(mut self) -> Self {
        self.starts = true;
        self
    }

    /// Returns how many lines the writer has not taken.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.sink.lost()
    }
}

impl<W: Write> Observer for JsonObserver<W> {
    fn on_start(&self, start: &Start<'_>) {
        if !self.starts {
            return;
        }
        self.sink.write(|line| {
            begin(start, self.levels.of_start(), "request started", line);
            fields::of_start(start, &mut Members(line));
            line.push(b'}');
        });
    }

    fn on_end(&self, record: &Record<'_>) {
        self.sink.write(|line| {
            begin(&record.start, self.levels.of(record), "request", line);
            fields::of_record(record, self.schema, &mut Members(line));
            line.push(b'}');
        });
    }
}

fn begin(start: &Start<'_>, level: tracing::Level, message: &str, line: &mut Vec<u8>) {
    line.extend_from_slice(b"{\"timestamp\":\"");
    timestamp(start.at, line);
    line.extend_from_slice(b"\",\"level\":\"");
    line.extend_from_slice(level.as_str().as_bytes());
    line.extend_from_slice(b"\",\"message\":\"");
    line.extend_from_slice(message.as_bytes());
    line.push(b'"');
}

/// Writes the members of an object behind its first.
struct Members<'a>(&'a mut Vec<u8>);

impl WriteField for Members<'_> {
    #[inline(always)]
    fn field(&mut self, name: Name, value: Value<'_>) {
        let Self(line) = self;
        let is_string = matches!(value, Value::Word(_) | Value::Text(_) | Value::Hex(..));
        let name = if is_string { name.before_string } else { name.in_json };
        line.extend_from_slice(name.as_bytes());
        match value {
            Value::Word(word) => line.extend_from_slice(word.as_bytes()),
            Value::Text(text) => escape::json(text, line),
            Value::Hex(number, count) => digits::hexadecimal(number, count, line),
            Value::Listed(text) => {
                line.push(b'[');
                string(text, line);
                line.push(b']');
            }
            Value::Number(number) => digits::decimal(number, line),
            Value::Signed(number) => {
                if number < 0 {
                    line.push(b'-');
                }
                digits::decimal(number.unsigned_abs(), line);
            }
            Value::Flag(true) => line.extend_from_slice(b"true"),
            Value::Flag(false) => line.extend_from_slice(b"false"),
            Value::Time(time) => digits::milliseconds(Milliseconds(time), line),
            Value::Previews(shown) => previews(shown, line),
        }
        if is_string {
            line.push(b'"');
        }
    }
}

fn previews(previews: Previews<'_>, line: &mut Vec<u8>) {
    line.push(b'[');
    for (number, (role, text)) in previews.iter().enumerate() {
        let begin = if number == 0 { "{\"role\":" } else { ",{\"role\":" };
        line.extend_from_slice(begin.as_bytes());
        string(role, line);
        line.extend_from_slice(b",\"content\":");
        string(text, line);
        line.push(b'}');
    }
    line.push(b']');
}

fn string(text: &str, line: &mut Vec<u8>) {
    line.push(b'"');
    escape::json(text, line);
    line.push(b'"');
}

/// A clone writes to the same place.
impl<W> Clone for JsonObserver<W> {
    fn clone(&self) -> Self {
        let Self { ref sink, levels, schema, starts } = *self;
        Self { sink: sink.clone(), levels, schema, starts }
    }
}

impl<W> fmt::Debug for JsonObserver<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("JsonObserver");
        shown.field("levels", &self.levels).field("schema", &self.schema).finish_non_exhaustive()
    }
}
