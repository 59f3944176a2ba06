//! Error answers of strangers: what they mean, and what of their head outlives them.

use http::{HeaderMap, HeaderName, StatusCode, header};
use kimi_errors::{Error, ErrorKind};

use crate::media::{ends_with, essence};

/// Fields that describe the body they came with, RFC 9110 §8 and RFC 9530, or how it was sent.
const OF_THE_BODY: [HeaderName; 15] = [
    header::ACCEPT_RANGES,
    header::CONTENT_DISPOSITION,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_LOCATION,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::ETAG,
    header::LAST_MODIFIED,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("repr-digest"),
];

/// Fields that say what to make of the status they came with: how long the answer may be kept,
/// RFC 9111 §5, or where to go instead. An error that travels as a 200 must not be kept as one.
const OF_THE_STATUS: [HeaderName; 9] = [
    header::AGE,
    header::CACHE_CONTROL,
    header::EXPIRES,
    header::LOCATION,
    header::PRAGMA,
    header::REFRESH,
    header::WARNING,
    // What Fastly and nginx read before any of the above.
    HeaderName::from_static("surrogate-control"),
    HeaderName::from_static("x-accel-expires"),
];

/// Removes the fields that describe the old body. All others stay: `Allow`, `Retry-After`,
/// `WWW-Authenticate`, cookies, CORS and the `Vary` that belongs to it.
pub(super) fn strip_body(headers: &mut HeaderMap) {
    for name in &OF_THE_BODY {
        headers.remove(name);
    }
}

/// Removes the fields that hold for the old status only.
pub(super) fn strip_status(headers: &mut HeaderMap) {
    for name in &OF_THE_STATUS {
        headers.remove(name);
    }
    // `CDN-Cache-Control` and its like, which outrank `Cache-Control`: RFC 9213 §2.
    let is_targeted = |name: &&HeaderName| name.as_str().ends_with("-cache-control");
    let targeted: Vec<_> = headers.keys().filter(is_targeted).cloned().collect();
    for name in targeted {
        headers.remove(name);
    }
}

/// Returns whether an answer is in no form that a client of an API would read an error from.
pub(super) fn is_foreign(headers: &HeaderMap) -> bool {
    let essence = essence(headers);
    let spoken = ends_with(essence, b"json")
        || ends_with(essence, b"event-stream")
        || essence.get(..16).is_some_and(|start| start.eq_ignore_ascii_case(b"application/grpc"));
    !spoken
}

/// Returns the error that a status alone stands for. The status itself stays.
pub(super) fn error(status: StatusCode) -> Error {
    let kind = match status.as_u16() {
        // The article knows one error with this status, and a fresh token is worth one try.
        401 => ErrorKind::TokenExpired,
        402 => ErrorKind::QuotaExhausted,
        403 => ErrorKind::PermissionDenied,
        404 => ErrorKind::RouteNotFound,
        405 => ErrorKind::MethodNotAllowed,
        408 | 504 => ErrorKind::Timeout,
        409 => ErrorKind::Conflict,
        410 => ErrorKind::NotFound,
        413 => ErrorKind::PayloadTooLarge,
        415 => ErrorKind::UnsupportedMediaType,
        422 => ErrorKind::Unprocessable,
        429 => ErrorKind::RateLimited,
        499 => ErrorKind::Cancelled,
        501 => ErrorKind::NotImplemented,
        502 => ErrorKind::BadGateway,
        503 => ErrorKind::Unavailable,
        // The rest of 4xx is about the form of the request: its target, its fields, its version.
        400..=499 => ErrorKind::Validation,
        _ => ErrorKind::System,
    };
    Error::new(kind).with_status(status.as_u16())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn every_error_status_has_a_kind_and_keeps() {
        for status in 400..=599 {
            let error = error(StatusCode::from_u16(status).unwrap());
            assert_eq!(error.status(), status);
            assert_eq!(
                error.kind() == ErrorKind::System,
                status == 500 || status > 504,
                "{status}"
            );
        }
    }

    #[test]
    fn the_forms_of_an_api_are_not_foreign() {
        let judged = |content_type: &'static str| {
            let value = HeaderValue::from_static(content_type);
            is_foreign(&HeaderMap::from_iter([(header::CONTENT_TYPE, value)]))
        };
        for spoken in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/problem+json",
            "text/event-stream",
            "application/grpc",
            "application/grpc-web+proto",
        ] {
            assert!(!judged(spoken), "{spoken}");
        }
        for foreign in ["text/plain; charset=utf-8", "text/html", "application/octet-stream", "j"] {
            assert!(judged(foreign), "{foreign}");
        }
        assert!(is_foreign(&HeaderMap::new()));
    }
}
