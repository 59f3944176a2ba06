//! `grpc-retry-pushback-ms`: a server's say in when its clients try again, or that they do not.
//!
//! Source: gRPC proposal A6, "Pushback".

use std::time::Duration;

use http::HeaderMap;

use crate::{Error, GrpcCode, RetryAdvice, wait::PUSHBACK};

/// Returns the wait in milliseconds, rounded up, or -1 for never.
pub(super) fn of(error: &Error) -> Option<i32> {
    match error.advice() {
        RetryAdvice::Backoff { .. } | RetryAdvice::AfterStream => {
            let ms = error.retry_after()?.as_nanos().div_ceil(1_000_000);
            Some(i32::try_from(ms).unwrap_or(i32::MAX))
        }
        RetryAdvice::Never | RetryAdvice::AfterRefresh | RetryAdvice::AfterReset { .. } => {
            is_retried(error.kind().grpc_code()).then_some(-1)
        }
    }
}

/// Obeys a pushback: a wait, or, if it is negative or no number, never.
pub(super) fn obey(error: Error, metadata: &HeaderMap) -> Error {
    let Some(pushback) = metadata.get(PUSHBACK) else { return error };
    if !matches!(error.advice(), RetryAdvice::Backoff { .. }) {
        return error;
    }
    let ms = pushback.to_str().ok().and_then(|ms| ms.parse::<i32>().ok());
    match ms.and_then(|ms| u64::try_from(ms).ok()) {
        // Its details may have named a wait, too.
        Some(ms) => error.with_wait_of_at_least(Duration::from_millis(ms)),
        None => error.with_advice(RetryAdvice::Never),
    }
}

/// Returns whether service configurations commonly list a code as one to retry.
fn is_retried(code: GrpcCode) -> bool {
    matches!(
        code,
        GrpcCode::Unknown
            | GrpcCode::DeadlineExceeded
            | GrpcCode::ResourceExhausted
            | GrpcCode::Aborted
            | GrpcCode::Internal
            | GrpcCode::Unavailable
    )
}
