//! Waits that stand in the head of an answer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{Wait, date, duration};
use crate::dialect::head::RETRY_AFTER_MS;

/// A server's say in when its clients try again, in milliseconds, or, if it is negative, that they
/// do not; gRFC A6, "Pushback".
pub(crate) const PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");
const X_MS_RETRY_AFTER_MS: HeaderName = HeaderName::from_static("x-ms-retry-after-ms");
const X_RETRY_AFTER: HeaderName = HeaderName::from_static("x-retry-after");
const RESET_REQUESTS: HeaderName = HeaderName::from_static("x-ratelimit-reset-requests");
const RESET_TOKENS: HeaderName = HeaderName::from_static("x-ratelimit-reset-tokens");
const REMAINING_REQUESTS: HeaderName = HeaderName::from_static("x-ratelimit-remaining-requests");
const REMAINING_TOKENS: HeaderName = HeaderName::from_static("x-ratelimit-remaining-tokens");
const X_RATELIMIT_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// Numbers from here on are seconds since 1970, not a wait of thirty years.
const EPOCH_SECS: u64 = 1_000_000_000;
/// Numbers from here on are milliseconds since 1970.
const EPOCH_MS: u64 = 1_000_000_000_000;

/// Returns how long an answer asks to wait, or until when.
///
/// The first of these fields that can be read counts:
///
/// | field | value |
/// |---|---|
/// | `retry-after-ms`, `x-ms-retry-after-ms` | milliseconds, `1500` (OpenAI SDKs, Azure) |
/// | `retry-after` | seconds, `120` or `1.5`; an HTTP date in each of its three forms (RFC 9110 §10.2.3) |
/// | `x-retry-after` | the same (Kimi platform) |
/// | `grpc-retry-pushback-ms` | milliseconds (gRFC A6); a negative one asks not to try again and is no wait |
/// | `x-ratelimit-reset-requests`, `-tokens` | `6m0s`, `20ms`, seconds, or seconds since 1970 |
/// | `x-ratelimit-reset` | the same |
/// | `anthropic-ratelimit-…-reset` | a time, `2026-01-31T10:00:00Z` (RFC 3339) |
/// | `ratelimit`, `ratelimit-reset` | `"default";r=0;t=30`, `limit=9, remaining=0, reset=30`; `30` (IETF drafts) |
///
/// The last four rows stand in good answers too, so that they mean a wait only beside a 429. Of several
/// limits the one counts that has nothing remaining, else the one with the longest wait.
///
/// A date becomes a delay against the answer's own `date`, which makes clocks that differ
/// harmless; without one it is returned as it is. Negative and unreadable values are passed over,
/// delays past 365 days are cut to that.
///
/// ```
/// use kimi_errors::{Wait, retry_after};
/// use std::time::Duration;
///
/// let mut headers = http::HeaderMap::new();
/// headers.insert("retry-after", "1.5".parse()?);
/// assert_eq!(retry_after(&headers), Some(Wait::Delay(Duration::from_millis(1500))));
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Wait> {
    let wait = explicit_on_its_clock(headers).or_else(|| of_limits(headers))?;
    Some(since_sent(wait, headers))
}

/// Returns the wait of the fields that mean one in every answer.
pub(crate) fn explicit(headers: &HeaderMap) -> Option<Wait> {
    explicit_on_its_clock(headers).map(|wait| since_sent(wait, headers))
}

/// Returns a date as the delay from the answer's own date, if it has one.
fn since_sent(wait: Wait, headers: &HeaderMap) -> Wait {
    match (wait, text(headers, &header::DATE).and_then(date::parse)) {
        (Wait::At(at), Some(sent)) => Wait::Delay(Wait::At(at).delay(sent)),
        (wait, _) => wait,
    }
}

/// Returns when the fields that mean a wait in every answer say that a quota refills. A date stays
/// the date that the server wrote: between hours and days, clocks that differ by seconds are equal.
pub(crate) fn reset(headers: &HeaderMap, now: SystemTime) -> Option<SystemTime> {
    explicit_on_its_clock(headers).map(|wait| wait.end(now))
}

/// Returns whether the answer asks not to try again at all: a negative pushback, gRFC A6.
pub(crate) fn asks_for_end(headers: &HeaderMap) -> bool {
    text(headers, &PUSHBACK).is_some_and(|value| value.trim().starts_with('-'))
}

