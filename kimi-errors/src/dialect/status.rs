//! What an HTTP status says when nothing else does.

use crate::{ErrorKind, decode::Verdict};

/// Returns what a status says on its own. Asked last, because gateways rewrite statuses.
///
/// Of the statuses that the official clients and both OpenAI SDKs try again, 409 is the one whose
/// kind says otherwise; 425 asks for another try by its definition (RFC 8470 §5.2).
pub(crate) fn verdict(status: u16) -> Verdict {
    let verdict = Verdict::of(kind(status));
    if matches!(status, 409 | 425) {
        verdict.advising(crate::RetryAdvice::BACKOFF)
    } else {
        verdict
    }
}

fn kind(status: u16) -> ErrorKind {
    match status {
        // A token that can be refreshed is, once; the answer to the replay is final.
        401 => ErrorKind::TokenExpired,
        402 => ErrorKind::QuotaExhausted,
        403 | 451 => ErrorKind::PermissionDenied,
        404 => ErrorKind::RouteNotFound,
        405 => ErrorKind::MethodNotAllowed,
        // 598 and 599, which no standard knows, are a proxy's read and connect time-outs.
        408 | 504 | 522 | 524 | 598 | 599 => ErrorKind::Timeout,
        409 | 423 => ErrorKind::Conflict,
        410 => ErrorKind::NotFound,
        413 | 431 => ErrorKind::PayloadTooLarge,
        415 => ErrorKind::UnsupportedMediaType,
        422 => ErrorKind::Unprocessable,
        425 | 503 => ErrorKind::Unavailable,
        429 => ErrorKind::RateLimited,
        499 => ErrorKind::Cancelled,
        400..=498 => ErrorKind::Validation,
        501 => ErrorKind::NotImplemented,
        // 520 to 530 are Cloudflare's: it could not reach, or not understand, who is behind it.
        502 | 520 | 521 | 523 | 525..=527 | 530 => ErrorKind::BadGateway,
        529 => ErrorKind::Overloaded,
        // A stranger's 500 is a system's failure, also when the system is not ours.
        500..=599 => ErrorKind::System,
        _ => ErrorKind::RequestFailed,
    }
}
