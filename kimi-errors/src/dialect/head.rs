//! The head of an answer: what a body cannot say, or what clients look for in the head.

use std::{fmt::Write as _, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use super::Dialect;
use crate::{
    Error, ErrorKind, RetryAdvice,
    error::{Overrides, is_error_status},
    wait::http_date,
};

/// Names the kind, and what the kind alone does not tell:
/// `x-kimi-error: rate_limited;errcode=-2007;status=420;advice=never`.
///
/// An item with parameters, RFC 9651 §3.3. With it every dialect can be read back exactly.
pub(crate) const KIND: HeaderName = HeaderName::from_static("x-kimi-error");
/// The request's id, as OpenAI and most proxies name it.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Whole milliseconds, read by the OpenAI SDKs before `Retry-After`.
pub(crate) const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");
/// `true` or `false`, read by the OpenAI SDKs before anything else.
pub(crate) const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

impl Dialect {
    /// Returns the fields of an answer's head.
    ///
    /// | field | when |
    /// |---|---|
    /// | `content-type: application/json` | always |
    /// | `x-kimi-error: stream_busy` | always; with `;errcode=-2007`, `;status=406` or `;advice=never` behind it where that is not the kind's own |
    /// | `x-request-id` | the error has one |
    /// | `retry-after`, whole seconds, rounded up | a wait is known |
    /// | `retry-after-ms` | the wait is not whole seconds |
    /// | `retry-after`, a date | the quota refills at a known time, from 1970 to 9999 |
    /// | `x-should-retry: false` | clients retry such a status and should not |
    /// | [`Error::headers`] | last; they replace the fields above |
    #[must_use]
    pub fn headers(self, error: &Error) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(KIND, kind(error));
        if let Some(id) = error.request_id().and_then(|id| HeaderValue::from_str(id).ok()) {
            headers.insert(REQUEST_ID, id);
        }
        insert_wait(error, &mut headers);
        if !is_soon(error.advice()) && is_retried_by_sdks(self.status(error)) {
            headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
        }
        for (name, value) in error.headers() {
            headers.insert(name, value.clone());
        }
        headers
    }

    /// Returns the whole answer. The [`Error`] stands in its extensions, so that a layer outside
    /// can log it, or write it in another dialect.
    #[must_use]
    pub fn response(self, error: &Error) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(self.body(error)));
        let status = StatusCode::from_u16(self.status(error));
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *response.headers_mut() = self.headers(error);
        response.extensions_mut().insert(error.clone());
        response
    }
}

/// What [`KIND`] says about an error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exact {
    pub(crate) kind: ErrorKind,
    pub(crate) errcode: Option<i32>,
    pub(crate) status: Option<u16>,
    pub(crate) advice: Option<RetryAdvice>,
}

/// Reads the value of [`KIND`]. Parameters that are not known are passed over, RFC 9651 §3.1.2.
pub(crate) fn read(headers: &HeaderMap) -> Option<Exact> {
    let mut parts = headers.get(KIND)?.to_str().ok()?.split(';').map(str::trim);
    let kind = ErrorKind::from_name(parts.next()?)?;
    let mut exact = Exact { kind, errcode: None, status: None, advice: None };
    for parameter in parts {
        match parameter.split_once('=') {
            Some(("errcode", errcode)) => exact.errcode = errcode.parse().ok(),
            Some(("status", status)) => {
                exact.status = status.parse().ok().filter(|status| is_error_status(*status))
            }
            Some(("advice", name)) => exact.advice = RetryAdvice::from_name(name),
            _ => {}
        }
    }
    Some(exact)
}

/// Returns the value of [`KIND`].
fn kind(error: &Error) -> HeaderValue {
    let name = error.kind().name();
    let overrides = error.overrides();
    if overrides == Overrides::default() {
        return HeaderValue::from_static(name);
    }
    let mut value = name.to_owned();
    // Writing into a string cannot fail.
    if let Some(errcode) = overrides.errcode {
        let _ = write!(value, ";errcode={errcode}");
    }
    if let Some(status) = overrides.status {
        let _ = write!(value, ";status={status}");
    }
    if let Some(advice) = overrides.advice {
        let _ = write!(value, ";advice={}", advice.name());
    }
    HeaderValue::try_from(value).unwrap_or_else(|_| HeaderValue::from_static(name))
}

fn insert_wait(error: &Error, headers: &mut HeaderMap) {
    if let RetryAdvice::AfterReset { at: Some(at) } = error.advice() {
        if let Some(date) = http_date(at).and_then(|date| HeaderValue::try_from(date).ok()) {
            headers.insert(header::RETRY_AFTER, date);
        }
    } else if let Some(wait) = error.retry_after() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        if wait.subsec_nanos() != 0 {
            let ms = u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
            headers.insert(RETRY_AFTER_MS, HeaderValue::from(ms));
        }
    }
}

/// Rounds up, and never to 0: `Retry-After: 0` invites a storm.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() != 0)).max(1)
}

/// Returns whether another try within seconds can help.
fn is_soon(advice: RetryAdvice) -> bool {
    match advice {
        RetryAdvice::Backoff { .. } | RetryAdvice::AfterStream => true,
        RetryAdvice::Never | RetryAdvice::AfterRefresh | RetryAdvice::AfterReset { .. } => false,
    }
}

/// Returns whether both OpenAI SDKs try a status again unless they are told not to.
fn is_retried_by_sdks(status: u16) -> bool {
    matches!(status, 408 | 409 | 429 | 500..)
}
