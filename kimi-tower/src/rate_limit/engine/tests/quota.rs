use std::time::Duration;

use super::{Quota, QuotaError, SlidingWindow};

#[test]
fn a_quota_that_is_none_is_an_error_when_built() {
    let second = Duration::from_secs(1);
    let year = Duration::from_secs(365 * 24 * 60 * 60);
    let nanos = Duration::from_nanos;
    for (units, period, expected) in [
        (0, second, QuotaError::NoUnits),
        (1, Duration::ZERO, QuotaError::NoPeriod),
        (1, year + nanos(1), QuotaError::TooLong),
        (1, Duration::MAX, QuotaError::TooLong),
        (3, nanos(2), QuotaError::TooFast),
        (u32::MAX, second, QuotaError::TooFast),
    ] {
        assert_eq!(Quota::try_new(units, period), Err(expected), "{expected}");
    }
    assert!(Quota::try_new(u32::MAX, year).is_ok());
    assert!(Quota::try_new(3, nanos(3)).is_ok());
}

#[test]
fn a_log_that_would_be_too_long_is_an_error_when_built() {
    let log = |units, seconds| {
        SlidingWindow::try_new(Quota::try_new(units, Duration::from_secs(seconds)).unwrap())
    };
    assert_eq!(log((1 << 20) + 1, 60), Err(QuotaError::LogTooLong));
    assert!(log(1 << 20, 7_200).is_ok());
    assert!(log(100_000, 86_400).is_ok());
    assert_eq!(log(1 << 20, 86_400), Err(QuotaError::LogTooLong));
    assert_eq!(log(1_000, 365 * 86_400), Err(QuotaError::LogTooLong));
}

#[test]
fn sub_windows_that_are_none_are_an_error_when_built() {
    let window = |units, nanos, count| {
        let quota = Quota::try_new(units, Duration::from_nanos(nanos)).unwrap();
        SlidingWindow::try_with_sub_windows(quota, count)
    };
    assert_eq!(window(1, 60, 0), Err(QuotaError::SubWindows));
    assert_eq!(window(1, 60, 61), Err(QuotaError::SubWindows));
    assert_eq!(window(1, 1 << 40, (1 << 14) + 1), Err(QuotaError::SubWindows));
    assert!(window(u32::MAX, 1 << 50, 1 << 14).is_ok());
    assert!(window(1, 60, 60).is_ok());
}
