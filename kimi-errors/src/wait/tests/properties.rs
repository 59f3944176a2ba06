//! Hints of every form, by themselves and together: nobody is called back before the server's time.
//!
//! A second of them here; 100 000, in five seconds, with
//! `PROPTEST_CASES=100000 cargo test --release -p kimi-errors --all-features --lib wait::tests`.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use proptest::prelude::*;

use super::super::*;
use crate::{RetryAdvice, decode};

/// 2100-01-01, when the answers are sent by their own clock. Each has a `date`, so that no clock
/// but the server's is asked.
const SENT: u64 = 4_102_444_800;
const DAY: u64 = 86_400;

/// As many cases as `PROPTEST_CASES` says, else 1 500.
fn config() -> ProptestConfig {
    let is_told = std::env::var_os("PROPTEST_CASES").is_some();
    let config = ProptestConfig::default();
    if is_told { config } else { ProptestConfig { cases: 1_500, ..config } }
}

/// One thing that a server says, and how many nanoseconds it says by that.
#[derive(Clone, Debug)]
struct Hint {
    place: Place,
    value: String,
    nanos: u128,
}

#[derive(Clone, Debug)]
enum Place {
    /// A field that asks to wait.
    Asked(&'static str),
    /// A field that tells the state of a limit.
    Limit(&'static str),
    Text,
    /// Google's `RetryInfo`.
    Details,
}

fn hint(place: Place, value: String, nanos: u128) -> Hint {
    Hint { place, value, nanos }
}

/// A count of units up to a day, with digits behind the point, as text and in nanoseconds.
fn decimal(unit: u128) -> impl Strategy<Value = (String, u128)> {
    let most = u128::from(DAY) * 1_000_000_000 / unit;
    (0..=u64::try_from(most).unwrap(), "|\\.[0-9]{1,12}").prop_map(move |(whole, fraction)| {
        // Exactly, in billionths of billionths, and rounded up at the end.
        let digits = format!("{:0<12}", fraction.trim_start_matches('.'));
        let parts = digits.parse::<u128>().unwrap();
        let nanos = u128::from(whole) * unit + (parts * unit).div_ceil(1_000_000_000_000);
        (format!("{whole}{fraction}"), nanos)
    })
}

/// The three forms of RFC 9110 §5.6.7, written by hand.
fn http_date() -> impl Strategy<Value = (String, u128)> {
    (0..300 * DAY, 0..3).prop_map(|(wait, form)| {
        let imf = httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(SENT + wait));
        let [week, day, month, year, time] =
            <[&str; 5]>::try_from(imf.split(' ').take(5).collect::<Vec<_>>()).unwrap();
        let short = week.trim_end_matches(',');
        let long = match short {
            "Mon" => "Monday",
            "Tue" => "Tuesday",
            "Wed" => "Wednesday",
            "Thu" => "Thursday",
            "Fri" => "Friday",
            "Sat" => "Saturday",
            _ => "Sunday",
        };
        // Two digits of a year mean 1970 to 2069, so that the second form is only for those.
        let date = match form {
            1 if year.starts_with("20") => {
                format!("{long}, {day}-{month}-{} {time} GMT", &year[2..])
            }
            2 => format!("{short} {month} {:>2} {time} {year}", day.trim_start_matches('0')),
            _ => imf.clone(),
        };
        (date, u128::from(wait) * 1_000_000_000)
    })
}

/// `1h2m3.5s`, as Go writes it.
fn go() -> impl Strategy<Value = (String, u128)> {
    (0..24_u64, 0..60_u64, decimal(1_000_000_000)).prop_map(|(hours, minutes, (secs, nanos))| {
        let before = u128::from(hours * 3600 + minutes * 60) * 1_000_000_000;
        (format!("{hours}h{minutes}m{secs}s"), before + nanos)
    })
}

fn since_1970() -> impl Strategy<Value = (String, u128)> {
    (0..300 * DAY, any::<bool>()).prop_map(|(wait, ms)| {
        let at = (SENT + wait) * if ms { 1000 } else { 1 };
        (at.to_string(), u128::from(wait) * 1_000_000_000)
    })
}

fn sentence() -> impl Strategy<Value = (String, u128)> {
    let secs = || decimal(1_000_000_000);
    prop_oneof![
        secs().prop_map(|(n, it)| (format!("max RPM: 3, please try again after {n} seconds"), it)),
        go().prop_map(|(text, it)| (format!("Please try again in {text}. Visit us."), it)),
        secs().prop_map(|(n, it)| (format!("请求过于频繁，请 {n} 秒后重试"), it)),
        (0..600_u64, secs()).prop_map(|(minutes, (n, it))| {
            let text = format!("请求过于频繁，请 {minutes} 分 {n} 秒后重试");
            (text, u128::from(minutes) * 60_000_000_000 + it)
        }),
        (0..600_u64, secs()).prop_map(|(minutes, (n, it))| {
            let text = format!("please try again in {minutes} minutes and {n} seconds");
            (text, u128::from(minutes) * 60_000_000_000 + it)
        }),
    ]
}

fn any_hint() -> impl Strategy<Value = Hint> {
    let asked = |names: &'static [&'static str]| prop::sample::select(names).prop_map(Place::Asked);
    let limits =
        |names: &'static [&'static str]| prop::sample::select(names).prop_map(Place::Limit);
    let seconds: &[&str] = &["retry-after", "x-retry-after"];
    let ms: &[&str] = &["retry-after-ms", "x-ms-retry-after-ms", "grpc-retry-pushback-ms"];
    let resets: &[&str] = &[
        "ratelimit-reset",
        "x-ratelimit-reset",
        "x-ratelimit-reset-requests",
        "x-ratelimit-reset-tokens",
    ];
    let whole = |(place, (value, nanos)): (Place, (String, u128))| hint(place, value, nanos);
    prop_oneof![
        (asked(seconds), decimal(1_000_000_000)).prop_map(whole),
        (asked(seconds), http_date()).prop_map(whole),
        (asked(ms), decimal(1_000_000)).prop_map(whole),
        (limits(resets), prop_oneof![go().boxed(), since_1970().boxed(), http_date().boxed()])
            .prop_map(whole),
        (limits(resets), decimal(1_000_000_000)).prop_map(whole),
        decimal(1_000_000_000).prop_map(|(n, it)| hint(
            Place::Limit("ratelimit"),
            format!("\"a\";r=0;t={n}"),
            it
        )),
        sentence().prop_map(|(text, it)| hint(Place::Text, text, it)),
        decimal(1_000_000_000).prop_map(|(n, it)| hint(Place::Details, format!("{n}s"), it)),
    ]
}

