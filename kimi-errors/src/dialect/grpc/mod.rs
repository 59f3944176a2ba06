//! gRPC: an error as trailers, and the way back.
//!
//! ```text
//! grpc-status: 8
//! grpc-message: %E8%AF%B7%E6%B1%82…
//! grpc-status-details-bin: CAgSJOivt+axgui/h…
//! grpc-retry-pushback-ms: 1500
//! x-request-id: req-1
//! ```
//!
//! | field | when |
//! |---|---|
//! | `grpc-status` | always: the number of [`ErrorKind::grpc_code`](crate::ErrorKind::grpc_code) |
//! | `grpc-message` | always; percent-encoded, cut at 1 400 bytes |
//! | `grpc-status-details-bin` | always: a `google.rpc.Status` in base64 without padding |
//! | `grpc-retry-pushback-ms` | a wait is known; or -1, if clients retry the code and should not |
//! | `x-request-id` | the error has one |
//!
//! The details are a `google.rpc.ErrorInfo` with the kind in capitals as `reason`, `kimi` as
//! `domain`, and `errcode`, `type`, and, where there is one, `advice`, `reset_at` (Unix seconds),
//! `param` and `request_id` as `metadata`; and a `google.rpc.RetryInfo` where a wait is known and
//! trying again helps. They carry the whole message. With them [`from_trailers`] gives back kind,
//! errcode, message, advice and request id exactly.
//!
//! All fields together stay within 8 KiB as HTTP/2 counts them (name, value, and 32), the limit
//! that the gRPC specification suggests to clients. `data` and [`Error::headers`] are HTTP's and do
//! not travel.
//!
//! ```
//! use kimi_errors::{Error, ErrorKind, grpc};
//!
//! let error = Error::new(ErrorKind::StreamBusy).with_request_id("req-1");
//! let trailers = grpc::trailers(&error);
//! assert_eq!(trailers["grpc-status"], "10");
//!
//! let read = grpc::from_trailers(&trailers).ok_or("no error")?;
//! assert_eq!(read.kind(), ErrorKind::StreamBusy);
//! assert_eq!(read.request_id(), Some("req-1"));
//! # Ok::<(), &str>(())
//! ```

mod details;
mod pushback;

use base64::Engine as _;
use http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode, utf8_percent_encode};

use super::head::REQUEST_ID;
use crate::{Error, ErrorKind, GrpcCode, Received, RetryAdvice, protobuf::BASE64, wait::PUSHBACK};

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// The longest `grpc-message`, in bytes: 155 Chinese characters. They take nine bytes each here
/// and four in the details, so that the details carry the whole message, and this one is for
/// clients that do not read details.
const MAX_MESSAGE: usize = 1400;

/// The longest `grpc-status-details-bin`, in bytes: what the other fields leave of 8 KiB. The
/// longest message with the longest id and parameter fits.
const MAX_DETAILS: usize = 6272;

/// What must be encoded in `grpc-message`, and the blank, which must not stand at its ends.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'%');

/// Returns the trailers of a call that failed; see the [table](self).
#[must_use]
pub fn trailers(error: &Error) -> HeaderMap {
    let mut trailers = metadata(error);
    trailers.insert(STATUS, HeaderValue::from(u16::from(error.kind().grpc_code().number())));
    let message = utf8_percent_encode(brief(error.message()), ESCAPED);
    insert_ascii(&mut trailers, MESSAGE, message.to_string());
    let details = BASE64.encode(details(error));
    if details.len() <= MAX_DETAILS {
        insert_ascii(&mut trailers, DETAILS, details);
    }
    trailers
}

/// Returns the whole answer to a call that failed before its head was out: HTTP 200,
/// `content-type: application/grpc`, and the [`trailers`] in the head.
///
/// The [`Error`] stands in its extensions, so that a layer outside can log it.
#[must_use]
pub fn trailers_only(error: &Error) -> Response<()> {
    let mut response = Response::new(());
    *response.headers_mut() = trailers(error);
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(header::CONTENT_TYPE, grpc);
    response.extensions_mut().insert(error.clone());
    response
}

