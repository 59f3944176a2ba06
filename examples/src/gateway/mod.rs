//! A Kimi-compatible chat endpoint in front of an upstream.
//!
//! | request | answer |
//! |---|---|
//! | `POST /v1/chat/completions` | the upstream's, unary or as server-sent events |
//! | `GET /v1/models` | the upstream's |
//! | `POST /token/check` | the upstream's |
//! | `GET /ping` | the upstream's |
//! | any other path | `-1002`, 404 |
//! | a known path with another method | `-1002`, 405 with `Allow` |
//! | a body that is not `application/json` by its head | `-1001`, 415 |
//! | a body that is not JSON, or whose framing is wrong | `-1001`, 400 |
//! | a body of which the end does not come | `-2000`, 499 |
//! | a body of more than [`MAX_BODY_BYTES`] | `-1001`, 413 |
//!
//! A success passes byte for byte. An error of the upstream, in whichever dialect it speaks, also
//! inside a 200 of JSON, is read, told apart and answered in the gateway's own dialect, as long as
//! the head is not out.
//!
//! | the upstream | answer |
//! |---|---|
//! | cannot be reached, or breaks off before or in what is looked at | `-2001`, 502 or 500 |
//! | is silent before its head, for 900 s by default | `-2001`, 504 |
//! | answers 1xx or a redirection, whose place is its own business | `-2001`, 502 |
//! | answers a compressed 4xx or 5xx, though asked for `identity` | the error that its status stands for |
//! | answers an error, and keeps its body open | the error, 5 s after the head |
//! | answers a JSON success that does not end | the success, after 64 KiB or 5 s |
//! | answers another success | the success, at once |
//! | breaks off after the head | an error event in a stream, else a broken connection |
//!
//! # Caveats
//!
//! An error that the upstream sends as an event of a stream passes as it came, in the upstream's
//! dialect. A stream that ends in order but without `data: [DONE]` ends so for the client, too: only
//! a connection that breaks is known here to be one. Both are `raise_error`'s business, a layer
//! that is not built yet. Once the head is out the gateway sets no limit of time.
//!
//! # Order
//!
//! ```text
//! catch_error      one place that answers errors, so it is outside of everything that can fail
//!   router         no route and wrong method are errors too
//!     door         what can be refused without the upstream is refused before it
//!       upstream   its answer is opened: a success passes, an error is an `Err`
//! ```

mod answer;
mod door;
mod fields;
mod peek;
mod router;
mod upstream;

pub use self::{
    door::MAX_BODY_BYTES,
    router::router,
    upstream::{InvalidUrl, Upstream},
};
