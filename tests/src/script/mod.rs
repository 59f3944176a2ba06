//! What the [`Mock`](crate::mock::Mock) shall answer, as plain data.
//!
//! A [`Script`] is a list of [`Step`]s. Each request takes the first step that it matches and that
//! is not used up; when there is none, it gets the default success. A step without `when` matches
//! any request, also one to `/ping` or `/api/token`. A script is written in Rust, JSON or TOML, and
//! it is the same script in all three:
//!
//! ```
//! use std::time::Duration;
//!
//! use kimi_testkit::script::{Script, Step, When};
//!
//! let toml = r#"
//!     [[steps]]
//!     fault = "plat.overloaded"
//!     repeat = 2
//!     headers = { retry-after = "1" }
//!
//!     [[steps]]
//!     when = { stream = true, model = "kimi-k3" }
//!     delay_chunk_ms = 250
//!     cut_at = 300
//! "#;
//! let json = r#"{"steps": [
//!     {"fault": "plat.overloaded", "repeat": 2, "headers": {"retry-after": "1"}},
//!     {"when": {"stream": true, "model": "kimi-k3"}, "delay_chunk_ms": 250, "cut_at": 300}
//! ]}"#;
//! let rust = Script::try_new([
//!     Step::fault("plat.overloaded").with_repeat(2).with_header("retry-after", "1"),
//!     Step::ok()
//!         .with_when(When::any().with_stream(true).with_model("kimi-k3"))
//!         .with_chunk_delay(Duration::from_millis(250))
//!         .with_cut_at(300),
//! ])?;
//! assert_eq!(Script::from_toml(toml)?, rust);
//! assert_eq!(Script::from_json(json)?, rust);
//!
//! let wrong = Script::from_json(r#"{"steps": [{}, {"cut_at": 9, "reset_at": 9}]}"#);
//! assert_eq!(wrong.unwrap_err().to_string(), "steps[1].reset_at: excludes `cut_at`");
//! # Ok::<(), kimi_testkit::script::ScriptError>(())
//! ```
//!
//! # Fields of a step
//!
//! All may be left out. At most one of `ok`, `fault`, `kind` and `raw` says what the reply is;
//! without any it is `ok`.
//!
//! | field | shape | default | meaning |
//! |---|---|---|---|
//! | `when` | `{path, method, model, conversation, stream}` | any request | which requests the step is for, see [`When`] |
//! | `repeat` | `3` or `"forever"` | `1` | how many requests it answers |
//! | `ok` | `{content, chunks, usage, finish_reason}` | `{}` | the route's own success, see [`Success`] |
//! | `fault` | `"plat.overloaded"` | | a known error answer by its id, see [`Fault`] |
//! | `kind` | `"rate_limited"` | | an error of this [`ErrorKind`], by its name, in the mock's own dialect and with the kind's own message |
//! | `raw` | `{status, headers, body}` or `{…, body_base64}` | | any answer at all, see [`Raw`] |
//! | `headers` | `{"retry-after": "1"}` | none | more head fields, whatever the reply; they replace |
//! | `delay_head_ms` | milliseconds | `0` | wait before the head |
//! | `delay_chunk_ms` | milliseconds | `0`; `100` if `endless` | wait before each body chunk but the first |
//! | `split` | bytes, at least 1 | as produced | chunks of this size, cutting events and characters anywhere |
//! | `cut_at` | bytes | | the connection ends cleanly after so many body bytes, without the proper end |
//! | `reset_at` | bytes | | the same, abortively |
//! | `garbage` | `{bytes, seed}` | | so many pseudo-random bytes in place of the body, see [`Garbage`] |
//! | `content_length` | bytes | the truth | the length that the head claims |
//! | `endless` | `true` | `false` | the body never ends |
//! | `sse_error` | `{after_chunks, fault}`, `{…, kind}` or `{…, raw}` | | an error as an event of the stream, see [`SseError`] |
//! | `no_done` | `true` | `false` | the stream ends without `data: [DONE]` |
//!
//! An unknown field is an error, so that a misspelt one is not a disturbance that never comes.
//!
//! # What excludes what
//!
//! - `ok`, `fault`, `kind` and `raw` each other.
//! - `cut_at`, `reset_at` and `content_length` each other: a head that claims too much is a cut.
//! - `endless` and `content_length`.
//! - `sse_error` and `no_done` need the stream of an `ok`, so they exclude `fault`,
//!   `kind`, `raw`, `garbage`, `endless` and `when.stream = false`; and a request that asks for no stream passes
//!   such a step by.
//! - A step behind one that answers every request forever.

mod check;
mod error;
mod fault;
mod plain;
mod repeat;
mod reply;
mod sequence;
mod step;
mod when;

pub(crate) use self::fault::Asked;
pub use self::{
    error::ScriptError,
    fault::{Fault, FaultAnswer},
    repeat::Repeat,
    reply::{Garbage, Raw, SseError, Success, Usage},
    sequence::Script,
    step::Step,
    when::When,
};

#[cfg(doc)]
use kimi_errors::ErrorKind;
