//! Waits that stand in the head of an answer.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{Wait, date, duration};
use crate::{clock, dialect::head::RETRY_AFTER_MS};

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
/// These fields are read:
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
/// Nobody is to come back early, so that of the first four rows, and of a field that is there
/// twice, the longest wait counts. Only where seconds are milliseconds rounded up, `2` beside
/// `1500`, the milliseconds do, which are exact.
///
/// The last four rows stand in good answers too, so that they mean a wait only beside a 429, and
/// only if the others ask for none. The first of them that means a wait counts. Of several limits
/// in a row the one counts that has nothing remaining, else the one with the longest wait.
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
    let now = sent(headers).unwrap_or_else(clock::now);
    let explicit = explicit_on_its_clock(headers);
    // `Retry-After: 0` beside a limit that is used up for a minute invites to run into it.
    let wait = if explicit.is_some_and(|wait| !wait.delay(now).is_zero()) {
        explicit
    } else {
        of_limits(headers, now).or(explicit)
    };
    Some(since_sent(wait?, headers))
}

/// Returns the wait of the fields that mean one in every answer.
pub(crate) fn explicit(headers: &HeaderMap) -> Option<Wait> {
    explicit_on_its_clock(headers).map(|wait| since_sent(wait, headers))
}

/// Returns a date as the delay from the answer's own date, if it has one.
fn since_sent(wait: Wait, headers: &HeaderMap) -> Wait {
    match (wait, sent(headers)) {
        (Wait::At(at), Some(sent)) => Wait::Delay(Wait::At(at).delay(sent)),
        (wait, _) => wait,
    }
}

/// Returns when the answer was sent, by its own clock.
fn sent(headers: &HeaderMap) -> Option<SystemTime> {
    texts(headers, &header::DATE).find_map(date::parse)
}

/// Returns when the fields that mean a wait in every answer say that a quota refills. A date stays
/// the date that the server wrote: between hours and days, clocks that differ by seconds are equal.
pub(crate) fn reset(headers: &HeaderMap, now: SystemTime) -> Option<SystemTime> {
    explicit_on_its_clock(headers).map(|wait| wait.end(now))
}

/// Returns whether the answer asks not to try again at all: a negative pushback, gRFC A6.
pub(crate) fn asks_for_end(headers: &HeaderMap) -> bool {
    texts(headers, &PUSHBACK).any(|value| value.trim().starts_with('-'))
}

fn explicit_on_its_clock(headers: &HeaderMap) -> Option<Wait> {
    // Most answers have none of them, which one look at each name tells.
    if !headers.keys().any(is_explicit) {
        return None;
    }
    let now = sent(headers).unwrap_or_else(clock::now);
    let exact = |name| texts(headers, name).filter_map(|ms| duration::whole(ms, MILLISECOND));
    let exact =
        [&RETRY_AFTER_MS, &X_MS_RETRY_AFTER_MS, &PUSHBACK].into_iter().flat_map(exact).max();
    let rounded = |wait: &Wait| {
        let up = exact.map(|exact| exact.as_nanos().next_multiple_of(SECOND.as_nanos()));
        matches!(wait, Wait::Delay(wait) if up == Some(wait.as_nanos()))
    };
    [header::RETRY_AFTER, X_RETRY_AFTER]
        .iter()
        .flat_map(|name| texts(headers, name).filter_map(seconds_or_date))
        .filter(|wait| !rounded(wait))
        .chain(exact.map(Wait::Delay))
        .max_by_key(|wait| wait.end(now))
}

/// Returns whether a field means a wait in every answer.
fn is_explicit(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "retry-after"
            | "x-retry-after"
            | "retry-after-ms"
            | "x-ms-retry-after-ms"
            | "grpc-retry-pushback-ms"
    )
}

fn seconds_or_date(value: &str) -> Option<Wait> {
    duration::whole(value, SECOND).map(Wait::Delay).or_else(|| date::parse(value).map(Wait::At))
}

