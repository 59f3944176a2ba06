//! A Kimi-compatible chat endpoint in front of an upstream.
//!
//! | request | answer |
//! |---|---|
//! | `POST /v1/chat/completions` | the upstream's, unary or as server-sent events |
//! | `GET /v1/models` | the upstream's |
//! | `POST /token/check` | the upstream's |
//! | `GET /ping` | the upstream's |
//! | more than the caller's [`Limits`] allow | `-2001`, 429, with `Retry-After` if a time is known |
//! | of a conversation that is being answered, and its turn does not come | `-2005`, 429 |
//! | with [`Status`]: `GET /`, `/status.json`, `/metrics`, `/healthz` | a page for people, and what it shows for machines |
//! | any other path | `-1002`, 404 |
//! | a known path with another method | `-1002`, 405 with `Allow` |
//! | a chat request that breaks a rule of the [`Profile`] | `-1001`, 400, with all that is wrong |
//! | a chat request that names a file by a URL that is not a public one | `-2003`, 400, with all such URLs |
//! | a chat request that is not `application/json` by its head, or is compressed | `-1001`, 415 |
//! | a chat request of more than 100 MiB, another of more than 64 KiB | `-1001`, 413 |
//! | a body whose framing is wrong | `-1001`, 400 |
//! | a body of which the end does not come | `-2000`, 499 |
//!
//! A success passes byte for byte. An error of the upstream, in whichever dialect it speaks, also
//! inside a 200 of JSON or as an event of a stream, is read, told apart and answered in the
//! gateway's own dialect: as an answer while the head is not out, then as the stream's last event.
//!
//! | the upstream | answer |
//! |---|---|
//! | cannot be reached, or breaks off before or in what is looked at | `-2001`, 502 or 500 |
//! | is silent before its head, for 900 s by default | `-2001`, 504 |
//! | answers 1xx or a redirection, whose place is its own business | `-2001`, 502 |
//! | answers a compressed 4xx or 5xx, though asked for `identity` | the error that its status stands for |
//! | answers an error, and keeps its body open | the error, 5 s after the head |
//! | answers a JSON success that does not end | the success, after 64 KiB or 5 s |
//! | answers a stream whose first event is an error, or that ends before it | the error |
//! | answers a stream, and has sent no content | the head, after 5 s |
//! | answers another success | the success, at once |
//! | sends an error as a later event | all before it, then the error as the last event |
//! | breaks off after the head, or ends a stream without saying that it is complete | an error event in a stream, else a broken connection |
//!
//! # What is tried again
//!
//! Before the client hears of a failure, the upstream is asked up to 3 times more by default, see
//! [`Upstream::with_retry`]. The request is the same to the byte, but for `x-retry-count`.
//!
//! | the upstream | is asked again |
//! |---|---|
//! | cannot be connected to | yes: it was sent nothing |
//! | answers an error that passes, such as -1000, -2001, -2005 or an overload, also in a 200 | yes |
//! | names a time with it | at that time, if it is within 60 s; nor do other requests of this credential go before |
//! | sends a stream that errs, ends or breaks before its first content | yes |
//! | breaks off before its answer, is silent, or a proxy answers 502 or 504 for it | only for `GET` and `HEAD`: it may have done what was asked |
//! | answers any other error, or points elsewhere | no |
//! | fails once content has been handed on | no |
//!
//! The client then gets the last answer, translated as above. If only the number of retries, or the
//! budget of all requests together, stood against another, the answer says `x-should-retry: false`,
//! so that neither the OpenAI SDKs nor gateways outside of this one multiply the attempts.
//!
//! # Whose credential
//!
//! A caller's `authorization` is passed on. With [`Credentials`] the gateway has one of its own for
//! requests that come without: several keys, of which dead and limited ones rest, or a token that is
//! refreshed ahead of its end and when it is refused; such a request is then sent once more, whatever
//! its method, since it was not done. Whoever can reach the gateway then uses its account.
//!
//! # Caveats
//!
//! Once the head is out the gateway sets no limit of time. A stream is complete with
//! `data: [DONE]`, or with the [ends](StreamEnd) of Kimi's other faces; for an upstream that sends
//! none there is [`Upstream::with_stream_end`].
//!
//! # Order
//!
//! ```text
//! catch_error      one place that answers errors, so it is outside of everything that can fail
//!   request_log    one record of each request, also of one that is refused
//!   rate_limit     (requests) to count costs less than to read
//!     validate     what can be refused without the upstream is refused before it
//!       session      one request of a conversation at a time, until the last byte of the answer;
//!                    it takes the body to know which
//!         concurrency  until the last byte of the answer
//!           rate_limit   (tokens) last, when nothing else can refuse
//!             router       no route and wrong method are errors too
//!               upstream     sends what is left
//!                 raise_error  where an answer is the upstream's for certain: a success passes,
//!                              an error is an `Err`
//!                   retry        inside of it, where answers are still there to be handed on
//!                     token        the gateway's own, for each attempt, where the caller has none
//!                       transport    one exchange; redirections end there
//! ```

mod credentials;
mod door;
mod fields;
mod limits;
mod listener;
mod refresh_file;
mod router;
mod settings;
mod shared;
mod status;
mod transport;
mod try_it;
mod upstream;

pub use self::{
    credentials::Credentials,
    limits::Limits,
    listener::listen,
    router::router,
    settings::{Log, Settings},
    shared::Shared,
    status::{Board, Status},
    try_it::requests_to_try,
    upstream::{InvalidUrl, Upstream},
};

#[cfg(doc)]
use kimi_tower::raise_error::StreamEnd;
#[cfg(doc)]
use kimi_validate::Profile;
