//! The answer of any stranger, turned into an [`Error`].
//!
//! What is known of each stranger's codes stands in tables beside its dialect; here stands how
//! strangers are told apart. `body` takes the wrappings off, `form` tells the forms of JSON apart,
//! `answer` asks the table of the form, `head` adds what stands in the head.

mod answer;
mod body;
mod error_object;
mod form;
#[cfg(feature = "http")]
mod head;
#[cfg(feature = "http")]
mod kept;
mod ordinary;
mod rule;

pub(crate) use self::{
    answer::{Answer, Form},
    rule::{READ_BYTES, Rule, Texts, Verdict, by_word, find},
};

use crate::Error;

/// The bytes of a body that are looked at: 64 KiB. What stands behind them changes nothing.
///
/// The longest error known has less than 2 KiB; the rest is room for a proxy's page and for
/// members that stand before the decisive one.
pub const DECODE_LIMIT: usize = 64 * 1024;

/// What is known of an answer before its body is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    /// It is an error, whatever the body says.
    certain: bool,
    /// The body is the data of an event.
    event: bool,
    /// The head names one of our kinds, so that codes are read as ours.
    marked: bool,
}

impl Context {
    /// JSON within a string: an error only if it says so itself.
    const QUOTED: Self = Self { certain: false, event: true, marked: false };

    fn of_status(status: Option<u16>) -> Self {
        let certain = status.is_some_and(|status| status >= 400);
        Self { certain, event: status.is_none(), marked: false }
    }
}

/// Returns the error that an HTTP answer is; `None` for a success.
///
/// Every [`Dialect`](crate::Dialect) is understood, and beside them kimi.com's web and Connect
/// errors, the platform's Anthropic face and hosted agents, Kimi Code's local server, OAuth, pages
/// and lines of proxies and frameworks; in an array, quoted twice, behind a byte order mark, as
/// the first event of a stream; with any status, 200 among them. The body may be cut: only its
/// first [`DECODE_LIMIT`] bytes are looked at, and of a success only its first members.
///
/// A body with a `content-encoding`, such as gzip, cannot be read: the caller decodes it first.
/// Undecoded, it is an error by its status alone, and none at all in a 200.
///
/// The body goes before the status, which gateways rewrite; its text before its type, which says
/// less. An answer written by this crate names its kind in the field `x-kimi-error` and is read
/// back exactly. An empty body is an error by its status alone: an empty 200 is a success here,
/// since the answer to a `HEAD` or a ping looks the same.
///
/// From the head come the request id, the [wait](crate::retry_after), and `x-should-retry`; `Allow`,
/// `WWW-Authenticate` and the fields of rate limits are kept in [`Error::headers`], without what
/// does not fit their grammar or reads like a credential.
///
/// ```
/// use http::{HeaderMap, StatusCode};
/// use kimi_errors::{ErrorKind, RetryAdvice, decode};
///
/// let body = br#"{"error":{"message":"request reached organization max RPM: 3, please try again after 1 seconds","type":"rate_limit_reached_error"}}"#;
/// let error = decode(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), body).unwrap();
/// assert_eq!(error.kind(), ErrorKind::RateLimited);
/// let after = Some(std::time::Duration::from_secs(1));
/// assert_eq!(error.advice(), RetryAdvice::Backoff { after });
/// ```
#[cfg(feature = "http")]
#[must_use]
pub fn decode(status: http::StatusCode, headers: &http::HeaderMap, body: &[u8]) -> Option<Error> {
    let status = status.as_u16();
    let marked = headers.contains_key(crate::dialect::head::KIND);
    let context = Context { marked, ..Context::of_status(Some(status)) };
    let answer = body::read(prefix(body), context)?;
    let exact = marked.then(|| head::exact(headers, &answer, status)).flatten();
    // A stranger's `data` may hold anything; only ours is known to be public.
    let data = answer.data.as_deref().filter(|_| exact.is_some());
    let data = data.and_then(|data| serde_json::from_slice(data).ok());
    let verdict = exact.unwrap_or_else(|| answer.verdict(Some(status)));
    let error = head::merge(answer.into_error(verdict, Some(status)), headers);
    Some(match data {
        Some(data) => error.with_data(data),
        None => error,
    })
}

/// Returns the error that a body is; `None` for a success. Like [`decode`], without a head.
///
/// `status` is `None` for the data of an event inside a stream, which is an error only if it says
/// so itself.
///
/// ```
/// use kimi_errors::{ErrorKind, decode_body};
///
/// let body = r#"{"code":-2005,"message":"已有对话流正在输出","data":null}"#.as_bytes();
/// assert_eq!(decode_body(Some(200), body).unwrap().kind(), ErrorKind::StreamBusy);
/// assert!(decode_body(Some(200), br#"{"id":"c1","object":"chat.completion"}"#).is_none());
/// ```
#[must_use]
pub fn decode_body(status: Option<u16>, body: &[u8]) -> Option<Error> {
    let answer = body::read(prefix(body), Context::of_status(status))?;
    let verdict = answer.verdict(status);
    Some(answer.into_error(verdict, status))
}

/// Returns the error that the data of one server-sent event is; `None` for an ordinary chunk and
/// for `[DONE]`.
///
/// ```
/// use kimi_errors::{ErrorKind, decode_event};
///
/// let error = decode_event(br#"{"error":{"message":"x","type":"engine_overloaded_error"}}"#);
/// assert_eq!(error.unwrap().kind(), ErrorKind::Overloaded);
/// assert!(decode_event(b"[DONE]").is_none());
/// ```
#[must_use]
pub fn decode_event(data: &[u8]) -> Option<Error> {
    decode_body(None, data)
}

fn prefix(body: &[u8]) -> &[u8] {
    &body[..body.len().min(DECODE_LIMIT)]
}

#[cfg(test)]
mod tests;
