//! HTTP dates, RFC 9110 §5.6.7, without what `httpdate` panics on, and the dates of RFC 3339.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The first second of the year 10000, which no HTTP date can write.
const END: Duration = Duration::from_secs(253_402_300_800);

/// Returns `at` as an HTTP date; `None` before 1970 and from the year 10000 on.
pub(crate) fn http_date(at: SystemTime) -> Option<String> {
    let since = at.duration_since(UNIX_EPOCH).ok()?;
    (since < END).then(|| httpdate::fmt_http_date(at))
}

/// Returns the time of an HTTP date in any of its three forms.
#[cfg(feature = "http")]
pub(super) fn parse(date: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(date.trim()).ok()
}

/// Returns the time that lies `since` after the beginning of 1970, if it can be written as a date.
#[cfg(feature = "http")]
pub(super) fn since_1970(since: Duration) -> Option<SystemTime> {
    (since < END).then(|| UNIX_EPOCH.checked_add(since))?
}

/// Returns the time that RFC 3339 writes as `2026-01-31T10:00:00.5+08:00`; `None` before 1970. A
/// leap second is the first of the next minute.
#[cfg(feature = "http")]
pub(super) fn parse_rfc3339(date: &str) -> Option<SystemTime> {
    let (day, time) = date.split_once(['T', 't', ' '])?;
    let [year, month, day] = numbers(day, '-', [4, 2, 2])?;
    let (clock, zone) = time.split_at(time.find(['Z', 'z', '+', '-'])?);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let is_time = hour < 24 && minute < 60 && second < 61 && is_fraction;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_of = |month: u64| match month {
        2 => 28 + u64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if year < 1970 || !(1..=12).contains(&month) || !(1..=days_of(month)).contains(&day) || !is_time
    {
        return None;
    }
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    let days = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969)
        + (1..month).map(days_of).sum::<u64>()
        + (day - 1);
    let local = Duration::from_secs(((days * 24 + hour) * 60 + minute) * 60 + second);
    let nanos = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let nanos = nanos.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    let local = local + Duration::from_nanos(nanos);
    let since = match zone.split_at(1) {
        ("Z" | "z", "") => Some(local),
        ("+", offset) => local.checked_sub(self::offset(offset)?),
        ("-", offset) => local.checked_add(self::offset(offset)?),
        _ => None,
    };
    since.and_then(since_1970)
}

/// Returns how far `08:00` is.
#[cfg(feature = "http")]
fn offset(text: &str) -> Option<Duration> {
    let [hours, minutes] = numbers(text, ':', [2, 2])?;
    (hours < 24 && minutes < 60).then(|| Duration::from_secs((hours * 60 + minutes) * 60))
}

/// Returns the numbers of exactly these many digits that `mark` parts.
#[cfg(feature = "http")]
fn numbers<const N: usize>(text: &str, mark: char, digits: [usize; N]) -> Option<[u64; N]> {
    let mut numbers = [0; N];
    let mut parts = text.split(mark);
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next()?;
        let is_number = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        *number = part.parse().ok().filter(|_| is_number)?;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_no_date_can_write_is_none() {
        assert_eq!(http_date(UNIX_EPOCH).as_deref(), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
        let last = UNIX_EPOCH + END - Duration::from_nanos(1);
        assert_eq!(http_date(last).as_deref(), Some("Fri, 31 Dec 9999 23:59:59 GMT"));
        assert_eq!(http_date(UNIX_EPOCH + END), None);
        assert_eq!(http_date(UNIX_EPOCH - Duration::from_secs(1)), None);
    }

    #[cfg(feature = "http")]
    #[test]
    fn dates_of_rfc_3339_are_read_to_the_letter() {
        let since = |date| parse_rfc3339(date).and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let secs = |secs| Some(Duration::from_secs(secs));
        let cases = [
            ("1970-01-01T00:00:00Z", secs(0)),
            ("2024-01-01T00:00:00Z", secs(1_704_067_200)),
            ("2024-02-29T23:59:59Z", secs(1_709_251_199)),
            ("2024-03-01T00:00:00z", secs(1_709_251_200)),
            ("2000-02-29t12:00:00Z", secs(951_825_600)),
            ("2024-01-01T08:00:00+08:00", secs(1_704_067_200)),
            ("2023-12-31T18:30:00-05:30", secs(1_704_067_200)),
            ("2016-12-31T23:59:60Z", secs(1_483_228_800)),
            ("2024-01-01T00:00:00.25Z", Some(Duration::from_millis(1_704_067_200_250))),
            ("9999-12-31T23:59:59Z", secs(253_402_300_799)),
            ("9999-12-31T23:59:59-00:01", None),
            ("1970-01-01T00:00:00+00:01", None),
            ("1969-12-31T23:59:59Z", None),
            ("2023-02-29T00:00:00Z", None),
            ("2100-02-29T00:00:00Z", None),
            ("2024-13-01T00:00:00Z", None),
            ("2024-00-01T00:00:00Z", None),
            ("2024-04-31T00:00:00Z", None),
            ("2024-01-00T00:00:00Z", None),
            ("2024-01-01T24:00:00Z", None),
            ("2024-01-01T00:60:00Z", None),
            ("2024-01-01T00:00:00", None),
            ("2024-01-01T00:00:00.Z", None),
            ("2024-01-01T00:00:00ZZ", None),
            ("2024-01-01T00:00Z", None),
            ("2024-1-01T00:00:00Z", None),
            ("+024-01-01T00:00:00Z", None),
            ("2024-01-01", None),
            ("", None),
        ];
        for (date, expected) in cases {
            assert_eq!(since(date), expected, "{date}");
        }
    }
}