fn head(fields: impl IntoIterator<Item = (&'static str, Vec<u8>)>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    headers
}

fn answer(hints: &[Hint]) -> (HeaderMap, Vec<u8>) {
    let date = ("date", httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(SENT)));
    let fields = hints.iter().filter_map(|hint| match hint.place {
        Place::Asked(name) | Place::Limit(name) => Some((name, hint.value.clone())),
        Place::Text | Place::Details => None,
    });
    let headers = head(fields.chain([date]).map(|(name, value)| (name, value.into_bytes())));
    let texts = hints.iter().filter(|hint| matches!(hint.place, Place::Text));
    let message = texts.map(|hint| hint.value.as_str()).collect::<Vec<_>>().join(" ");
    let details = hints.iter().filter(|hint| matches!(hint.place, Place::Details));
    let details = details.map(|it| serde_json::json!({"retryDelay": it.value})).collect::<Vec<_>>();
    let mut error = serde_json::json!({"type": "rate_limit_reached_error", "message": message});
    if !details.is_empty() {
        error["details"] = details.into();
    }
    (headers, serde_json::json!({ "error": error }).to_string().into_bytes())
}

/// What the hints ask for, worked out from what they were made of.
fn said(hints: &[Hint]) -> u128 {
    let of = |is: fn(&Place) -> bool| {
        move |hints: &[Hint]| hints.iter().filter(|it| is(&it.place)).map(|it| it.nanos).max()
    };
    let body = of(|place| matches!(place, Place::Text | Place::Details))(hints);
    let is_ms = |hint: &&Hint| matches!(hint.place, Place::Asked(name) if name.ends_with("-ms"));
    let ms = hints.iter().filter(is_ms).map(|it| it.nanos).max();
    // Seconds that are milliseconds rounded up say what those say.
    let up = ms.map(|ms| ms.next_multiple_of(1_000_000_000));
    let asked = hints.iter().filter(|hint| {
        matches!(hint.place, Place::Asked(_)) && (is_ms(hint) || Some(hint.nanos) != up)
    });
    let asked = asked.map(|hint| hint.nanos).max();
    body.max(asked).unwrap_or_default()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn prop_no_wait_is_shorter_than_any_hint_asks_for(
        hints in prop::collection::vec(any_hint(), 1..4),
    ) {
        let (headers, body) = answer(&hints);
        let error = decode(StatusCode::TOO_MANY_REQUESTS, &headers, &body).unwrap();
        let wait = error.retry_after();
        prop_assert!(matches!(error.advice(), RetryAdvice::Backoff { .. }), "{:?}", error);
        prop_assert!(wait.is_some());
        let nanos = wait.unwrap_or_default().as_nanos();
        prop_assert!(nanos >= said(&hints), "{} < {}", nanos, said(&hints));
        // No more than the longest of all, so that nothing was added up or misread.
        let most = hints.iter().map(|it| it.nanos).max().unwrap_or_default();
        prop_assert!(nanos <= most, "{} > {}", nanos, most);
        prop_assert!(nanos > 0 || most == 0, "zero beside {}", most);
        if let [Hint { nanos: said, .. }] = hints[..] {
            prop_assert_eq!(nanos, said, "a hint alone is read to the nanosecond");
        }
    }
}

