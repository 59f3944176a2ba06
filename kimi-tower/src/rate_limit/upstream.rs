//! What an upstream says of the limits that it has for us.

use std::time::Duration;

use http::{HeaderMap, HeaderName, StatusCode};
use kimi_errors::{Error, ErrorKind, RetryAdvice, Wait, decode};

use super::store::Told;

/// The longest pause that an upstream is believed: an hour, ours. After that one request finds out.
const MAX_PAUSE: Duration = Duration::from_secs(3600);

const REMAINING_REQUESTS: HeaderName = HeaderName::from_static("x-ratelimit-remaining-requests");
/// Of the platform's documentation, which does not say what it counts, and not seen live.
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const REMAINING_TOKENS: HeaderName = HeaderName::from_static("x-ratelimit-remaining-tokens");
const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Returns what the head of an answer says: of a 429 how long to wait, of another how much is left.
pub(super) fn told(status: StatusCode, headers: &HeaderMap) -> Told {
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Told { pause: wait(status, headers, b""), ..Told::default() };
    }
    left(headers)
}

/// Returns what an answer of 429 says with its body. How much is left counts only if it does not
/// say when there is more: that is sooner than we would think.
pub(super) fn told_with_body(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Told {
    match wait(status, headers, body) {
        Some(pause) => Told { pause: Some(pause), ..Told::default() },
        None => left(headers),
    }
}

/// Returns what an error says that was made of an answer.
pub(super) fn told_by(error: &Error) -> Told {
    Told { pause: pause(error), ..Told::default() }
}

fn wait(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Option<Duration> {
    decode(status, headers, body).and_then(|error| pause(&error))
}

/// Returns how much a head says is left. Its resets are not waited for: they tell when all is there
/// again, and some of it may be sooner.
fn left(headers: &HeaderMap) -> Told {
    let requests = count(headers, &REMAINING_REQUESTS);
    let mut told = Told {
        requests: requests.or_else(|| count(headers, &REMAINING)),
        tokens: count(headers, &REMAINING_TOKENS),
        pause: None,
    };
    for item in headers.get_all(RATELIMIT).iter().filter_map(|value| value.to_str().ok()) {
        for (name, left) in item.split(',').filter_map(limit) {
            let known = match name {
                "requests" => &mut told.requests,
                "tokens" => &mut told.tokens,
                _ => continue,
            };
            *known = Some(known.map_or(left, |known| known.min(left)));
        }
    }
    told
}

/// Returns how long an error asks to send nothing, if it is one of a limit.
fn pause(error: &Error) -> Option<Duration> {
    let is_limit = matches!(
        error.kind(),
        ErrorKind::RateLimited
            | ErrorKind::ConcurrencyLimited
            | ErrorKind::Overloaded
            | ErrorKind::UsageLimited
    );
    let wait = match error.advice() {
        RetryAdvice::Backoff { after } => after,
        RetryAdvice::AfterReset { at } => at.map(|at| Wait::At(at).remaining()),
        _ => None,
    };
    wait.filter(|wait| is_limit && !wait.is_zero()).map(|wait| wait.min(MAX_PAUSE))
}

fn count(headers: &HeaderMap, name: &HeaderName) -> Option<u32> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    // More than fits is more than any limit of ours.
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u32::MAX))
}

/// Reads `"requests";r=99;t=1`.
fn limit(item: &str) -> Option<(&str, u32)> {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next()?.strip_prefix('"')?.strip_suffix('"')?;
    let left = parts.find_map(|part| part.strip_prefix("r="))?;
    Some((name, left.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), value.parse().unwrap())
        };
        fields.iter().map(pair).collect()
    }

    #[test]
    fn a_throttle_with_a_hint_asks_for_a_pause() {
        for (fields, seconds) in [
            (&[("retry-after", "7")][..], Some(7)),
            (&[("x-retry-after", "9")], Some(9)),
            (
                &[("x-ratelimit-reset-requests", "1m0s"), ("x-ratelimit-remaining-requests", "0")],
                Some(60),
            ),
            (&[("ratelimit", "\"requests\";r=0;t=12")], Some(12)),
            (&[("retry-after", "100000")], Some(3_600)),
            (&[("retry-after", "5"), ("x-kimi-error", "stream_busy")], None),
            (&[("retry-after", "5"), ("x-kimi-error", "quota_exhausted")], None),
            (&[], None),
        ] {
            let told = told(StatusCode::TOO_MANY_REQUESTS, &headers(fields));
            assert_eq!(told.pause, seconds.map(Duration::from_secs), "{fields:?}");
        }
    }

    #[test]
    fn a_good_answer_tells_what_is_left() {
        for (fields, requests, tokens) in [
            (&[("x-ratelimit-remaining-requests", "3")][..], Some(3), None),
            (&[("x-ratelimit-remaining-tokens", "99999999999")], None, Some(u32::MAX)),
            (&[("ratelimit", "\"requests\";r=5;t=1, \"tokens\";r=70;t=9")], Some(5), Some(70)),
            (
                &[("ratelimit", "\"requests\";r=5"), ("x-ratelimit-remaining-requests", "4")],
                Some(4),
                None,
            ),
            (&[("ratelimit", "\"burst\";r=0;t=1")], None, None),
            (
                &[("ratelimit", "x, \"requests\";r=-1"), ("x-ratelimit-remaining-tokens", "many")],
                None,
                None,
            ),
            (&[("retry-after", "7")], None, None),
            (&[("x-ratelimit-remaining", "7")], Some(7), None),
            (
                &[("x-ratelimit-remaining", "7"), ("x-ratelimit-remaining-requests", "8")],
                Some(8),
                None,
            ),
        ] {
            let told = told(StatusCode::OK, &headers(fields));
            assert_eq!(
                (told.pause, told.requests, told.tokens),
                (None, requests, tokens),
                "{fields:?}"
            );
        }
    }
}
