//! Lengths of time as people and programs write them: `90`, `1.5`, `6m0s`, `20ms`, `3 seconds`.
//!
//! No floating point: a number is its digits, so that none is too large, `NaN` or negative.

use std::time::Duration;

use super::LONGEST;

const NANOS_PER_SEC: u128 = 1_000_000_000;

/// Every unit that is understood, in nanoseconds. Go writes the first seven, people the rest.
const UNITS: &[(&str, u128)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", NANOS_PER_SEC),
    ("m", 60 * NANOS_PER_SEC),
    ("h", 3600 * NANOS_PER_SEC),
    ("sec", NANOS_PER_SEC),
    ("secs", NANOS_PER_SEC),
    ("second", NANOS_PER_SEC),
    ("seconds", NANOS_PER_SEC),
    ("min", 60 * NANOS_PER_SEC),
    ("mins", 60 * NANOS_PER_SEC),
    ("minute", 60 * NANOS_PER_SEC),
    ("minutes", 60 * NANOS_PER_SEC),
    ("hour", 3600 * NANOS_PER_SEC),
    ("hours", 3600 * NANOS_PER_SEC),
    ("d", 86_400 * NANOS_PER_SEC),
    ("day", 86_400 * NANOS_PER_SEC),
    ("days", 86_400 * NANOS_PER_SEC),
    ("毫秒", 1_000_000),
    ("秒钟", NANOS_PER_SEC),
    ("秒", NANOS_PER_SEC),
    ("分钟", 60 * NANOS_PER_SEC),
    ("分", 60 * NANOS_PER_SEC),
    ("个小时", 3600 * NANOS_PER_SEC),
    ("小时", 3600 * NANOS_PER_SEC),
    ("天", 86_400 * NANOS_PER_SEC),
];

/// Returns the length that the whole of `text` says: a number of `bare` units, or numbers with
/// units behind them.
pub(super) fn whole(text: &str, bare: Duration) -> Option<Duration> {
    let text = text.trim();
    if let Some((number, "")) = number(text) {
        return Some(number.of(bare.as_nanos()));
    }
    prefix(text).filter(|(_, rest)| rest.is_empty()).map(|(length, _)| length)
}

/// Returns the length that `text` begins with, `6m0s` or `3 seconds`, and what follows it.
pub(super) fn prefix(text: &str) -> Option<(Duration, &str)> {
    let (first, mut rest) = part(text)?;
    let mut sum = first;
    // Go writes `1h15m30s`, people `1 minute and 30 seconds`; each part adds to the ones before.
    while let Some((next, after)) = part(joined(rest)) {
        sum = sum.saturating_add(next);
        rest = after;
    }
    Some((sum.min(LONGEST), rest))
}

/// Returns `text` without what may stand between two parts of one length.
fn joined(text: &str) -> &str {
    let text = text.trim_start_matches([' ', ',']);
    text.strip_prefix("and ").unwrap_or(text).trim_start_matches(' ')
}

/// Returns the number and unit that `text` begins with, as a length.
fn part(text: &str) -> Option<(Duration, &str)> {
    let (number, rest) = number(text)?;
    let rest = rest.trim_start_matches(' ');
    let end = rest.find(|c: char| !c.is_ascii_alphabetic() && c != 'µ').unwrap_or(rest.len());
    // 秒 is followed by further words without a space, so that a unit of Chinese is a prefix.
    let (unit, nanos) = UNITS.iter().find(|(unit, _)| {
        rest[..end].eq_ignore_ascii_case(unit)
            || !unit.is_ascii() && *unit != "µs" && rest.starts_with(unit)
    })?;
    Some((number.of(*nanos), &rest[unit.len()..]))
}

/// A decimal number: digits, and digits behind a point.
struct Number {
    integer: u64,
    /// The first nine digits behind the point, rounded up: to wait less than was said is too early.
    billionths: u32,
}

impl Number {
    /// Returns the length of this many units, at most [`LONGEST`].
    fn of(&self, unit_nanos: u128) -> Duration {
        // A u64 times a day in nanoseconds stays far below the end of u128.
        let nanos = u128::from(self.integer) * unit_nanos
            + (u128::from(self.billionths) * unit_nanos).div_ceil(NANOS_PER_SEC);
        let secs = u64::try_from(nanos / NANOS_PER_SEC).unwrap_or(u64::MAX);
        let subsec = u32::try_from(nanos % NANOS_PER_SEC).unwrap_or_default();
        Duration::new(secs, subsec).min(LONGEST)
    }
}

/// Returns the decimal number that `text` begins with, and what follows it.
fn number(text: &str) -> Option<(Number, &str)> {
    let (digits, rest) = digits(text);
    if digits.is_empty() {
        return None;
    }
    let integer = digits.parse().unwrap_or(u64::MAX);
    let Some((fraction, after)) = rest.strip_prefix('.').map(self::digits) else {
        return Some((Number { integer, billionths: 0 }, rest));
    };
    if fraction.is_empty() {
        // The point ends a sentence.
        return Some((Number { integer, billionths: 0 }, rest));
    }
    let nine = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let billionths = nine.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    let is_more = fraction.bytes().skip(9).any(|digit| digit != b'0');
    Some((Number { integer, billionths: billionths + u32::from(is_more) }, after))
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_length_is_read() {
        let cases: &[(&str, Option<u64>)] = &[
            ("0", Some(0)),
            ("90", Some(90_000)),
            (" 1.5 ", Some(1_500)),
            ("0.0015", Some(1)),
            ("6m0s", Some(360_000)),
            ("1h2m3.5s", Some(3_723_500)),
            ("20ms", Some(20)),
            ("1000µs", Some(1)),
            ("2 seconds", Some(2_000)),
            ("1h 30m", Some(5_400_000)),
            ("1 minute 30 seconds", Some(90_000)),
            ("1 hour, 1 minute and 1 second", Some(3_661_000)),
            ("1分30秒", Some(90_000)),
            ("1 个小时", Some(3_600_000)),
            ("500 毫秒", Some(500)),
            ("2天", Some(172_800_000)),
            ("1 Minute", Some(60_000)),
            ("3秒", Some(3_000)),
            ("1d", Some(86_400_000)),
            ("99999999999999999999999", Some(31_536_000_000)),
            ("18446744073709551615h9h", Some(31_536_000_000)),
            ("", None),
            ("-1", None),
            ("+1", None),
            (".5", None),
            ("1.", None),
            ("1e3", None),
            ("NaN", None),
            ("inf", None),
            ("5 parsecs", None),
            ("1.5.5", None),
            ("٣", None),
        ];
        for (text, ms) in cases {
            let expected = ms.map(Duration::from_millis);
            let read = whole(text, Duration::from_secs(1));
            let read = read.map(|read| Duration::from_millis(read.as_millis().try_into().unwrap()));
            assert_eq!(read, expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_finer_than_a_nanosecond_is_rounded_up() {
        for text in ["0.0000000001", "0.5ns", "0.0000000005s", "0.000000001"] {
            let read = whole(text, Duration::from_secs(1));
            assert_eq!(read, Some(Duration::from_nanos(1)), "{text}");
        }
        let carried = whole("1.9999999999", Duration::from_secs(1));
        assert_eq!(carried, Some(Duration::from_secs(2)));
    }
}