const FIELDS: &[&str] = &[
    "anthropic-ratelimit-tokens-remaining",
    "anthropic-ratelimit-tokens-reset",
    "date",
    "grpc-retry-pushback-ms",
    "ratelimit",
    "ratelimit-reset",
    "retry-after",
    "retry-after-ms",
    "x-ms-retry-after-ms",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
    "x-retry-after",
];

const ABSURD: &[&str] = &[
    "",
    " ",
    "-0",
    "-1",
    "-1e9",
    "+5",
    "0",
    "00000000000000000000",
    "0.0",
    ".",
    "1.",
    ".5",
    "1.5.5",
    "NaN",
    "nan",
    "inf",
    "-inf",
    "Infinity",
    "1e308",
    "1e-308",
    "0x10",
    "1_000",
    "1,000",
    "5, 7",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "9223372036854775807.9999999999999999999",
    "99999999999999999999999999999999999999999999h9d",
    "253402300799",
    "253402300800",
    "253402300799999",
    "999999999",
    "1000000000",
    "1000000000.5",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Sat, 01 Jan 10000 00:00:00 GMT",
    "Sat, 01 Jan 0000 00:00:00 GMT",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "Mon, 41 Jan 2024 00:00:00 GMT",
    "Wed, 31 Dec 1969 23:59:59 GMT",
    "Sat, 30 Feb 2024 25:61:61 GMT",
    "Sun, 00 Jan 2024 00:00:00 GMT",
    "Friday, 31-Dec-99 23:59:59 GMT",
    "Sunday, 00-Jan-00 99:99:99 GMT",
    "Fri Dec 31 23:59:59 9999",
    "Sat Jan  0 00:00:00 0000",
    "9999-12-31T23:59:59Z",
    "0000-00-00T00:00:00Z",
    "0000-01-01T00:00:00-23:59",
    "٣",
    "１２",
    "５ 秒",
    "3秒",
    "h",
    "m",
    "1h-5m",
    "\u{0}",
    "\"a\";r=0;t=-1",
    "\"a\";r=0;t=1e308",
    ";;;t=",
    "t=5",
    "reset=",
    "reset=-1",
    "limit=, remaining=, reset=99999999999999999999",
];

fn absurd() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::sample::select(ABSURD).prop_map(|text| text.as_bytes().to_vec()),
        1 => "[-+0-9.eEhmsdµ:, ]{0,40}".prop_map(String::into_bytes),
        1 => "[0-9]{1,400}".prop_map(String::into_bytes),
        1 => "[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
            .prop_map(String::into_bytes),
        1 => "(Sun|Mon), [0-9]{2} (Jan|Feb|Dec) (0000|1[69]69|2[0-9]{3}|9999) [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
            .prop_map(String::into_bytes),
        1 => "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,20})?(Z|[-+][0-9]{2}:[0-9]{2})"
            .prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn prop_absurd_hints_neither_panic_nor_park_anyone(
        fields in prop::collection::vec((prop::sample::select(FIELDS), absurd()), 0..6),
        text in absurd(),
        status in prop::sample::select(&[200_u16, 409, 429, 500, 503][..]),
        real in prop::option::of(1..1_000_u64),
    ) {
        let real_field = real.map(|ms| ("retry-after-ms", ms.to_string().into_bytes()));
        let headers = head(fields.into_iter().chain(real_field));
        let text = String::from_utf8_lossy(&text).into_owned();
        let message = format!("please try again after {text} seconds, 请 {text} 秒后重试");
        let error = serde_json::json!({"type": "rate_limit_reached_error", "message": message,
            "details": [{"retryDelay": text}]});
        let body = serde_json::json!({ "error": error }).to_string();
        let status = StatusCode::from_u16(status).unwrap();
        let error = decode(status, &headers, body.as_bytes()).unwrap();
        let wait = error.retry_after();
        prop_assert!(wait <= Some(LONGEST), "{:?}", wait);
        // A negative pushback ends it all.
        let real = real.filter(|_| error.advice() != RetryAdvice::Never);
        prop_assert!(real.is_none() || wait >= real.map(Duration::from_millis), "{:?}", wait);
        let end = retry_after(&headers).map(|wait| wait.delay(std::time::UNIX_EPOCH));
        prop_assert!(end <= Some(LONGEST));
    }
}
