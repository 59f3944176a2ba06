#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod properties;

use std::time::UNIX_EPOCH;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{
    fields::{asks_for_end, explicit},
    *,
};

/// 2024-01-01 00:00:00 UTC.
const NEW_YEAR: u64 = 1_704_067_200;

fn at(secs: u64) -> Option<Wait> {
    Some(Wait::At(UNIX_EPOCH + Duration::from_secs(secs)))
}

fn ms(ms: u64) -> Option<Wait> {
    Some(Wait::Delay(Duration::from_millis(ms)))
}

type Fields<'a> = &'a [(&'a str, &'a str)];

fn headers(fields: Fields<'_>) -> HeaderMap {
    fields
        .iter()
        .map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_bytes(value.as_bytes()).unwrap())
        })
        .collect()
}

#[test]
fn every_form_is_read() {
    const YEAR_MS: u64 = 31_536_000_000;
    let cases: &[(Fields<'_>, Option<Wait>)] = &[
        (&[], None),
        // Seconds and decimals.
        (&[("retry-after", "120")], ms(120_000)),
        (&[("retry-after", "0")], ms(0)),
        (&[("retry-after", " 7 ")], ms(7_000)),
        (&[("retry-after", "1.5")], ms(1_500)),
        (&[("retry-after", "0.020")], ms(20)),
        // Values that are none.
        (&[("retry-after", "-5")], None),
        (&[("retry-after", "NaN")], None),
        (&[("retry-after", "1e400")], None),
        (&[("retry-after", "soon")], None),
        (&[("retry-after", "")], None),
        (&[("retry-after", "\u{ff11}")], None),
        // Values that are too large.
        (&[("retry-after", "99999999999999999999999999")], ms(YEAR_MS)),
        (&[("retry-after", "4000000000")], ms(YEAR_MS)),
        // The three forms of a date.
        (&[("retry-after", "Mon, 01 Jan 2024 00:00:00 GMT")], at(NEW_YEAR)),
        (&[("retry-after", "Monday, 01-Jan-24 00:00:00 GMT")], at(NEW_YEAR)),
        (&[("retry-after", "Mon Jan  1 00:00:00 2024")], at(NEW_YEAR)),
        (&[("retry-after", "Mon, 41 Jan 2024 00:00:00 GMT")], None),
        // A date against the answer's own.
        (
            &[
                ("retry-after", "Mon, 01 Jan 2024 00:01:30 GMT"),
                ("date", "Mon, 01 Jan 2024 00:00:00 GMT"),
            ],
            ms(90_000),
        ),
        (
            &[
                ("retry-after", "Mon, 01 Jan 2024 00:00:00 GMT"),
                ("date", "Mon, 01 Jan 2024 00:01:30 GMT"),
            ],
            ms(0),
        ),
        (&[("retry-after", "Mon, 01 Jan 2024 00:00:00 GMT"), ("date", "?")], at(NEW_YEAR)),
        // Its siblings, and who goes first.
        (&[("retry-after-ms", "1500")], ms(1_500)),
        (&[("retry-after-ms", "1500"), ("retry-after", "2")], ms(1_500)),
        (&[("retry-after-ms", "1500"), ("retry-after", "9")], ms(9_000)),
        (&[("retry-after-ms", "0"), ("retry-after", "9")], ms(9_000)),
        (&[("retry-after", "0"), ("retry-after", "9"), ("retry-after", "3")], ms(9_000)),
        (&[("retry-after-ms", "-1"), ("retry-after", "9")], ms(9_000)),
        (&[("x-ms-retry-after-ms", "250"), ("retry-after", "1")], ms(250)),
        (&[("retry-after-ms", "1500"), ("x-ms-retry-after-ms", "250")], ms(1_500)),
        (&[("x-retry-after", "3")], ms(3_000)),
        (&[("x-retry-after", "3"), ("retry-after", "4")], ms(4_000)),
        (&[("retry-after", "x"), ("x-retry-after", "3")], ms(3_000)),
        // gRPC.
        (&[("grpc-retry-pushback-ms", "250")], ms(250)),
        (&[("grpc-retry-pushback-ms", "-1")], None),
        // Limits.
        (&[("x-ratelimit-reset", "30")], ms(30_000)),
        (&[("x-ratelimit-reset", "1704067200")], at(NEW_YEAR)),
        (&[("x-ratelimit-reset", "1704067200000")], at(NEW_YEAR)),
        (&[("x-ratelimit-reset", "18446744073709551615")], None),
        (&[("x-ratelimit-reset", "1704067199.25")], at(NEW_YEAR)),
        (&[("x-ratelimit-reset", "1704067200.0")], at(NEW_YEAR)),
        (&[("x-ratelimit-reset", "30"), ("retry-after", "0")], ms(30_000)),
        (&[("x-ratelimit-reset-tokens", "0"), ("ratelimit-reset", "30")], ms(30_000)),
        (&[("x-ratelimit-reset", "20ms"), ("retry-after", "1")], ms(1_000)),
        (&[("x-ratelimit-reset-requests", "6m0s")], ms(360_000)),
        (&[("x-ratelimit-reset-tokens", "20ms")], ms(20)),
        (
            &[("x-ratelimit-reset-requests", "6m0s"), ("x-ratelimit-reset-tokens", "20ms")],
            ms(360_000),
        ),
        (
            &[
                ("x-ratelimit-reset-requests", "6m0s"),
                ("x-ratelimit-remaining-requests", "3"),
                ("x-ratelimit-reset-tokens", "20ms"),
                ("x-ratelimit-remaining-tokens", "0"),
            ],
            ms(20),
        ),
        // Anthropic.
        (&[("anthropic-ratelimit-requests-reset", "2024-01-01T00:00:00Z")], at(NEW_YEAR)),
        (
            &[
                ("anthropic-ratelimit-requests-reset", "2124-01-01T00:10:00Z"),
                ("anthropic-ratelimit-requests-remaining", "9"),
                ("anthropic-ratelimit-tokens-reset", "2124-01-01T00:00:00Z"),
                ("anthropic-ratelimit-tokens-remaining", "0"),
            ],
            at(4_859_740_800),
        ),
        (
            &[("anthropic-ratelimit-tokens-reset", "2024-01-01T00:00:00Z"), ("retry-after", "2")],
            ms(2_000),
        ),
        // Both are more than the longest wait away from 1970, which is no reason to be equal.
        (
            &[
                ("anthropic-ratelimit-requests-reset", "2124-01-01T00:10:00Z"),
                ("anthropic-ratelimit-tokens-reset", "2124-01-01T00:00:00Z"),
            ],
            at(4_859_741_400),
        ),
        (&[("anthropic-ratelimit-tokens-reset", "soon")], None),
        (&[("anthropic-ratelimit-tokens-remaining", "0")], None),
        // The IETF drafts.
        (&[("ratelimit", "\"default\";r=0;t=30")], ms(30_000)),
        (&[("ratelimit", "\"a\";r=9;t=600, \"b\";r=0;t=5")], ms(5_000)),
        (&[("ratelimit", "limit=100, remaining=0, reset=7")], ms(7_000)),
        (&[("ratelimit", "\"default\";r=0")], None),
        (&[("ratelimit", "\"a\";r=0;t=30"), ("ratelimit", "\"b\";r=0;t=600")], ms(600_000)),
        (&[("ratelimit", "\"a;t=x\";r=0;t=30")], ms(30_000)),
        (&[("ratelimit-reset", "12")], ms(12_000)),
    ];
    for (fields, expected) in cases {
        assert_eq!(retry_after(&headers(fields)), *expected, "{fields:?}");
    }
}

#[test]
fn the_state_of_a_limit_is_no_explicit_wait() {
    assert_eq!(explicit(&headers(&[("x-ratelimit-reset", "30")])), None);
    let reset = ("anthropic-ratelimit-tokens-reset", "2024-01-01T00:00:00Z");
    assert_eq!(explicit(&headers(&[reset])), None);
    assert_eq!(explicit(&headers(&[("ratelimit", "\"default\";r=0;t=30")])), None);
}

#[test]
fn a_negative_pushback_asks_for_the_end() {
    assert!(asks_for_end(&headers(&[("grpc-retry-pushback-ms", "-1")])));
    assert!(!asks_for_end(&headers(&[("grpc-retry-pushback-ms", "0")])));
    assert!(!asks_for_end(&headers(&[])));
}

#[test]
fn a_time_in_the_past_is_no_delay_and_one_far_away_is_a_year() {
    let now = UNIX_EPOCH + Duration::from_secs(NEW_YEAR);
    assert_eq!(Wait::At(UNIX_EPOCH).delay(now), Duration::ZERO);
    assert_eq!(Wait::At(now + LONGEST * 3).delay(now), LONGEST);
    assert_eq!(Wait::Delay(Duration::from_secs(5)).end(now), now + Duration::from_secs(5));
}
