//! What an answer says it has used, read while it passes.
//!
//! ```text
//! {"choices":[…],"usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10}}
//!
//! data: {"choices":[{"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":8,…}}]}
//! data: {"choices":[],"usage":{"prompt_tokens":8,…}}
//! data: {"type":"message_start","message":{"usage":{"input_tokens":8,"output_tokens":1}}}
//! data: {"type":"message_delta","usage":{"output_tokens":2}}
//! ```
//!
//! The platform has it in the last choice (earendil-works/pi#2017), in a last chunk without choices
//! or beside the choices; its Anthropic face in two events. So it is looked for by its name alone,
//! at any depth, and of each count the latest holds.
//!
//! A [`UsageTap`] is shown the chunks of a body. It keeps a few counts and no bytes but the
//! beginning of one name, whatever comes and however long it is, in linear time.
//!
//! - `tap` knows which bodies are read, and puts the rest together;
//! - `data_lines` takes the data out of an event stream;
//! - `search` finds the name, and `object` reads what stands behind it;
//! - `count` is what is found;
//! - `finish` reads why the answer ended, in the same way, and `answer` puts the two together;
//! - `whole` reads the same of a text that comes in one piece.
//!
//! # Caveats
//!
//! - What an answer says is believed. kimi-free-api says `{"prompt_tokens":1,"completion_tokens":1,
//!   "total_tokens":2}` of every answer, and counts nothing.
//! - A name with an escape in it, `us\u0061ge`, is not found. Nobody writes one.
//! - Compressed bodies are not read.

#[cfg(feature = "request-log")]
mod answer;
mod count;
mod data_lines;
#[cfg(feature = "request-log")]
mod finish;
mod object;
mod search;
mod tap;
#[cfg(test)]
mod tests;
#[cfg(feature = "request-log")]
mod whole;

#[cfg(feature = "request-log")]
pub(crate) use self::answer::AnswerTap;
#[cfg(feature = "request-log")]
pub use self::finish::FinishReason;
#[cfg(feature = "request-log")]
pub(crate) use self::whole::said_by;
pub(crate) use self::{count::Usage, tap::UsageTap};
