//! What the content type of a head says.

use http::HeaderValue;
#[cfg(feature = "catch-error")]
use http::{HeaderMap, header};

/// Returns whether a content type is `name`, with or without parameters.
#[cfg(feature = "catch-error")]
#[inline]
pub(crate) fn is_type(value: &HeaderValue, name: &[u8]) -> bool {
    let Some((start, rest)) = value.as_bytes().split_at_checked(name.len()) else { return false };
    start.eq_ignore_ascii_case(name) && rest.first().is_none_or(|byte| b"; \t".contains(byte))
}

/// Returns the content type without its parameters; empty if there is none.
#[cfg(feature = "catch-error")]
pub(crate) fn essence(headers: &HeaderMap) -> &[u8] {
    headers.get(header::CONTENT_TYPE).map(essence_of).unwrap_or_default()
}

/// Returns a content type without its parameters.
pub(crate) fn essence_of(value: &HeaderValue) -> &[u8] {
    let value = value.as_bytes();
    let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
    value[..end].trim_ascii()
}

/// Returns whether a content type ends with `end`, such as `json`.
pub(crate) fn ends_with(essence: &[u8], end: &[u8]) -> bool {
    let start = essence.len().checked_sub(end.len());
    start.is_some_and(|start| essence[start..].eq_ignore_ascii_case(end))
}

/// `application/grpc`, with `+proto` or parameters after it; not `application/grpc-web`, whose
/// trailers are part of the body.
pub(crate) fn is_grpc(value: &HeaderValue) -> bool {
    let rest = value.as_bytes().strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| rest.first().is_none_or(|byte| b"+; ".contains(byte)))
}
