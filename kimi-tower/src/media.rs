//! What the content type and the content coding of a head say.

#[cfg(feature = "catch-error")]
use http::{HeaderMap, header};

/// Returns whether a content type is `name`, with or without parameters.
#[cfg(feature = "catch-error")]
#[inline]
pub(crate) fn is_type(value: &http::HeaderValue, name: &[u8]) -> bool {
    let Some((start, rest)) = value.as_bytes().split_at_checked(name.len()) else { return false };
    start.eq_ignore_ascii_case(name) && rest.first().is_none_or(|byte| b"; \t".contains(byte))
}

/// Returns the content type without its parameters; empty if there is none.
#[cfg(feature = "catch-error")]
pub(crate) fn essence(headers: &HeaderMap) -> &[u8] {
    headers.get(header::CONTENT_TYPE).map(|it| essence_of(it.as_bytes())).unwrap_or_default()
}

/// Returns a content type, or a range of them, without its parameters.
pub(crate) fn essence_of(value: &[u8]) -> &[u8] {
    let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
    value[..end].trim_ascii()
}

/// Returns what follows `application/` in a content type, if that is how it begins.
#[cfg(any(
    feature = "raise-error",
    feature = "rate-limit",
    feature = "request-log",
    feature = "retry",
    feature = "token",
    feature = "validate"
))]
pub(crate) fn application(essence: &[u8]) -> Option<&[u8]> {
    let (start, subtype) = essence.split_at_checked(b"application/".len())?;
    start.eq_ignore_ascii_case(b"application/").then_some(subtype)
}

/// Returns whether the subtype of an `application/` is JSON: `json` or one with the suffix `+json`,
/// RFC 6839 §3.1.
#[cfg(any(
    feature = "raise-error",
    feature = "rate-limit",
    feature = "request-log",
    feature = "retry",
    feature = "token",
    feature = "validate"
))]
pub(crate) fn is_json(subtype: &[u8]) -> bool {
    subtype.eq_ignore_ascii_case(b"json") || ends_with(subtype, b"+json")
}

/// Returns whether a value of `content-encoding` names a coding, RFC 9110 §8.4; `identity` is none.
#[cfg(any(
    feature = "raise-error",
    feature = "rate-limit",
    feature = "request-log",
    feature = "retry",
    feature = "token",
    feature = "validate"
))]
pub(crate) fn names_coding(value: &http::HeaderValue) -> bool {
    let mut codings = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    codings.any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
}

/// Returns whether a content type ends with `end`, such as `json`.
#[cfg(any(
    feature = "catch-error",
    feature = "raise-error",
    feature = "rate-limit",
    feature = "request-log",
    feature = "retry",
    feature = "token",
    feature = "validate"
))]
pub(crate) fn ends_with(essence: &[u8], end: &[u8]) -> bool {
    let start = essence.len().checked_sub(end.len());
    start.is_some_and(|start| essence[start..].eq_ignore_ascii_case(end))
}

/// `application/grpc`, with `+proto` or parameters after it; not `application/grpc-web`, whose
/// trailers are part of the body.
#[cfg(any(
    feature = "catch-error",
    feature = "raise-error",
    feature = "rate-limit",
    feature = "request-log",
    feature = "retry",
    feature = "token"
))]
pub(crate) fn is_grpc(value: &http::HeaderValue) -> bool {
    let rest = value.as_bytes().strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| rest.first().is_none_or(|byte| b"+; ".contains(byte)))
}
