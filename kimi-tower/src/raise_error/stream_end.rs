//! What it means that an event stream is over.

use kimi_errors::Error;

use crate::body::stream_end::{LastWord, last_word};

/// Whether an event stream must say that it is complete.
///
/// These say it: `data: [DONE]` of the platform and of kimi-free-api, `event: message_stop` of the
/// platform's Anthropic face, and `data: {"event":"all_done"}` of kimi.com.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum StreamEnd {
    /// A stream that ends without one of them was cut.
    #[default]
    Required,
    /// It may also end after any event, for upstreams known to send no mark. One that ends within
    /// an event was cut nevertheless.
    Optional,
}

/// What it means that no more comes.
#[derive(Debug)]
pub(super) enum Ending {
    /// Nothing: the stream was complete.
    Proper,
    /// The last thing said was this error.
    Error(Error),
    /// There should have been more.
    Truncated,
}

/// Returns what it means that a stream that has not said it is complete is over, and that this
/// stands behind the last event.
pub(super) fn ending(rest: &[u8], end: StreamEnd, is_broken: bool) -> Ending {
    match last_word(rest) {
        Some(LastWord::End) => return Ending::Proper,
        Some(LastWord::Error(error)) => return Ending::Error(error),
        None => {}
    }
    // Line ends and a comment are no event that was begun.
    let is_begun = !rest.trim_ascii_start().is_empty() && !rest.starts_with(b":");
    if end == StreamEnd::Optional && !is_begun && !is_broken {
        Ending::Proper
    } else {
        Ending::Truncated
    }
}
