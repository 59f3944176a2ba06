//! Dates as RFC 3339 has them.

use std::time::{SystemTime, UNIX_EPOCH};

use super::digits::place;

/// Writes a time of day in UTC, to the millisecond: `2026-11-27T15:22:47.123Z`. What comes before
/// 1970 is its first moment, and what comes after 9999 its last.
pub(super) fn timestamp(at: SystemTime, line: &mut Vec<u8>) {
    const LAST: u64 = 253_402_300_799;
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, millisecond) =
        if since.as_secs() > LAST { (LAST, 999) } else { (since.as_secs(), since.subsec_millis()) };
    // Both fit, since the year has four digits.
    let [days, second] =
        [seconds / 86_400, seconds % 86_400].map(|part| u32::try_from(part).unwrap_or_default());
    let (year, month, day) = date(days);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    place(year, &mut text[..4]);
    place(month, &mut text[5..7]);
    place(day, &mut text[8..10]);
    place(second / 3600, &mut text[11..13]);
    place(second / 60 % 60, &mut text[14..16]);
    place(second % 60, &mut text[17..19]);
    place(millisecond, &mut text[20..23]);
    line.extend_from_slice(&text);
}

/// Returns year, month and day of a day after 1970-01-01, in the Gregorian calendar.
///
/// Years are counted from March, so that the day that leap years add is the last: then a month's
/// first day is a linear function of the month, rounded.
const fn date(days: u32) -> (u32, u32, u32) {
    // From 0000-03-01, which begins one of the 400 years after which all is the same again.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let (month, next) = if from_march < 10 { (from_march + 3, 0) } else { (from_march - 9, 1) };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn written(at: SystemTime) -> String {
        let mut line = Vec::new();
        timestamp(at, &mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn known_moments_are_written() {
        for (milliseconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_795_792_967_123, "2026-11-27T15:22:47.123Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (253_402_300_800_000, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(written(UNIX_EPOCH + Duration::from_millis(milliseconds)), text);
        }
        assert_eq!(written(UNIX_EPOCH - Duration::from_secs(1)), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut before = date(0);
        for days in 1..2_932_897 {
            let (year, month, day) = date(days);
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = |month| match month {
                2 => 28 + u32::from(is_leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            let expected = match before {
                (_, 12, 31) => (before.0 + 1, 1, 1),
                (_, month, day) if day == last(month) => (before.0, month + 1, 1),
                (_, month, day) => (before.0, month, day + 1),
            };
            assert_eq!((year, month, day), expected);
            before = expected;
        }
        assert_eq!(before, (9999, 12, 31));
    }
}