/// Returns the wait of the fields that tell the state of a limit: the first that is one, else a
/// time that has passed.
fn of_limits(headers: &HeaderMap, now: SystemTime) -> Option<Wait> {
    let longest = |limits: &mut dyn Iterator<Item = Limit>| longest_exhausted(limits, now);
    let moments = |name: &HeaderName| {
        longest(&mut texts(headers, name).map(|text| Some((moment(text)?, false))))
    };
    let items = || texts(headers, &RATELIMIT).flat_map(|text| text.split(','));
    let rows: [&dyn Fn() -> Option<Wait>; 6] = [
        &|| {
            longest(
                &mut [(RESET_REQUESTS, REMAINING_REQUESTS), (RESET_TOKENS, REMAINING_TOKENS)]
                    .iter()
                    .flat_map(|(reset, remaining)| x_ratelimit(headers, reset, remaining)),
            )
        },
        &|| moments(&X_RATELIMIT_RESET),
        &|| longest(&mut headers.iter().map(|(name, value)| anthropic(headers, name, value))),
        &|| longest(&mut items().map(ietf_item)),
        &|| longest(&mut items().map(ietf_old)),
        &|| moments(&RATELIMIT_RESET),
    ];
    let mut passed = None;
    for row in rows {
        match row() {
            Some(wait) if !wait.delay(now).is_zero() => return Some(wait),
            wait => passed = passed.or(wait),
        }
    }
    passed
}

/// A wait, and whether the limit that it belongs to has nothing remaining.
type Limit = Option<(Wait, bool)>;

fn longest_exhausted(limits: &mut dyn Iterator<Item = Limit>, now: SystemTime) -> Option<Wait> {
    // A limit that is refilled by now is not used up.
    let rank = |wait: Wait, used: bool| (used && !wait.delay(now).is_zero(), wait.end(now));
    limits.flatten().max_by_key(|(wait, used)| rank(*wait, *used)).map(|(wait, _)| wait)
}

fn x_ratelimit<'a>(
    headers: &'a HeaderMap,
    reset: &HeaderName,
    remaining: &HeaderName,
) -> impl Iterator<Item = Limit> + use<'a> {
    let is_used = texts(headers, remaining).any(|left| left.trim() == "0");
    texts(headers, reset).map(move |reset| Some((moment(reset)?, is_used)))
}

/// Reads `anthropic-ratelimit-tokens-reset`, or the same of another limit.
fn anthropic(headers: &HeaderMap, name: &HeaderName, value: &HeaderValue) -> Limit {
    let limit = name.as_str().strip_prefix("anthropic-ratelimit-")?.strip_suffix("-reset")?;
    let at = date::parse_rfc3339(value.to_str().ok()?.trim())?;
    let remaining = headers.get(format!("anthropic-ratelimit-{limit}-remaining"));
    Some((Wait::At(at), remaining.is_some_and(|left| left.as_bytes() == b"0")))
}

/// Reads one item of the present draft: `"default";r=0;t=30`.
fn ietf_item(item: &str) -> Limit {
    let parameters = |name: char| {
        let parameters = item.split(';').skip(1).map(str::trim);
        parameters.filter_map(move |it| it.strip_prefix(name)?.strip_prefix('='))
    };
    // The name before may hold a semicolon, and so what looks like a parameter.
    let wait = parameters('t').filter_map(moment).last()?;
    Some((wait, parameters('r').any(|left| left == "0")))
}

/// Reads one part of the form of the drafts up to 7: `limit=100, remaining=0, reset=30`.
fn ietf_old(part: &str) -> Limit {
    Some((moment(part.trim().strip_prefix("reset=")?)?, false))
}

/// Reads a reset: a length, or a time since 1970.
fn moment(value: &str) -> Option<Wait> {
    let value = value.trim();
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let is_number = fraction.bytes().all(|byte| byte.is_ascii_digit());
    let number = whole.parse::<u64>().ok().filter(|number| *number >= EPOCH_SECS && is_number);
    let Some(number) = number else { return seconds_or_date(value) };
    // A fraction is rounded up, so that it is never too early.
    let number = number.saturating_add(u64::from(fraction.bytes().any(|digit| digit != b'0')));
    let since = if number >= EPOCH_MS {
        Duration::from_millis(number)
    } else {
        Duration::from_secs(number)
    };
    date::since_1970(since).map(Wait::At)
}

fn texts<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> + use<'a> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
}