/// Returns the error that trailers, or the head of a trailers-only answer, tell of; `None` if they
/// have no `grpc-status` or a successful one.
///
/// A foreign status becomes the kind of its code: `UNAVAILABLE` is `Unavailable`,
/// `RESOURCE_EXHAUSTED` `RateLimited`, `UNAUTHENTICATED` `TokenExpired`, and so on, `UNKNOWN` and
/// `INTERNAL` `RequestFailed`. A `google.rpc.RetryInfo` or a pushback in it is obeyed. A status
/// that is no code of gRPC counts as `UNKNOWN`.
#[must_use]
pub fn from_trailers(headers: &HeaderMap) -> Option<Error> {
    let status = headers.get(STATUS)?;
    let number = status.to_str().ok().and_then(|status| status.trim().parse().ok());
    let code = number.and_then(GrpcCode::from_number).unwrap_or(GrpcCode::Unknown);
    if code == GrpcCode::Ok {
        return None;
    }
    let message = headers.get(MESSAGE).map(HeaderValue::as_bytes).unwrap_or_default();
    let message = percent_decode(message).decode_utf8_lossy();
    // A field that came twice may have been joined; the first counts.
    let details =
        headers.get(DETAILS).and_then(|joined| joined.as_bytes().split(|b| *b == b',').next());
    let details = details.and_then(|details| BASE64.decode(details).ok());
    Some(read(code, &message, &details.unwrap_or_default(), headers))
}

/// Returns the `google.rpc.Status` of an error.
pub(crate) fn details(error: &Error) -> Vec<u8> {
    details::write(error)
}

/// Returns as much of a message as `grpc-message` may hold.
pub(crate) fn brief(message: &str) -> &str {
    let mut encoded = 0;
    let mut buffer = [0; 4];
    let past = message.char_indices().find(|(_, character)| {
        let pieces = utf8_percent_encode(character.encode_utf8(&mut buffer), ESCAPED);
        encoded += pieces.map(str::len).sum::<usize>();
        encoded > MAX_MESSAGE
    });
    past.map_or(message, |(end, _)| &message[..end])
}

/// Returns the trailers that are not the status itself.
pub(crate) fn metadata(error: &Error) -> HeaderMap {
    let mut metadata = HeaderMap::with_capacity(5);
    if let Some(ms) = pushback::of(error) {
        metadata.insert(PUSHBACK, HeaderValue::from(ms));
    }
    if let Some(id) = error.request_id() {
        insert_ascii(&mut metadata, REQUEST_ID, id.to_owned());
    }
    metadata
}

/// Returns the error of a status in its parts; `metadata` may hold other fields.
pub(crate) fn read(code: GrpcCode, message: &str, details: &[u8], metadata: &HeaderMap) -> Error {
    let details = details::read(code, details);
    let is_ours = details.info.is_some();
    let mut error = details.info.unwrap_or_else(|| foreign(code));
    let message = details.message.filter(|text| !text.is_empty()).unwrap_or(message);
    error = error.with_said(message.into()).with_received(Received {
        status: None,
        code: Some(code.name().into()),
        error_type: details.reason.map(Into::into),
    });
    if let Some(wait) = details.wait {
        error = error.with_retry_after(wait);
    }
    if !is_ours {
        error = pushback::obey(error, metadata);
    }
    let header = metadata.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    match details.request_id.or(header) {
        Some(id) => error.with_request_id(id),
        None => error,
    }
}

/// The kind that a code alone stands for. Retrying follows Connect's and gRPC's advice on codes.
fn foreign(code: GrpcCode) -> Error {
    match code {
        GrpcCode::Cancelled => ErrorKind::Cancelled.into(),
        GrpcCode::InvalidArgument | GrpcCode::FailedPrecondition | GrpcCode::OutOfRange => {
            ErrorKind::ParamsInvalid.into()
        }
        GrpcCode::DeadlineExceeded => ErrorKind::Timeout.into(),
        GrpcCode::NotFound => ErrorKind::NotFound.into(),
        GrpcCode::AlreadyExists => ErrorKind::Conflict.into(),
        GrpcCode::PermissionDenied => ErrorKind::PermissionDenied.into(),
        GrpcCode::ResourceExhausted => ErrorKind::RateLimited.into(),
        GrpcCode::Aborted => Error::new(ErrorKind::Conflict).with_advice(RetryAdvice::BACKOFF),
        GrpcCode::Unimplemented => ErrorKind::NotImplemented.into(),
        GrpcCode::Unavailable => ErrorKind::Unavailable.into(),
        GrpcCode::DataLoss => Error::new(ErrorKind::RequestFailed).with_advice(RetryAdvice::NEVER),
        GrpcCode::Unauthenticated => ErrorKind::TokenExpired.into(),
        // `Ok` is no error: whoever made one of it is as much in the dark as we are.
        GrpcCode::Ok | GrpcCode::Unknown | GrpcCode::Internal => ErrorKind::RequestFailed.into(),
    }
}

/// Every text that is inserted is printable ASCII by its encoding, or a checked id.
fn insert_ascii(headers: &mut HeaderMap, name: HeaderName, text: String) {
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests;