fn explicit_on_its_clock(headers: &HeaderMap) -> Option<Wait> {
    milliseconds(headers, &RETRY_AFTER_MS)
        .or_else(|| milliseconds(headers, &X_MS_RETRY_AFTER_MS))
        .or_else(|| seconds_or_date(text(headers, &header::RETRY_AFTER)?))
        .or_else(|| seconds_or_date(text(headers, &X_RETRY_AFTER)?))
        .or_else(|| milliseconds(headers, &PUSHBACK))
}

fn milliseconds(headers: &HeaderMap, name: &HeaderName) -> Option<Wait> {
    duration::whole(text(headers, name)?, MILLISECOND).map(Wait::Delay)
}

fn seconds_or_date(value: &str) -> Option<Wait> {
    duration::whole(value, SECOND).map(Wait::Delay).or_else(|| date::parse(value).map(Wait::At))
}

/// Returns the wait of the fields that tell the state of a limit.
fn of_limits(headers: &HeaderMap) -> Option<Wait> {
    longest_exhausted([
        x_ratelimit(headers, &RESET_REQUESTS, &REMAINING_REQUESTS),
        x_ratelimit(headers, &RESET_TOKENS, &REMAINING_TOKENS),
    ])
    .or_else(|| moment(text(headers, &X_RATELIMIT_RESET)?))
    .or_else(|| {
        longest_exhausted(headers.iter().map(|(name, value)| anthropic(headers, name, value)))
    })
    .or_else(|| longest_exhausted(text(headers, &RATELIMIT)?.split(',').map(ietf_item)))
    .or_else(|| ietf_old(text(headers, &RATELIMIT)?))
    .or_else(|| moment(text(headers, &RATELIMIT_RESET)?))
}

/// A wait, and whether the limit that it belongs to has nothing remaining.
type Limit = Option<(Wait, bool)>;

fn longest_exhausted(limits: impl IntoIterator<Item = Limit>) -> Option<Wait> {
    let length = |wait: &Wait| wait.delay(UNIX_EPOCH);
    let longest = limits.into_iter().flatten().max_by_key(|(wait, used)| (*used, length(wait)));
    longest.map(|(wait, _)| wait)
}

fn x_ratelimit(headers: &HeaderMap, reset: &HeaderName, remaining: &HeaderName) -> Limit {
    let wait = moment(text(headers, reset)?)?;
    Some((wait, text(headers, remaining).is_some_and(|left| left.trim() == "0")))
}

/// Reads `anthropic-ratelimit-tokens-reset`, or the same of another limit.
fn anthropic(headers: &HeaderMap, name: &HeaderName, value: &HeaderValue) -> Limit {
    let limit = name.as_str().strip_prefix("anthropic-ratelimit-")?.strip_suffix("-reset")?;
    let at = date::parse_rfc3339(value.to_str().ok()?)?;
    let remaining = headers.get(format!("anthropic-ratelimit-{limit}-remaining"));
    Some((Wait::At(at), remaining.is_some_and(|left| left.as_bytes() == b"0")))
}

/// Reads one item of the present draft: `"default";r=0;t=30`.
fn ietf_item(item: &str) -> Limit {
    let parameter = |name: &str| {
        let mut parameters = item.split(';').skip(1).map(str::trim);
        parameters.find_map(|parameter| parameter.strip_prefix(name)?.strip_prefix('='))
    };
    let wait = moment(parameter("t")?)?;
    Some((wait, parameter("r") == Some("0")))
}

/// Reads the form of the drafts up to 7: `limit=100, remaining=0, reset=30`.
fn ietf_old(value: &str) -> Option<Wait> {
    value.split(',').find_map(|part| moment(part.trim().strip_prefix("reset=")?))
}

/// Reads a reset: a length, or a time since 1970.
fn moment(value: &str) -> Option<Wait> {
    let value = value.trim();
    let Some(number) = value.parse::<u64>().ok().filter(|number| *number >= EPOCH_SECS) else {
        return seconds_or_date(value);
    };
    let since = if number >= EPOCH_MS {
        Duration::from_millis(number)
    } else {
        Duration::from_secs(number)
    };
    date::since_1970(since).map(Wait::At)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
